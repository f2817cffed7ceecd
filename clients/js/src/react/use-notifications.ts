"use client";
import type { InboxState } from "../chat/inbox.js";
import { useClient } from "./context.js";
import { useObservable } from "./use-observable.js";

export interface NotificationsView extends InboxState {
  readonly clear: () => void;
}

/** What waits for the user: unread messages by channel, and what the backend has sent as `notification`. */
export function useNotifications(): NotificationsView {
  const { inbox } = useClient();
  return { ...useObservable(inbox), clear: inbox.clearNotifications };
}
