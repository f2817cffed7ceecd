// Socket.IO packets: events, acks, binary, and whatever is none of these. Each over a WebSocket and over polling.

import { RS } from "../run.mjs";

/** Text without the leading `4`, or bytes, one after the other on a connection that is in the main namespace. */
const PACKETS = {
  // Events and acks.
  "an event": ['2["message",1,"2",{"3":[true]}]'],
  "an event of the main namespace, named": ['2/,["message",1]'],
  "an event that nobody handles": ['2["unknown",1]'],
  "an event that wants an ack": ['212["message-with-ack",1,"2",{"3":[false]}]'],
  "an ack without arguments": ['20["message-with-ack"]'],
  "a big ack id": ['2999999999999["message-with-ack",1]'],
  "leading zeros in an ack id": ['2007["message-with-ack",1]'],
  "an ack that nobody wants": ["39[1]"],
  "a number as event name": ["2[1,2]"],
  "names that are not reserved": ['2["error",1]', '2["connection",1]', '2["ping",1]'],
  "many events": Array.from({ length: 50 }, (_, number) => `2["message",${number}]`),
  "a deep argument": [`2["message",${"[".repeat(200)}${"]".repeat(200)}]`],
  "a placeholder in an event without binary": ['2["message",{"_placeholder":true,"num":0}]'],
  // Binary.
  "an event with binary": ['51-["message",{"_placeholder":true,"num":0}]', Buffer.from([1, 2, 3])],
  "binary inside of objects": [
    '52-["message",{"a":[{"_placeholder":true,"num":0}],"b":{"c":{"_placeholder":true,"num":1}}}]',
    Buffer.from([1]),
    Buffer.from([2]),
  ],
  "an ack with binary": ['51-7["message-with-ack",{"_placeholder":true,"num":0}]', Buffer.from([255])],
  "ten attachments": [
    `510-["message",${Array.from({ length: 10 }, (_, num) => `{"_placeholder":true,"num":${num}}`).join()}]`,
    ...Array.from({ length: 10 }, (_, number) => Buffer.from([number])),
  ],
  "an attachment that is used twice": [
    '51-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]',
    Buffer.from([1]),
  ],
  "attachments in another order": [
    '52-["message",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]',
    Buffer.from([1]),
    Buffer.from([2]),
  ],
  "an attachment that is not used": ['51-["message",1]', Buffer.from([1])],
  "a binary ack that nobody wants": ['61-9[{"_placeholder":true,"num":0}]', Buffer.from([1])],
  // The table of invalid input.
  "an object for a payload": ["2{}"],
  "an empty payload": ["2[]"],
  "null as event name": ["2[null]"],
  "true as event name": ["2[true]"],
  "an unfinished payload": ['2["m"'],
  "more than a payload": ['2["m",1]x'],
  "an event without payload": ["2"],
  "an ack without payload": ["3"],
  "an ack without payload, but with an id": ["31"],
  "a letter for an ack id": ['2a["m"]'],
  "a negative ack id": ['2-1["m"]'],
  "a namespace without comma": ['2/["m",1]'],
  "an object as ack": ["31{}"],
  "connect again": ["0"],
  "connect again with auth": ['0{"a":1}'],
  "an array as auth": ["0/custom,[]"],
  "text as auth": ['0/custom,"x"'],
  "null as auth": ["0/custom,null"],
  "unfinished auth": ["0/custom,{"],
  "an event of a namespace that is not connected": ['2/custom,["m"]'],
  "an ack of a namespace that is not connected": ["3/custom,1[]"],
  "disconnect of a namespace that is not connected": ["1/custom,"],
  "disconnect with a payload": ['1{"a":1}'],
  "a refusal": ['4{"message":"x"}'],
  "a refusal without payload": ["4"],
  "attachments without a dash": ['51["m"]'],
  "no number of attachments": ['5-["m"]'],
  "a negative number of attachments": ['5-1-["m"]'],
  "a fraction of attachments": ['51.5-["m"]'],
  "zero attachments": ['50-["m"]'],
  "eleven attachments": ['511-["m"]'],
  "a placeholder out of range": ['51-["message",{"_placeholder":true,"num":1}]', Buffer.from([1])],
  "a negative placeholder": ['51-["message",{"_placeholder":true,"num":-1}]', Buffer.from([1])],
  "text for a placeholder": ['51-["message",{"_placeholder":true,"num":"0"}]', Buffer.from([1])],
  "no number for a placeholder": ['51-["message",{"_placeholder":true}]', Buffer.from([1])],
  "text instead of an attachment": ['51-["message",{"_placeholder":true,"num":0}]', '2["message",1]'],
  "an unknown type": ["7"],
  "a type of two digits": ["99"],
  "a letter": ["x"],
  "a space": [" "],
  "a negative type": ["-1"],
  "duplicate keys": ['2["message",{"a":1,"a":2}]'],
  "numbers as JavaScript has them": ['2["message",1.0,1e2,-0,12345678901234567890,0.1]'],
  "escapes": [String.raw`2["message","\u0041\/\u00e9\ud800"]`],
  "white space": ['2 ["message", 1 ]'],
  "white space inside": ['2["message" , 1 , { "a" : 2 } ]'],
};
for (const name of ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]) {
  PACKETS[`the reserved name ${name}`] = [`2["${name}"]`];
  PACKETS[`the reserved name ${name}, with binary`] = [`51-["${name}",{"_placeholder":true,"num":0}]`, Buffer.from([1])];
}

const scripts = {};
for (const [name, packets] of Object.entries(PACKETS)) {
  scripts[`WebSocket: ${name}`] = async (run) => {
    const socket = await run.connectedWebsocket();
    packets.forEach((packet) => socket.send(typeof packet === "string" ? `4${packet}` : packet));
    run.note("frames", await socket.rest());
  };
  scripts[`polling: ${name}`] = async (run) => {
    const session = await run.connectedPolling();
    const body = packets.map((packet) => (typeof packet === "string" ? `4${packet}` : `b${packet.toString("base64")}`));
    await session.post(body.join(RS));
    run.note("packets", await session.rest());
  };
}

export default {
  ...scripts,

  "the server awaits an ack": async (run) => {
    const socket = await run.connectedWebsocket();
    socket.send('427["ask","a",{"b":1}]');
    const question = await socket.next();
    run.note("question", withoutId(question));
    socket.send(`43${idOf(question) + 1000}["another id"]`);
    socket.send(`43${idOf(question)}["yes",[2]]`);
    socket.send(`43${idOf(question)}["again"]`);
    run.note("answer", await socket.next());
    socket.send('428["ask"]');
    const second = await socket.next();
    run.note("question", withoutId(second));
    socket.send(`461-${idOf(second)}[{"_placeholder":true,"num":0}]`);
    socket.send(Buffer.from([1, 2]));
    run.note("answer", (await socket.frames(2)).join(" "));
    run.note("after", await socket.rest());
  },

  "the server awaits several acks": async (run) => {
    const session = await run.connectedPolling();
    await session.post(['427["ask",1]', '428["ask",2]'].join(RS));
    const questions = await session.packets(2);
    run.note("questions", questions.map(withoutId).join(" "));
    const [first, second] = questions.map(idOf);
    await session.post([`43${second}["second"]`, `43${first}[]`].join(RS));
    run.note("answers", (await session.packets(2)).join(" "));
  },
};

/** Which id an event has is up to who sends it. */
function idOf(event) {
  return Number(event.match(/^42(\d+)/)[1]);
}

function withoutId(event) {
  return event.replace(/^42\d+/, "42<id>");
}
