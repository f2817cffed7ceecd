import type { Action } from "../state/action";
import type { Admin } from "../state/admin";
import type { Connection, Room, User, UserSession } from "../wire/records";
import { pathOf } from "../wire/request";
import { counted } from "../words/number";

interface Closed {
  readonly socketsClosed: number;
}

function closedText({ socketsClosed }: Closed): string {
  return `${counted(socketsClosed, "socket")} closed.`;
}

/** The name where there is one, otherwise the id. */
export function nameOf(user: { readonly id: string; readonly name?: string | null }): string {
  return user.name ?? user.id;
}

export function disconnect(admin: Admin, { socket, user }: Connection): Action {
  return {
    title: `Disconnect ${nameOf(user)}`,
    text: "Its token stays good: the client may connect again.",
    verb: "Disconnect",
    isDanger: true,
    fields: (
      <label class="check">
        <input type="checkbox" name="close" data-testid="close" defaultChecked /> With its sockets in other namespaces
      </label>
    ),
    run: async (reason, fields) => {
      const close = fields.get("close") !== null;
      const path = pathOf`/api/connections/${socket}/disconnect`;
      return closedText(await admin.request<Closed>("POST", path, { reason, close }));
    },
  };
}

export type Filter = { all: true } | { user: string } | { room: string } | { address: string };

/** Disconnects many. The server says how many that are, and wants to hear the number back. */
export function disconnectMany(admin: Admin, filter: Filter): Action {
  const [kind = "all", value] = Object.entries(filter)[0] ?? [];
  const whom = kind === "all" ? "everyone" : `everyone of ${kind} ${String(value)}`;
  return {
    title: `Disconnect ${whom}`,
    text: "All of these sockets are closed. Their tokens stay good: the clients may connect again.",
    verb: "Disconnect",
    isDanger: true,
    run: async (reason, _, confirm) => {
      const body = { reason, filter, ...(confirm !== undefined && { confirm }) };
      return closedText(await admin.request<Closed>("POST", "/api/disconnect", body));
    },
  };
}

export function endSession(admin: Admin, userId: string, session: Pick<UserSession, "id">): Action {
  return {
    title: "End this session",
    text: "Its tokens are revoked and its sockets closed at once. The user has to log in again on that device.",
    verb: "End session",
    isDanger: true,
    run: async (reason) =>
      closedText(
        await admin.request<Closed>("POST", pathOf`/api/users/${userId}/sessions/${session.id}/end`, { reason }),
      ),
  };
}

export function revokeAll(admin: Admin, user: { readonly id: string; readonly name?: string | null }): Action {
  return {
    title: `Revoke everything of ${nameOf(user)}`,
    text: "All sessions end, every token issued until now is revoked, and the sockets are closed. The user may log in again.",
    verb: "Revoke",
    isDanger: true,
    run: async (reason) =>
      closedText(await admin.request<Closed>("POST", pathOf`/api/users/${user.id}/revoke`, { reason })),
  };
}

export function block(admin: Admin, user: { readonly id: string; readonly name?: string | null }): Action {
  return {
    title: `Block ${nameOf(user)}`,
    text: "All sessions end, the sockets are closed, and nothing lets this user in until somebody unblocks them.",
    verb: "Block",
    isDanger: true,
    run: async (reason) =>
      closedText(await admin.request<Closed>("POST", pathOf`/api/users/${user.id}/block`, { reason })),
  };
}

export function unblock(admin: Admin, user: { readonly id: string; readonly name?: string | null }): Action {
  return {
    title: `Unblock ${nameOf(user)}`,
    text: "The user may log in again. Sessions and tokens from before stay revoked.",
    verb: "Unblock",
    run: async (reason) => {
      await admin.request("POST", pathOf`/api/users/${user.id}/unblock`, { reason });
      return "Unblocked.";
    },
  };
}

/** Whether it is the room of a user's own sockets, which none of them leaves. */
export function isPersonal(room: string): boolean {
  return /^user[:-]/.test(room);
}

/** Takes a socket, or all of a user's, out of a room. */
export function kick(
  admin: Admin,
  room: Pick<Room, "name" | "namespace">,
  whom: Connection,
  onlyThisSocket: boolean,
): Action {
  return {
    title: `Take ${nameOf(whom.user)} out of ${room.name}`,
    text: onlyThisSocket
      ? "This socket leaves the room and stays connected. It may come back where the policy lets it."
      : "All sockets of this user leave the room and stay connected. They may come back where the policy lets them.",
    verb: "Kick",
    isDanger: true,
    run: async (reason) => {
      const body = {
        reason,
        namespace: room.namespace,
        ...(onlyThisSocket ? { socket: whom.socket } : { user: whom.user.id }),
      };
      const { sockets } = await admin.request<{ sockets: number }>("POST", pathOf`/api/rooms/${room.name}/kick`, body);
      return `${counted(sockets, "socket")} left the room.`;
    },
  };
}

export type Receiver = { user: string } | { room: string } | { everyone: true };

/** What was typed: JSON where it is an object, otherwise a text. */
export function notificationOf(text: string): unknown {
  if (!/^\s*\{/.test(text)) return text;
  return JSON.parse(text);
}

export async function sendNotification(admin: Admin, to: Receiver, text: string, reason: string): Promise<string> {
  const body = { to, notification: notificationOf(text), reason };
  const answer = await admin.request<{ sockets?: number | null } | undefined>("POST", "/api/notify", body);
  const sockets = answer?.sockets;
  return typeof sockets === "number" ? `Sent to ${counted(sockets, "socket")}.` : "Sent.";
}

export function notify(admin: Admin, to: Receiver, whom: string): Action {
  return {
    title: `Notify ${whom}`,
    text: "Clients that are connected now get a “notification” event. It is not kept for later.",
    verb: "Send",
    fields: (
      <label class="field">
        <span>
          Notification <small>a text, or a JSON object</small>
        </span>
        <textarea name="notification" data-testid="notification" rows={3} required />
      </label>
    ),
    run: (reason, fields) => sendNotification(admin, to, String(fields.get("notification") ?? ""), reason),
  };
}

/** Of a user's record, what is needed to speak of them. */
export function asPerson({ id, username, email }: User): { id: string; name: string | null } {
  return { id, name: username ?? email };
}
