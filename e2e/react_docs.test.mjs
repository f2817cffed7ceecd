// The programs of docs/react.md as they stand there: all are compiled, the chat is a page that two users chat in, and its test
// is run.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { compile, PACKAGE, project, tsconfig, until } from "./support/project.mjs";
import { createChannel } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";
import { snippets } from "./support/snippets.mjs";
import { token } from "./support/tokens.mjs";

/** What these programs use of Clerk. */
const CLERK = `declare module "@clerk/clerk-react" {
  export function useAuth(): {
    getToken(options?: { template?: string; leewayInSeconds?: number; skipCache?: boolean }): Promise<string | null>;
    userId: string | null | undefined;
  };
}`;
const NAMES = ["chat.tsx", "provider.tsx", "clerk.tsx", "login.tsx", "messages.tsx", "people.tsx", "badge.tsx"];
NAMES.push("anything.tsx", "use-socket.tsx", "pretend.ts", "chat-test.tsx");

/** What is to be done after all tests. */
const ends = [];
after(() => Promise.all(ends.map((end) => end())));

let built;
let window;
let react;
before(async () => {
  const snippet = await snippets("docs/react.md");
  const files = Object.fromEntries(NAMES.map((name) => [name, snippet(name)]));
  const directory = await project(
    { after: (end) => ends.push(end) },
    { ...files, "modules.d.ts": CLERK, "tsconfig.json": await tsconfig({ outDir: "built" }) },
  );
  await compile(directory);
  built = (name) => import(pathToFileURL(path.join(directory, "built", `${name}.js`)));
  const fromPackage = createRequire(path.join(PACKAGE, "package.json"));
  const load = (name) => import(pathToFileURL(fromPackage.resolve(name)));
  window = new (await load("happy-dom")).Window();
  // Before React looks whether there is a page.
  Object.assign(globalThis, { window, document: window.document });
  globalThis.navigator ??= window.navigator;
  react = { ...(await load("react")), ...(await load("react-dom/client")) };
});

test("a first chat: two users chat in it", async (t) => {
  const { App } = await built("chat");
  const server = await startServer(t);
  const channel = await createChannel(server, token("ada"), ["bob"]);
  const pages = ["ada", "bob"].map((user) => {
    const page = window.document.createElement("div");
    const root = react.createRoot(page);
    t.after(() => root.unmount());
    const fetchToken = async () => token(user);
    root.render(react.createElement(App, { url: server.url, channelId: channel.id, fetchToken }));
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

test("messages that came into a hidden page are seen when it is looked at", async (t) => {
  const [{ Messages }, { pretend }] = [await built("messages"), await built("pretend")];
  const { RoomkeyProvider } = await import(pathToFileURL(path.join(PACKAGE, "dist/react/index.js")));
  const look = (visibilityState) => {
    Object.defineProperty(window.document, "visibilityState", { value: visibilityState, configurable: true });
    window.document.dispatchEvent(new window.Event("visibilitychange"));
  };
  const user = { id: "bob", username: "bob" };
  const hello = { id: "m1", channelId: "c1", userId: "bob", user, content: "hello", seq: 1, deliveryStatus: "SENT" };
  const seen = [];
  const { client } = pretend({
    "message:history": ({ after }) => ({ messages: after === undefined ? [hello] : [] }),
    "message:delivered": () => ({}),
    "message:seen": ({ messageId }) => seen.push(messageId),
  });
  look("hidden");
  const page = window.document.createElement("div");
  const root = react.createRoot(page);
  t.after(() => (root.unmount(), look("visible")));
  root.render(react.createElement(RoomkeyProvider, { client }, react.createElement(Messages, { channelId: "c1" })));
  await until(() => page.querySelector("ol[aria-busy=false]")?.textContent.includes("hello"));
  assert.deepEqual(seen, []);
  look("visible");
  await until(() => seen.length > 0);
  assert.deepEqual(seen, ["m1"]);
});

test("a test of one's own", async () => {
  const { test } = await built("chat-test");
  globalThis.IS_REACT_ACT_ENVIRONMENT = true;
  await test(window.document.createElement("div"));
});

test("a test of one's own sees what is wrong", async () => {
  const { pretend } = await built("pretend");
  const { client } = pretend({});
  client.connect();
  await until(() => client.connection.get().phase === "connected");
  await assert.rejects(client.emit("channel:list", {}), { code: "NOT_FOUND" });
  client.close();
});
