import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { RoomkeyError } from "roomkey";
import { problemOf } from "../state/chat";
import type { Login } from "../state/login";
import { endingText, signInText } from "../words/refusals";
import { Brand } from "./brand";
import { Field } from "./field";
import { PasswordField } from "./password-field";
import { SignInMessage } from "./sign-in-message";

type Mode = "login" | "register";

export function SignInPage({ login }: { login: Login }) {
  const mode = useSignal<Mode>("login");
  const isBusy = useSignal(false);
  const problem = useSignal(
    login.ending.value && { code: login.ending.value.code, text: endingText(login.ending.value) },
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
      await signIn(login, mode.value, new FormData(form.current));
    } catch (thrown) {
      const { code, text } = problemOf(thrown);
      problem.value = { code, text: thrown instanceof RoomkeyError ? signInText(thrown, mode.value) : text };
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
    <main
      class="sign-in"
      data-testid="sign-in"
      data-code={login.ending.value?.code}
      data-reason={login.ending.value?.reason}
    >
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
          describedBy="sign-in-message"
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
        <PasswordField
          name="password"
          label="Password"
          {...(isLogin
            ? { autoComplete: "current-password" as const }
            : { autoComplete: "new-password" as const, note: "8 characters or more" })}
        />
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
      </form>
    </main>
  );
}

async function signIn(login: Login, mode: Mode, fields: FormData): Promise<void> {
  const text = (name: string) => String(fields.get(name) ?? "").trim();
  // A password is taken exactly as typed.
  const password = String(fields.get("password") ?? "");
  const who = text("email");
  if (mode === "login") return login.signIn(who.includes("@") ? { email: who, password } : { username: who, password });
  const username = text("username");
  return login.register({ email: who, password, ...(username === "" ? {} : { username }) });
}
