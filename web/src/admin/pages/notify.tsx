import { useSignal } from "@preact/signals";
import { asFailure } from "../wire/failure";
import { Page } from "../parts/page";
import { Problem } from "../parts/problem";
import { ask } from "../state/action";
import { useAdmin } from "../state/admin";
import { notificationOf, type Receiver, sendNotification } from "./actions";

/** Sends a notification to whoever is connected. */
export function NotifyPage() {
  const admin = useAdmin();
  const to = useSignal<"user" | "room" | "everyone">("user");
  const problem = useSignal<{ code: string; text: string } | null>(null);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    const name = String(fields.get("name") ?? "").trim();
    const text = String(fields.get("notification") ?? "");
    problem.value = problemOf(to.value, name, text);
    if (problem.value !== null) return;
    const receiver: Receiver =
      to.value === "everyone" ? { everyone: true } : to.value === "user" ? { user: name } : { room: name };
    ask({
      title: to.value === "everyone" ? "Notify everyone" : `Notify ${to.value} ${name}`,
      text: <q class="preview">{text}</q>,
      verb: "Send",
      run: (reason) => sendNotification(admin, receiver, text, reason),
      onDone: () => form.reset(),
    });
  };
  if (!admin.mayAct.value) {
    return (
      <Page title="Notify">
        <p class="empty">Your account may only look. An admin can send notifications.</p>
      </Page>
    );
  }
  return (
    <Page title="Notify">
      <form class="panel form" onSubmit={submit} noValidate>
        <p class="muted">Clients that are connected now get a “notification” event. It is not kept for later.</p>
        <fieldset>
          <legend>To</legend>
          <div class="segments">
            {(["user", "room", "everyone"] as const).map((kind) => (
              <button key={kind} type="button" aria-pressed={to.value === kind} onClick={() => (to.value = kind)}>
                {{ user: "A user", room: "A room", everyone: "Everyone" }[kind]}
              </button>
            ))}
          </div>
        </fieldset>
        {to.value !== "everyone" && (
          <label class="field">
            <span>{to.value === "user" ? "User id" : "Room"}</span>
            <input
              name="name"
              data-testid="to"
              autoComplete="off"
              autoCapitalize="none"
              spellcheck={false}
              placeholder={to.value === "room" ? "channel:… or room:…" : ""}
            />
          </label>
        )}
        <label class="field">
          <span>
            Notification <small>a text, or a JSON object</small>
          </span>
          <textarea name="notification" data-testid="notification" rows={4} />
        </label>
        <Problem problem={problem.value} />
        <button type="submit" class="primary" data-testid="send">
          Send…
        </button>
      </form>
    </Page>
  );
}

function problemOf(to: string, name: string, text: string): { code: string; text: string } | null {
  if (to !== "everyone" && name === "") return { code: "BAD_PAYLOAD", text: `Say which ${to}.` };
  if (text.trim() === "") return { code: "BAD_PAYLOAD", text: "Write something." };
  try {
    notificationOf(text);
    return null;
  } catch (thrown) {
    return { code: "BAD_PAYLOAD", text: `This looks like JSON, but is not: ${asFailure(thrown).message}` };
  }
}
