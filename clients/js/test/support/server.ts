import type { Message } from "../../src/index.js";
import type { Clock } from "../../src/platform.js";
import { TestSocket } from "./socket.js";

export type Answer = { data: unknown } | { error: string; code: string; retry: string; retryAfterMs?: number };
export type Handler = (payload: any, socket: TestSocket) => Answer | undefined | Promise<Answer | undefined>;
export interface Refusal {
  readonly message: string;
  readonly data?: { code: string; retry: string; retryAfterMs?: number };
}

export const refusal = (code: string, retry = "never", retryAfterMs?: number): Refusal & { data: object } => ({
  message: code,
  data: { code, retry, ...(retryAfterMs !== undefined && { retryAfterMs }) },
});

/** An ack that refuses. */
export const refused = (code: string, retry = "never", retryAfterMs?: number): Answer => ({
  error: code,
  code,
  retry,
  ...(retryAfterMs !== undefined && { retryAfterMs }),
});

/** What a Roomkey server does, as far as these tests need it, without a network. */
export class TestServer {
  readonly sockets: TestSocket[] = [];
  /** The tokens of all handshakes. */
  readonly shown: unknown[] = [];
  /** All events that came. */
  readonly asked: [event: string, payload: unknown][] = [];
  readonly messages: Message[] = [];
  /** As many messages as a page may have. */
  pageEntries = 100;
  /** Of content, as many bytes as a page of messages may have. */
  pageBytes = Infinity;
  readonly handlers: Record<string, Handler> = {};
  /** Looks at the token of a handshake; returns why it is refused. */
  admit: (token: unknown) => Refusal | undefined = () => undefined;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.handlers["sendMessage"] = ({ channelId, content, clientId }) => ({
      data: this.write(channelId, content, "me", clientId),
    });
    this.handlers["message:history"] = ({ channelId, before, after, limit = this.pageEntries }) => {
      if (limit > this.pageEntries) return refused("BAD_PAYLOAD");
      const all = this.messages.filter((message) => message.channelId === channelId);
      if (after !== undefined) {
        const oldest = all.filter(({ seq }) => seq > after).slice(0, limit);
        return { data: { messages: this.#within(oldest) } };
      }
      const newest = all.filter(({ seq }) => before === undefined || seq < before).slice(-limit);
      return { data: { messages: this.#within(newest.reverse()).reverse() } };
    };
    this.handlers["auth:refresh"] = () => ({
      data: { expiresAt: new Date(this.#clock.now() + 600_000).toISOString() },
    });
    for (const event of ["typing", "typing:stop", "message:seen", "message:delivered"]) {
      this.handlers[event] = () => ({ data: {} });
    }
  }

  connect = (_url: unknown, { auth }: { auth?: unknown }): any => {
    const socket = new TestSocket(this, this.#clock);
    socket.auth = auth as typeof socket.auth;
    this.sockets.push(socket);
    return socket;
  };

  /** The events of this name that came, by their payloads. */
  askedFor(event: string): any[] {
    return this.asked.filter(([name]) => name === event).map(([, payload]) => payload);
  }

  async answer(event: string, payload: unknown, socket: TestSocket): Promise<Answer | undefined> {
    this.asked.push([event, payload]);
    await undefined;
    const handler = this.handlers[event];
    return handler === undefined ? refused("NOT_FOUND") : handler(payload, socket);
  }

  /** Stores a message, once for each `clientId`, and tells those who are connected. */
  write(channelId: string, content: string, userId = "bob", clientId?: string): Message {
    const known = this.messages.find((message) => clientId !== undefined && message.clientId === clientId);
    if (known !== undefined) return known;
    const seq = this.messages.filter((message) => message.channelId === channelId).length + 1;
    const at = new Date(this.#clock.now()).toISOString();
    const message: Message = {
      id: `${channelId}-${seq}`,
      channelId,
      userId,
      content,
      seq,
      ...(clientId !== undefined && { clientId }),
      createdAt: at,
      updatedAt: at,
      editedAt: null,
      deliveryStatus: "SENT",
      user: { id: userId, username: userId },
    };
    this.messages.push(message);
    this.tell("message.created", message);
    return message;
  }

  /** Changes a message, and tells those who are connected. */
  change(id: string, change: Partial<Message>, event = "message.updated"): Message {
    const index = this.messages.findIndex((message) => message.id === id);
    const updatedAt = new Date(this.#clock.now() + 1).toISOString();
    const message = { ...this.messages[index]!, updatedAt, ...change };
    this.messages[index] = message;
    const deleted = { messageId: id, channelId: message.channelId, seq: message.seq };
    this.tell(event, event === "message.deleted" ? deleted : message);
    return message;
  }

  /** The first of them, as many as fit into a page, and at least one. */
  #within(messages: Message[]): Message[] {
    let bytes = 0;
    const isTooMuch = ({ content }: Message) => (bytes += content.length) > this.pageBytes;
    const count = messages.findIndex(isTooMuch);
    return count < 0 ? messages : messages.slice(0, Math.max(count, 1));
  }

  tell(event: string, argument: unknown): void {
    for (const socket of this.sockets) if (socket.connected) socket.receive(event, argument);
  }
}
