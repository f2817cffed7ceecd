// The built application in examples/next, on a free port.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

import { SECRET } from "./server.mjs";

const APPLICATION = fileURLToPath(new URL("../../examples/next/", import.meta.url));

/** `next start` beside a Roomkey server; stopped when the test `t` ends. Resolves with its address. */
export async function startNext(t, server) {
  const next = createRequire(`${APPLICATION}package.json`).resolve("next/dist/bin/next");
  const child = spawn(process.execPath, [next, "start", "--hostname", "127.0.0.1", "--port", "0"], {
    cwd: APPLICATION,
    env: {
      ...process.env,
      NEXT_TELEMETRY_DISABLED: "1",
      AUTH_SECRET: "the secret of the sessions of an application",
      AUTH_TRUST_HOST: "true",
      ROOMKEY_URL: server.url,
      ROOMKEY_SECRET: SECRET,
    },
  });
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  t.after(() => (process.off("exit", end), end()));
  let output = "";
  return new Promise((resolve, reject) => {
    const read = (text) => {
      output += text;
      const address = output.match(/http:\/\/127\.0\.0\.1:[1-9]\d*/)?.[0];
      if (address && output.includes("Ready")) resolve(address);
    };
    child.stdout.setEncoding("utf8").on("data", read);
    child.stderr.setEncoding("utf8").on("data", read);
    child.on("exit", () => reject(new Error(`next start ended:\n${output}`)));
  });
}
