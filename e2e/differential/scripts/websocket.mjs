// The WebSocket transport: handshake, frames, refusals, hostile bytes.

const scripts = {};

/** What a text frame of Engine.IO does to a session that is connected. */
const FRAMES = {
  "open": '0{"sid":"x"}',
  "close": "1",
  "ping": "2",
  "ping with data": "2probe",
  "pong": "3",
  "pong with data": "3probe",
  "upgrade": "5",
  "noop": "6",
  "an unknown type": "7",
  "a letter": "x",
  "a space": " ",
  "a negative number": "-1",
  "an empty frame": "",
  "an empty message": "4",
  "binary in base64 that nobody expects": "bAQID",
  "binary that nobody expects": Buffer.from([1, 2, 3]),
  "empty binary that nobody expects": Buffer.alloc(0),
};

for (const [name, frame] of Object.entries(FRAMES)) {
  scripts[`WebSocket frame: ${name}`] = async (run) => {
    const socket = await run.connectedWebsocket();
    socket.send(frame);
    run.note("frames", await socket.rest());
  };
}

const REFUSALS = {
  "an unknown transport": "?EIO=4&transport=smoke",
  "no transport": "?EIO=4",
  "an unknown sid": "?EIO=4&transport=websocket&sid=abc",
  "an inherited name as sid": "?EIO=4&transport=websocket&sid=__proto__",
  "version 3": "?EIO=3&transport=websocket",
  "no version": "?transport=websocket",
  "polling": "?EIO=4&transport=polling",
};

for (const [name, query] of Object.entries(REFUSALS)) {
  scripts[`WebSocket refused: ${name}`] = async (run) => {
    const socket = run.websocket(query);
    run.note("first", await socket.next());
  };
}

/** Frames that RFC 6455 forbids, as bytes of an otherwise good connection. */
const HOSTILE = {
  "unmasked": "81026869",
  "a reserved bit": "c18000000000",
  "a reserved opcode": "838000000000",
  "a fragmented ping": "098000000000",
  "a long ping": `89fe007e00000000${"00".repeat(126)}`,
  "a continuation of nothing": "808000000000",
  "a close frame of one byte": "88810000000003",
  "a reserved close code": "88820000000003ee",
  "invalid UTF-8": "818200000000fffe",
  "a frame of an exabyte": "82ff7fffffffffffffff00000000",
};

for (const [name, hex] of Object.entries(HOSTILE)) {
  scripts[`WebSocket bytes: ${name}`] = async (run) => {
    const connection = await run.rawWebsocket();
    await connection.answer();
    connection.send(Buffer.from(hex, "hex"));
    run.note("frames", await closing(connection));
  };
}

export default {
  ...scripts,

  "a session over WebSocket": async (run) => {
    const socket = run.websocket();
    run.note("open", await socket.next());
    socket.send("40");
    run.note("connect", await socket.next());
    run.note("event", await socket.next());
    socket.send('42["message","caf\u00e9",{"a":[null]}]');
    run.note("echo", await socket.next());
  },

  "a WebSocket from any page": async (run) => {
    const socket = run.websocket(undefined, { origin: "http://page.example" });
    run.note("open", await socket.next());
  },

  "binary over WebSocket": async (run) => {
    const socket = await run.connectedWebsocket();
    socket.send('452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]');
    socket.send(Buffer.from([1, 2, 3]));
    socket.send(Buffer.alloc(0));
    run.note("frames", await socket.rest());
  },

  "an attachment in base64": async (run) => {
    const socket = await run.connectedWebsocket();
    socket.send('451-["message",{"_placeholder":true,"num":0}]');
    socket.send("bAQIDBA==");
    run.note("frames", await socket.rest());
  },

  "the client closes with a code": async (run) => {
    const socket = await run.connectedWebsocket();
    socket.websocket.close(1000);
    run.note("end", await socket.next());
  },

  "a ping of WebSocket is answered": async (run) => {
    const socket = await run.connectedWebsocket();
    const pong = new Promise((resolve) => socket.websocket.once("pong", (data) => resolve(data.toString())));
    socket.websocket.ping("abc");
    run.note("pong", await pong);
    run.note("after", await socket.rest());
  },

  "a fragmented message": async (run) => {
    const socket = await run.connectedWebsocket();
    for (const part of ['42["mess', 'age",', "1]"]) {
      socket.websocket.send(part, { fin: part.endsWith("]") });
    }
    run.note("frames", await socket.rest());
  },
};

/** The close code, or how else the connection ends. */
function closing(connection) {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const done = () => resolve(received.length >= 4 ? `close frame ${received.readUInt16BE(received.length - 2)}` : "end");
    connection.socket.on("data", (data) => {
      received = Buffer.concat([received, data]);
    });
    connection.socket.on("close", done);
    connection.socket.on("end", () => connection.socket.end());
  });
}
