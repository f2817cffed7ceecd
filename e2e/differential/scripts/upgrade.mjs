// From long-polling to a WebSocket: the way it goes, and every way it can go wrong.

const query = (session) => `?EIO=4&transport=websocket&sid=${session.sid}`;

export default {
  "an upgrade": async (run) => {
    const session = await run.connectedPolling();
    const socket = await run.websocket(query(session)).opened();
    socket.send("2probe");
    run.note("probe", await socket.next());
    socket.send("5");
    run.note("after", await socket.rest());
    run.note("GET", await session.get());
    run.note("POST", await session.post("6"));
    const late = run.websocket(query(session));
    run.note("another WebSocket", await late.next());
    run.note("after", await socket.rest());
  },

  "an upgrade before the connect": async (run) => {
    const session = await run.polling();
    const socket = await run.websocket(query(session)).opened();
    socket.send("2probe");
    run.note("probe", await socket.next());
    socket.send("5");
    socket.send("40");
    run.note("connect", (await socket.frames(2)).join(" "));
  },

  "a held GET is released by the probe": async (run) => {
    const session = await run.connectedPolling();
    const held = await session.hold("GET");
    const socket = await run.websocket(query(session)).opened();
    socket.send("2probe");
    run.note("probe", await socket.next());
    run.note("held", await held.answer);
    run.note("next GET", await session.get());
    socket.send("5");
    run.note("after", await socket.rest());
  },

  "what is posted while the upgrade goes on is answered behind it": async (run) => {
    const session = await run.connectedPolling();
    const socket = await run.websocket(query(session)).opened();
    socket.send("2probe");
    run.note("probe", await socket.next());
    for (const number of [1, 2, 3]) await session.post(`42["message",${number}]`);
    socket.send("5");
    run.note("after", await socket.rest());
  },

  "what is posted before the upgrade comes first": async (run) => {
    const session = await run.connectedPolling();
    await session.post('42["message",1]');
    const socket = await run.websocket(query(session)).opened();
    socket.send("2probe");
    run.note("probe", await socket.next());
    await session.post('42["message",2]');
    run.note("GET", (await session.packets(2)).join(" "));
    await session.post('42["message",3]');
    socket.send("5");
    run.note("after", await socket.rest());
  },

  "a second WebSocket while one is probing": async (run) => {
    const session = await run.connectedPolling();
    const first = await run.websocket(query(session)).opened();
    first.send("2probe");
    run.note("probe", await first.next());
    const second = run.websocket(query(session));
    run.note("second", await second.next());
    first.send("5");
    run.note("after", await first.rest());
  },

  "a first frame that is no probe": async (run) => {
    for (const frame of ["2", "2other", "3probe", '42["message",1]', "x", "", "6", "40"]) {
      const session = await run.connectedPolling();
      const socket = await run.websocket(query(session)).opened();
      socket.send(frame);
      run.note(`"${frame}"`, await socket.next());
      run.note("polling", await session.rest());
    }
  },

  "upgrade without a probe": async (run) => {
    const session = await run.connectedPolling();
    const socket = await run.websocket(query(session)).opened();
    socket.send("5");
    run.note("after", await socket.rest());
  },

  "a WebSocket that goes away after the probe": async (run) => {
    const session = await run.connectedPolling();
    const socket = await run.websocket(query(session)).opened();
    socket.send("2probe");
    run.note("probe", await socket.next());
    socket.abort();
    await socket.next();
    await run.settle();
    run.note("polling", await session.rest());
    const again = await run.websocket(query(session)).opened();
    again.send("2probe");
    run.note("again", await again.next());
    again.send("5");
    run.note("after", await again.rest());
  },

  "something else after the probe": async (run) => {
    const session = await run.connectedPolling();
    const socket = await run.websocket(query(session)).opened();
    socket.send("2probe");
    run.note("probe", await socket.next());
    socket.send('42["message",1]');
    run.note("end", await socket.next());
    run.note("polling", await session.rest());
  },

  "the session ends while it is upgraded": async (run) => {
    const session = await run.connectedPolling();
    const socket = await run.websocket(query(session)).opened();
    socket.send("2probe");
    run.note("probe", await socket.next());
    run.note("POST", await session.post("1"));
    run.note("WebSocket", await socket.next());
    run.note("after", await session.state());
  },

  "a WebSocket with the sid of a WebSocket": async (run) => {
    const socket = run.websocket();
    const { sid } = JSON.parse((await socket.next()).slice(1));
    const second = run.websocket(`?EIO=4&transport=websocket&sid=${sid}`);
    second.websocket.once("open", () => second.send("40"));
    run.note("second", await second.next());
    socket.send("40");
    run.note("first", (await socket.frames(2)).join(" "));
  },
};
