// The programs of docs/client.md as they stand there: those in JavaScript are run, those in TypeScript compiled, the one in
// React run as a page.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { createChannel, history, PASSWORD, register } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";
import { snippets } from "./support/snippets.mjs";
import { token } from "./support/tokens.mjs";

const run = promisify(execFile);
const PACKAGE = fileURLToPath(new URL("../clients/js", import.meta.url));
const BUILTIN = { env: { JWT_SECRET: undefined } };

let snippet;
before(async () => (snippet = await snippets("docs/client.md")));

/** A project with these files in which the package is installed, as it is published; gone after the test `t`. */
async function project(t, files) {
  await mkdir(path.join(PACKAGE, ".test"), { recursive: true });
  const directory = await mkdtemp(path.join(PACKAGE, ".test", "project-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const installed = path.join(directory, "node_modules", "roomkey");
  await mkdir(installed, { recursive: true });
  for (const part of ["package.json", "dist"]) await symlink(path.join(PACKAGE, part), path.join(installed, part));
  const all = { "package.json": JSON.stringify({ type: "module" }), ...files };
  for (const [name, text] of Object.entries(all)) await writeFile(path.join(directory, name), text);
  return directory;
}

const load = async (t, name) => {
  const directory = await project(t, { [name]: snippet(name) });
  return import(pathToFileURL(path.join(directory, name)));
};

/** As strict as the package itself. */
async function tsconfig(options) {
  const { compilerOptions } = JSON.parse(await readFile(path.join(PACKAGE, "tsconfig.json"), "utf8"));
  const own = { types: ["node"], rootDir: ".", declaration: false, paths: { "@/auth": ["./auth.ts"] } };
  return JSON.stringify({ compilerOptions: { ...compilerOptions, ...own, ...options }, include: ["*"] });
}

async function compile(directory) {
  const tsc = path.join(PACKAGE, "node_modules", ".bin", "tsc");
  await run(tsc, ["-p", directory]).catch(({ stdout }) => Promise.reject(new Error(stdout)));
}

/** Until this is so. */
async function until(isSo) {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
}

test("a first chat", async (t) => {
  const { open } = await load(t, "chat.mjs");
  const server = await startServer(t);
  const channel = await createChannel(server, token("ada"), ["bob"]);
  const screens = { ada: [], bob: [] };
  const chats = Object.keys(screens).map((user) => {
    const show = (messages) => (screens[user] = messages.map(({ content }) => content));
    return open(server.url, channel.id, async () => token(user), show);
  });
  t.after(() => chats.forEach((chat) => chat.close()));
  await chats[0].say("hello");
  await chats[1].say("hello, too");
  await until(() => Object.values(screens).every((screen) => screen.join() === "hello,hello, too"));
});

test("a login", async (t) => {
  const { app } = await load(t, "login.mjs");
  const server = await startServer(t, BUILTIN);
  await register(server, "ada");
  const users = [];
  const { client, logIn, logOut } = app(server.url, (user) => users.push(user?.username));
  await assert.rejects(logIn("ada", "wrong"), { code: "INVALID_CREDENTIALS" });
  await logIn("ada", PASSWORD);
  await until(() => client.connection.get().phase === "connected");
  await logOut();
  assert.deepEqual(users, ["ada", undefined]);
});

test("a robot", async (t) => {
  const { answerAll } = await load(t, "robot.mjs");
  const server = await startServer(t, BUILTIN);
  const [ada, robot] = [await register(server, "ada"), await register(server, "robot")];
  const channel = await createChannel(server, ada.token, [robot.user.id]);
  const { createClient } = await import("../clients/js/dist/index.js");
  const client = createClient({ url: server.url, getToken: () => ada.token });
  t.after(client.close);
  client.connect();
  for (const content of ["one?", "two", "three?"]) await client.send(channel.id, content);
  const end = new AbortController();
  const done = (seq) => seq === 4 && end.abort();
  const login = { username: "robot", password: PASSWORD };
  await answerAll(server.url, login, channel.id, 1, done, end.signal);
  const written = (await history(server, ada.token, channel.id)).map(({ content }) => content);
  assert.deepEqual(written, ["one?", "two", "three?", "Ask me tomorrow."]);
});

test("a page in React: two users chat in it", async (t) => {
  const directory = await project(t, { "chat.tsx": snippet("chat.tsx"), "tsconfig.json": await tsconfig({ outDir: "built" }) });
  await compile(directory);
  const fromPackage = createRequire(path.join(PACKAGE, "package.json"));
  const load = (name) => import(pathToFileURL(fromPackage.resolve(name)));
  const window = new (await load("happy-dom")).Window();
  // Before React looks whether there is a page.
  Object.assign(globalThis, { window, document: window.document });
  globalThis.navigator ??= window.navigator;
  const [{ createElement }, { createRoot }] = [await load("react"), await load("react-dom/client")];
  const { App } = await import(pathToFileURL(path.join(directory, "built", "chat.js")));
  const server = await startServer(t);
  const channel = await createChannel(server, token("ada"), ["bob"]);
  const pages = ["ada", "bob"].map((user) => {
    const page = window.document.createElement("div");
    const root = createRoot(page);
    t.after(() => root.unmount());
    const fetchToken = async () => token(user);
    root.render(createElement(App, { url: server.url, channelId: channel.id, fetchToken }));
    return page;
  });
  await until(() => pages.every((page) => page.querySelector("[role=status]")?.textContent === "connected"));
  for (const [page, text] of [[pages[0], "hello"], [pages[1], "hello, too"]]) {
    const input = page.querySelector("input");
    Object.getOwnPropertyDescriptor(window.HTMLInputElement.prototype, "value").set.call(input, text);
    input.dispatchEvent(new window.Event("input", { bubbles: true }));
    await until(() => input.getAttribute("value") === text);
    page.querySelector("form").dispatchEvent(new window.Event("submit", { bubbles: true, cancelable: true }));
    await until(() => pages.every((one) => one.querySelector("ol").textContent.endsWith(text)));
  }
  for (const page of pages) assert.equal(page.querySelector("ol").textContent, "ada: hellobob: hello, too");
});

test("what is in TypeScript compiles", async (t) => {
  const names = ["own-events.ts", "chat.tsx", "route.ts", "client.ts", "socket.ts"];
  const auth = "export const auth = async () => ({ user: { id: '42', name: 'Ada' }, expires: '' });";
  const files = Object.fromEntries(names.map((name) => [name, snippet(name)]));
  const config = await tsconfig({ noEmit: true });
  const directory = await project(t, { ...files, "auth.ts": auth, "tsconfig.json": config });
  await compile(directory);
  // And the compiler looks: what is not in the table does not.
  const wrong = snippet("own-events.ts").replace('{ item }', "{ thing: item }");
  await writeFile(path.join(directory, "own-events.ts"), wrong);
  await assert.rejects(compile(directory), /own-events\.ts.*thing/s);
});
