"use client";
import { type ReactElement, type ReactNode, useEffect, useRef, useState } from "react";

import { type Client, type ClientOptions, createClient, type TokenSession } from "../client.js";
import { ClientContext } from "./context.js";

export type RoomkeyProviderProps = { children?: ReactNode } & (
  { client: Client } | (ClientOptions & { client?: never })
);

/**
 * Gives a client to the components below, and holds its connection for as long as it is mounted: the client that is
 * given, or one of its own for the options of `createClient`. With another `url` or `key` it is another client; the
 * functions may change at each render.
 */
export function RoomkeyProvider(props: RoomkeyProviderProps): ReactElement {
  const { children, client, ...options } = props as { children?: ReactNode; client?: Client } & ClientOptions;
  const own = useOwnClient(client === undefined ? options : undefined);
  const shown = client ?? own;
  useEffect(() => shown?.hold(), [shown]);
  return <ClientContext.Provider value={shown ?? null}>{children}</ClientContext.Provider>;
}

function useOwnClient(options: ClientOptions | undefined): Client | undefined {
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  const url = options?.url;
  const make = () => (options === undefined ? undefined : { url, client: createClient(withLatest(options, latest)) });
  const [own, setOwn] = useState(make);
  if (own?.url === url && (own === undefined) === (options === undefined)) return own?.client;
  const next = make();
  setOwn(next);
  return next?.client;
}

/** Asks for tokens with the functions of the last render. */
function withLatest(options: ClientOptions, latest: { current: ClientOptions | undefined }): ClientOptions {
  const now = () => latest.current ?? options;
  const { getToken, session, login, ...others } = options;
  if (login !== undefined) return { ...others, login: () => (now().login ?? login)() };
  const source = (): TokenSession => now().session ?? session ?? { getToken: now().getToken ?? getToken! };
  const latestSession: TokenSession = {
    getToken: (wanted) => source().getToken(wanted),
    end: (error) => source().end?.(error),
  };
  if (session?.request !== undefined)
    latestSession.request = (...asked) => (source() as Required<TokenSession>).request(...asked);
  return { ...others, session: latestSession };
}
