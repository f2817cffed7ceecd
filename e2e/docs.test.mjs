// Everything else that the documentation shows: settings are settings, commands are commands, code parses, and links lead
// somewhere. What programs on a page do is tested in a file for the page.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { connect, next } from "./support/client.mjs";
import { createChannel, history, PASSWORD } from "./support/rest.mjs";
import { binary, runBinary, startServer, temporaryDirectory } from "./support/server.mjs";
import { snippets } from "./support/snippets.mjs";
import { token } from "./support/tokens.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("..", import.meta.url));

/** Every page: its path, its text, and its blocks of code. */
let pages;
before(async () => {
  const guides = (await readdir(path.join(root, "docs"))).map((name) => `docs/${name}`);
  const others = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "BENCHMARKS.md", "clients/js/README.md"];
  const read = async (name) => {
    const text = await readFile(path.join(root, name), "utf8");
    const blocks = [...text.matchAll(/^```(\w+)[^\n]*\n(.*?)^```$/gms)].map(([whole, language, code]) => {
      return { language, code, place: `${name}:${text.slice(0, text.indexOf(whole)).split("\n").length}` };
    });
    return { name, text, blocks };
  };
  pages = await Promise.all([...guides.filter((name) => name.endsWith(".md")), ...others].map(read));
});

const blocksIn = (...languages) => pages.flatMap(({ blocks }) => blocks.filter(({ language }) => languages.includes(language)));

test("settings are settings", async (t) => {
  const directory = await temporaryDirectory(t);
  const key = path.join(directory, "key");
  await writeFile(key, "rk_end-to-end-key-of-32-characters-or-more", { mode: 0o600 });
  const blocks = blocksIn("toml").filter(({ code }) => !code.includes("[dependencies]"));
  assert.ok(blocks.length > 10);
  for (const { code, place } of blocks) {
    const config = path.join(directory, "roomkey.toml");
    const text = code
      .replaceAll('"whsec_..."', '"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"')
      .replaceAll('"..."', '"a secret of more than thirty-two bytes"')
      .replaceAll("/run/secrets/shop", key)
      .replaceAll("/var/lib/roomkey", directory);
    await writeFile(config, text, { mode: 0o600 });
    const { code: status, stderr } = await runBinary(t, ["check-config", "--config", config]);
    assert.equal(status, 0, `${place}: ${stderr}`);
  }
});

test("commands are commands, with options that they have", async (t) => {
  const directory = await temporaryDirectory(t);
  const config = path.join(directory, "roomkey.toml");
  await writeFile(config, "");
  const server = await startServer(t);
  const { stdout: usage } = await runBinary(t, ["--help"]);
  assert.match(usage, /check-config/);
  const lines = blocksIn("sh").flatMap(({ code, place }) => code.split("\n").map((line) => ({ line, place })));
  const commands = lines.filter(({ line }) => /^(sudo -u roomkey )?roomkey /.test(line));
  assert.ok(commands.length > 10);
  for (const { line, place } of commands) {
    // What a server would be started with is looked at, and not started.
    const command = line.replace("sudo -u roomkey ", "").replace(/^roomkey serve/, "roomkey check-config");
    const here = command.replaceAll(/\S*roomkey\.toml/g, config).replaceAll("/var/lib/roomkey", server.dataDir);
    const where = here.includes("--data-dir") || here.startsWith("roomkey secret") ? "" : `--data-dir ${server.dataDir}`;
    const script = `roomkey() { "$ROOMKEY" "$@" ${where}; }\n${here}`;
    const env = { ...process.env, ROOMKEY: binary, TOKEN: token("ada"), BACKUPS: directory, JWT_SECRET: "" };
    const running = run("sh", ["-c", script], { env, cwd: directory });
    // It may end without having read its input.
    running.child.stdin.on("error", () => {}).end(`${PASSWORD}\n`);
    const failed = await running.then(() => undefined, (error) => error);
    // 2 is wrong usage; 1 that there is no such user here, say.
    assert.ok(!failed || failed.code === 1, `${place}: ${line}: ${failed?.stderr}`);
  }
});

test("code parses", async (t) => {
  const directory = await temporaryDirectory(t);
  for (const { code, place } of blocksIn("js")) {
    const file = path.join(directory, "block.mjs");
    await writeFile(file, code);
    await run(process.execPath, ["--check", file]).catch(({ stderr }) => assert.fail(`${place}: ${stderr}`));
  }
  for (const { code, place } of blocksIn("sh")) {
    await run("sh", ["-nc", code]).catch(({ stderr }) => assert.fail(`${place}: ${stderr}`));
  }
  for (const { code, place } of blocksIn("json")) {
    assert.doesNotThrow(() => JSON.parse(code), place);
  }
});

test("links lead to pages, and to places on them", () => {
  const broken = [];
  for (const { name, text } of pages) {
    const prose = text.replaceAll(/^```.*?^```$/gms, "");
    for (const [, target] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [file, anchor] = target.split("#");
      const to = file ? path.normalize(path.join(path.dirname(name), file)) : name;
      const page = pages.find((one) => one.name === to);
      const isThere = page ? !anchor || anchors(page.text).includes(anchor) : !anchor && existsSync(path.join(root, to));
      if (!isThere) broken.push(`${name}: ${target}`);
    }
  }
  assert.deepEqual(broken, []);
});

/** As the places of a page are called by those who show it. */
function anchors(text) {
  const headings = text.replaceAll(/^```.*?^```$/gms, "").matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, title]) => title.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-"));
}

test("a backend emits, and acts for a user, with the requests of docs/backends.md", async (t) => {
  const key = "rk_end-to-end-key-of-32-characters-or-more";
  const keys = `[{ name = "shop", key = "${key}", scopes = ["channels", "emit"] }]`;
  const server = await startServer(t, { env: { ROOMKEY__AUTH__API_KEYS: keys } });
  const snippet = await snippets("docs/backends.md");
  const { id } = await createChannel(server, token("ada"));
  const socket = await connect(t, server, token("ada"));
  const curl = async (name, user) => {
    const script = snippet(name).replace("https://chat.example", server.url).replace(/\b42\b/, id).replaceAll("ada", user);
    return JSON.parse((await run("sh", ["-c", script], { env: { ...process.env, KEY: key } })).stdout);
  };
  const paid = next(socket, "order:paid");
  assert.deepEqual(await curl("emit.sh", "ada"), { emitted: 1, repeated: false });
  assert.deepEqual(await paid, [{ id: 7 }]);
  assert.equal((await curl("emit.sh", "ada")).repeated, true);
  assert.equal((await curl("send.sh", "ada")).message.userId, "ada");
  assert.equal((await curl("send.sh", "bob")).code, "FORBIDDEN");
  assert.equal((await history(server, token("ada"), id)).length, 1);
});
