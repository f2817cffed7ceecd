import { useSignal } from "@preact/signals";
import { asFailure } from "../wire/failure";
import { Moment } from "../parts/moment";
import { Page } from "../parts/page";
import { Problem } from "../parts/problem";
import { type Column, Table } from "../parts/table";
import { Waiting } from "../parts/list";
import { tell } from "../state/action";
import { useAdmin } from "../state/admin";
import { useLoaded } from "../state/loaded";
import type { AdminSession, Me } from "../wire/records";
import { pathOf } from "../wire/request";
import { device } from "../words/device";
import { failureText } from "../words/ending";

/** My logins to this page, and my password. */
export function AccountPage() {
  const admin = useAdmin();
  const loaded = useLoaded("me", () => admin.request<Me>("GET", "/api/me"));
  const me = loaded.value.value ?? admin.me.value;
  return (
    <Page title="My account">
      <p>
        Logged in as <b>{me?.admin.name}</b>, {me?.admin.role === "viewer" ? "who may only look" : "an admin"}. Without
        being used this session ends <Moment time={me?.expiresAt} as="left" />.
      </p>
      <Sessions />
      <Password />
    </Page>
  );
}

function Sessions() {
  const admin = useAdmin();
  const loaded = useLoaded("mine", () => admin.request<{ sessions: readonly AdminSession[] }>("GET", "/api/sessions"));
  const end = async ({ id }: AdminSession) => {
    try {
      await admin.request("DELETE", pathOf`/api/sessions/${id}`);
      tell("The session has ended.");
    } catch (thrown) {
      tell(failureText(asFailure(thrown)));
    }
    loaded.reload();
  };
  const columns: readonly Column<AdminSession>[] = [
    {
      label: "Device",
      cell: ({ userAgent, current }) => (
        <>
          <bdi title={userAgent ?? undefined}>{device(userAgent)}</bdi>{" "}
          {current && <span class="tag tag-good">this one</span>}
        </>
      ),
    },
    { label: "Address", cell: ({ address }) => <span class="code">{address}</span> },
    { label: "Seen", cell: ({ seen }) => <Moment time={seen} /> },
    { label: "Began", cell: ({ created }) => <Moment time={created} /> },
    {
      label: "Actions",
      kind: "actions",
      cell: (session) =>
        !session.current && (
          <button type="button" class="quiet" data-testid="end" onClick={() => void end(session)}>
            End
          </button>
        ),
    },
  ];
  return (
    <section aria-labelledby="sessions-title">
      <header class="section-header">
        <h2 id="sessions-title">My sessions</h2>
      </header>
      {loaded.failure.value !== null && (
        <p class="empty" role="alert">
          {failureText(loaded.failure.value)}
        </p>
      )}
      {loaded.value.value === null ? (
        loaded.failure.value === null && <Waiting />
      ) : (
        <Table
          caption="My sessions"
          columns={columns}
          rows={loaded.value.value.sessions}
          keyOf={({ id }) => id}
          testId="my-sessions"
        />
      )}
    </section>
  );
}

function Password() {
  const admin = useAdmin();
  const problem = useSignal<{ code: string; text: string } | null>(null);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    problem.value = null;
    try {
      await admin.request("POST", "/api/password", {
        password: String(fields.get("password") ?? ""),
        newPassword: String(fields.get("newPassword") ?? ""),
      });
      form.reset();
      tell("The password was changed. Your other sessions have ended.");
    } catch (thrown) {
      const failure = asFailure(thrown);
      const isWrong = failure.code === "INVALID_CREDENTIALS";
      problem.value = { code: failure.code, text: isWrong ? "The present password is wrong." : failureText(failure) };
    }
  };
  return (
    <section aria-labelledby="password-title">
      <header class="section-header">
        <h2 id="password-title">Change my password</h2>
      </header>
      <form class="panel form" onSubmit={(event) => void submit(event)}>
        <input
          class="sr-only"
          name="username"
          autoComplete="username"
          value={admin.me.value?.admin.name}
          readOnly
          hidden
        />
        <label class="field">
          <span>Present password</span>
          <input type="password" name="password" data-testid="password" autoComplete="current-password" required />
        </label>
        <label class="field">
          <span>New password</span>
          <input type="password" name="newPassword" data-testid="new-password" autoComplete="new-password" required />
        </label>
        <Problem problem={problem.value} />
        <button type="submit" class="primary" data-testid="change-password">
          Change
        </button>
      </form>
    </section>
  );
}
