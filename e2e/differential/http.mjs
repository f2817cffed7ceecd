// HTTP/1.1 by hand, on one connection at a time: what is sent, and when, is up to the script.

import net from "node:net";

export class HttpConnection {
  #socket;
  #received = Buffer.alloc(0);
  #waiting = [];
  #isClosed = false;
  #isLast = false;

  static async open(url) {
    const { hostname, port } = new URL(url);
    const socket = net.connect(Number(port), hostname);
    socket.setNoDelay(true);
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return new HttpConnection(socket);
  }

  constructor(socket) {
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("data", (data) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#deliver();
    });
    socket.on("close", () => {
      this.#isClosed = true;
      this.#deliver();
    });
  }

  /** Whether another request may be sent on it. */
  get isOpen() {
    return !this.#isClosed && !this.#isLast;
  }

  /** Sends a whole request and waits for the answer; `undefined` if the connection ended without one. */
  request(method, target, { headers = {}, body } = {}) {
    const length = body === undefined ? {} : { "content-length": Buffer.byteLength(body) };
    this.send(head(method, target, { ...length, ...headers }) + (body ?? ""));
    return this.answer();
  }

  send(bytes) {
    this.#socket.write(bytes);
  }

  answer() {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#deliver();
    });
  }

  /** Goes away, without waiting for anything. */
  abort() {
    this.#socket.resetAndDestroy();
  }

  /** The raw connection, for what follows an upgrade. */
  get socket() {
    return this.#socket;
  }

  #deliver() {
    while (this.#waiting.length > 0) {
      const parsed = parse(this.#received);
      if (parsed) {
        this.#received = parsed.rest;
        this.#isLast ||= parsed.answer.headers.get("connection") === "close";
        this.#waiting.shift()(parsed.answer);
      } else if (this.#isClosed) {
        this.#waiting.shift()(undefined);
      } else {
        return;
      }
    }
  }
}

export function head(method, target, headers) {
  const lines = Object.entries({ host: "localhost", ...headers }).flatMap(([name, value]) =>
    [value].flat().map((value) => `${name}: ${value}\r\n`),
  );
  return `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** The first answer in `bytes`, once it is complete. */
function parse(bytes) {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [statusLine, ...lines] = bytes.subarray(0, headEnd).toString("latin1").split("\r\n");
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]));
  const status = Number(statusLine.split(" ")[1]);
  const body = bytes.subarray(headEnd + 4);
  const content = headers.get("transfer-encoding") === "chunked" ? chunks(body) : measured(body, status, headers);
  return content && { answer: { status, headers, body: content.body.toString() }, rest: content.rest };
}

function measured(bytes, status, headers) {
  const length = status === 101 || status === 204 ? 0 : Number(headers.get("content-length") ?? 0);
  return bytes.length < length ? undefined : { body: bytes.subarray(0, length), rest: bytes.subarray(length) };
}

function chunks(bytes) {
  const parts = [];
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n");
    if (lineEnd < 0) return undefined;
    const length = Number.parseInt(bytes.subarray(0, lineEnd).toString(), 16);
    const end = lineEnd + 2 + length + 2;
    if (bytes.length < end) return undefined;
    parts.push(bytes.subarray(lineEnd + 2, end - 2));
    bytes = bytes.subarray(end);
    if (length === 0) return { body: Buffer.concat(parts), rest: bytes };
  }
}
