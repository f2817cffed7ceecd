import { AuthError } from "next-auth";
import { redirect } from "next/navigation";

import { auth, signIn, signOut } from "@/auth";

import { Chat } from "./chat";

interface Props {
  searchParams: Promise<{ error?: string }>;
}

export default async function Page({ searchParams }: Props) {
  const session = await auth();
  if (!session?.user) return <SignIn isRefused={(await searchParams).error !== undefined} />;
  return (
    // Another user is another client: with the key, nothing of the one before is left.
    <Chat key={session.user.id} url={process.env.ROOMKEY_URL ?? ""}>
      <form action={leave}>
        {session.user.name} <button>Sign out</button>
      </form>
    </Chat>
  );
}

function SignIn({ isRefused }: { isRefused: boolean }) {
  return (
    <form className="sign-in" action={enter}>
      <h1>Chat</h1>
      <input name="name" placeholder="Name" aria-label="Name" autoComplete="username" autoFocus required />
      <input name="password" type="password" placeholder="Password" aria-label="Password" required />
      {isRefused && <p role="alert">Wrong name or password.</p>}
      <button>Sign in</button>
      <p>ada / analytical, or bob / builder</p>
    </form>
  );
}

async function enter(form: FormData) {
  "use server";
  try {
    await signIn("credentials", { ...Object.fromEntries(form), redirect: false });
  } catch (error) {
    if (error instanceof AuthError) redirect("/?error=credentials");
    throw error;
  }
  redirect("/");
}

async function leave() {
  "use server";
  await signOut({ redirectTo: "/" });
}
