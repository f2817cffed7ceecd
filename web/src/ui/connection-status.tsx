import { useSignal, useSignalEffect } from "@preact/signals";
import type { Chat } from "../state/chat";
import { isOnline, now } from "../state/world";
import { renewalTrouble, STANDINGS, standingOf, tokenText } from "../words/connection";

/** How long a renewal is pointed out: it is over before anybody could see it. */
const RENEWED_MS = 4_000;

/** How the connection stands, and how long the token is good. */
export function ConnectionStatus({ chat }: { chat: Chat }) {
  const state = chat.connection.value;
  const standing = standingOf(state, isOnline.value);
  return (
    <div class="connection" data-standing={standing}>
      <span
        class="pill"
        role="status"
        data-testid="connection-state"
        data-state={standing}
        data-code={state.phase === "stopped" ? state.error.code : undefined}
      >
        {STANDINGS[standing]}
      </span>
      {state.phase === "connected" && <TokenEnd chat={chat} />}
    </div>
  );
}

function TokenEnd({ chat }: { chat: Chat }) {
  const token = chat.token.value;
  const renewedAt = useRenewals(chat);
  const isFailing = renewalTrouble(chat.connection.value, token, now.value) !== null;
  const isRenewed = now.value - renewedAt.value < RENEWED_MS;
  const state = isFailing ? "failing" : token.isRenewing ? "renewing" : isRenewed ? "renewed" : "good";
  const text = tokenText(token, now.value);
  if (text === null) return null;
  return (
    <span class="token" data-testid="token-end" data-state={state} data-ends-at={token.endsAt}>
      {state === "renewed" ? "Session renewed just now" : text}
    </span>
  );
}

/** When a fresh token was shown the last time. */
function useRenewals(chat: Chat) {
  const renewedAt = useSignal(-Infinity);
  const endedAt = useSignal(chat.token.peek().endsAt);
  useSignalEffect(() => {
    const { endsAt } = chat.token.value;
    const before = endedAt.peek();
    if (endsAt !== null && before !== null && endsAt > before) renewedAt.value = Date.now();
    endedAt.value = endsAt;
  });
  return renewedAt;
}
