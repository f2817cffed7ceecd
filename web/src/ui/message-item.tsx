import type { Conversation } from "../chat/conversation";
import { displayName } from "../wire/user";
import { Avatar } from "./avatar";
import { FailedMessage } from "./failed-message";
import { Icon, type IconName } from "./icon";
import type { MessageRow } from "./rows";
import { clockText, fullText } from "./time";

type Status = "sent" | "sending" | "failed";

const MARKS: Record<Status, { icon: IconName; text: string }> = {
  sent: { icon: "check", text: "Sent" },
  sending: { icon: "clock", text: "Sending" },
  failed: { icon: "warning", text: "Not sent" },
};

interface MessageItemProps {
  row: MessageRow;
  conversation: Conversation;
  isUp: boolean;
}

export function MessageItem({ row, conversation, isUp }: MessageItemProps) {
  const status = statusOf(row);
  const mark =
    status === "sending" && !isUp ? { icon: "clock" as const, text: "Waiting for the connection" } : MARKS[status];
  return (
    <li
      class="message"
      data-testid="message"
      data-status={status}
      data-seq={row.message?.seq}
      data-message-id={row.message?.id}
      data-client-id={row.outgoing?.clientId ?? row.message?.clientId ?? undefined}
      data-mine={row.isMine}
      data-continues={row.continues}
    >
      {!row.isMine && <Avatar user={row.user} />}
      <div class="bubble">
        <span class={row.isMine || row.continues ? "sr-only" : "author"} data-testid="message-author">
          <bdi>{displayName(row.user)}</bdi>
        </span>
        <p class="content" dir="auto" data-testid="message-content">
          {row.content}
        </p>
        <span class="meta">
          <time dateTime={row.time} title={fullText(row.time)}>
            {clockText(row.time)}
          </time>
          {row.isMine && (
            <span class="mark" title={mark.text}>
              <Icon name={mark.icon} />
              <span class="sr-only">{mark.text}</span>
            </span>
          )}
        </span>
        {row.outgoing?.failure && (
          <FailedMessage outgoing={row.outgoing} failure={row.outgoing.failure} conversation={conversation} />
        )}
      </div>
    </li>
  );
}

function statusOf(row: MessageRow): Status {
  if (row.outgoing === undefined) return "sent";
  return row.outgoing.failure === null ? "sending" : "failed";
}
