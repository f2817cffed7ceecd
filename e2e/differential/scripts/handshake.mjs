// Who is let in, and how the others are refused: the handshake, the table of errors in its order of checks, CORS.

const HANDSHAKES = {
  "a handshake": ["GET", "?EIO=4&transport=polling"],
  "a handshake with a cache buster and parameters of the user": ["GET", "?EIO=4&transport=polling&t=abc&b64=1&token=x"],
  "an empty sid is a handshake": ["GET", "?EIO=4&transport=polling&sid="],
  "no transport": ["GET", "?EIO=4"],
  "no query": ["GET", ""],
  "an unknown transport": ["GET", "?EIO=4&transport=smoke"],
  "an inherited name as transport": ["GET", "?EIO=4&transport=constructor"],
  "webtransport": ["GET", "?EIO=4&transport=webtransport"],
  "an unknown sid": ["GET", "?EIO=4&transport=polling&sid=abc"],
  "an unknown sid of the right length": ["GET", "?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA"],
  "an inherited name as sid": ["GET", "?EIO=4&transport=polling&sid=__proto__"],
  "POST without sid": ["POST", "?EIO=4&transport=polling"],
  "PUT without sid": ["PUT", "?EIO=4&transport=polling"],
  "websocket without an upgrade": ["GET", "?EIO=4&transport=websocket"],
  "no version": ["GET", "?transport=polling"],
  "version 3": ["GET", "?EIO=3&transport=polling"],
  "version 5": ["GET", "?EIO=5&transport=polling"],
  "no number as version": ["GET", "?EIO=abc&transport=polling"],
  "unknown transport comes before unknown sid": ["GET", "?EIO=4&transport=smoke&sid=abc"],
  "unknown sid comes before the version": ["GET", "?EIO=9&transport=polling&sid=abc"],
  "the method comes before the version": ["POST", "?EIO=9&transport=polling"],
  "the missing upgrade comes before the version": ["GET", "?EIO=9&transport=websocket"],
};

const scripts = {};
for (const [name, [method, query]] of Object.entries(HANDSHAKES)) {
  scripts[name] = async (run) => run.note(`${method} ${query}`, await run.request(method, query));
}

const ORIGIN = { origin: "http://page.example" };

export default {
  ...scripts,

  "a handshake of a page": async (run) => {
    run.note("handshake", await run.request("GET", "?EIO=4&transport=polling", { headers: ORIGIN }));
    run.note("error", await run.request("GET", "?EIO=4&transport=smoke", { headers: ORIGIN }));
  },

  "a preflight": async (run) => {
    const plain = { ...ORIGIN, "access-control-request-method": "POST" };
    const named = { ...plain, "access-control-request-headers": "content-type,x-foo" };
    for (const headers of [plain, named]) {
      run.note("preflight", await run.request("OPTIONS", "?EIO=4&transport=polling", { headers }));
    }
  },

  "the length of the sid": async (run) => {
    const session = await run.polling();
    run.note("characters", session.sid.length);
  },

  "an origin that is not ASCII": async (run) => {
    const headers = { origin: "http://caf\u00e9.example" };
    run.note("handshake", await run.request("GET", "?EIO=4&transport=polling", { headers }));
  },

  "paths": async (run) => {
    for (const path of ["/socket.io/more", "/socket.io", "/socket.iox/", "/engine.io/"]) {
      const answer = await run.request("GET", "?EIO=4&transport=polling", { path });
      run.note(path, answer.startsWith("404") ? "404" : answer);
    }
  },

  "a version that changes within a session": async (run) => {
    const session = await run.connectedPolling();
    run.note("version 3", await session.get({ query: session.query.replace("EIO=4", "EIO=3") }));
    run.note("after", await session.rest());
  },

  "a transport that changes within a session": async (run) => {
    const session = await run.connectedPolling();
    run.note("websocket without upgrade", await session.get({ query: session.query.replace("polling", "websocket") }));
    run.note("after", await session.rest());
  },

  "polling with the sid of a WebSocket": async (run) => {
    const socket = run.websocket();
    const { sid } = JSON.parse((await socket.next()).slice(1));
    run.note("GET", await run.request("GET", `?EIO=4&transport=polling&sid=${sid}`));
    run.note("POST", await run.request("POST", `?EIO=4&transport=polling&sid=${sid}`, { body: "40" }));
    socket.send("40");
    run.note("after", (await socket.frames(2)).join(" "));
  },

  "other methods with a sid": async (run) => {
    for (const method of ["PUT", "DELETE", "HEAD", "PATCH"]) {
      const session = await run.connectedPolling();
      const answer = await run.request(method, session.query);
      run.note(method, answer.slice(0, 1) === "4" || answer.slice(0, 1) === "5" ? "refused" : answer);
      run.note("after", await session.rest());
    }
  },
};
