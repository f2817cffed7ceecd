"use client";

import { useEffect, useState } from "react";
import { createSocket, routeToken } from "roomkey/next";
import type { Socket } from "socket.io-client";

const getToken = routeToken("/api/roomkey");
/** A session with a token in it. Where yours has one, this is `getSession` of `next-auth/react`. */
const getSession = async () => ({ token: await getToken({ skipCache: true }) });

export function Log({ url }: { url: string }) {
  const [lines, setLines] = useState<string[]>([]);

  useEffect(() => {
    const log = (line: string) => setLines((lines) => [...lines, line]);
    let socket: Socket | undefined;
    let isGone = false;
    const start = async () => {
      const session = await getSession();
      if (isGone) return;
      socket = createSocket(session, { url, getSession });
      socket.on("connect", () => log("connected"));
      socket.on("disconnect", (reason) => log(reason));
      socket.onAny((event, argument) => log(`${event} ${JSON.stringify(argument)}`));
    };
    start().catch((error: Error) => log(error.message));
    return () => {
      isGone = true;
      socket?.disconnect();
    };
  }, [url]);

  return (
    <ol className="log">
      {lines.map((line, index) => (
        <li key={index}>{line}</li>
      ))}
    </ol>
  );
}
