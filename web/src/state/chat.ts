import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { type Account, type Channel, type Client, createClient, RoomkeyError } from "roomkey";
import { displayName } from "../words/names";
import { refusalText } from "../words/refusals";
import type { Login } from "./login";
import { Notices } from "./notices";
import { Room } from "./room";
import { Selection } from "./selection";
import { watch } from "./watch";
import { isLooking } from "./world";

export type DialogName = "new-channel" | "settings" | "sessions";

/** What a person is asked before something that cannot be taken back. */
export interface Question {
  readonly title: string;
  readonly text: string;
  /** The word on the button that does it. */
  readonly action: string;
  readonly confirmed: () => Promise<unknown>;
}

export interface Spoken {
  readonly key: string;
  readonly text: string;
}

/** Channels that are kept loaded although they are not on screen. */
const KEPT_MAX = 20;
/** Lines that a screen reader may still be reading. */
const SPOKEN_MAX = 5;

/** Everything that lives from a login to its end. */
export class Chat {
  readonly me: Account;
  readonly login: Login;
  readonly client: Client;
  readonly selection = new Selection();
  readonly notices = new Notices();
  readonly dialog = signal<DialogName | null>(null);
  readonly question = signal<Question | null>(null);
  readonly showsMembers = signal(false);
  /** What others have just written in the channel on screen, for those who hear the page. */
  readonly spoken = signal<readonly Spoken[]>([]);

  readonly connection;
  readonly token;
  readonly inbox;
  readonly newest;
  readonly list;
  /** The channels that I am in; where something was written last comes first. */
  readonly mine: ReadonlySignal<readonly Channel[]>;
  readonly joinable: ReadonlySignal<readonly Channel[]>;
  /** The channel that the address names, if there is one. */
  readonly channel: ReadonlySignal<Channel | undefined>;
  /** The room on screen: of a channel that I am in. */
  readonly room: ReadonlySignal<Room | undefined>;

  readonly #rooms = new Map<string, Room>();
  readonly #kept = new Map<string, () => void>();
  readonly #offs: (() => void)[];

  constructor(login: Login, me: Account) {
    this.login = login;
    this.me = me;
    this.client = createClient({ session: login.tokens });
    this.connection = watch(this.client.connection);
    this.token = watch(this.client.token);
    this.inbox = watch(this.client.inbox);
    this.newest = watch(this.client.newest);
    this.list = watch(this.client.channels);
    const channels = computed(() => [...this.list.value.channels.values()]);
    this.mine = computed(() => channels.value.filter(isMine).sort((a, b) => compare(this.lastAt(b), this.lastAt(a))));
    this.joinable = computed(() =>
      channels.value.filter((channel) => !isMine(channel)).sort((a, b) => a.name.localeCompare(b.name)),
    );
    this.channel = computed(() => this.list.value.channels.get(this.selection.channelId.value ?? ""));
    const roomId = computed(() => (this.channel.value?.role === undefined ? undefined : this.channel.value.id));
    this.room = computed(() => (roomId.value === undefined ? undefined : this.#roomOf(roomId.value)));
    this.#offs = [
      effect(() => this.room.value?.show(() => this.inbox.value.channels.get(this.room.value?.channelId ?? ""))),
      effect(() => this.#keepWaiting()),
      effect(() => this.#followInvite()),
      effect(() => void (isLooking.value && this.client.channels.refresh())),
      this.client.on("message.created", (message) => {
        if (message.userId === this.me.id) return;
        this.#keep(message.channelId);
        if (message.channelId !== this.room.peek()?.channelId) return;
        const line = { key: message.id, text: `${displayName(message.user)}: ${message.content}` };
        this.spoken.value = [...this.spoken.peek(), line].slice(-SPOKEN_MAX);
      }),
    ];
    this.client.connect();
  }

  close(): void {
    for (const off of [...this.#offs, ...this.#kept.values()]) off();
    this.selection.close();
    this.client.close();
  }

  /** When something was written last in a channel, or it was made. */
  lastAt(channel: Channel): string {
    return this.newest.value.get(channel.id)?.createdAt ?? channel.createdAt;
  }

  /** Messages that wait in a channel; those on screen do not. */
  unreadIn(channelId: string): number {
    const isRead = isLooking.value && this.room.value?.channelId === channelId;
    return isRead ? 0 : (this.inbox.value.channels.get(channelId)?.unread ?? 0);
  }

  select(channelId: string | null): void {
    this.showsMembers.value = false;
    this.selection.select(channelId);
  }

  /** Does something a person asked for; where it fails, says so. Tells whether it was done. */
  async attempt(action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (thrown) {
      const { text, code } = problemOf(thrown);
      this.notices.fail(text, code);
      return false;
    }
  }

  #roomOf(channelId: string): Room {
    const known = this.#rooms.get(channelId);
    if (known !== undefined) return known;
    const room = new Room(this.client.channel(channelId), this.me.id);
    this.#rooms.set(channelId, room);
    return room;
  }

  /** What waited while the user was away has arrived now, and its senders should know. */
  #keepWaiting(): void {
    for (const { channelId, count } of this.inbox.value.channels.values()) if (count > 0) this.#keep(channelId);
  }

  #keep(channelId: string): void {
    const held = this.#kept.get(channelId) ?? this.#roomOf(channelId).keep();
    this.#kept.delete(channelId);
    this.#kept.set(channelId, held);
    const [oldest] = this.#kept;
    if (this.#kept.size <= KEPT_MAX || oldest === undefined) return;
    oldest[1]();
    this.#kept.delete(oldest[0]);
  }

  /** Who opens the address of an invite becomes a member, as soon as there is a connection. */
  #followInvite(): void {
    const invite = this.selection.invite.value;
    if (invite === null || this.connection.value.phase !== "connected") return;
    this.client.channels.join({ invite }).then(
      (channel) => this.select(channel.id),
      (thrown: unknown) => {
        this.selection.select(null);
        const { text, code } = problemOf(thrown);
        this.notices.fail(code === "FORBIDDEN" ? "This invite is not good any more. Ask for another one." : text, code);
      },
    );
  }
}

/** What to say about something that failed, and its code. */
export function problemOf(thrown: unknown): { readonly text: string; readonly code: string } {
  if (thrown instanceof RoomkeyError) return { text: refusalText(thrown), code: thrown.code };
  return { text: String(thrown), code: "UNEXPECTED" };
}

function isMine(channel: Channel): boolean {
  return channel.role !== undefined;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
