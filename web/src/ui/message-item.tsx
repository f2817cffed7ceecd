import type { Message, Outgoing, Role, User } from "roomkey";
import type { Chat } from "../state/chat";
import type { Room } from "../state/room";
import { linkParts } from "../words/links";
import { displayName } from "../words/names";
import { refusalText } from "../words/refusals";
import { clockText, fullText } from "../words/time";
import { Avatar } from "./avatar";
import { Icon } from "./icon";
import { type Status, StatusMark } from "./status-mark";
import { MessageEdit } from "./message-edit";
import { MessageTools } from "./message-tools";

interface MessageItemProps {
  chat: Chat;
  room: Room;
  role: Role | undefined;
  user: User;
  isMine: boolean;
  time: string;
  continues: boolean;
  message?: Message;
  outgoing?: Outgoing;
}

export function MessageItem({ chat, room, role, user, isMine, time, continues, message, outgoing }: MessageItemProps) {
  // A deletion that is not confirmed yet has taken the content away already.
  const isDeleted = message !== undefined && (Boolean(message.deletedAt) || message.content === "");
  const isEditing = message !== undefined && room.editing.value === message.id;
  const status = statusOf(message, outgoing);
  return (
    <li
      class="message"
      tabIndex={-1}
      data-testid="message"
      data-status={status}
      data-seq={message?.seq}
      data-message-id={message?.id}
      data-client-id={outgoing?.clientId ?? message?.clientId}
      data-mine={isMine}
      data-continues={continues}
      data-deleted={isDeleted}
      data-editing={isEditing}
    >
      {!isMine && <Avatar user={user} />}
      <div class="bubble">
        <span class={isMine || continues ? "sr-only" : "author"} data-testid="message-author">
          <bdi>{displayName(user)}</bdi>
        </span>
        {isEditing ? (
          <MessageEdit chat={chat} room={room} message={message} />
        ) : isDeleted ? (
          <p class="content" data-testid="message-content">
            Message deleted
          </p>
        ) : (
          <p class="content" dir="auto" data-testid="message-content">
            <Content text={message?.content ?? outgoing?.content ?? ""} />
          </p>
        )}
        {!isEditing && (
          <span class="meta">
            {message?.editedAt && !isDeleted && (
              <span title={fullText(message.editedAt)} data-testid="message-edited">
                edited
              </span>
            )}
            <time dateTime={time} title={fullText(time)}>
              {clockText(time)}
            </time>
            {isMine && !isDeleted && <StatusMark status={status} />}
          </span>
        )}
        {outgoing?.deliveryStatus === "FAILED" && <Failed room={room} outgoing={outgoing} />}
      </div>
      {message !== undefined && !isDeleted && !isEditing && (
        <MessageTools chat={chat} room={room} message={message} isMine={isMine} role={role} />
      )}
    </li>
  );
}

function Content({ text }: { text: string }) {
  return (
    <>
      {linkParts(text).map(({ text, href }) =>
        href === undefined ? (
          text
        ) : (
          <a href={href} target="_blank" rel="noopener noreferrer nofollow">
            {text}
          </a>
        ),
      )}
    </>
  );
}

/** Why a message was not sent, and what to do with it. */
function Failed({ room, outgoing }: { room: Room; outgoing: Outgoing }) {
  const { clientId, error } = outgoing;
  return (
    <p class="failed" data-testid="message-failed" data-code={error?.code}>
      <Icon name="warning" />
      <span>Not sent. {error !== null && refusalText(error)}</span>
      <button
        type="button"
        class="link"
        data-testid="retry"
        onClick={() => void room.stream.retry(clientId).catch(() => undefined)}
      >
        Send again
      </button>
      <button type="button" class="link" data-testid="discard" onClick={() => room.stream.discard(clientId)}>
        Discard
      </button>
    </p>
  );
}

function statusOf(message: Message | undefined, outgoing: Outgoing | undefined): Status {
  if (message !== undefined) return message.deliveryStatus.toLowerCase() as Status;
  return outgoing?.deliveryStatus === "FAILED" ? "failed" : "sending";
}
