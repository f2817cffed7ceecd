// Durable chat messages as simply as they can be had on Node: `node durable.mjs --data-dir DIR`. Socket.IO beside
// better-sqlite3, one commit with fsync for each message; numbered without a gap, checked for membership, and
// acknowledged after the commit and the broadcast.

import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";

import Database from "better-sqlite3";
import jsonwebtoken from "jsonwebtoken";
import { Server } from "socket.io";

const SECRET = "perf-secret-perf-secret-perf-secret-32";

const directory = process.argv[3];
mkdirSync(directory, { recursive: true });
const db = new Database(`${directory}/peer.db`);
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec(`
  CREATE TABLE channels (channel TEXT PRIMARY KEY, last_seq INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
  CREATE TABLE members (channel TEXT, user TEXT, PRIMARY KEY (channel, user)) STRICT, WITHOUT ROWID;
  CREATE TABLE messages (channel TEXT, seq INTEGER, message TEXT UNIQUE, sender TEXT, content TEXT, created INTEGER,
    PRIMARY KEY (channel, seq)) STRICT, WITHOUT ROWID;
`);
const newChannel = db.prepare("INSERT INTO channels (channel) VALUES (?)");
const newMember = db.prepare("INSERT INTO members VALUES (?, ?)");
const isMember = db.prepare("SELECT 1 FROM members WHERE channel = ? AND user = ?");
const nextSeq = db.prepare("UPDATE channels SET last_seq = last_seq + 1 WHERE channel = ? RETURNING last_seq AS seq");
const newMessage = db.prepare("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)");

const create = db.transaction((channel, user) => {
  newChannel.run(channel);
  newMember.run(channel, user);
});

const append = db.transaction((channelId, userId, content) => {
  if (!isMember.get(channelId, userId)) return undefined;
  const { seq } = nextSeq.get(channelId);
  const [id, createdAt] = [randomUUID(), new Date()];
  newMessage.run(channelId, seq, id, userId, content, createdAt.getTime());
  return { id, channelId, userId, content, seq, createdAt };
});

const userOf = (token) => jsonwebtoken.verify(token, SECRET, { algorithms: ["HS256"] }).sub;

// POST /api/channels: all that the load needs of an HTTP API.
const http = createServer((request, response) => {
  if (request.url.startsWith("/socket.io/")) return;
  if (request.method !== "POST") return response.writeHead(404).end();
  const channel = randomUUID();
  create(channel, userOf(request.headers.authorization.replace("Bearer ", "")));
  const body = JSON.stringify({ channel: { id: channel } });
  response.writeHead(201, { "Content-Type": "application/json", "Content-Length": body.length }).end(body);
});
const io = new Server(http);

io.use((socket, next) => {
  try {
    socket.data.user = userOf(socket.handshake.auth.token);
    next();
  } catch {
    next(new Error("Authentication error: Invalid token"));
  }
});

io.on("connection", (socket) => {
  const member = db.prepare("SELECT channel FROM members WHERE user = ?").all(socket.data.user);
  socket.join(member.map(({ channel }) => `channel:${channel}`));
  socket.on("sendMessage", ({ channelId, content }, ack) => {
    const message = append(channelId, socket.data.user, content);
    if (!message) return ack({ error: "Not allowed", code: "FORBIDDEN" });
    io.to(`channel:${channelId}`).emit("message.created", message);
    ack({ data: message });
  });
});

http.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${http.address().port}`));
