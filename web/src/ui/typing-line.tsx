import type { Chat } from "../state/chat";
import type { Room } from "../state/room";
import { watch } from "../state/watch";
import { displayName, typingText } from "../words/names";

/** Who is typing, below the messages: always one line high. */
export function TypingLine({ chat, room }: { chat: Chat; room: Room }) {
  const typing = watch(chat.client.typing(room.channelId)).value;
  return (
    <p class="typing" data-testid="typing" data-typing={typing.length}>
      {typing.length > 0 && (
        <>
          <span class="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          <Names chat={chat} room={room} typing={typing} />
        </>
      )}
    </p>
  );
}

function Names({ chat, room, typing }: { chat: Chat; room: Room; typing: readonly string[] }) {
  const { members } = watch(chat.client.members(room.channelId)).value;
  const nameOf = (id: string) => {
    const known = members.find(({ user }) => user.id === id)?.user;
    return known === undefined ? "Somebody" : displayName(known);
  };
  return <bdi>{typingText(typing.map(nameOf))}</bdi>;
}
