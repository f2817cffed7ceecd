// One run of a script on one server: what it can do, and the notes it takes of what the server did.

import { WebSocket } from "ws";

import { head, HttpConnection } from "./http.mjs";

const PATH = "/socket.io/";
export const RS = "\x1e";

/** The echo of this event says that everything sent before it was dealt with. */
const END = '42["message","end"]';
const END_ECHO = '42["message-back","end"]';

export class Run {
  notes = [];
  #ids = new Map();
  #opened = [];

  constructor(server) {
    this.server = server;
  }

  /** Takes a note; ids become numbers, so that both servers' notes can be the same. */
  note(what, outcome) {
    this.notes.push(`${what}: ${this.#normal(String(outcome))}`);
  }

  async connection() {
    const connection = await HttpConnection.open(this.server.url);
    this.#opened.push(() => connection.abort());
    return connection;
  }

  /** A request on a connection of its own; the target is what follows the path. */
  async request(method, query, options = {}) {
    const { path = PATH, ...rest } = options;
    const connection = await this.connection();
    return describe(await connection.request(method, path + query, rest));
  }

  /** A session on long-polling. */
  async polling(query = "") {
    const connection = await this.connection();
    const answer = await connection.request("GET", `${PATH}?EIO=4&transport=polling${query}`);
    const { sid } = JSON.parse(answer.body.slice(1));
    return new Polling(this, connection, sid);
  }

  /** One that is in the main namespace, or in another. */
  async connectedPolling(namespace = "") {
    const session = await this.polling();
    await session.post(`40${namespace}`);
    await session.packets(2);
    return session;
  }

  /** A WebSocket, opened or refused. */
  websocket(query = "?EIO=4&transport=websocket", options = {}) {
    const url = this.server.url.replace("http", "ws") + (options.path ?? PATH) + query;
    const socket = new Socket(new WebSocket(url, { perMessageDeflate: false, ...options }));
    this.#opened.push(() => socket.abort());
    return socket;
  }

  /** One whose session is in the main namespace, or in another. */
  async connectedWebsocket(namespace = "") {
    const socket = this.websocket();
    await socket.next();
    socket.send(`40${namespace}`);
    await socket.frames(2);
    return socket;
  }

  /** A WebSocket of which the script writes every byte. */
  async rawWebsocket() {
    const connection = await this.connection();
    connection.send(
      head("GET", `${PATH}?EIO=4&transport=websocket`, {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      }),
    );
    return connection;
  }

  /** Until what was written before has reached the server: it answers connections in the order they become readable. */
  async settle() {
    this.side ??= await this.connection();
    for (let round = 0; round < 3; round += 1) {
      await this.side.request("GET", `${PATH}?EIO=4&transport=polling&sid=nobody`);
    }
  }

  close() {
    this.#opened.forEach((close) => close());
  }

  #normal(text) {
    return text.replaceAll(/"(sid|pid)":"([A-Za-z0-9_-]{20,})"/g, (_, key, id) => {
      if (!this.#ids.has(id)) this.#ids.set(id, this.#ids.size + 1);
      return `"${key}":"<id ${this.#ids.get(id)}>"`;
    });
  }
}

/** A session on long-polling, its requests on one connection that is kept. */
class Polling {
  constructor(run, connection, sid) {
    Object.assign(this, { run, connection, sid });
    this.query = `?EIO=4&transport=polling&sid=${sid}`;
  }

  async get(options) {
    return describe(await this.#request("GET", options));
  }

  async post(body, options) {
    return describe(await this.#request("POST", { body, ...options }));
  }

  /** A request on a connection of its own, which is there before this returns; the answer is awaited by the script. */
  async hold(method, options) {
    const connection = await this.run.connection();
    // The server has accepted the connection once it has answered on it.
    await connection.request("GET", `${PATH}?EIO=4&transport=polling&sid=nobody`);
    const answer = connection.request(method, PATH + this.query, options).then(describe);
    await this.run.settle();
    return { answer, abort: () => connection.abort() };
  }

  /** The next `count` packets, however many polls it takes; fewer if the session ends. */
  async packets(count) {
    const packets = [];
    while (packets.length < count) {
      const answer = await this.#request("GET");
      if (answer?.status !== 200) return [...packets, describe(answer)];
      packets.push(...answer.body.split(RS));
    }
    return packets;
  }

  /** Whatever comes up to the echo of a last event, or the end of the session. */
  async rest() {
    await this.#request("POST", { body: END });
    const packets = [];
    while (packets.at(-1) !== END_ECHO) {
      const answer = await this.#request("GET");
      if (answer?.status !== 200) return [...packets, describe(answer)].join(" ");
      packets.push(...answer.body.split(RS));
    }
    return packets.join(" ");
  }

  /** Whether a server that got the bytes so far still knows the session. */
  async state() {
    const answer = await this.#request("POST", { body: "6" });
    return describe(answer);
  }

  async #request(method, options = {}) {
    const { query = this.query, ...rest } = options;
    if (!this.connection.isOpen) this.connection = await this.run.connection();
    const answer = await this.connection.request(method, PATH + query, rest);
    if (answer || method !== "GET") return answer;
    // As clients do: a kept connection may have been closed before the request got there.
    this.connection = await this.run.connection();
    return this.connection.request(method, PATH + query, rest);
  }
}

/** A WebSocket whose frames, refusal and end come one after the other. */
class Socket {
  #events = [];
  #waiting = [];

  constructor(websocket) {
    this.websocket = websocket;
    websocket.on("message", (data, isBinary) => this.#push(isBinary ? `<${data.toString("hex")}>` : data.toString()));
    websocket.on("error", () => {});
    websocket.on("close", (code) => this.#push(`closed ${code}`));
    websocket.on("unexpected-response", (_, response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => {
        const headers = new Map(Object.entries(response.headers));
        this.#push(`refused ${describe({ status: response.statusCode, headers, body: Buffer.concat(chunks).toString() })}`);
      });
    });
  }

  /** The next frame, `closed <code>` or `refused <answer>`. */
  next() {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#deliver();
    });
  }

  async frames(count) {
    const frames = [];
    while (frames.length < count) {
      frames.push(await this.next());
      if (frames.at(-1).startsWith("closed")) break;
    }
    return frames;
  }

  /** Whatever comes up to the echo of a last event, or the end of the connection. */
  async rest() {
    this.send(END);
    const frames = [];
    do {
      frames.push(await this.next());
    } while (frames.at(-1) !== END_ECHO && !frames.at(-1).startsWith("closed"));
    return frames.join(" ");
  }

  async opened() {
    if (this.websocket.readyState === WebSocket.CONNECTING) {
      await new Promise((resolve) => this.websocket.once("open", resolve));
    }
    return this;
  }

  send(data) {
    // What cannot be sent any more is not: the end is noted.
    this.websocket.send(data, () => {});
  }

  abort() {
    this.websocket.terminate();
  }

  #push(event) {
    this.#events.push(event);
    this.#deliver();
  }

  /** The end is the last event for whoever asks, however often. */
  #deliver() {
    while (this.#waiting.length > 0 && this.#events.length > 0) {
      const isEnd = this.#events[0].startsWith("closed");
      this.#waiting.shift()(isEnd ? this.#events[0] : this.#events.shift());
    }
  }
}

/** What of an answer a client can notice. Every answer is for every page, unless it says otherwise. */
export function describe(answer) {
  if (answer === undefined) return "no answer";
  const shown = [...answer.headers].filter(([name]) => SHOWN.includes(name) || name.startsWith("access-control-"));
  const headers = shown.filter(([name, value]) => name !== EVERY_PAGE[0] || value !== EVERY_PAGE[1]);
  if (answer.headers.get(EVERY_PAGE[0]) === undefined) headers.push(["not", "for pages"]);
  const lines = headers.sort().map(([name, value]) => `[${name}: ${value}]`);
  return [answer.status, ...lines, answer.body.replaceAll(RS, " ")].join(" ").trimEnd();
}

const EVERY_PAGE = ["access-control-allow-origin", "*"];
const SHOWN = ["cache-control", "content-type", "set-cookie", "vary"];
