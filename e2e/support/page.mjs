// Pages of other people's applications: what they have written, built as a bundler builds it, in a browser in which the
// addresses that stand in their code lead to the servers of a test.

import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import http, { createServer } from "node:http";
import net from "node:net";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import * as esbuild from "esbuild";
import { chromium } from "playwright-core";

const here = fileURLToPath(new URL("..", import.meta.url));

/** Generous: it only ends a test that hangs. */
const PATIENCE_MS = 120_000;

const FLAGS = ["--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"];

/** A program for a browser, in one text; `env` is what the bundler puts in the place of `process.env.NAME`. */
export async function bundle(file, env = {}) {
  const variables = Object.entries(env).map(([name, value]) => [`process.env.${name}`, JSON.stringify(value)]);
  const define = { "process.env.NODE_ENV": '"production"', "process.env": "{}", ...Object.fromEntries(variables) };
  const built = await esbuild.build({ ...settings(file), format: "iife", platform: "browser", define, write: false });
  return built.outputFiles[0].text;
}

/** What a file in TypeScript or with JSX exports, in Node. */
export async function load(t, file) {
  const directory = await mkdtemp(path.join(here, "node_modules", ".built-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const outfile = path.join(directory, "program.mjs");
  await esbuild.build({ ...settings(file), format: "esm", platform: "node", packages: "external", outfile });
  return import(pathToFileURL(outfile));
}

const settings = (file) => ({
  entryPoints: [path.join(here, file)],
  bundle: true,
  jsx: "automatic",
  loader: { ".js": "jsx" },
  logLevel: "error",
});

/**
 * A site with one page, which runs a program. `answers` are what its other paths are answered with, as JSON; what is left goes
 * to `server`, as behind a proxy.
 */
export async function startSite(t, program, { answers = {}, server } = {}) {
  const html = '<!doctype html><div id="root"></div><script src="/program.js"></script>';
  const site = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    if (pathname === "/") return response.setHeader("content-type", "text/html").end(html);
    if (pathname === "/program.js") return response.setHeader("content-type", "text/javascript").end(program);
    if (answers[pathname]) return response.setHeader("content-type", "application/json").end(answers[pathname](request));
    if (server) return pass(server, request, response);
    response.writeHead(404).end();
  });
  site.on("upgrade", (request, socket) => passUpgrade(server, request, socket));
  await once(site.listen(0, "127.0.0.1"), "listening");
  t.after(() => (site.close(), site.closeAllConnections()));
  return `http://127.0.0.1:${site.address().port}`;
}

function pass(server, request, response) {
  const passed = http.request(server.url + request.url, { method: request.method, headers: request.headers });
  passed.on("response", (answer) => answer.pipe(response.writeHead(answer.statusCode, answer.headers)));
  passed.on("error", () => response.destroy());
  request.pipe(passed);
}

function passUpgrade(server, request, socket) {
  const { hostname, port } = new URL(server.url);
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const passed = net.connect(port, hostname);
  passed.write(`GET ${request.url} HTTP/1.1\r\n${headers.join("")}\r\n`);
  passed.pipe(socket).pipe(passed);
  for (const end of [passed, socket]) end.on("error", () => (passed.destroy(), socket.destroy()));
}

/** A browser in which addresses lead elsewhere: `{"localhost:3001": server.url}`. */
export async function startBrowser(t, addresses) {
  const rules = Object.entries(addresses).map(([from, to]) => `MAP ${from} ${new URL(to).host}`);
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const args = [...FLAGS, `--host-resolver-rules=${rules.join(",")}`];
  const browser = await chromium.launch({ executablePath, headless: true, chromiumSandbox: false, args });
  t.after(() => browser.close());
  return browser;
}

/** A page in a profile of its own, with this in its `localStorage`; `lines` are what it has written to the console. */
export async function openPage(browser, address, storage = {}) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const lines = [];
  page.on("console", (message) => lines.push(message.text()));
  page.on("pageerror", (error) => lines.push(`error: ${error.message}`));
  const store = (given) => Object.entries(given).forEach(([key, value]) => localStorage.setItem(key, value));
  await page.addInitScript(store, storage);
  await page.goto(address);
  return Object.assign(page, { lines });
}

/** The next line on the console that has this in it, or one that was written before. */
export function line(page, text) {
  const found = page.lines.find((written) => written.includes(text));
  if (found) return Promise.resolve(found);
  return page.waitForEvent("console", (message) => message.text().includes(text)).then((message) => message.text());
}

/** A site that serves these files, by their path, and what is below the paths of `folders` from disk. */
export async function startFolder(t, files, folders = {}) {
  const kinds = { ".html": "text/html", ".js": "text/javascript" };
  const site = createServer(async ({ url }, response) => {
    const name = url === "/" ? "/index.html" : path.normalize(url);
    const mounted = Object.entries(folders).find(([at]) => name.startsWith(at));
    const onDisk = mounted && path.join(mounted[1], name.slice(mounted[0].length));
    const content = files[name] ?? (onDisk && (await readFile(onDisk).catch(() => undefined)));
    const head = { "content-type": kinds[path.extname(name)] ?? "text/plain" };
    response.writeHead(content === undefined ? 404 : 200, head).end(content);
  });
  await once(site.listen(0, "127.0.0.1"), "listening");
  t.after(() => (site.close(), site.closeAllConnections()));
  return `http://127.0.0.1:${site.address().port}`;
}
