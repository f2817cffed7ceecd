// What a server runs out of, and what it has afterwards.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { get } from "node:http";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { collect, connect, refusal } from "./support/client.mjs";
import { BINARY, TEXT, frame, join, received, send, upgradeRequest } from "./support/raw.mjs";
import { createChannel, register, request } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";
import { forgedToken, token } from "./support/tokens.mjs";

test("without a file descriptor left the server waits, and goes on when there are some", async (t) => {
  const server = await startServer(t, { descriptors: 80 });
  const pair = await bystanders(t, server);
  await pair.exchange();
  const idle = [];
  // The kernel takes them, the server cannot.
  while (!server.output.stderr.includes("cannot accept")) {
    idle.push(await send(server));
  }
  await pair.exchange();
  assert.ok(idle.length > 20);
  idle.forEach((socket) => socket.destroy());
  await connect(t, server, token("late"));
  await pair.exchange();
  assert.ok(server.output.stderr.split("cannot accept").length < 20, "said now and then, not over and over");
});

test("metrics have no labels of the clients' making", async (t) => {
  const server = await startServer(t);
  const series = async () => {
    const metrics = await request(server, "GET", "/metrics");
    assert.doesNotMatch(metrics.text, /zebra/);
    return metrics.text.split("\n").filter((line) => line && !line.startsWith("#")).map((line) => line.split(" ")[0]).sort();
  };
  await noise(t, server, "first zebra");
  const before = await series();
  await noise(t, server, "second zebra");
  assert.deepEqual(await series(), before);
});

test("terminal escapes do not reach the log", async (t) => {
  const server = await startServer(t, { env: { ROOMKEY__LOG__LEVEL: "trace", ROOMKEY__LOG__FORMAT: "human" } });
  const escape = "\x1b[31mzebra\x07";
  await noise(t, server, escape);
  const lines = ["GET /", "Host: ", "User-Agent: ", "X-Forwarded-For: ", "Authorization: Bearer ", "Cookie: "];
  for (const line of lines) {
    const raw = await send(server, `GET / HTTP/1.1\r\nHost: x\r\n${line}${escape}\r\n\r\n`);
    raw.end();
    await received(raw, "never");
  }
  assert.equal(await server.stop("SIGTERM"), 0);
  assert.match(server.output.stderr, /a session ended/);
  assert.doesNotMatch(server.output.stderr + server.output.stdout, /[\x07\x1b]/);
});

/** `ROOMKEY_SOAK_SECONDS=3600` for an hour of it. */
const SOAK_MS = 1000 * (process.env.ROOMKEY_SOAK_SECONDS ?? 4);

test("memory is what it was after rounds of attacks, and bystanders lose nothing", { timeout: SOAK_MS + 120_000 }, async (t) => {
  const env = {
    ROOMKEY__ENGINE__PING_INTERVAL_MS: "200",
    ROOMKEY__ENGINE__PING_TIMEOUT_MS: "1000",
    ROOMKEY__ENGINE__RECOVERY: "true",
    ROOMKEY__ENGINE__RECOVERY_MAX_DISCONNECTION_MS: "1000",
    ROOMKEY__ENGINE__ALLOW_EIO3: "true",
    ROOMKEY__ENGINE__DEFLATE: "true",
    ROOMKEY__ENGINE__MSGPACK: "true",
  };
  const server = await startServer(t, { env });
  const pair = await bystanders(t, server);
  const baseline = await gauge(server, "roomkey_connections");
  const round = async () => {
    await Promise.all([pair.exchange(20), ...Object.values(ATTACKS).map((attack) => attack(server))]);
    while ((await gauge(server, "roomkey_connections")) > baseline) await sleep(20);
    await pair.exchange();
    return residentKiB(server);
  };
  // Allocators and caches take what they need first.
  for (let warmUp = 0; warmUp < 3; warmUp += 1) await round();
  const before = await round();
  const over = Date.now() + SOAK_MS;
  let after = before;
  while (Date.now() < over) after = await round();
  t.diagnostic(`resident: ${before} KiB before, ${after} KiB after`);
  assert.ok(after < before * 1.05 + 4096, `${before} KiB before, ${after} KiB after`);
});

/** Each leaves in the middle of something, and holds what it can until then. */
const ATTACKS = {
  async messagesThatAreNotFinished(server) {
    await eachOf(10, async (index) => {
      const socket = await join(server, token(`eve${index}`));
      socket.end(frame(TEXT, `42["x","${"x".repeat(900_000)}"]`).subarray(0, 800_000));
      await received(socket, "never");
    });
  },
  async attachmentsThatAreNotSent(server) {
    await eachOf(10, async (index) => {
      const socket = await join(server, token(`eve${index}`));
      socket.write(frame(TEXT, '4510-["sendMessage",{"_placeholder":true,"num":9}]'));
      for (let sent = 0; sent < 9; sent += 1) socket.write(frame(BINARY, Buffer.alloc(90_000)));
      socket.end();
      await received(socket, "never");
    });
  },
  async fragmentsOfOneByte(server) {
    await eachOf(5, async (index) => {
      const socket = await join(server, token(`eve${index}`));
      socket.write(frame(0x01, "4"));
      for (let sent = 0; sent < 1100; sent += 1) socket.write(frame(0x00, "2"));
      await received(socket, "never");
    });
  },
  async sessionsThatNobodyPolls(server) {
    await eachOf(300, () => handshake(server));
  },
  async upgradesThatAreNotFinished(server) {
    await eachOf(20, async () => {
      const socket = await send(server, upgradeRequest(await handshake(server)));
      socket.write(frame(TEXT, "2probe"));
      await received(socket, "3probe");
      socket.destroy();
    });
  },
  async bodiesThatAreRefused(server) {
    await eachOf(50, async (index) => {
      const sid = await handshake(server);
      const body = index % 2 ? "x".repeat(1_000_001) : "6\x1e".repeat(8000);
      const headers = { "content-type": index % 3 ? "text/plain" : "application/octet-stream" };
      await fetch(`${server.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, { method: "POST", body, headers }).catch(
        // The server closes before it has read all of it.
        () => {},
      );
    });
  },
  async headsThatAreNotFinished(server) {
    await eachOf(100, async () => (await send(server, `GET / HTTP/1.1\r\nx: ${"x".repeat(10_000)}`)).destroy());
  },
  async tokensThatAreForged(server) {
    await eachOf(20, async () => {
      const socket = await send(server, upgradeRequest());
      await received(socket, "0{");
      for (let tries = 0; tries < 3; tries += 1) {
        socket.write(frame(TEXT, `40${JSON.stringify({ token: forgedToken("ada") })}`));
      }
      await received(socket, "never");
    });
  },
};

async function eachOf(count, act) {
  for (let index = 0; index < count; index += 1) await act(index);
}

/** A session's id. On a connection of its own, since the pooled ones are closed under the attacks. */
async function handshake(server) {
  const request = get(`${server.url}/socket.io/?EIO=4&transport=polling`, { agent: false });
  const [response] = await once(request, "response");
  return JSON.parse((await text(response)).slice(1)).sid;
}

/** Two members of a channel; `exchange` sends messages from one to the other, and waits until all have come in order. */
async function bystanders(t, server) {
  const [ada, bob] = [await register(server, "ada"), await register(server, "bob")];
  const channel = await createChannel(server, ada.token, [bob.user.id]);
  const [speaker, listener] = [await connect(t, server, ada.token), await connect(t, server, bob.token)];
  let sent = 0;
  return {
    async exchange(messages = 3) {
      const heard = collect(listener, "message.created", messages);
      const acks = [];
      for (let index = 0; index < messages; index += 1) {
        sent += 1;
        acks.push((await speaker.emitWithAck("sendMessage", { channelId: channel.id, content: `${sent}` })).data.seq);
      }
      assert.deepEqual((await heard).map((message) => message.seq), acks);
      assert.equal(acks.at(-1), sent);
      listener.removeAllListeners("message.created");
    },
  };
}

/** Clients that put a name wherever one may be. */
async function noise(t, server, name) {
  // No user has such an id; a name for people may be anything.
  const subject = name.replaceAll(/[^a-z]/g, "");
  const socket = await connect(t, server, token(subject, { name }), { query: { name } });
  await socket.emitWithAck("joinRoom", name);
  await socket.timeout(50).emitWithAck(name, name).catch(() => {});
  await refusal(t, server, { transports: ["websocket"], auth: { token: name } });
  await socket.io.socket(`/${name}`).connect();
  const body = { username: name, email: `${name}@example.com`, password: name };
  for (const path of ["/api/auth/login", "/api/auth/register", `/${encodeURIComponent(name)}`]) {
    await request(server, "POST", path, { body });
  }
  await fetch(`${server.url}/socket.io/?EIO=4&transport=polling&sid=${encodeURIComponent(name)}`);
  socket.disconnect();
}

async function gauge(server, name) {
  const metrics = await request(server, "GET", "/metrics");
  return Number(metrics.text.match(new RegExp(`^${name} (\\d+)$`, "m"))[1]);
}

async function residentKiB(server) {
  const status = await readFile(`/proc/${server.pid}/status`, "utf8");
  return Number(status.match(/^VmRSS:\s+(\d+) kB$/m)[1]);
}
