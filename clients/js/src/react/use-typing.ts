"use client";
import { useClient } from "./context.js";
import { useObservable } from "./use-observable.js";

export interface TypingView {
  /** The ids of the others who type. */
  readonly typing: readonly string[];
  /** To be called at each key. */
  readonly input: () => void;
  /** To be called when the text was cleared; happens by itself when a message is sent, and when the component goes. */
  readonly stop: () => void;
}

/** Who types in a channel, and that I do. */
export function useTyping(channelId: string): TypingView {
  const stream = useClient().typing(channelId);
  return { typing: useObservable(stream), input: stream.input, stop: stream.stop };
}
