"use client";
import { useEffect, useRef } from "react";

import type { ServerEvent, ServerEvents } from "../wire/events.js";
import { useClient } from "./context.js";

/** Calls the listener of the last render at each event of this name, while the component is mounted. */
export function useEvent<E extends ServerEvent>(event: E, listener: (argument: ServerEvents[E]) => void): void {
  const client = useClient();
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => client.on(event, (argument) => latest.current(argument)), [client, event]);
}
