// The proxy that the documentation shows the configuration of.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";

import { temporaryDirectory } from "./server.mjs";

/**
 * nginx with a file as it would be in `conf.d/`, but for what `changes` puts in the place of what it says: `[from, to]`. `ADDRESS` in it
 * is the address that it listens on, which is what comes back.
 */
export async function startNginx(t, conf, changes) {
  const directory = await temporaryDirectory(t);
  const address = `127.0.0.1:${await freePort()}`;
  let changed = conf;
  for (const [from, to] of changes) {
    if (!changed.includes(from)) throw new Error(`there is no ${from} in the configuration`);
    changed = changed.replaceAll(from, to);
  }
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${name};`).join(" ");
  const whole = `pid nginx.pid; daemon off; error_log stderr; events {}
http { access_log off; ${temporary}\n${changed.replaceAll("ADDRESS", address)} }`;
  const file = path.join(directory, "nginx.conf");
  await writeFile(file, whole);
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const child = spawn("nginx", ["-p", directory, "-c", file, "-e", "stderr"], { env, stdio: ["ignore", "ignore", "pipe"] });
  // Its workers end with it, when it is asked to.
  const closed = once(child, "close");
  t.after(() => (child.kill("SIGTERM"), closed));
  // Also when the test runner has lost patience.
  process.once("exit", () => child.kill("SIGTERM"));
  let output = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (output += text));
  await Promise.race([accepts(address), closed.then(() => Promise.reject(new Error(`nginx ended:\n${output}`)))]);
  return `http://${address}`;
}

async function freePort() {
  const listener = net.createServer();
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const { port } = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

/** Until it takes a connection. */
async function accepts(address) {
  const [host, port] = address.split(":");
  for (;;) {
    const socket = net.connect(Number(port), host);
    const isOpen = await once(socket, "connect").then(() => true, () => false);
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
