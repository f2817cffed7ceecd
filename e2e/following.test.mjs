// The client of docs/chat.md that misses nothing, as it is printed there, with a stock client whose connection ends at any
// moment.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { io } from "socket.io-client";

import { connect } from "./support/client.mjs";
import { createChannel, register } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";

const page = readFileSync(new URL("../docs/chat.md", import.meta.url), "utf8");
const [, program] = page.split("### A client that misses nothing")[1].match(/```js\n([^]*?)```/);

for (const recovery of [false, true]) {
  test(`each message once and in order, ${recovery ? "with" : "without"} recovery`, async (t) => {
    const env = {
      ROOMKEY__ENGINE__RECOVERY: String(recovery),
      ROOMKEY__LIMITS__EVENTS_PER_SOCKET_PER_S: "0",
      ROOMKEY__LIMITS__EVENTS_PER_USER_PER_S: "0",
      ROOMKEY__LIMITS__HANDSHAKES_PER_ADDRESS_PER_S: "0",
      ROOMKEY__LIMITS__PAGE_ENTRIES: "7",
    };
    const server = await startServer(t, { env });
    const [ada, bob] = await Promise.all([register(server, "ada"), register(server, "bob")]);
    const channels = [];
    for (let number = 0; number < 2; number += 1) {
      channels.push(await createChannel(server, ada.token, [bob.user.id]));
    }
    const sender = await connect(t, server, ada.token);
    const socket = io(server.url, {
      auth: { token: bob.token },
      transports: ["websocket"],
      reconnectionDelay: 5,
      reconnectionDelayMax: 20,
    });
    t.after(() => socket.close());

    const seen = new Map(channels.map(({ id }) => [id, []]));
    let showed = () => {};
    const show = (message) => {
      seen.get(message.channelId).push(message.seq);
      showed();
    };
    let connections = 0;
    let recovered = 0;
    socket.on("connect", () => {
      connections += 1;
      recovered += socket.recovered ? 1 : 0;
    });
    new Function("socket", "show", program)(socket, show);

    const last = new Map();
    for (let number = 0; number < 300 || connections < 20; number += 1) {
      const { id } = channels[number % 3 === 0 ? 0 : 1];
      const ack = await sender.emitWithAck("sendMessage", { channelId: id, content: String(number) });
      assert.equal(ack.error, undefined, JSON.stringify(ack));
      last.set(id, ack.data.seq);
      if (number % 7 === 0 && socket.connected) socket.io.engine.transport.ws.terminate(); // as a network does
    }
    const complete = () => channels.every(({ id }) => seen.get(id).length >= last.get(id));
    await new Promise((resolve) => {
      showed = () => complete() && resolve();
      showed();
    });
    for (const { id } of channels) {
      assert.deepEqual(seen.get(id), Array.from({ length: last.get(id) }, (_, index) => index + 1));
    }
    assert.equal(recovered > 0, recovery, `${recovered} recovered`);
    // Whatever was acknowledged on the way: at last nothing waits.
    for (;;) {
      const { data } = await socket.timeout(5000).emitWithAck("message:getOfflineCount", {});
      if (data.total === 0) break;
    }
  });
}
