// Connecting to namespaces and leaving them.

/** What is sent on a fresh WebSocket, before anything is connected; what comes back up to the end or a last echo. */
const STARTS = {
  "the main namespace": ["40"],
  "the main namespace, named": ["40/,"],
  "with auth": ['40{"token":"123","a":{"b":[null]}}'],
  "with empty auth": ["40{}"],
  "another namespace and the main one": ["40/custom,", "40"],
  "another namespace with auth": ['40/custom,{"token":"abc"}', "40"],
  "another namespace without comma": ["40/custom", "40"],
  "an unknown namespace": ["40/random,", "40"],
  "an unknown namespace with auth": ['40/random,{"token":"abc"}', "40"],
  "names are case-sensitive": ["40/Custom,", "40"],
  "no query in a name": ["40/custom?a=b,", "40"],
  "an event before the connect": ['42["message",1]'],
  "an ack before the connect": ["431[]"],
  "a disconnect before the connect": ["41"],
  "binary before the connect": ['451-["message",{"_placeholder":true,"num":0}]', Buffer.from([1])],
  "a refusal before the connect": ['44{"message":"x"}'],
  "auth that is no object": ["40[]"],
  "auth that is text": ['40"x"'],
  "auth that is null": ["40null"],
  "auth that is a number": ["401"],
  "unfinished auth": ["40{"],
  "garbage": ["4abc"],
};

const scripts = {};
for (const [name, packets] of Object.entries(STARTS)) {
  scripts[`connect: ${name}`] = async (run) => {
    const socket = run.websocket();
    await socket.next();
    packets.forEach((packet) => socket.send(packet));
    // Until `40` is answered, an event would be a violation.
    const frames = [];
    while (!frames.at(-1)?.startsWith("closed") && !frames.at(-1)?.startsWith('42["auth"')) frames.push(await socket.next());
    run.note("frames", frames.join(" "));
  };
}

export default {
  ...scripts,

  "leaving and coming back": async (run) => {
    const socket = await run.connectedWebsocket();
    socket.send("41");
    await run.settle();
    socket.send("40");
    run.note("again", (await socket.frames(2)).join(" "));
    run.note("after", await socket.rest());
  },

  "leaving the main namespace twice": async (run) => {
    const socket = await run.connectedWebsocket();
    socket.send("41");
    await run.settle();
    socket.send("41");
    run.note("end", await socket.next());
  },

  "an event after leaving": async (run) => {
    const socket = await run.connectedWebsocket();
    socket.send("41");
    await run.settle();
    socket.send('42["message",1]');
    run.note("end", await socket.next());
  },

  "leaving another namespace": async (run) => {
    const socket = await run.connectedWebsocket();
    socket.send("40/custom,");
    run.note("custom", (await socket.frames(2)).join(" "));
    socket.send('42/custom,["message",1]');
    run.note("event", await socket.next());
    socket.send('42/custom,5["message-with-ack",1]');
    run.note("ack", await socket.next());
    socket.send("41/custom,");
    run.note("after", await socket.rest());
  },

  "leaving the main namespace while in another": async (run) => {
    const socket = await run.connectedWebsocket();
    socket.send("40/custom,");
    await socket.frames(2);
    socket.send("41");
    socket.send('42/custom,["message",1]');
    run.note("event", await socket.next());
  },

  "binary in another namespace": async (run) => {
    const socket = await run.connectedWebsocket();
    socket.send("40/custom,");
    await socket.frames(2);
    socket.send('451-/custom,7["message-with-ack",{"_placeholder":true,"num":0}]');
    socket.send(Buffer.from([1, 2]));
    run.note("ack", (await socket.frames(2)).join(" "));
  },

  "a namespace over polling": async (run) => {
    const session = await run.polling();
    await session.post('40/custom,{"a":1}');
    run.note("packets", (await session.packets(2)).join(" "));
    await session.post("40/nowhere,");
    run.note("refusal", (await session.packets(1)).join(" "));
    await session.post('42/custom,["message",1]');
    run.note("event", (await session.packets(1)).join(" "));
  },
};

/** With a connect timeout of three seconds. */
export const impatient = {
  "a client that never connects": async (run) => {
    const socket = run.websocket();
    await socket.next();
    run.note("end", await socket.next());
  },

  "a client that is refused": async (run) => {
    const began = performance.now();
    const socket = run.websocket();
    await socket.next();
    socket.send("40/random,");
    run.note("refusal", await socket.next());
    run.note("end", await socket.next());
    run.note("when", performance.now() - began < 2900 ? "before the timeout" : "at the timeout");
  },

  "a client that never connects over polling": async (run) => {
    const session = await run.polling();
    run.note("packets", (await session.packets(9)).join(" "));
  },
};
