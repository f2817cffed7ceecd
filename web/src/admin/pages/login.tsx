import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { asFailure } from "../wire/failure";
import { Brand } from "../parts/brand";
import { moveOn } from "../parts/page";
import { useAdmin } from "../state/admin";
import { endingText, loginText } from "../words/ending";
import { duration } from "../words/time";

export function LoginPage() {
  const admin = useAdmin();
  const form = useRef<HTMLFormElement>(null);
  const isBusy = useSignal(false);
  const problem = useSignal<{ code: string; text: string } | null>(null);
  const waitUntil = useSignal(0);
  const left = useCountdown(waitUntil.value);

  useEffect(() => {
    document.title = "Log in · Roomkey admin";
    form.current?.querySelector("input")?.focus();
  }, []);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy.value || left > 0 || form.current === null) return;
    const fields = new FormData(form.current);
    isBusy.value = true;
    problem.value = null;
    try {
      moveOn();
      await admin.logIn(String(fields.get("name") ?? "").trim(), String(fields.get("password") ?? ""));
    } catch (thrown) {
      const failure = asFailure(thrown);
      problem.value = { code: failure.code, text: loginText(failure) };
      if (failure.retryAfterMs !== undefined) waitUntil.value = Date.now() + failure.retryAfterMs;
      form.current?.querySelector<HTMLInputElement>("[name=password]")?.select();
    } finally {
      isBusy.value = false;
    }
  };

  const ending = admin.ending.value;
  return (
    <main class="login">
      <form ref={form} class="panel" onSubmit={(event) => void submit(event)} aria-labelledby="login-title">
        <Brand />
        <h1 id="login-title">Log in</h1>
        <div class="login-message" role="alert">
          {problem.value !== null ? (
            <p data-testid="problem" data-code={problem.value.code}>
              {problem.value.text}
            </p>
          ) : ending !== null ? (
            <p class="ending" data-testid="ending">
              {endingText(ending)}
            </p>
          ) : (
            <span class="muted">What you do here is kept in the audit log.</span>
          )}
        </div>
        <label class="field">
          <span>Name</span>
          <input
            name="name"
            data-testid="name"
            autoComplete="username"
            autoCapitalize="none"
            spellcheck={false}
            required
          />
        </label>
        <label class="field">
          <span>Password</span>
          <input type="password" name="password" data-testid="password" autoComplete="current-password" required />
        </label>
        <button type="submit" class="primary" data-testid="login" aria-busy={isBusy.value} aria-disabled={left > 0}>
          {left > 0 ? `Wait ${duration(left)}` : "Log in"}
        </button>
        <p class="muted footnote">
          Admins are made on the server: <code>roomkey admin add NAME</code>
        </p>
      </form>
    </main>
  );
}

/** How many milliseconds until then, counted down each second. */
function useCountdown(until: number): number {
  const now = useSignal(Date.now());
  useEffect(() => {
    now.value = Date.now();
    if (until <= Date.now()) return;
    const timer = setInterval(() => {
      now.value = Date.now();
      if (now.value >= until) clearInterval(timer);
    }, 250);
    return () => clearInterval(timer);
  }, [until]);
  const left = until - now.value;
  return left <= 0 ? 0 : Math.ceil(left / 1_000) * 1_000;
}
