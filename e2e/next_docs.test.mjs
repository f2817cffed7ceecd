// The programs of docs/next.md as they stand there: the example application has those of its first part, and all of them
// are compiled against Next.js and both versions of Auth.js. e2e/next.test.mjs runs the application.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

import { createClient } from "../clients/js/dist/index.js";
import { compile, project, tsconfig, until } from "./support/project.mjs";
import { startServer, temporaryDirectory } from "./support/server.mjs";
import { snippets } from "./support/snippets.mjs";
import { token } from "./support/tokens.mjs";

const APPLICATION = fileURLToPath(new URL("../examples/next/", import.meta.url));
const V4 = fileURLToPath(new URL("node_modules/next-auth", import.meta.url));
const installed = (name) => path.join(APPLICATION, "node_modules", name);

const API_KEY = "rk_an-api-key-that-is-long-enough-for-anybody";
const BUNDLER = { module: "esnext", moduleResolution: "bundler" };
/** What these programs use of Clerk. */
const CLERK = `declare module "@clerk/nextjs" {
  export function useAuth(): {
    getToken(options?: { template?: string; leewayInSeconds?: number; skipCache?: boolean }): Promise<string | null>;
    userId: string | null | undefined;
  };
}`;

let snippet;
before(async () => (snippet = await snippets("docs/next.md")));

const files = (names) => Object.fromEntries(names.map((name) => [name, snippet(name)]));

test("the example application has the files that the page shows", async () => {
  for (const name of ["auth.ts", "app/api/roomkey/route.ts"]) {
    assert.equal(snippet(name), await readFile(path.join(APPLICATION, name), "utf8"), name);
  }
});

test("with Auth.js and Clerk: the programs compile", async (t) => {
  const own = ["auth.ts", "app/api/roomkey/route.ts", "claims.ts", "app/realtime.tsx", "app/layout.tsx", "clerk.tsx"];
  const config = await tsconfig({ ...BUNDLER, noEmit: true });
  const links = { next: installed("next"), "next-auth": installed("next-auth") };
  const all = { ...files([...own, "sign-out.ts"]), "modules.d.ts": CLERK, "tsconfig.json": config };
  const directory = await project(t, all, links);
  await compile(directory);
  // And the compiler looks: there is no such option.
  await writeFile(path.join(directory, "claims.ts"), snippet("claims.ts").replace("lifetimeS", "lifetime"));
  await assert.rejects(compile(directory), /claims\.ts.*lifetime/s);
});

test("with a token in the session: the programs compile", async (t) => {
  const config = await tsconfig({ ...BUNDLER, noEmit: true });
  const links = { next: installed("next"), "next-auth": installed("next-auth") };
  const own = files(["session-token.ts", "lib/socket.ts", "hooks/use-web-socket.tsx"]);
  await compile(await project(t, { ...own, "tsconfig.json": config }, links));
});

test("with NextAuth 4: the program compiles", async (t) => {
  const config = await tsconfig({ ...BUNDLER, noEmit: true });
  const links = { next: installed("next"), "next-auth": V4 };
  await compile(await project(t, { ...files(["nextauth4.ts"]), "tsconfig.json": config }, links));
});

test("who signs out is put out at once, on all devices", async (t) => {
  const config = path.join(await temporaryDirectory(t), "roomkey.toml");
  await writeFile(config, `[[auth.api_keys]]\nname = "app"\nkey = "${API_KEY}"\nscopes = ["revoke"]\n`, { mode: 0o600 });
  const server = await startServer(t, { args: ["--config", config] });
  const directory = await project(t, { ...files(["sign-out.ts"]), "tsconfig.json": await tsconfig({ outDir: "built" }) });
  await compile(directory);
  const { endSockets } = await import(pathToFileURL(path.join(directory, "built", "sign-out.js")));
  const ada = token("ada");
  const clients = [1, 2].map(() => createClient({ url: server.url, getToken: () => ada }));
  t.after(() => clients.forEach((client) => client.close()));
  for (const client of clients) client.connect();
  await until(() => clients.every((client) => client.connection.get().phase === "connected"));
  Object.assign(process.env, { ROOMKEY_URL: server.url, ROOMKEY_API_KEY: API_KEY });
  await endSockets("ada");
  await until(() => clients.every((client) => client.connection.get().phase === "stopped"));
  assert.equal(clients[0].connection.get().error.code, "TOKEN_REVOKED");
});
