// The stock client from npm, over each of its transports.

import { io } from "socket.io-client";

/** How a client may reach the server: one transport only, or one after the other. */
export const TRANSPORTS = {
  "websocket only": ["websocket"],
  "polling only": ["polling"],
  "polling, then upgrade": ["polling", "websocket"],
};

/** A client that has not yet been told to connect; disconnected when the test `t` ends. */
export function client(t, server, options = {}) {
  const socket = io(server.url, { forceNew: true, reconnection: false, autoConnect: false, ...options });
  t.after(() => socket.disconnect());
  return socket;
}

/** A connected client, or its `connect_error`. With an upgrade ahead, connected means upgraded. */
export async function connect(t, server, token, options = {}) {
  const socket = client(t, server, { auth: { token }, transports: ["websocket"], ...options });
  const connected = connection(socket);
  socket.connect();
  await connected;
  if (socket.io.engine.opts.transports?.length > 1 && socket.io.engine.transport.name !== "websocket") {
    await new Promise((resolve) => socket.io.engine.once("upgrade", resolve));
  }
  return socket;
}

/** The error with which the server refuses this client. */
export async function refusal(t, server, options) {
  const socket = client(t, server, options);
  const refused = connection(socket).then(
    () => Promise.reject(new Error("the server let it in")),
    (error) => error,
  );
  socket.connect();
  return refused;
}

/** The next `connect` of `socket`; rejects with its next `connect_error`. */
export function connection(socket) {
  return new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("connect_error", reject);
  });
}

/** The arguments of the next event of this name. */
export function next(socket, event) {
  return new Promise((resolve) => socket.once(event, (...args) => resolve(args)));
}

/** Resolves with the first `count` events of this name (their first arguments), in the order they came. */
export function collect(socket, event, count) {
  return new Promise((resolve) => {
    const seen = [];
    socket.on(event, (first) => {
      seen.push(first);
      if (seen.length === count) resolve(seen);
    });
  });
}
