import { useEffect, useMemo } from "preact/hooks";
import type { Account } from "roomkey";
import { Chat } from "../state/chat";
import type { Login } from "../state/login";
import { ChatPage } from "./chat-page";
import { SignInPage } from "./sign-in-page";

export function App({ login }: { login: Login }) {
  const user = login.user.value;
  return user === null ? <SignInPage login={login} /> : <SignedIn key={user.id} login={login} user={user} />;
}

/** Holds the chat from login to sign-out. */
function SignedIn({ login, user }: { login: Login; user: Account }) {
  // By key: one user, one chat; a refreshed token does not begin a new one.
  const chat = useMemo(() => new Chat(login, user), []);
  useEffect(() => () => chat.close(), []);
  return <ChatPage chat={chat} />;
}
