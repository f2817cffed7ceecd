import type { Outgoing, Timeline } from "../chat/timeline";
import type { Message } from "../wire/message";
import type { User } from "../wire/user";

/** A line between two days. */
export interface DayRow {
  readonly kind: "day";
  readonly key: string;
  readonly time: string;
}

/** A message as it is shown. */
export interface MessageRow {
  readonly kind: "message";
  /** The same before and after the server's confirmation, so that the element on screen stays. */
  readonly key: string;
  readonly user: User;
  readonly isMine: boolean;
  readonly content: string;
  readonly time: string;
  /** Written by the same user shortly after the message above it. */
  readonly continues: boolean;
  /** Absent until it is confirmed. */
  readonly message?: Message;
  /** Absent once it is confirmed. */
  readonly outgoing?: Outgoing;
}

const CONTINUES_WITHIN_MS = 5 * 60_000;

/** The lines of a timeline, top to bottom. */
export function rows(timeline: Timeline, me: User): readonly (DayRow | MessageRow)[] {
  const messages = [
    ...timeline.messages.map((message) => confirmed(message, me)),
    ...timeline.outgoing.map((message) => pending(message, me)),
  ];
  return messages.flatMap((row, index) => {
    const above = messages[index - 1];
    if (above !== undefined && day(above.time) === day(row.time)) return [{ ...row, continues: continues(above, row) }];
    return [{ kind: "day" as const, key: `day ${day(row.time)} ${row.key}`, time: row.time }, row];
  });
}

function confirmed(message: Message, me: User): MessageRow {
  const isMine = message.userId === me.id;
  const key = isMine && message.clientId ? message.clientId : message.id;
  return {
    kind: "message",
    key,
    user: message.user,
    isMine,
    content: message.content,
    time: message.createdAt,
    continues: false,
    message,
  };
}

function pending(outgoing: Outgoing, me: User): MessageRow {
  const { clientId, content, writtenAt } = outgoing;
  return {
    kind: "message",
    key: clientId,
    user: me,
    isMine: true,
    content,
    time: writtenAt,
    continues: false,
    outgoing,
  };
}

function continues(above: MessageRow, row: MessageRow): boolean {
  return above.user.id === row.user.id && Date.parse(row.time) - Date.parse(above.time) < CONTINUES_WITHIN_MS;
}

function day(time: string): string {
  return new Date(time).toDateString();
}
