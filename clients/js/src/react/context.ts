"use client";
import { createContext, useContext } from "react";

import type { Client } from "../client.js";

export const ClientContext = createContext<Client | null>(null);

/** The client of the nearest `RoomkeyProvider`. */
export function useClient(): Client {
  const client = useContext(ClientContext);
  if (client === null) throw new Error("There is no <RoomkeyProvider> around this component.");
  return client;
}
