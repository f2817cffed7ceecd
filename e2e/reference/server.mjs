// The reference server, with the same handlers as Roomkey's example `protocol_server`, and the same flags.

import { createServer } from "node:http";
import { parseArgs } from "node:util";

import { Server } from "socket.io";

const number = { type: "string" };
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "ping-interval": number,
    "ping-timeout": number,
    "connect-timeout": number,
    "max-payload": number,
    "allow-eio3": { type: "boolean" },
    recovery: { type: "boolean" },
  },
});

const given = (name, value) => (value === undefined ? {} : { [name]: value });
const milliseconds = (flag) => values[flag] && Number(values[flag]);

const http = createServer((_, response) => response.writeHead(404).end());
const io = new Server(http, {
  cors: { origin: "*" },
  serveClient: false,
  ...given("pingInterval", milliseconds("ping-interval")),
  ...given("pingTimeout", milliseconds("ping-timeout")),
  ...given("connectTimeout", milliseconds("connect-timeout")),
  ...given("maxHttpBufferSize", values["max-payload"] && Number(values["max-payload"])),
  ...given("allowEIO3", values["allow-eio3"]),
  ...given("connectionStateRecovery", values.recovery && {}),
});

function serve(socket) {
  socket.emit("auth", socket.handshake.auth);
  socket.on("message", (...args) => socket.emit("message-back", ...args));
  socket.on("message-with-ack", (...args) => {
    const ack = args.pop();
    if (typeof ack === "function") ack(...args);
  });
  socket.on("ask", (...args) => {
    const ack = typeof args.at(-1) === "function" ? args.pop() : () => {};
    socket.emit("question", ...args, (...answer) => ack(...answer));
  });
}

io.on("connection", serve);
io.of("/custom").on("connection", serve);

http.listen(Number(values.port), "127.0.0.1", () => console.log(`listening on 127.0.0.1:${http.address().port}`));
