import { defineConfig, loadEnv } from "vite";

export default defineConfig(({ mode }) => {
  const server = loadEnv(mode, ".", "ROOMKEY_")["ROOMKEY_URL"] ?? "http://127.0.0.1:3000";
  return {
    resolve: {
      // The client package as its source stands here, with the Socket.IO client of this package.
      alias: { roomkey: decodeURIComponent(new URL("../clients/js/src/index.ts", import.meta.url).pathname) },
      dedupe: ["socket.io-client"],
    },
    build: {
      outDir: "../crates/server/pages",
      emptyOutDir: true,
      // The server embeds the files by name, so the names are stable; it answers with an ETag instead.
      rolldownOptions: {
        input: { chat: "index.html" },
        output: {
          entryFileNames: "assets/[name].js",
          chunkFileNames: "assets/[name].js",
          assetFileNames: "assets/[name][extname]",
        },
      },
      // Nothing may become inline: the content security policy allows files of this origin only.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      license: { fileName: "assets/licenses.md" },
    },
    server: {
      proxy: {
        "/api": server,
        "/socket.io": { target: server, ws: true },
      },
    },
  };
});
