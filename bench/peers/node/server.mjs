// The bench server, on Node's own Socket.IO: `node server.mjs PORT THREADS`. Node has one thread, whatever is asked.

import { createServer } from "node:http";

import jsonwebtoken from "jsonwebtoken";
import { Server } from "socket.io";

const SECRET = "perf-secret-perf-secret-perf-secret-32";

const http = createServer();
const io = new Server(http);

io.use((socket, next) => {
  try {
    jsonwebtoken.verify(socket.handshake.auth.token, SECRET, { algorithms: ["HS256"] });
    next();
  } catch {
    next(new Error("Authentication error: Invalid token"));
  }
});

io.on("connection", (socket) => {
  socket.on("join", (room, ack) => {
    socket.join(room);
    ack("ok");
  });
  socket.on("bcast", (room, payload) => io.to(room).emit("msg", payload));
  socket.on("echo", (x, ack) => ack(x));
});

http.listen(Number(process.argv[2]), "127.0.0.1", () => console.log(`http://127.0.0.1:${http.address().port}`));
