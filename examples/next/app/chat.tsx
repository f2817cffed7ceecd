"use client";

import { type ReactNode, useEffect, useState } from "react";
import type { Channel } from "roomkey";
import { routeToken } from "roomkey/next";
import { RoomkeyProvider, useClient, useConnection, useNotifications } from "roomkey/react";

import { Messages } from "./messages";

const getToken = routeToken("/api/roomkey");

/** The whole chat of whoever is signed in; what is given is shown at the top. */
export function Chat({ url, children }: { url: string; children: ReactNode }) {
  return (
    <RoomkeyProvider url={url} getToken={getToken}>
      <header>
        <h1>Chat</h1>
        <Status />
        {children}
      </header>
      <Channels />
    </RoomkeyProvider>
  );
}

function Status() {
  const { phase, error, needsLogin } = useConnection();
  return (
    <span role="status" title={error?.message}>
      {needsLogin ? "please sign in again" : phase}
    </span>
  );
}

function Channels() {
  const client = useClient();
  const { isConnected } = useConnection();
  const { channels: waiting } = useNotifications();
  const [channels, setChannels] = useState<Channel[]>([]);
  const [current, setCurrent] = useState<string>();

  useEffect(() => {
    if (isConnected)
      void client.emit("channel:list", { scope: "public" }).then(({ channels }) => setChannels(channels));
  }, [client, isConnected]);

  async function open(channelId: string) {
    await client.emit("channel:join", { channelId });
    setCurrent(channelId);
  }

  async function create(form: FormData) {
    const channel = await client.emit("channel:create", { name: String(form.get("name")), visibility: "public" });
    setChannels([...channels, channel]);
    setCurrent(channel.id);
  }

  return (
    <main>
      <nav aria-label="Channels">
        {channels.map(({ id, name }) => (
          <button key={id} aria-current={id === current} onClick={() => void open(id)}>
            {name} {id !== current && <small>{waiting.get(id)?.unread || ""}</small>}
          </button>
        ))}
        <form action={create}>
          <input name="name" placeholder="New channel" aria-label="New channel" required />
        </form>
      </nav>
      {current === undefined ? (
        <p className="empty">Choose a channel, or make one.</p>
      ) : (
        <Messages channelId={current} />
      )}
    </main>
  );
}
