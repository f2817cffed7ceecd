import { effect, signal } from "@preact/signals";
import { type ChannelCount, type ChannelStream, type Message, RoomkeyError } from "roomkey";
import { watch } from "./watch";
import { isLooking } from "./world";

/** A channel as the page shows it: what was written and not sent, what is being edited, and where the new messages begin. */
export class Room {
  readonly channelId: string;
  readonly stream: ChannelStream;
  readonly state;
  readonly draft = signal("");
  /** The id of the message that is being edited. */
  readonly editing = signal<string | null>(null);
  /** The messages of others after this number are new to the user; null where there are none. */
  readonly divider = signal<number | null>(null);
  /** Whether it is known where the new messages begin: nothing counts as seen before. */
  readonly isPlaced = signal(false);
  readonly #me: string;

  constructor(stream: ChannelStream, me: string) {
    this.channelId = stream.channelId;
    this.stream = stream;
    this.state = watch(stream);
    this.#me = me;
  }

  /** The channel comes on screen; `counts` says what waits in it, once that is known. Returns what ends that. */
  show(counts: () => ChannelCount | undefined): () => void {
    this.isPlaced.value = false;
    this.divider.value = null;
    const place = effect(() => {
      const found = counts();
      if (found === undefined || this.isPlaced.peek()) return;
      this.divider.value = found.unread > 0 ? found.seenSeq : null;
      this.isPlaced.value = true;
    });
    const follow = this.#followAway();
    return () => {
      place();
      follow();
      this.editing.value = null;
    };
  }

  /** Keeps it loaded and up to date, and what arrives acknowledged, although it is not on screen. */
  keep(): () => void {
    return this.stream.subscribe(() => {});
  }

  /** Sends a message. A failure is shown where the message stands; it is thrown where there is no place for it. */
  async send(content: string): Promise<void> {
    this.divider.value = null;
    await this.stream.send(content).catch((thrown: unknown) => {
      if (thrown instanceof RoomkeyError && thrown.code === "QUEUE_FULL") throw thrown;
    });
  }

  /** The beginning of what is loaded is near. What was refused is not asked for again before the user says so. */
  reachTop(isConnected: boolean): void {
    const { error } = this.stream.get();
    if (isConnected && (error === null || error.code === "UNREACHABLE")) void this.stream.loadOlder();
  }

  /** The messages up to this one are on screen. */
  seen(messageId: string): void {
    if (this.isPlaced.peek() && isLooking.value) this.stream.markSeen(messageId);
  }

  /** The newest message of mine that can be edited. */
  lastOfMine(): Message | undefined {
    return this.stream.get().messages.findLast(({ userId, deletedAt }) => userId === this.#me && !deletedAt);
  }

  /** What comes while the user is away is new when they are back. */
  #followAway(): () => void {
    let awaySince: number | null = null;
    return effect(() => {
      const last = this.state.value.messages.at(-1);
      if (isLooking.value) {
        awaySince = null;
      } else if (awaySince === null) {
        awaySince = last?.seq ?? 0;
      } else if (last !== undefined && last.seq > awaySince && last.userId !== this.#me) {
        this.divider.value = awaySince;
        awaySince = Infinity;
      }
    });
  }
}
