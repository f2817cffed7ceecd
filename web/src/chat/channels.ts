import { computed, signal } from "@preact/signals";
import type { Session } from "../session/session";
import { invitee, isMember, type Channel, type Member, type Visibility } from "../wire/channel";

/** The channels I am in and the public ones I could join, with how far I have read each in this tab. */
export class Channels {
  readonly #session: Session;
  readonly #all = signal<ReadonlyMap<string, Channel> | null>(null);
  readonly #read = signal<ReadonlyMap<string, number>>(new Map());

  readonly mine = computed(() => this.#sorted(isMember));
  readonly joinable = computed(() => this.#sorted((channel) => !isMember(channel)));
  readonly unread = computed(() => this.mine.value.reduce((sum, channel) => sum + this.unreadIn(channel), 0));

  constructor(session: Session) {
    this.#session = session;
  }

  get isLoaded(): boolean {
    return this.#all.value !== null;
  }

  get(id: string): Channel | undefined {
    return this.#all.value?.get(id);
  }

  /** Messages that came to a channel since it was last looked at, or since this page was opened. */
  unreadIn(channel: Channel): number {
    return Math.max(0, channel.lastSeq - (this.#read.value.get(channel.id) ?? channel.lastSeq));
  }

  async load(): Promise<void> {
    const { channels } = await this.#session.request<{ channels: Channel[] }>("GET", "/api/channels");
    // The answer may be older than an announcement that came while it was on its way.
    this.#all.value = new Map(
      channels.map((channel) => [
        channel.id,
        { ...channel, lastSeq: Math.max(channel.lastSeq, this.#lastSeq(channel.id)) },
      ]),
    );
    this.#read.value = new Map(
      channels.map((channel) => [channel.id, this.#read.peek().get(channel.id) ?? channel.lastSeq]),
    );
  }

  async create(name: string, visibility: Visibility): Promise<Channel> {
    const { channel } = await this.#session.request<{ channel: Channel }>("POST", "/api/channels", {
      name,
      visibility,
    });
    await this.load();
    return channel;
  }

  async members(id: string): Promise<readonly Member[]> {
    return (await this.#session.request<{ members: Member[] }>("GET", membersOf(id))).members;
  }

  async invite(id: string, who: string): Promise<void> {
    await this.#session.request("POST", membersOf(id), { ...invitee(who), role: "member" });
  }

  /** Notes that a channel has come to `seq`, and whether the user is looking at it. */
  reached(id: string, seq: number, isRead: boolean): void {
    const channel = this.get(id);
    if (channel === undefined) return;
    if (seq > channel.lastSeq) this.#all.value = new Map(this.#all.peek()).set(id, { ...channel, lastSeq: seq });
    if (isRead) this.markRead(id);
  }

  markRead(id: string): void {
    this.#read.value = new Map(this.#read.peek()).set(id, this.#lastSeq(id));
  }

  #lastSeq(id: string): number {
    return this.#all.peek()?.get(id)?.lastSeq ?? 0;
  }

  #sorted(keep: (channel: Channel) => boolean): readonly Channel[] {
    return [...(this.#all.value?.values() ?? [])]
      .filter(keep)
      .sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
  }
}

function membersOf(id: string): string {
  return `/api/channels/${encodeURIComponent(id)}/members`;
}
