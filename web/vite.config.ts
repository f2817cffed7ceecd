import { defineConfig, loadEnv } from "vite";

/** The admin page is a build of its own, so that neither page loads a piece of the other. */
export default defineConfig(({ mode }) => {
  const isAdmin = mode === "admin";
  const server = loadEnv(mode, ".", "ROOMKEY_")["ROOMKEY_URL"] ?? "http://127.0.0.1:3000";
  return {
    resolve: {
      // The client package as its source stands here, with the Socket.IO client of this package.
      alias: { roomkey: decodeURIComponent(new URL("../clients/js/src/index.ts", import.meta.url).pathname) },
      dedupe: ["socket.io-client"],
    },
    build: {
      outDir: "../crates/server/pages",
      // The admin page is built second, and adds itself to what is there.
      emptyOutDir: !isAdmin,
      copyPublicDir: !isAdmin,
      // The server embeds the files by name, so the names are stable; it answers with an ETag instead.
      rolldownOptions: {
        input: isAdmin ? { admin: "admin.html" } : { chat: "index.html" },
        output: {
          entryFileNames: "assets/[name].js",
          chunkFileNames: "assets/[name].js",
          assetFileNames: "assets/[name][extname]",
        },
      },
      // Nothing may become inline: the content security policy allows files of this origin only.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      // What the admin page is made of is part of the chat page, too.
      license: isAdmin ? false : { fileName: "assets/licenses.md" },
    },
    server: {
      proxy: {
        "/api": server,
        "/socket.io": { target: server, ws: true },
      },
    },
  };
});
