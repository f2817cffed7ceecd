import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Session } from "../session/session";
import { asFailure } from "../wire/failure";
import { Brand } from "./brand";
import { Field } from "./field";
import { PasswordField } from "./password-field";
import { SignInMessage } from "./sign-in-message";
import { endingText, signInText } from "./words";

type Mode = "login" | "register";

export function SignInPage({ session }: { session: Session }) {
  const mode = useSignal<Mode>("login");
  const isBusy = useSignal(false);
  const problem = useSignal(
    session.ending.value && { code: session.ending.value.code, text: endingText(session.ending.value) },
  );
  const form = useRef<HTMLFormElement>(null);

  useEffect(() => form.current?.querySelector("input")?.focus(), [mode.value]);
  useEffect(() => void (document.title = "Roomkey"), []);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (isBusy.value || form.current === null) return;
    isBusy.value = true;
    problem.value = null;
    try {
      await signIn(session, mode.value, new FormData(form.current));
    } catch (thrown) {
      const failure = asFailure(thrown);
      problem.value = { code: failure.code, text: signInText(failure, mode.value) };
    } finally {
      isBusy.value = false;
    }
  };

  const switchMode = () => {
    mode.value = mode.value === "login" ? "register" : "login";
    problem.value = null;
  };

  const isLogin = mode.value === "login";
  return (
    <main class="sign-in">
      <form ref={form} class="card" onSubmit={(event) => void submit(event)} aria-labelledby="sign-in-title">
        <Brand />
        <h1 id="sign-in-title">{isLogin ? "Log in" : "Create your account"}</h1>
        <SignInMessage problem={problem.value} />
        {/* One field for both, so that a switch keeps what was typed. */}
        <Field
          testId="email"
          name="email"
          type={isLogin ? "text" : "email"}
          label={isLogin ? "Email or username" : "Email"}
          autoComplete={isLogin ? "username" : "email"}
          required
        />
        {!isLogin && (
          <Field
            testId="username"
            name="username"
            label="Username"
            note="optional, what others see"
            autoComplete="username"
          />
        )}
        <PasswordField isNew={!isLogin} />
        <button
          type="submit"
          class="primary"
          data-testid={isLogin ? "login-submit" : "register-submit"}
          aria-busy={isBusy.value}
        >
          {isLogin ? "Log in" : "Register"}
        </button>
        <p class="switch">
          {isLogin ? "New here?" : "Already have an account?"}{" "}
          <button type="button" class="link" data-testid="mode-switch" onClick={switchMode}>
            {isLogin ? "Create an account" : "Log in"}
          </button>
        </p>
        <p
          class="footnote"
          data-testid="connection-state"
          data-state="signed-out"
          data-code={session.ending.value?.code}
        >
          Signed out
        </p>
      </form>
    </main>
  );
}

async function signIn(session: Session, mode: Mode, fields: FormData): Promise<void> {
  const text = (name: string) => String(fields.get(name) ?? "").trim();
  // A password is taken exactly as typed.
  const password = String(fields.get("password") ?? "");
  const who = text("email");
  if (mode === "login")
    return session.logIn(who.includes("@") ? { email: who, password } : { username: who, password });
  const username = text("username");
  return session.register({ email: who, password, ...(username === "" ? {} : { username }) });
}
