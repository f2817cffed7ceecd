// What each entry costs a page, bundled, minified and compressed, without the peers that the page has anyway. Fails where
// it is more than package.json allows, and where a part that needs no socket brings the stock client with it.

import { fileURLToPath } from "node:url";
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
const peers = [...Object.keys(manifest.peerDependencies), "react/jsx-runtime"];

/** What a page gets that has this program in it, and which of the peers. */
async function bundle(program) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: program, resolveDir: root },
    bundle: true,
    minify: true,
    format: "esm",
    external: peers,
    write: false,
    metafile: true,
    outdir: "out",
  });
  const { imports } = Object.values(metafile.outputs)[0];
  return { bytes: gzipSync(outputFiles[0].contents, { level: 9 }).length, imports: imports.map(({ path }) => path) };
}

function fail(problem) {
  console.error(problem);
  process.exitCode = 1;
}

for (const [entry, max] of Object.entries(manifest.gzipBytesMax)) {
  const { bytes } = await bundle(`export * from "${entry.replace(".", "roomkey")}"`);
  console.log(`${entry}: ${bytes} of ${max} bytes`);
  if (bytes > max) fail(`${entry} has grown beyond what package.json allows (gzipBytesMax)`);
}

for (const [name, entry] of Object.entries(manifest.withoutSocket)) {
  const { bytes, imports } = await bundle(`export { ${name} } from "${entry.replace(".", "roomkey")}"`);
  console.log(`${name} alone: ${bytes} bytes`);
  if (imports.includes("socket.io-client")) fail(`${name} brings socket.io-client with it`);
}
