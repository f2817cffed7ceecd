// A project in which the npm package is installed as it is published, for the programs of the documentation.

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The source of the npm package. */
export const PACKAGE = fileURLToPath(new URL("../../clients/js", import.meta.url));

/**
 * A folder with these files; gone after the test `t`. It finds `roomkey`, what the package itself is developed with, and the
 * packages in `links`, by their name and where they lie.
 */
export async function project(t, files, links = {}) {
  await mkdir(path.join(PACKAGE, ".test"), { recursive: true });
  const directory = await mkdtemp(path.join(PACKAGE, ".test", "project-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const installed = path.join(directory, "node_modules", "roomkey");
  await mkdir(installed, { recursive: true });
  for (const part of ["package.json", "dist"]) await symlink(path.join(PACKAGE, part), path.join(installed, part));
  for (const [name, place] of Object.entries(links)) {
    const link = path.join(directory, "node_modules", name);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(place, link);
  }
  const all = { "package.json": JSON.stringify({ type: "module" }), ...files };
  for (const [name, text] of Object.entries(all)) {
    await mkdir(path.dirname(path.join(directory, name)), { recursive: true });
    await writeFile(path.join(directory, name), text);
  }
  return directory;
}

/** As strict as the package itself. */
export async function tsconfig(options) {
  const { compilerOptions } = JSON.parse(await readFile(path.join(PACKAGE, "tsconfig.json"), "utf8"));
  const own = { types: ["node"], rootDir: ".", declaration: false, paths: { "@/auth": ["./auth.ts"] } };
  return JSON.stringify({ compilerOptions: { ...compilerOptions, ...own, ...options }, include: ["**/*"] });
}

/** Compiles a project; what the compiler says is the message of the error. */
export async function compile(directory) {
  const tsc = path.join(PACKAGE, "node_modules", ".bin", "tsc");
  await run(tsc, ["-p", directory]).catch(({ stdout }) => Promise.reject(new Error(stdout)));
}

/** Until this is so. */
export async function until(isSo) {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}
