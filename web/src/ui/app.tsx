import { useEffect, useMemo } from "preact/hooks";
import { Chat } from "../chat/chat";
import type { Session } from "../session/session";
import type { Account } from "../wire/user";
import { ChatPage } from "./chat-page";
import { SignInPage } from "./sign-in-page";

export function App({ session }: { session: Session }) {
  const user = session.user.value;
  return user === null ? <SignInPage session={session} /> : <SignedIn key={user.id} session={session} user={user} />;
}

/** Holds the chat from login to sign-out. */
function SignedIn({ session, user }: { session: Session; user: Account }) {
  // By key: one user, one chat; a refreshed token does not begin a new one.
  const chat = useMemo(() => new Chat(session, user), []);
  useEffect(() => () => chat.close(), []);
  return <ChatPage chat={chat} />;
}
