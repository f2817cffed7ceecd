"use client";
import { useEffect, useState } from "react";

import type { Client } from "../client.js";
import type { Account } from "../wire/records.js";
import { useClient } from "./context.js";
import { useObservable } from "./use-observable.js";

/** The user whom the token speaks for; null until that is known. */
export function useMe(): Account | null {
  const client = useClient();
  const { phase } = useObservable(client.connection);
  const isConnected = phase === "connected";
  const isOver = phase === "stopped" || phase === "idle";
  const [known, setKnown] = useState<{ readonly client: Client; readonly account: Account } | null>(null);
  useEffect(() => {
    // Whoever comes next is not taken for who was here.
    if (isOver) setKnown(null);
    if (!isConnected) return;
    let isWanted = true;
    client.me().then(
      (account) => isWanted && setKnown({ client, account }),
      () => undefined,
    );
    return () => void (isWanted = false);
  }, [client, isConnected, isOver]);
  return known?.client === client && !isOver ? known.account : null;
}
