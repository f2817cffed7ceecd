// Reading and writing over long-polling: payloads, overlaps, aborted requests, the end of a session.

import { RS } from "../run.mjs";

const scripts = {};

/** What a body of a POST does to a session that is connected. */
const BODIES = {
  "one packet": '42["message",1]',
  "several packets": ['42["message",1]', '42["message",2]', "3", '42["message",3]'].join(RS),
  "more packets than an answer carries": Array.from({ length: 40 }, (_, number) => `42["message",${number}]`).join(RS),
  "a packet with binary": ['451-["message",{"_placeholder":true,"num":0}]', "bAQIDBA=="].join(RS),
  "binary without padding": ['451-["message",{"_placeholder":true,"num":0}]', "bAQIDBA"].join(RS),
  "empty binary": ['451-["message",{"_placeholder":true,"num":0}]', "b"].join(RS),
  "characters of every length": '42["message","a\u00e9\u20ac\u{1f600}\u2028"]',
  "open": '0{"sid":"x"}',
  "pong": "3",
  "pong with data": "3probe",
  "upgrade": "5",
  "noop": "6",
  "an empty body": "",
  "a separator at the end": `42["message",1]${RS}`,
  "a separator at the start": `${RS}42["message",1]`,
  "only a separator": RS,
  "an unknown type": "7",
  "an unknown type after a good packet": ['42["message",1]', "9"].join(RS),
  "an unknown type before a good packet": ["x", '42["message",1]'].join(RS),
  "ping": "2",
  "ping with data": "2probe",
  "close": "1",
  "packets around close": ['42["message",1]', "1", '42["message",2]'].join(RS),
  "binary that nobody expects": "bAQID",
  "invalid base64": ['451-["message",{"_placeholder":true,"num":0}]', "b!!!!"].join(RS),
};

for (const [name, body] of Object.entries(BODIES)) {
  scripts[`POST: ${name}`] = async (run) => {
    const session = await run.connectedPolling();
    run.note("POST", await session.post(body));
    run.note("after", await session.rest());
  };
}

const CONTENT_TYPES = [undefined, "text/plain;charset=UTF-8", "text/plain", "application/json", "application/octet-stream", ""];
for (const contentType of CONTENT_TYPES) {
  scripts[`POST with the content type ${contentType ?? "missing"}`] = async (run) => {
    const session = await run.connectedPolling();
    const headers = contentType === undefined ? {} : { "content-type": contentType };
    run.note("POST", await session.post('42["message",1]', { headers }));
    run.note("after", await session.rest());
  };
}

export default {
  ...scripts,

  "connecting": async (run) => {
    const session = await run.polling();
    run.note("POST", await session.post("40"));
    run.note("GET", await session.get());
    run.note("POST", await session.post('42["message","caf\u00e9"]'));
    run.note("GET", await session.get());
  },

  "a poll is held until there is something": async (run) => {
    const session = await run.connectedPolling();
    const held = await session.hold("GET");
    run.note("POST", await session.post('42["message",1]'));
    run.note("GET", await held.answer);
  },

  "a POST in pieces and in chunks": async (run) => {
    const session = await run.connectedPolling();
    const connection = await run.connection();
    connection.send(`POST /socket.io/${session.query} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n`);
    connection.send('5\r\n42["m\r\n');
    await run.settle();
    connection.send('a\r\nessage",1]\r\n0\r\n\r\n');
    run.note("POST", (await connection.answer()).status);
    run.note("after", await session.rest());
  },

  "a second GET while one is held": async (run) => {
    const session = await run.connectedPolling();
    const held = await session.hold("GET");
    run.note("second", await session.get());
    run.note("held", await held.answer);
    run.note("after", await session.state());
  },

  "a second POST while one is being received": async (run) => {
    const session = await run.connectedPolling();
    const first = await run.connection();
    await first.request("GET", "/socket.io/?EIO=4&transport=polling&sid=nobody");
    first.send(`POST /socket.io/${session.query} HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n42["`);
    await run.settle();
    run.note("second", await session.post('42["message",1]'));
    run.note("after", await session.state());
  },

  "a held GET whose client goes away": async (run) => {
    const session = await run.connectedPolling();
    const held = await session.hold("GET");
    held.abort();
    await run.settle();
    run.note("after", await session.state());
  },

  "a POST whose client goes away half-way": async (run) => {
    const session = await run.connectedPolling();
    const first = await run.connection();
    await first.request("GET", "/socket.io/?EIO=4&transport=polling&sid=nobody");
    first.send(`POST /socket.io/${session.query} HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n42["`);
    await run.settle();
    first.abort();
    await run.settle();
    run.note("after", await session.state());
  },

  "close while a GET is held": async (run) => {
    const session = await run.connectedPolling();
    const held = await session.hold("GET");
    run.note("POST", await session.post("1"));
    run.note("GET", await held.answer);
    run.note("after", await session.state());
  },

  "the server closes while a GET is held": async (run) => {
    const session = await run.connectedPolling();
    const held = await session.hold("GET");
    run.note("POST", await session.post("40"));
    run.note("GET", await held.answer);
    run.note("after", await session.state());
  },

  "the server closes while no GET is held": async (run) => {
    const session = await run.connectedPolling();
    run.note("POST", await session.post(['42["message",1]', "40"].join(RS)));
    run.note("packets", (await session.packets(9)).join(" "));
  },
};

/** With a limit of 100 bytes. */
export const limited = {
  "a handshake that announces its limit": async (run) => {
    run.note("handshake", await run.request("GET", "?EIO=4&transport=polling"));
  },

  "a body of exactly the limit": async (run) => {
    const session = await run.connectedPolling();
    run.note("POST", await session.post(`42["message","${"a".repeat(84)}"]`));
    run.note("after", await session.rest());
  },

  "a body above the limit": async (run) => {
    const session = await run.connectedPolling();
    run.note("POST", await session.post(`42["message","${"a".repeat(85)}"]`));
    run.note("after", await session.state());
  },

  "a frame of exactly the limit": async (run) => {
    const socket = await run.connectedWebsocket();
    socket.send(`42["message","${"a".repeat(84)}"]`);
    run.note("frames", await socket.rest());
  },

  "a frame above the limit": async (run) => {
    const socket = await run.connectedWebsocket();
    socket.send(`42["message","${"a".repeat(85)}"]`);
    run.note("frames", await socket.rest());
  },
};
