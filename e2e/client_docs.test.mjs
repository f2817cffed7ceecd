// The programs of docs/client.md as they stand there: those in JavaScript are run, those in TypeScript compiled.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { compile, project, tsconfig, until } from "./support/project.mjs";
import { createChannel, history, PASSWORD, register } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";
import { snippets } from "./support/snippets.mjs";
import { token } from "./support/tokens.mjs";

const BUILTIN = { env: { JWT_SECRET: undefined } };

let snippet;
before(async () => (snippet = await snippets("docs/client.md")));

const load = async (t, name) => {
  const directory = await project(t, { [name]: snippet(name) });
  return import(pathToFileURL(path.join(directory, name)));
};

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

test("what is in TypeScript compiles", async (t) => {
  const [name, other] = ["own-events.ts", "cookies.ts"];
  const files = { [name]: snippet(name), [other]: snippet(other), "tsconfig.json": await tsconfig({ noEmit: true }) };
  const directory = await project(t, files);
  await compile(directory);
  // And the compiler looks: what is not in the table does not.
  await writeFile(path.join(directory, name), snippet(name).replace("{ item }", "{ thing: item }"));
  await assert.rejects(compile(directory), /own-events\.ts.*thing/s);
});
