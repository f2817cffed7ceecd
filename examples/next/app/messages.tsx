"use client";

import { useEffect, useRef } from "react";
import type { Message } from "roomkey";
import { useChannel, useMe, usePresence, useTyping } from "roomkey/react";

const MARKS: Record<Message["deliveryStatus"], string> = {
  SENDING: "…",
  FAILED: "not sent",
  SENT: "sent",
  DELIVERED: "delivered",
  READ: "read",
};

/** One channel: what was written, and a line to write in. */
export function Messages({ channelId }: { channelId: string }) {
  const { messages, outgoing, hasOlder, loadOlder, markSeen, send, retry, remove } = useChannel(channelId);
  const online = usePresence({ channelId });
  const me = useMe();
  const end = useRef<HTMLLIElement>(null);
  const last = messages.at(-1)?.seq;

  useEffect(() => {
    end.current?.scrollIntoView();
    markSeen();
  }, [last, outgoing.length, markSeen]);

  return (
    <section>
      <ol>
        {hasOlder && (
          <li>
            <button onClick={() => void loadOlder()}>Older messages</button>
          </li>
        )}
        {messages.map(({ id, userId, user, content, deletedAt, deliveryStatus }) => (
          <li key={id} className={userId === me?.id ? "mine" : ""}>
            <b className={online.get(userId)?.online ? "online" : ""}>{user.username}</b>
            <p>{deletedAt ? <i>deleted</i> : content}</p>
            {userId === me?.id && !deletedAt && (
              <small>
                {MARKS[deliveryStatus]} <button onClick={() => remove(id).catch(() => {})}>Delete</button>
              </small>
            )}
          </li>
        ))}
        {outgoing.map(({ clientId, content, deliveryStatus }) => (
          <li key={clientId} className="mine">
            <p>{content}</p>
            <small>
              {MARKS[deliveryStatus]}{" "}
              {deliveryStatus === "FAILED" && (
                <button onClick={() => retry(clientId).catch(() => {})}>Try again</button>
              )}
            </small>
          </li>
        ))}
        <li ref={end} />
      </ol>
      <Composer channelId={channelId} send={send} />
    </section>
  );
}

function Composer({ channelId, send }: { channelId: string; send: (content: string) => Promise<Message> }) {
  const { typing, input, stop } = useTyping(channelId);
  return (
    <form
      action={(form) => {
        const content = String(form.get("content")).trim();
        // Shown at once, and when it fails, so nobody needs to wait for it.
        if (content !== "") send(content).catch(() => {});
      }}
    >
      <p aria-live="polite">{typing.length > 0 && "somebody is typing …"}</p>
      <input
        name="content"
        placeholder="Message"
        aria-label="Message"
        autoComplete="off"
        onInput={input}
        onBlur={stop}
      />
    </form>
  );
}
