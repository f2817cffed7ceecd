// The wire itself: packets as text, over each transport, without a client that understands them.

import { WebSocket } from "ws";

const SOCKET_IO = "/socket.io/";

/** Text and binary messages of a WebSocket in the order they came; `null` once it is closed. */
export class Wire {
  #received = [];
  #waiting = [];

  constructor(server, query = "EIO=4&transport=websocket") {
    this.socket = new WebSocket(`${server.url.replace("http", "ws")}${server.path ?? SOCKET_IO}?${query}`);
    this.socket.binaryType = "nodebuffer";
    this.socket.on("message", (data, isBinary) => this.#push(isBinary ? data : data.toString()));
    this.socket.on("close", (code) => {
      this.closeCode = code;
      this.#push(null);
    });
    this.socket.on("error", () => {});
  }

  /** An open session: its first packet has been read. */
  static async open(t, server) {
    const wire = new Wire(server);
    t.after(() => wire.socket.terminate());
    wire.handshake = JSON.parse((await wire.next()).slice(1));
    return wire;
  }

  /** An open session in the main namespace, past the `auth` event. */
  static async connected(t, server) {
    const wire = await Wire.open(t, server);
    wire.send("40");
    await wire.next();
    await wire.next();
    return wire;
  }

  send(message) {
    this.socket.send(message);
  }

  /** The next message. */
  next() {
    if (this.#received.length > 0) return Promise.resolve(this.#received.shift());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves once the server has closed the connection, with what it still said. */
  async closed() {
    const last = [];
    for (;;) {
      const message = await this.next();
      if (message === null) return last;
      last.push(message);
    }
  }

  #push(message) {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(message);
    else this.#received.push(message);
  }
}

/** A session over long-polling. */
export class Poller {
  static async open(server) {
    const poller = new Poller();
    poller.target = `${server.url}${server.path ?? SOCKET_IO}?EIO=4&transport=polling`;
    poller.handshake = JSON.parse((await (await fetch(poller.target)).text()).slice(1));
    poller.target += `&sid=${poller.handshake.sid}`;
    return poller;
  }

  /** Sends packets in one request; the status of its answer. */
  async send(...packets) {
    const response = await fetch(this.target, { method: "POST", body: packets.join("\x1e") });
    await response.text();
    return response.status;
  }

  /** The packets that wait, or come next. */
  async poll() {
    const response = await fetch(this.target);
    return (await response.text()).split("\x1e");
  }

  /** The next `count` packets, in as many requests as that takes. */
  async take(count) {
    const packets = [];
    while (packets.length < count) packets.push(...(await this.poll()));
    return packets;
  }

  /** Whether the server knows the session no more. */
  async isGone() {
    return (await this.send("6")) === 400;
  }
}
