// What Roomkey does otherwise than the reference server, on purpose. The reasons are in docs/compatibility.md, under
// these names; the test knows nothing else that may differ, and that all of this does.

const OK = "200 [cache-control: no-store] [content-type: text/html] ok";
const UNKNOWN = '400 [content-type: application/json] {"code":1,"message":"Session ID unknown"}';
const BAD_REVISION = '400 [content-type: application/json] {"code":5,"message":"Unsupported protocol version"}';
const BAD_UPGRADE = "refused 400 [content-type: text/html] [not: for pages] Bad request";
const BAD_VERSION = "refused 400 [content-type: text/html] [not: for pages] Unsupported protocol version";

/** Differences in any script: whose notes have them, and what makes them like the other's. */
export const EVERYWHERE = [
  { name: "Errors are not stored", server: "roomkey", from: /(\b4\d\d) \[cache-control: no-store\]/g, to: "$1" },
  { name: "No noop before the close", server: "reference", from: /\b6 1 400\b/g, to: "1 400" },
  { name: "Scripts are JavaScript", server: "roomkey", from: /\btext\/javascript;/g, to: "text/plain;" },
];

/** By name, and by script: the notes of the reference server, and those of Roomkey. */
export const DIFFERENCES = {
  "Longer session ids": { "the length of the sid": ["characters: 20", "characters: 27"] },

  "Only ASCII in an origin": {
    "an origin that is not ASCII": [
      "handshake: 200 [cache-control: no-store] [content-type: text/plain; charset=UTF-8] " +
        '0{"sid":"<id 1>","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}',
      'handshake: 400 [content-type: application/json] {"code":3,"message":"Bad request"}',
    ],
  },

  "Malformed bodies are answered 400": Object.fromEntries(
    [
      "POST: an empty body",
      "POST: a separator at the end",
      "POST: a separator at the start",
      "POST: only a separator",
      "POST: an unknown type",
      "POST: an unknown type after a good packet",
      "POST: an unknown type before a good packet",
      "revision 3, POST: an unknown type",
      "revision 3, POST: no length",
      "revision 3, POST: a length that is no number",
      "revision 3, POST: a length that is too great",
    ].map((script) => [script, [`POST: ${OK}`, "POST: 400"]]),
  ),

  "Only `EIO=3` is revision 3": {
    "revision 3: other revisions": [
      ["2", "5", "abc", ""].map((revision) => `${revision}: let in`),
      ["2", "5", "abc", ""].map((revision) => `${revision}: ${BAD_REVISION}`),
    ],
  },

  "A packet has a type": {
    "revision 3, POST: a packet that is empty": [
      [`POST: ${OK}`, 'after: 42["message-back","end"]'],
      ["POST: 400", `after: ${UNKNOWN}`],
    ],
  },

  "Base64 is strict": {
    "POST: binary without padding": [
      [`POST: ${OK}`, 'after: 451-["message-back",{"_placeholder":true,"num":0}] bAQIDBA== 42["message-back","end"]'],
      ["POST: 400", `after: ${UNKNOWN}`],
    ],
    "POST: invalid base64": [
      [`POST: ${OK}`, 'after: 451-["message-back",{"_placeholder":true,"num":0}] b 42["message-back","end"]'],
      ["POST: 400", `after: ${UNKNOWN}`],
    ],
  },

  "A body too large ends the session": { "a body above the limit": [`after: ${OK}`, `after: ${UNKNOWN}`] },

  "Nothing is lost before the close": {
    "the server closes while no GET is held": [`packets: 1 ${UNKNOWN}`, `packets: 42["message-back",1] 1 ${UNKNOWN}`],
  },

  "A close packet closes a WebSocket": {
    "WebSocket frame: close": ['frames: 42["message-back","end"]', "frames: closed 1006"],
  },

  "WebSockets are refused before they open": {
    "WebSocket refused: version 3": ["first: closed 1006", `first: ${BAD_VERSION}`],
    "WebSocket refused: no version": ["first: closed 1006", `first: ${BAD_VERSION}`],
    "WebSocket refused: polling": ["first: closed 1005", `first: ${BAD_UPGRADE}`],
    "an upgrade": ["another WebSocket: closed 1005", `another WebSocket: ${BAD_UPGRADE}`],
    "a WebSocket with the sid of a WebSocket": ["second: closed 1005", `second: ${BAD_UPGRADE}`],
  },

  "Ids and numbers are what they look like": {
    ...refused("leading zeros in an ack id", '437[1] 42["message-back","end"]'),
    "connect: auth that is a number": ['frames: 40{"sid":"<id 1>"} 42["auth",{}]', "frames: closed 1005"],
    "WebSocket: white space": ['frames: 420["message-back",1] 42["message-back","end"]', "frames: closed 1005"],
    "polling: white space": ['packets: 421["message-back",1] 42["message-back","end"]', `packets: 1 ${UNKNOWN}`],
  },

  "Events and acks have a payload": {
    ...refused("an event without payload", '42["message-back","end"]'),
    ...refused("an ack without payload", '42["message-back","end"]'),
    ...refused("an ack without payload, but with an id", '42["message-back","end"]'),
  },

  "Arguments pass through as they came": {
    ...echoed("duplicate keys", '42["message-back",{"a":2}]', '42["message-back",{"a":1,"a":2}]'),
    ...echoed(
      "numbers as JavaScript has them",
      '42["message-back",1,100,0,12345678901234567000,0.1]',
      '42["message-back",1.0,1e2,-0,12345678901234567890,0.1]',
    ),
    ...echoed("escapes", String.raw`42["message-back","A/é\ud800"]`, String.raw`42["message-back","\u0041\/\u00e9\ud800"]`),
    ...echoed("white space inside", '42["message-back",1,{"a":2}]', '42["message-back", 1 , { "a" : 2 } ]'),
    ...echoed(
      "an attachment that is used twice",
      '452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}] <01> <01>',
      '451-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}] <01>',
    ),
    ...echoed(
      "attachments in another order",
      '452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}] <02> <01>',
      '452-["message-back",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}] <01> <02>',
    ),
    ...echoed("an attachment that is not used", '42["message-back",1]', '451-["message-back",1] <01>'),
  },

  "A refused client has a second": {
    "a client that is refused": ["when: at the timeout", "when: before the timeout"],
  },
};

/** The reference server takes it, and Roomkey ends the session, over both transports. */
function refused(packet, taken) {
  return {
    [`WebSocket: ${packet}`]: [`frames: ${taken}`, "frames: closed 1005"],
    [`polling: ${packet}`]: [`packets: ${taken}`, `packets: 1 ${UNKNOWN}`],
  };
}

/** Both echo it, but not in the same form. */
function echoed(packet, reference, roomkey) {
  const overPolling = (text) => text.replaceAll(/<(\w*)>/g, (_, hex) => `b${Buffer.from(hex, "hex").toString("base64")}`);
  const end = '42["message-back","end"]';
  return {
    [`WebSocket: ${packet}`]: [`frames: ${reference} ${end}`, `frames: ${roomkey} ${end}`],
    [`polling: ${packet}`]: [`packets: ${overPolling(reference)} ${end}`, `packets: ${overPolling(roomkey)} ${end}`],
  };
}
