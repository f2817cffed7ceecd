// Revision 3 of Engine.IO, for clients of the second generation, on servers that allow it.

const HANDSHAKE = "?EIO=3&transport=polling";
const TEXT = { "content-type": "text/plain;charset=UTF-8" };

const scripts = {};

/** What a body does to a session; as text, or as bytes in hex. */
const BODIES = {
  "an event": '15:42["message",1]',
  "several packets": '15:42["message",1]1:615:42["message",2]',
  "characters beyond ASCII": '18:42["message","\u00e9\u20ac"]',
  "an ack": '25:427["message-with-ack",1]',
  "ping": "1:2",
  "ping with data": "6:2probe",
  "pong": "1:3",
  "close": "1:1",
  "noop": "1:6",
  "binary in base64": '45:451-["message",{"_placeholder":true,"num":0}]10:b4AQIDBA==',
  "no length": '42["message",1]',
  "a length that is too great": '16:42["message",1]',
  "a length that is too small": '14:42["message",1]',
  "a length that is no number": 'a:42["message",1]',
  "an unknown type": "1:9",
  "a packet that is empty": "0:",
  "a malformed event": "4:42{}",
};

for (const [name, body] of Object.entries(BODIES)) {
  scripts[`revision 3, POST: ${name}`] = async (run) => {
    const session = await open(run);
    run.note("POST", await session.request("POST", body));
    run.note("after", await session.rest());
  };
}

export default {
  ...scripts,

  "revision 3: a handshake": async (run) => {
    run.note("handshake", unframed(await run.request("GET", HANDSHAKE)));
    run.note("in base64", unframed(await run.request("GET", `${HANDSHAKE}&b64=1`)));
  },

  "revision 3: other revisions": async (run) => {
    for (const revision of ["2", "5", "abc", ""]) {
      const answer = await run.request("GET", `?EIO=${revision}&transport=polling`);
      run.note(revision, answer.startsWith("200") ? "let in" : answer);
    }
  },

  "revision 3: JSONP": async (run) => {
    const begin = await run.request("GET", `${HANDSHAKE}&j=0`);
    run.note("handshake", begin.replace(/"\d+:/, '"').replace(/(?<=sid\\":\\")[\w-]+/, "<id>"));
    const [sid] = begin.match(/(?<=sid\\":\\")[\w-]+/);
    const query = `${HANDSHAKE}&sid=${sid}&j=0`;
    run.note("GET", await run.request("GET", query));
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const body = `d=${encodeURIComponent('17:42["message","\u20ac"]')}`;
    run.note("POST", await run.request("POST", query, { headers, body }));
    run.note("GET", await run.request("GET", query));
  },

  "revision 3: the main namespace without being asked": async (run) => {
    const session = await open(run, "", { unread: true });
    run.note("GET", unframed(await session.request("GET")));
  },

  "revision 3: another revision within a session": async (run) => {
    const session = await open(run);
    run.note("GET", await run.request("GET", session.query.replace("EIO=3", "EIO=4")));
  },

  "revision 3: namespaces": async (run) => {
    const socket = await websocket(run);
    socket.send("40/custom?n=1&token=abc,");
    run.note("custom", (await socket.frames(2)).join(" "));
    socket.send('42/custom,1["message-with-ack",1]');
    run.note("ack", await socket.next());
    socket.send("40/nowhere,");
    run.note("nowhere", await socket.next());
    socket.send("41/custom,");
    run.note("after", await socket.rest());
  },

  "revision 3: a WebSocket": async (run) => {
    const socket = run.websocket("?EIO=3&transport=websocket");
    run.note("begin", (await socket.frames(3)).join(" "));
    socket.send("2");
    run.note("pong", await socket.next());
    socket.send('451-["message",{"_placeholder":true,"num":0}]');
    socket.send(Buffer.from([4, 1, 2, 3]));
    run.note("binary", (await socket.frames(2)).join(" "));
    socket.send("3");
    run.note("end", await socket.next());
  },

  "revision 3: an upgrade": async (run) => {
    const session = await open(run);
    const socket = await run.websocket(session.query.replace("polling", "websocket")).opened();
    socket.send("2probe");
    run.note("probe", await socket.next());
    socket.send("5");
    run.note("after", await socket.rest());
  },

  "revision 3: binary without base64": async (run) => {
    const session = await open(run, "");
    await session.request("POST", BODIES["binary in base64"]);
    run.note("GET", await session.request("GET"));
  },

  "revision 3: binary with base64": async (run) => {
    const session = await open(run, "&b64=1");
    await session.request("POST", BODIES["binary in base64"]);
    run.note("GET", unframed(await session.request("GET")));
  },
};

/** A session on long-polling whose client is in the main namespace, and knows. */
async function open(run, query = "&b64=1", { unread = false } = {}) {
  const [sid] = (await run.request("GET", HANDSHAKE + query)).match(/(?<="sid":")[^"]+/);
  const session = { query: `${HANDSHAKE}${query}&sid=${sid}` };
  session.request = (method, body) => run.request(method, session.query, body === undefined ? {} : { body, headers: TEXT });
  session.rest = async () => {
    await session.request("POST", '19:42["message","end"]');
    const answers = [];
    while (!answers.at(-1)?.includes('"end"') && !answers.at(-1)?.startsWith("4")) {
      answers.push(unframed(await session.request("GET")).replace(/^200 \[.*\] /, ""));
    }
    return answers.join(" ");
  };
  if (!unread) await session.request("GET");
  return session;
}

async function websocket(run) {
  const socket = run.websocket("?EIO=3&transport=websocket");
  await socket.frames(3);
  return socket;
}

/** A payload without its lengths, if they are right. */
function unframed(answer) {
  const at = answer.search(/ \d+:/) + 1;
  if (at === 0) return answer;
  const packets = [];
  let rest = answer.slice(at);
  while (rest) {
    const [prefix, length] = rest.match(/^(\d+):/) ?? [];
    if (!prefix || rest.length < prefix.length + Number(length)) return `${answer} (framed wrongly)`;
    packets.push(rest.slice(prefix.length, prefix.length + Number(length)));
    rest = rest.slice(prefix.length + Number(length));
  }
  return answer.slice(0, at) + packets.join(" ");
}
