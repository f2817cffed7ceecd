// Starts the built binary, with a data directory and a port of its own.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
export const binary = process.env.ROOMKEY_BIN ?? path.join(root, "target/fast/roomkey");
const examples = process.env.ROOMKEY_EXAMPLES ?? path.join(root, "target/fast/examples");

/** Ended with this process, also when the test runner has lost patience with it. */
const children = new Set();
process.on("exit", () => children.forEach((child) => child.kill("SIGKILL")));
process.once("SIGTERM", () => process.exit(1));

/** The secret that the servers of these tests share with the tests, as with an existing backend. */
export const SECRET = "end-to-end-secret-of-32-bytes-or-more";

/**
 * `roomkey serve` on a free port; stopped and cleaned up when the test `t` ends. It may open as many files as
 * `options.descriptors` says, and is started by what `options.around` makes of its command line.
 */
export async function startServer(t, options = {}) {
  const dataDir = options.dataDir ?? (await temporaryDirectory(t));
  const args = serveArguments(dataDir, "127.0.0.1:0", options);
  const env = environmentOf(options);
  const [program, ...words] = options.around?.([binary, ...args], dataDir) ?? [binary, ...args];
  const limited = [`ulimit -n ${options.descriptors} && exec "$0" "$@"`, binary, ...args];
  const server = options.descriptors
    ? await launch(t, "/bin/sh", ["-c", ...limited], env)
    : await launch(t, program, words, env);
  return Object.assign(server, {
    dataDir,
    /** Starts the same server again, on the same address and data. */
    restart: () => startAgain(t, server, dataDir, options),
  });
}

/** An example program of the library, on a free port; `bench_server` takes the port and a number of threads. */
export async function startExample(t, name, args = ["0", "1"], env = {}) {
  return launch(t, path.join(examples, name), args, env);
}

/** The reference server, on a free port, with the handlers and the flags of the example `protocol_server`. */
export async function startReference(t, flags = []) {
  return launch(t, process.execPath, [path.join(root, "e2e/reference/server.mjs"), ...flags], {});
}

/** Runs the binary to its end: what a user sees of a command, or of a server that cannot start. */
export async function runBinary(t, args, { env = {}, input = "", around = (command) => command } = {}) {
  const limits = { timeout: 60_000, killSignal: "SIGKILL" };
  const [program, ...words] = around([binary, ...args]);
  const child = start(program, words, { env: environment(env), cwd: await temporaryDirectory(t), ...limits });
  // It may end without having read its input.
  child.stdin.on("error", () => {}).end(input);
  const output = collect(child);
  const [code, signal] = await once(child, "close");
  assert.equal(signal, null, `roomkey ${args.join(" ")} does not end: ${output.stdout}`);
  return { code, stdout: output.stdout, stderr: output.stderr };
}

export async function temporaryDirectory(t) {
  const directory = await mkdtemp(path.join(tmpdir(), "roomkey-e2e-"));
  // The server may still be writing into it.
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 10 }));
  return directory;
}

async function startAgain(t, server, dataDir, options) {
  const address = new URL(server.url).host;
  return launch(t, binary, serveArguments(dataDir, address, options), environmentOf(options));
}

/** Without rates, unless a test sets them: one test does what many clients do elsewhere. */
function environmentOf({ env }) {
  const rates = ["EVENTS_PER_SOCKET_PER_S", "EVENTS_PER_USER_PER_S", "HANDSHAKES_PER_ADDRESS_PER_S"];
  rates.push("LOGIN_FAILURES_ALARM", "LOGIN_FAILURES_PER_ACCOUNT", "LOGIN_FAILURES_PER_ADDRESS_PER_MIN");
  rates.push("REFUSALS_PER_ADDRESS_PER_MIN", "REGISTRATIONS_PER_ADDRESS_PER_HOUR");
  rates.push("SESSIONS_PER_USER", "SOCKETS_PER_USER", "UNKNOWN_SESSIONS_PER_ADDRESS_PER_S");
  const without = rates.map((name) => [`ROOMKEY__LIMITS__${name}`, "0"]);
  return { JWT_SECRET: SECRET, ...Object.fromEntries(without), ...env };
}

function serveArguments(dataDir, address, { args = [] }) {
  return ["serve", "--listen", address, "--data-dir", dataDir, ...args];
}

async function launch(t, program, args, env) {
  const child = start(program, args, { env: environment(env) });
  const output = collect(child);
  const closed = once(child, "close");
  t.after(() => stop("SIGKILL"));

  async function stop(signal = "SIGTERM") {
    child.kill(signal);
    const [code] = await closed;
    return code;
  }

  const url = await new Promise((resolve, reject) => {
    child.stdout.on("data", () => {
      const address = output.stdout.match(/127\.0\.0\.1:\d+/);
      if (address) resolve(`http://${address[0]}`);
    });
    child.on("error", reject);
    child.on("exit", () => reject(new Error(`${program} did not start:\n${output.stdout}${output.stderr}`)));
  });
  return { url, pid: child.pid, output, stop, printed: (text) => printed(child, output, text) };
}

/** Resolves once this text is on standard output. */
function printed(child, output, text) {
  return new Promise((resolve) => {
    const look = () => output.stdout.includes(text) && resolve();
    child.stdout.on("data", look);
    look();
  });
}

function start(program, args, options) {
  const child = spawn(program, args, options);
  children.add(child);
  child.once("close", () => children.delete(child));
  return child;
}

/** Nothing of the caller's own configuration reaches the server. */
function environment(env) {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("ROOMKEY") && name !== "JWT_SECRET");
  const added = Object.entries(env).filter(([, value]) => value !== undefined);
  return Object.fromEntries([...kept, ...added]);
}

function collect(child) {
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (output.stderr += text));
  return output;
}
