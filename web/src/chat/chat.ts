import { effect, signal } from "@preact/signals";
import type { Session } from "../session/session";
import { channelRoom, isMember, type Channel, type Visibility } from "../wire/channel";
import { asFailure } from "../wire/failure";
import type { Message } from "../wire/message";
import { displayName, type Account } from "../wire/user";
import { Channels } from "./channels";
import { Connection } from "./connection";
import { Conversation } from "./conversation";
import { Notices } from "./notices";
import { Selection } from "./selection";

/** Everything that lives from a login to the end of the session. */
export class Chat {
  readonly me: Account;
  readonly session: Session;
  readonly channels: Channels;
  readonly connection: Connection;
  readonly notices = new Notices();
  readonly selection = new Selection();
  /** The conversation on screen, or null: none is selected, or I am not a member. */
  readonly conversation = signal<Conversation | null>(null);
  /** The newest message of somebody else on screen, for those who hear the page. */
  readonly spoken = signal("");

  readonly #conversations = new Map<string, Conversation>();
  readonly #stop: () => void;

  constructor(session: Session, me: Account) {
    this.session = session;
    this.me = me;
    this.channels = new Channels(session);
    this.connection = new Connection(session, {
      connected: () => this.#resume(),
      message: (message) => this.#received(message),
      roomJoined: () => this.reload(),
      roomEvicted: () => this.reload(),
      notice: (failure) => this.notices.add(failure),
    });
    this.#stop = effect(() => this.#show(this.selection.channelId.value));
    addEventListener("focus", this.reload);
    this.reload();
  }

  close(): void {
    this.#stop();
    removeEventListener("focus", this.reload);
    this.selection.close();
    this.connection.close();
  }

  /** Asks the server for the list of channels again. */
  readonly reload = (): void => {
    void this.channels.load().catch((thrown: unknown) => {
      const failure = asFailure(thrown);
      // That there is no connection is on screen already.
      if (failure.code !== "UNREACHABLE") this.notices.add(failure);
    });
  };

  async create(name: string, visibility: Visibility): Promise<void> {
    const channel = await this.channels.create(name, visibility);
    this.selection.select(channel.id);
  }

  async join(channel: Channel): Promise<void> {
    await this.connection.emit("joinRoom", channelRoom(channel.id));
    await this.channels.load();
  }

  /** Does something a person asked for; where it fails, says so. Tells whether it was done. */
  async attempt(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (thrown) {
      this.notices.add(asFailure(thrown));
      return false;
    }
  }

  #resume(): void {
    this.reload();
    for (const conversation of this.#conversations.values()) void conversation.resume();
  }

  #show(channelId: string | null): void {
    const channel = channelId === null ? undefined : this.channels.get(channelId);
    if (channel === undefined || !isMember(channel)) {
      this.conversation.value = null;
      return;
    }
    this.conversation.value = this.#open(channel.id);
    this.channels.markRead(channel.id);
  }

  #open(channelId: string): Conversation {
    const open = this.#conversations.get(channelId);
    if (open !== undefined) return open;
    const conversation = new Conversation(channelId, this.me.id, this.connection);
    this.#conversations.set(channelId, conversation);
    if (this.connection.isUp) void conversation.resume();
    return conversation;
  }

  #received(message: Message): void {
    const { channelId } = message;
    const isOnScreen = channelId === this.conversation.peek()?.channelId;
    void this.#conversations.get(channelId)?.receive(message);
    if (isOnScreen && message.userId !== this.me.id)
      this.spoken.value = `${displayName(message.user)}: ${message.content}`;
    if (this.channels.get(channelId) === undefined) this.reload();
    else this.channels.reached(channelId, message.seq, isOnScreen || message.userId === this.me.id);
  }
}
