import type { Connection } from "../chat/connection";
import { connectionText, connectionTrouble } from "./words";

/** How the connection stands; where it was stopped, a button that tries again. */
export function ConnectionStatus({ connection }: { connection: Connection }) {
  const state = connection.state.value;
  const trouble = connectionTrouble(state);
  return (
    <div class="connection" data-phase={state.phase}>
      <span
        class="pill"
        role="status"
        data-testid="connection-state"
        data-state={state.phase}
        data-code={state.phase === "stopped" ? state.failure.code : undefined}
      >
        {connectionText(state)}
        {trouble !== null && <span class="sr-only"> {trouble}</span>}
      </span>
      {trouble !== null && (
        <p class="trouble" data-testid="connection-trouble" aria-hidden="true">
          {trouble}
        </p>
      )}
      {state.phase === "stopped" && (
        <button type="button" class="link" data-testid="reconnect" onClick={() => connection.open()}>
          Try again
        </button>
      )}
    </div>
  );
}
