// Connection state recovery. Offsets are opaque; notes say only that there is one.

export default {
  "recovery: what a client is told": async (run) => {
    const socket = run.websocket();
    await socket.next();
    socket.send("40");
    run.note("connect", (await socket.frames(2)).map(opaque).join(" "));
    socket.send('42["message",1]');
    run.note("event", opaque(await socket.next()));
    socket.send('421["message-with-ack",1]');
    run.note("ack", await socket.next());
    socket.send('451-["message",{"_placeholder":true,"num":0}]');
    socket.send(Buffer.from([1]));
    run.note("binary", (await socket.frames(2)).map(opaque).join(" "));
  },

  "recovery: what was missed comes first": async (run) => {
    const { pid, offsets } = await leave(run);
    const socket = await comeBack(run, { pid, offset: offsets[1] });
    run.note("back", (await until(socket, "40")).map(opaque).join(" "));
    socket.send('42["message","again"]');
    run.note("event", (await until(socket, '42["message-back","again"')).at(-1) && "heard");
  },

  "recovery: an unknown pid": async (run) => {
    const { offsets } = await leave(run);
    const socket = await comeBack(run, { pid: "AAAAAAAAAAAAAAAAAAAA", offset: offsets[1] });
    run.note("back", opaque(await socket.next()));
  },

  "recovery: an unknown offset": async (run) => {
    const { pid } = await leave(run);
    const socket = await comeBack(run, { pid, offset: "nonsense" });
    run.note("back", opaque(await socket.next()));
  },

  "recovery: no pid": async (run) => {
    const { offsets } = await leave(run);
    const socket = await comeBack(run, { offset: offsets[1] });
    run.note("back", opaque(await socket.next()));
  },

  "recovery: a pid that is no text": async (run) => {
    const socket = await comeBack(run, { pid: 1, offset: [] });
    run.note("back", opaque(await socket.next()));
  },

  "recovery: after leaving": async (run) => {
    const { pid, offsets, socket: first } = await talk(run);
    first.send("41");
    await run.settle();
    first.abort();
    await run.settle();
    const socket = await comeBack(run, { pid, offset: offsets[1] });
    run.note("back", opaque(await socket.next()));
  },
};

/** A client that has heard three events. */
async function talk(run) {
  const socket = run.websocket();
  await socket.next();
  socket.send("40");
  const [connect, auth] = await socket.frames(2);
  run.note("connect", connect);
  socket.send('42["message",1]');
  socket.send('42["message",2]');
  const events = [auth, ...(await socket.frames(2))];
  return { socket, pid: JSON.parse(connect.slice(2)).pid, offsets: events.map((event) => JSON.parse(event.slice(2)).at(-1)) };
}

/** The same, gone without a word. */
async function leave(run) {
  const { socket, ...rest } = await talk(run);
  socket.abort();
  await run.settle();
  return rest;
}

async function comeBack(run, auth) {
  const socket = run.websocket();
  await socket.next();
  socket.send(`40${JSON.stringify(auth)}`);
  return socket;
}

async function until(socket, start) {
  const frames = [];
  while (!frames.at(-1)?.startsWith(start)) frames.push(await socket.next());
  return frames;
}

function opaque(frame) {
  return frame.replace(/,"[^"]+"\]$/, ",<offset>]");
}
