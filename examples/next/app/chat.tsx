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
  const [problem, setProblem] = useState("");

  useEffect(() => {
    const fail = (error: Error) => setProblem(error.message);
    if (isConnected)
      client.emit("channel:list", { scope: "public" }).then(({ channels }) => setChannels(channels), fail);
  }, [client, isConnected]);

  /** Becomes a member of a channel, or makes one, and shows it. */
  async function open(asked: Promise<Channel>) {
    try {
      const channel = await asked;
      setChannels((known) => (known.some(({ id }) => id === channel.id) ? known : [...known, channel]));
      setCurrent(channel.id);
      setProblem("");
    } catch (error) {
      setProblem((error as Error).message);
    }
  }

  const join = (channelId: string) => open(client.emit("channel:join", { channelId }));
  const create = (form: FormData) =>
    open(client.emit("channel:create", { name: String(form.get("name")), visibility: "public" }));

  return (
    <main>
      <nav aria-label="Channels">
        {channels.map(({ id, name }) => (
          <button key={id} aria-current={id === current} onClick={() => void join(id)}>
            {name} {id !== current && <small>{waiting.get(id)?.unread || ""}</small>}
          </button>
        ))}
        <form action={create}>
          <input name="name" placeholder="New channel" aria-label="New channel" required />
        </form>
        {problem && <p role="alert">{problem}</p>}
      </nav>
      {current === undefined ? (
        <p className="empty">Choose a channel, or make one.</p>
      ) : (
        <Messages channelId={current} />
      )}
    </main>
  );
}
