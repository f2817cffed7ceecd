import { signal } from "@preact/signals";
import { asFailure, type Failure } from "../wire/failure";
import type { Message } from "../wire/message";
import { newClientId } from "./client-id";
import type { Connection } from "./connection";
import { EMPTY, contiguousFrom, discard, fail, receive, send, type Outgoing } from "./timeline";

/** Where the history of a channel stands: what can be loaded above the oldest message that is shown. */
export type History =
  | { readonly phase: "unloaded" | "loading" | "more" | "complete" }
  | { readonly phase: "failed"; readonly failure: Failure };

const PAGE = 50;
const CATCH_UP_PAGES_MAX = 10;

/** What a conversation needs of the connection. */
export type Line = Pick<Connection, "isUp" | "emit">;

/** One channel while it is open: its messages as one stretch without gaps, and what I write into it. */
export class Conversation {
  readonly channelId: string;
  readonly timeline = signal(EMPTY);
  readonly history = signal<History>({ phase: "unloaded" });
  /** What is in the composer. */
  readonly draft = signal("");

  readonly #line: Line;
  readonly #me: string;
  /** Everything up to this `seq` is here, from the oldest message on. Undefined before the first page. */
  #completeTo: number | undefined;
  #catchingUp = false;

  constructor(channelId: string, me: string, line: Line) {
    this.channelId = channelId;
    this.#me = me;
    this.#line = line;
  }

  /** Loads the newest page, or what came while the connection was down, and sends what was waiting. */
  async resume(): Promise<void> {
    for (const message of this.timeline.peek().outgoing) if (message.failure === null) void this.#transmit(message);
    if (this.#completeTo === undefined) await this.loadOlder();
    else await this.#catchUp();
  }

  /** Loads the page above the oldest message; the newest page where there is none. */
  async loadOlder(): Promise<void> {
    if (this.history.peek().phase === "loading") return;
    this.history.value = { phase: "loading" };
    const oldest = this.#completeTo === undefined ? undefined : this.timeline.peek().messages[0]?.seq;
    try {
      const page = await this.#page(oldest === undefined ? {} : { before: oldest });
      this.#completeTo ??= page.at(-1)?.seq ?? 0;
      this.history.value = { phase: page.length < PAGE || page[0]?.seq === 1 ? "complete" : "more" };
    } catch (thrown) {
      this.history.value = { phase: "failed", failure: asFailure(thrown) };
      return;
    }
    await this.#advance();
  }

  /** Takes a message the server announced. */
  async receive(message: Message): Promise<void> {
    this.timeline.value = receive(this.timeline.peek(), [message], this.#me);
    await this.#advance();
  }

  /** Sends a text. It is shown at once, and stays until it is confirmed or discarded. */
  send(content: string): void {
    void this.#transmit({ clientId: newClientId(), content, writtenAt: new Date().toISOString() });
  }

  /** Sends once more what was refused. */
  retry(message: Outgoing): void {
    void this.#transmit(message);
  }

  discard(clientId: string): void {
    this.timeline.value = discard(this.timeline.peek(), clientId);
  }

  async #transmit({ clientId, content, writtenAt }: Omit<Outgoing, "failure">): Promise<void> {
    this.timeline.value = send(this.timeline.peek(), { clientId, content, writtenAt });
    // What is written while the connection is down waits for `resume`.
    if (!this.#line.isUp) return;
    try {
      await this.receive(
        await this.#line.emit<Message>("sendMessage", { channelId: this.channelId, content, clientId }),
      );
    } catch (thrown) {
      if (this.#line.isUp) this.timeline.value = fail(this.timeline.peek(), clientId, asFailure(thrown));
    }
  }

  /** Closes a gap between what is complete and what has arrived beyond it. */
  async #advance(): Promise<void> {
    if (this.#completeTo === undefined) return;
    const { messages } = this.timeline.peek();
    this.#completeTo = contiguousFrom(messages, this.#completeTo);
    if ((messages.at(-1)?.seq ?? 0) > this.#completeTo) await this.#catchUp();
  }

  /** Loads what came after the last complete message, page by page; begins anew at the end where that is too much. */
  async #catchUp(): Promise<void> {
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    try {
      for (let pages = 0; await this.#nextPage(); pages += 1) {
        if (pages === CATCH_UP_PAGES_MAX) return await this.#restart();
      }
    } catch {
      // The connection went away again; the next `resume` starts from the same place.
    } finally {
      this.#catchingUp = false;
    }
  }

  /** Loads one page after the last complete message. Tells whether there may be more. */
  async #nextPage(): Promise<boolean> {
    const from = this.#completeTo ?? 0;
    const page = await this.#page({ after: from });
    const last = page.at(-1)?.seq ?? from;
    this.#completeTo = contiguousFrom(this.timeline.peek().messages, last);
    return page.length === PAGE && last > from;
  }

  async #restart(): Promise<void> {
    this.timeline.value = { ...this.timeline.peek(), messages: [] };
    this.#completeTo = undefined;
    await this.loadOlder();
  }

  async #page(cursor: { before?: number; after?: number }): Promise<readonly Message[]> {
    const { messages } = await this.#line.emit<{ messages: Message[] }>("message:history", {
      channelId: this.channelId,
      limit: PAGE,
      ...cursor,
    });
    this.timeline.value = receive(this.timeline.peek(), messages, this.#me);
    return messages.toSorted((a, b) => a.seq - b.seq);
  }
}
