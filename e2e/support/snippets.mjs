// Programs and files as a page of the documentation shows them: what is promised is what is run.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The code blocks of a page by the name behind their language: ```js before.mjs */
export async function snippets(page) {
  const text = await readFile(path.join(root, page), "utf8");
  const blocks = text.matchAll(/^```\w+ (\S+)\n(.*?)^```$/gms);
  const named = new Map();
  for (const [, name, code] of blocks) {
    if (named.has(name)) throw new Error(`${page} has two blocks named ${name}`);
    named.set(name, code);
  }
  return (name) => named.get(name) ?? fail(`${page} has no block named ${name}`);
}

/** A folder in which these files are, and in which the packages of these tests are found; gone after the test `t`. */
export async function folder(t, files) {
  const directory = await mkdtemp(path.join(root, "e2e", "node_modules", ".snippets-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  await Promise.all(Object.entries(files).map(([name, code]) => writeFile(path.join(directory, name), code)));
  return directory;
}

/** Runs a program in a folder until the test `t` ends; resolves with the port once it says `listening on PORT`. */
export function listen(t, directory, program, env) {
  const child = spawn(process.execPath, [program], { cwd: directory, env: { ...process.env, PORT: "0", ...env } });
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  return new Promise((resolve, reject) => {
    const read = (text) => {
      output += text;
      const port = output.match(/listening on (\d+)/)?.[1];
      if (port) resolve(`http://127.0.0.1:${port}`);
    };
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
    child.on("exit", () => reject(new Error(`${program} ended:\n${output}`)));
  });
}

function fail(message) {
  throw new Error(message);
}
