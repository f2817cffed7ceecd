import { expect, test } from "vitest";
import { Failure, unreachable } from "../wire/failure";
import type { Message } from "../wire/message";
import { Conversation, type Line } from "./conversation";

/** What `message:history` and `sendMessage` carry. */
interface Asked {
  before?: number;
  after?: number;
  limit: number;
  content: string;
  clientId: string;
}

/** A server with one channel, and the line to it. */
class Server implements Line {
  isUp = true;
  refusal: Failure | undefined;
  readonly asked: string[] = [];
  readonly messages: Message[] = [];

  fill(count: number): Message {
    while (count-- > 0) this.append("bob", "hello");
    return this.messages[this.messages.length - 1] as Message;
  }

  async emit<T>(event: string, payload: unknown): Promise<T> {
    if (!this.isUp) throw unreachable();
    const { before, after, limit, content, clientId } = payload as Asked;
    this.asked.push(event === "sendMessage" ? `send ${content}` : `before ${before} after ${after}`);
    if (this.refusal !== undefined) throw this.refusal;
    if (event === "sendMessage") return this.append("me", content, clientId) as T;
    const page = this.messages.filter(({ seq }) => seq < (before ?? Infinity) && seq > (after ?? 0));
    return { messages: after === undefined ? page.slice(-limit) : page.slice(0, limit) } as T;
  }

  append(userId: string, content: string, clientId?: string): Message {
    const known = this.messages.find((message) => clientId !== undefined && message.clientId === clientId);
    if (known !== undefined) return known;
    const seq = this.messages.length + 1;
    const message = {
      id: `m${seq}`,
      channelId: "c",
      userId,
      content,
      seq,
      createdAt: "2026-11-20T10:00:00.000Z",
      user: { id: userId },
    };
    this.messages.push(clientId === undefined ? message : { ...message, clientId });
    return this.messages[seq - 1] as Message;
  }
}

function setUp(count: number) {
  const server = new Server();
  if (count > 0) server.fill(count);
  return { server, conversation: new Conversation("c", "me", server) };
}

/** What is shown, as `first-last (count) phase`. */
function shown(conversation: Conversation): string {
  const { messages } = conversation.timeline.value;
  return `${messages[0]?.seq}-${messages.at(-1)?.seq} (${messages.length}) ${conversation.history.value.phase}`;
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

test("opens at the newest page and loads older ones up to the beginning", async () => {
  const { conversation } = setUp(120);
  await conversation.resume();
  expect(shown(conversation)).toBe("71-120 (50) more");
  await conversation.loadOlder();
  expect(shown(conversation)).toBe("21-120 (100) more");
  await conversation.loadOlder();
  expect(shown(conversation)).toBe("1-120 (120) complete");
});

test("a channel without messages is complete", async () => {
  const { conversation } = setUp(0);
  await conversation.resume();
  expect(conversation.history.value.phase).toBe("complete");
});

test("after a reconnect, exactly what was missed is loaded", async () => {
  const { server, conversation } = setUp(10);
  await conversation.resume();
  server.fill(70);
  server.asked.length = 0;
  await conversation.resume();
  expect(shown(conversation)).toBe("1-80 (80) complete");
  expect(server.asked).toEqual(["before undefined after 10", "before undefined after 60"]);
});

test("a message that skips one brings in the one between", async () => {
  const { server, conversation } = setUp(10);
  await conversation.resume();
  await conversation.receive(server.fill(3));
  expect(shown(conversation)).toBe("1-13 (13) complete");
});

test("where far too much was missed, it begins anew at the end", async () => {
  const { server, conversation } = setUp(10);
  await conversation.resume();
  server.fill(5_000);
  await conversation.resume();
  expect(shown(conversation)).toBe("4961-5010 (50) more");
});

test("what is written while the connection is down is sent once it stands, in order", async () => {
  const { server, conversation } = setUp(1);
  await conversation.resume();
  server.isUp = false;
  conversation.send("one");
  conversation.send("two");
  await settled();
  expect(conversation.timeline.value.outgoing.map(({ content, failure }) => [content, failure])).toEqual([
    ["one", null],
    ["two", null],
  ]);
  server.isUp = true;
  await conversation.resume();
  expect(server.messages.map(({ content }) => content)).toEqual(["hello", "one", "two"]);
  expect(shown(conversation)).toBe("1-3 (3) complete");
  expect(conversation.timeline.value.outgoing).toEqual([]);
});

test("a refused message says why and can be sent again", async () => {
  const { server, conversation } = setUp(1);
  await conversation.resume();
  server.refusal = new Failure("RATE_LIMITED", "Too many requests", "after");
  conversation.send("one");
  await settled();
  const [outgoing] = conversation.timeline.value.outgoing;
  expect(outgoing?.failure?.code).toBe("RATE_LIMITED");
  server.refusal = undefined;
  if (outgoing !== undefined) conversation.retry(outgoing);
  await settled();
  expect(shown(conversation)).toBe("1-2 (2) complete");
});

test("a page of history that fails can be asked for again", async () => {
  const { server, conversation } = setUp(60);
  server.isUp = false;
  await conversation.resume();
  expect(conversation.history.value.phase).toBe("failed");
  server.isUp = true;
  await conversation.resume();
  expect(shown(conversation)).toBe("11-60 (50) more");
});
