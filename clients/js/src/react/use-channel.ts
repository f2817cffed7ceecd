"use client";
import type { ChannelState, ChannelStream } from "../chat/channel.js";
import { useClient } from "./context.js";
import { useObservable } from "./use-observable.js";

export type ChannelView = ChannelState &
  Pick<ChannelStream, "send" | "retry" | "discard" | "edit" | "remove" | "markSeen" | "loadOlder">;

/** A channel, kept up to date while the component is mounted, and what one does in it. The functions never change. */
export function useChannel(channelId: string): ChannelView {
  const channel = useClient().channel(channelId);
  const state = useObservable(channel);
  const { send, retry, discard, edit, remove, markSeen, loadOlder } = channel;
  return { ...state, send, retry, discard, edit, remove, markSeen, loadOlder };
}
