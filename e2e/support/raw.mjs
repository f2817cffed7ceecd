// Connections that send what no client would, byte by byte.

import { once } from "node:events";
import net from "node:net";

const UPGRADE = [
  "Host: localhost",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "\r\n",
].join("\r\n");

/** A request for a WebSocket: a session of its own, or the upgrade of one. */
export function upgradeRequest(sid = "") {
  return `GET /socket.io/?EIO=4&transport=websocket&sid=${sid} HTTP/1.1\r\n${UPGRADE}`;
}

/** A connection that has sent these bytes; what comes back is dropped, unless it is looked at. */
export async function send(server, bytes = "") {
  const { hostname, port } = new URL(server.url);
  const socket = net.connect(Number(port), hostname);
  socket.on("error", () => {});
  socket.resume();
  await once(socket, "connect");
  socket.write(bytes);
  return socket;
}

/** A WebSocket in a namespace, on which frames can be written. */
export async function join(server, token) {
  const socket = await send(server, upgradeRequest());
  await received(socket, "0{");
  socket.write(frame(TEXT, `40${JSON.stringify({ token })}`));
  await received(socket, "40{");
  return socket;
}

/** Waits until this text has come, or the connection has ended. */
export function received(socket, text) {
  let seen = "";
  return new Promise((resolve) => {
    socket.on("close", resolve);
    socket.on("data", function look(data) {
      seen += data.toString("latin1");
      if (!seen.includes(text)) return;
      socket.off("data", look);
      resolve();
    });
  });
}

export const TEXT = 0x81;
export const BINARY = 0x82;

/** A masked frame with this first byte; the mask is all zeros. */
export function frame(first, payload) {
  const body = Buffer.from(payload);
  const header = Buffer.alloc(14);
  header[0] = first;
  header[1] = 0xff;
  header.writeBigUInt64BE(BigInt(body.length), 2);
  const length = [];
  if (body.length < 126) length.push(0x80 | body.length);
  else if (body.length < 65536) length.push(0xfe, body.length >> 8, body.length & 0xff);
  else return Buffer.concat([header, body]);
  return Buffer.concat([Buffer.from([first, ...length, 0, 0, 0, 0]), body]);
}
