// What each entry costs a page: its files and those they import, compressed. Fails where it is more than package.json allows.

import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const root = new URL("..", import.meta.url);
const manifest = JSON.parse(await readFile(new URL("package.json", root), "utf8"));

for (const [entry, max] of Object.entries(manifest.gzipBytesMax)) {
  const files = new Map();
  await collect(new URL(manifest.exports[entry].default, root), files);
  const bytes = gzipSync([...files.values()].join("\n"), { level: 9 }).length;
  console.log(`${entry}: ${bytes} of ${max} bytes, ${files.size} files`);
  if (bytes > max) {
    console.error(`${entry} has grown beyond what package.json allows (gzipBytesMax)`);
    process.exitCode = 1;
  }
}

/** The text of a file without its comments, as a page gets it, and of those of this package that it imports. */
async function collect(file, files) {
  if (files.has(file.href)) return;
  const text = await readFile(file, "utf8");
  files.set(file.href, text.replace(/\/\*\*?[^]*?\*\/|^\s*\/\/.*$/gm, "").replace(/^\s+/gm, ""));
  for (const [, path] of text.matchAll(/from "(\.[^"]+)"/g)) await collect(new URL(path, file), files);
}
