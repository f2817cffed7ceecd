// A page under StrictMode, which mounts everything twice: what e2e/client_react.test.mjs looks at.

import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { createClient } from "roomkey";
import {
  RoomkeyProvider,
  useChannel,
  useConnection,
  useNotifications,
  usePresence,
  useSocket,
  useTyping,
} from "roomkey/react";

const { url, token, channels } = window.page;
const getToken = async () => token;
const shared = createClient({ url, getToken });
window.shared = shared;

function Channel({ id }) {
  const { phase, messages, send } = useChannel(id);
  const { input } = useTyping(id);
  usePresence({ channelId: id });
  return (
    <p className="channel" onClick={() => void send("clicked")} onKeyDown={input}>
      {phase}: {messages.map(({ content }) => content).join(" ")}
    </p>
  );
}

function Status() {
  const { phase } = useConnection();
  const { unread } = useNotifications();
  return (
    <p role="status">
      {phase}, {unread} unread
    </p>
  );
}

/** A hook with a token of its own, as tutorials have it. */
function Raw() {
  const { isConnected } = useSocket(token, { url });
  return <p className="raw">{isConnected ? "connected" : "disconnected"}</p>;
}

const WAYS = {
  nothing: null,
  own: (
    <RoomkeyProvider url={url} getToken={getToken}>
      <Status />
      <Channel id={channels[0]} />
      <Channel id={channels[0]} />
    </RoomkeyProvider>
  ),
  shared: (
    <RoomkeyProvider client={shared}>
      <Status />
      <Channel id={channels[0]} />
    </RoomkeyProvider>
  ),
  other: (
    <RoomkeyProvider client={shared}>
      <Status />
      <Channel id={channels[1]} />
    </RoomkeyProvider>
  ),
  raw: <Raw />,
};

function Page() {
  const [way, setWay] = useState("nothing");
  window.go = setWay;
  return WAYS[way];
}

createRoot(document.body.appendChild(document.createElement("div"))).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
