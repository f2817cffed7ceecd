// A network that can be cut: between a client and a server, on a port of its own.

import { once } from "node:events";
import net from "node:net";

/** Passes bytes on until it is told otherwise; closed when the test `t` ends. */
export async function startProxy(t, server) {
  const target = new URL(server.url);
  const pairs = new Set();
  let isMuted = false;
  let swallowed = "";
  let onSwallowed = () => {};

  const listener = net.createServer((client) => {
    const upstream = net.connect(Number(target.port), target.hostname);
    const pair = [client, upstream];
    pairs.add(pair);
    client.on("data", (data) => upstream.write(data));
    upstream.on("data", (data) => {
      if (!isMuted) return client.write(data);
      swallowed += data.toString("latin1");
      onSwallowed();
    });
    for (const [from, to] of [pair, pair.toReversed()]) {
      from.on("error", () => to.destroy()).on("close", () => (to.destroy(), pairs.delete(pair)));
    }
  });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const cut = () => pairs.forEach((pair) => pair.forEach((socket) => socket.destroy()));
  t.after(() => (listener.close(), cut()));

  return {
    url: `http://127.0.0.1:${listener.address().port}`,
    /** Nothing reaches the client any more. */
    mute: () => (isMuted = true),
    /** Until the server has sent this text to nobody. */
    lost: (text) =>
      new Promise((resolve) => {
        onSwallowed = () => swallowed.includes(text) && resolve();
        onSwallowed();
      }),
    /** Ends all connections; later ones are new, and heard. */
    cut: () => (cut(), (isMuted = false), (swallowed = "")),
  };
}
