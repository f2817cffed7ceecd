import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Login } from "roomkey";
import { type Chat, problemOf } from "../state/chat";
import { now } from "../state/world";
import { deviceText } from "../words/devices";
import { agoText, fullText } from "../words/time";
import { Dialog } from "./dialog";
import { Icon } from "./icon";
import { PasswordForm } from "./password-form";
import { Problem } from "./problem";

/** The devices on which I am logged in, and how to end what I do not know. */
export function SessionsDialog({ chat }: { chat: Chat }) {
  const { logins } = chat.login.session;
  const list = useSignal<readonly Login[] | null>(null);
  const problem = useSignal<{ text: string; code: string } | null>(null);

  const attempt = async (action: () => Promise<unknown>) => {
    problem.value = null;
    try {
      await action();
      list.value = await logins.list();
    } catch (thrown) {
      problem.value = problemOf(thrown);
    }
  };
  useEffect(() => void attempt(async () => undefined), []);

  const others = list.value?.filter(({ current }) => !current) ?? [];
  return (
    <Dialog title="My sessions" testId="sessions" onClose={() => (chat.dialog.value = null)}>
      <p class="dialog-lead">
        The devices on which you are logged in. Sign out what you do not know, and change your password.
      </p>
      <Problem problem={problem.value} />
      <ul class="sessions" aria-busy={list.value === null}>
        {list.value?.map((login) => (
          <SessionItem key={login.id} login={login} onEnd={() => void attempt(() => logins.end(login.id))} />
        ))}
      </ul>
      <div class="dialog-actions">
        <button
          type="button"
          class="secondary"
          data-testid="sessions-end-others"
          disabled={others.length === 0}
          onClick={() => void attempt(() => logins.endOthers())}
        >
          Sign out everywhere else
        </button>
      </div>
      <PasswordForm
        logins={logins}
        onChanged={() => {
          chat.notices.tell("Your password is changed. All other sessions were ended.");
          void attempt(async () => undefined);
        }}
      />
    </Dialog>
  );
}

function SessionItem({ login, onEnd }: { login: Login; onEnd: () => void }) {
  const device = deviceText(login.userAgent);
  return (
    <li class="session" data-testid="session" data-session-id={login.id} data-current={login.current}>
      <Icon name="devices" />
      <span class="session-words">
        <span class="session-device" title={login.userAgent ?? undefined}>
          {device}
          {login.current && <span class="tag here">this one</span>}
        </span>
        <span class="session-about">
          {login.address ?? "address unknown"} ·{" "}
          <time dateTime={login.lastSeenAt} title={fullText(login.lastSeenAt)}>
            seen {agoText(login.lastSeenAt, now.value)}
          </time>{" "}
          ·{" "}
          <time dateTime={login.createdAt} title={fullText(login.createdAt)}>
            logged in {agoText(login.createdAt, now.value)}
          </time>
        </span>
      </span>
      {!login.current && (
        <button
          type="button"
          class="secondary compact"
          aria-label={`Sign out ${device}`}
          data-testid="session-end"
          onClick={onEnd}
        >
          Sign out
        </button>
      )}
    </li>
  );
}
