"use client";
import { useEffect, useState } from "react";

import type { Account } from "../wire/records.js";
import { useClient } from "./context.js";
import { useObservable } from "./use-observable.js";

/** The user whom the token speaks for; null until that is known. */
export function useMe(): Account | null {
  const client = useClient();
  const isConnected = useObservable(client.connection).phase === "connected";
  const [me, setMe] = useState<Account | null>(null);
  useEffect(() => {
    if (!isConnected) return;
    let isWanted = true;
    client.me().then(
      (account) => isWanted && setMe(account),
      () => undefined,
    );
    return () => void (isWanted = false);
  }, [client, isConnected]);
  return me;
}
