// What docs/quick-start.md promises is run as it stands there: its pages in a browser, its commands in a shell, its
// configuration in the server and in nginx.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { collect, connect, TRANSPORTS } from "./support/client.mjs";
import { startNginx } from "./support/nginx.mjs";
import { openPage, startBrowser, startFolder } from "./support/page.mjs";
import { createChannel, history, PASSWORD, register, request } from "./support/rest.mjs";
import { binary, runBinary, SECRET, startServer, temporaryDirectory } from "./support/server.mjs";
import { folder, snippets } from "./support/snippets.mjs";
import { token } from "./support/tokens.mjs";

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));
const ADDRESS = "http://127.0.0.1:3000";

let snippet;
before(async () => (snippet = await snippets("docs/quick-start.md")));

const replaced = (text, from, to) => {
  assert.ok(text.includes(from), from);
  return text.replaceAll(from, to);
};

for (const program of ["chat.js", "chat-with-package.js"]) {
  test(`two people chat on the page with ${program}`, async (t) => {
    const server = await startServer(t, { env: { JWT_SECRET: undefined } });
    const files = { "/index.html": snippet("index.html"), "/chat.js": replaced(snippet(program), ADDRESS, server.url) };
    const [modules, client] = [path.join(here, "node_modules"), path.join(here, "../clients/js")];
    const site = await startFolder(t, files, { "/node_modules/roomkey": client, "/node_modules": modules });
    const browser = await startBrowser(t, { "localhost:8000": site });
    const pages = [];
    for (const name of ["ada", "bob"]) {
      const page = await openPage(browser, "http://localhost:8000/");
      const logIn = async () => {
        await page.getByPlaceholder("Name").fill(name);
        await page.getByPlaceholder("Password").fill(PASSWORD);
        await page.getByText("Log in, or register").click();
        await page.getByRole("button", { name: "Send" }).waitFor();
      };
      // First as somebody new, then as somebody who is known.
      await logIn();
      await page.reload();
      await logIn();
      pages.push(page);
    }
    for (const [page, text] of [[pages[0], "Ahoy!"], [pages[1], "Ahoy to you <b>"]]) {
      await page.locator("#say input").fill(text);
      await page.getByRole("button", { name: "Send" }).click();
      for (const one of pages) await one.locator("li", { hasText: text }).filter({ hasText: ":" }).waitFor();
    }
    const expected = ["ada: Ahoy!", "bob: Ahoy to you <b>"];
    for (const page of pages) assert.deepEqual(await page.locator("li").allInnerTexts(), expected);
  });
}

test("a robot in Python answers in the lobby", async (t) => {
  const server = await startServer(t, { env: { JWT_SECRET: undefined } });
  const ada = await register(server, "ada");
  const channel = await createChannel(server, ada.token, [], "public");
  const account = ["user", "add", "--email", "robot@example.com", "--username", "robot", "--data-dir", server.dataDir];
  const added = await runBinary(t, account, { input: `${PASSWORD}\n` });
  assert.equal(added.code, 0, added.stderr);

  const file = path.join(await temporaryDirectory(t), "robot.py");
  await writeFile(file, snippet("robot.py"));
  const env = { ...process.env, ROOMKEY_URL: server.url, ROBOT_PASSWORD: PASSWORD, PYTHONUNBUFFERED: "1" };
  const robot = spawn(process.env.PYTHON ?? "python3", [file], { env, stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => robot.kill("SIGKILL"));
  assert.match(String((await once(robot.stdout, "data"))[0]), /listening/);
  const socket = await connect(t, server, ada.token);
  const seen = collect(socket, "message.created", 3);
  for (const content of ["Hello", "Is it raining?"]) await socket.emitWithAck("sendMessage", { channelId: channel.id, content });
  const lines = (await seen).map(({ user, content }) => `${user.username}: ${content}`);
  assert.deepEqual(lines, ["ada: Hello", "ada: Is it raining?", "robot: Ask me tomorrow."]);
});

test("a token of one's own backend", async (t) => {
  const server = await startServer(t);
  const directory = await folder(t, { "token.mjs": snippet("token.mjs") });
  const roomkey = `roomkey() { "$ROOMKEY_BIN" "$@" --data-dir "${server.dataDir}"; }\n`;
  const script = roomkey + replaced(snippet("who-am-i.sh"), ADDRESS, server.url);
  const env = { ...process.env, ROOMKEY_BIN: binary, JWT_SECRET: SECRET };
  const { stdout } = await run("sh", ["-c", script], { cwd: directory, env });
  assert.match(stdout, /The server accepts this token\.[^]*"user":\{[^}]*"id":"7"[^}]*"username":"ada"/);
});

test("the configuration for the internet is one, and so is the service", async (t) => {
  const file = path.join(await temporaryDirectory(t), "roomkey.toml");
  await writeFile(file, snippet("roomkey.toml"));
  const checked = await runBinary(t, ["check-config", "--config", file]);
  assert.equal(checked.code, 0, checked.stderr);
  const [, command] = snippet("roomkey.service").match(/^ExecStart=\/usr\/local\/bin\/roomkey serve (.*)$/m);
  const again = await runBinary(t, ["check-config", ...replaced(command, "/etc/roomkey/roomkey.toml", file).split(" ")]);
  assert.equal(again.stdout, checked.stdout);
});

test("behind nginx: every transport, clients where they are, pages that are listed", async (t) => {
  const directory = await temporaryDirectory(t);
  const toml = path.join(directory, "roomkey.toml");
  await writeFile(toml, replaced(snippet("roomkey.toml"), 'data_dir = "/var/lib/roomkey"', `data_dir = "${directory}/data"`));
  const server = await startServer(t, { args: ["--config", toml] });
  const proxy = await startNginx(t, snippet("chat.conf"), [
    ["listen 443 ssl;", "listen ADDRESS;"],
    ["ssl_certificate     /etc/ssl/chat.example.com.pem;", ""],
    ["ssl_certificate_key /etc/ssl/chat.example.com.key;", ""],
    ["http://127.0.0.1:3000;", `${server.url};`],
    ["$remote_addr", "192.0.2.7"],
  ]);
  const headers = { origin: "https://chat.example.com", host: "chat.example.com" };
  for (const transports of Object.values(TRANSPORTS)) {
    const socket = await connect(t, { url: proxy }, token("ada"), { transports, extraHeaders: headers });
    assert.deepEqual(await socket.emitWithAck("joinRoom", "user:ada"), { data: "user:ada" });
  }
  const elsewhere = { origin: "https://elsewhere.example" };
  const refused = await fetch(`${proxy}/socket.io/?EIO=4&transport=polling`, { headers: elsewhere });
  assert.equal(refused.status, 403);
  assert.equal((await request({ url: proxy }, "GET", "/metrics")).status, 404);
  assert.equal((await request(server, "GET", "/metrics")).status, 200);
  const closed = await request({ url: proxy }, "POST", "/api/auth/register", { body: { email: "a@example.com", password: PASSWORD } });
  assert.equal(closed.status, 403, closed.text);

  await server.stop();
  const audit = (await readFile(path.join(server.dataDir, "audit.jsonl"), "utf8")).trim().split("\n").map((text) => JSON.parse(text));
  const logins = audit.filter(({ event }) => event === "authn_login_success");
  assert.deepEqual([...new Set(logins.map(({ address }) => address))], ["192.0.2.7"]);
});

test("a backup is all that a new server needs", async (t) => {
  const server = await startServer(t, { env: { JWT_SECRET: undefined } });
  const ada = await register(server, "ada");
  const channel = await createChannel(server, ada.token);
  const socket = await connect(t, server, ada.token);
  await socket.emitWithAck("sendMessage", { channelId: channel.id, content: "kept" });
  const backups = await temporaryDirectory(t);
  const roomkey = `roomkey() { "$ROOMKEY_BIN" "$@" --data-dir "$DATA_DIR"; }\n`;
  const env = { ...process.env, ROOMKEY_BIN: binary, BACKUPS: backups, DATA_DIR: server.dataDir };
  await run("sh", ["-ec", roomkey + snippet("backup.sh")], { env });
  await server.stop();

  const dataDir = path.join(await temporaryDirectory(t), "data");
  await mkdir(dataDir);
  await chmod(dataDir, 0o700);
  await cp(backups, dataDir, { recursive: true });
  const restored = await startServer(t, { dataDir, env: { JWT_SECRET: undefined } });
  const messages = await history(restored, ada.token, channel.id);
  assert.deepEqual(messages.map(({ content }) => content), ["kept"], "and the token is still good");
});
