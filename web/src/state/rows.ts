import type { ChannelState, Message, Outgoing, User } from "roomkey";

/** A line between two days. */
export interface DayRow {
  readonly kind: "day";
  readonly key: string;
  readonly time: string;
}

/** Where the messages begin that the user has not seen. */
export interface DividerRow {
  readonly kind: "divider";
  readonly key: string;
}

/** A message as it is shown. */
export interface MessageRow {
  readonly kind: "message";
  /** The same before and after the server's confirmation, so that the element on screen stays. */
  readonly key: string;
  readonly user: User;
  readonly isMine: boolean;
  readonly time: string;
  /** Written by the same user shortly after the message above it. */
  readonly continues: boolean;
  /** Absent until it is confirmed. */
  readonly message?: Message;
  /** Absent once it is confirmed. */
  readonly outgoing?: Outgoing;
}

export type Row = DayRow | DividerRow | MessageRow;

const CONTINUES_WITHIN_MS = 5 * 60_000;

/** The lines of a channel, top to bottom. The messages of others after number `divider` are new. */
export function rows(
  state: Pick<ChannelState, "messages" | "outgoing" | "hasOlder">,
  me: User,
  divider: number | null,
): readonly Row[] {
  const messages = [
    ...state.messages.map((message) => confirmed(message, me)),
    ...state.outgoing.map((outgoing) => pending(outgoing, me)),
  ];
  const firstNew =
    divider === null ? -1 : messages.findIndex(({ isMine, message }) => !isMine && isAfter(message, divider));
  // Where the first message here is new, others before it may be.
  const divided = firstNew === 0 && state.hasOlder ? -1 : firstNew;
  return messages.flatMap((row, index): Row[] => {
    const above = messages[index - 1];
    const isNewDay = above === undefined || day(above.time) !== day(row.time);
    const lines: Row[] = isNewDay ? [{ kind: "day", key: `day ${day(row.time)} ${row.key}`, time: row.time }] : [];
    if (index === divided) lines.push({ kind: "divider", key: "divider" });
    return [...lines, { ...row, continues: lines.length === 0 && above !== undefined && continues(above, row) }];
  });
}

function confirmed(message: Message, me: User): MessageRow {
  const isMine = message.userId === me.id;
  const key = isMine && message.clientId !== undefined ? message.clientId : message.id;
  return { kind: "message", key, user: message.user, isMine, time: message.createdAt, continues: false, message };
}

function pending(outgoing: Outgoing, me: User): MessageRow {
  const { clientId: key, createdAt: time } = outgoing;
  return { kind: "message", key, user: me, isMine: true, time, continues: false, outgoing };
}

function isAfter(message: Message | undefined, seq: number): boolean {
  return message !== undefined && message.seq > seq;
}

function continues(above: MessageRow, row: MessageRow): boolean {
  return above.user.id === row.user.id && Date.parse(row.time) - Date.parse(above.time) < CONTINUES_WITHIN_MS;
}

function day(time: string): string {
  return new Date(time).toDateString();
}
