// The heartbeat. What must not come early is measured, what comes late is not: machines are slow at times.

const INTERVAL_MS = 300;
const TIMEOUT_MS = 1500;

/** What the scripts expect of the servers. */
export const FLAGS = ["--ping-interval", String(INTERVAL_MS), "--ping-timeout", String(TIMEOUT_MS)];

export default {
  "a WebSocket is pinged, and again after each pong": async (run) => {
    const socket = run.websocket();
    await socket.next();
    for (let round = 1; round <= 3; round += 1) {
      const began = performance.now();
      run.note("ping", await socket.next());
      run.note("early", performance.now() - began < INTERVAL_MS - 50);
      socket.send("3");
    }
  },

  "a WebSocket that does not answer is closed": async (run) => {
    const began = performance.now();
    const socket = run.websocket();
    await socket.next();
    run.note("ping", await socket.next());
    run.note("end", await socket.next());
    run.note("early", performance.now() - began < INTERVAL_MS + TIMEOUT_MS - 50);
  },

  "a held GET is answered with the ping": async (run) => {
    const session = await run.polling();
    run.note("GET", await session.get());
    run.note("POST", await session.post("3"));
    run.note("GET", await session.get());
  },

  "a pong that nobody asked for changes nothing": async (run) => {
    const socket = run.websocket();
    await socket.next();
    socket.send("3");
    run.note("ping", await socket.next());
    run.note("end", await socket.next());
  },

  "a session that never polls is gone": async (run) => {
    const session = await run.polling();
    const socket = run.websocket();
    // A WebSocket that was opened later and is gone says that the time is over.
    for (let round = 0; round < 3; round += 1) await socket.next();
    await run.settle();
    run.note("after", await session.state());
  },

  "a session that polls but never answers is gone": async (run) => {
    const session = await run.polling();
    run.note("packets", (await session.packets(9)).join(" "));
  },
};
