import { Detail, Facts } from "../parts/detail";
import { Moment } from "../parts/moment";
import { Outside } from "../parts/outside";
import { type Action, ask } from "../state/action";
import { useAdmin } from "../state/admin";
import { useLoaded } from "../state/loaded";
import { href } from "../state/route";
import type { Connection, Room } from "../wire/records";
import { pathOf, withQuery } from "../wire/request";
import { device } from "../words/device";
import { whole } from "../words/number";
import { disconnectMany, isPersonal, kick, nameOf, notify } from "./actions";
import { ChannelTags, keyOf } from "./rooms";

interface RoomDetailProps {
  name: string;
  namespace: string;
  back: string;
  onChanged: () => void;
}

interface Answer {
  readonly room: Room;
  readonly members: readonly Connection[];
  readonly next: string | null;
}

/** Who is in a room. */
export function RoomDetailPanel({ name, namespace, back, onChanged }: RoomDetailProps) {
  const admin = useAdmin();
  const key = keyOf({ name, namespace });
  const loaded = useLoaded(key, () =>
    admin.request<Answer>("GET", withQuery(pathOf`/api/rooms/${name}`, { namespace })),
  );
  const answer = loaded.value.value;
  const changed = () => {
    onChanged();
    loaded.reload();
  };
  return (
    <Detail
      of={key}
      title={<Outside text={answer?.room.channel?.name ?? name} />}
      back={back}
      failure={loaded.failure.value}
      isLoading={answer === null}
    >
      {answer !== null && <Everything {...answer} onChanged={changed} />}
    </Detail>
  );
}

function Everything({ room, members, onChanged }: Answer & { onChanged: () => void }) {
  const admin = useAdmin();
  const { channel, name, namespace } = room;
  const askFor = (action: Action) => ask({ ...action, onDone: onChanged });
  return (
    <>
      {admin.mayAct.value && (
        <div class="deeds">
          <button
            type="button"
            class="secondary"
            data-testid="notify"
            onClick={() => askFor(notify(admin, { room: name }, channel?.name ?? name))}
          >
            Notify the room
          </button>
          <button
            type="button"
            class="secondary danger-text"
            data-testid="disconnect-many"
            onClick={() => askFor(disconnectMany(admin, { room: name }))}
          >
            Disconnect all…
          </button>
        </div>
      )}
      <Facts
        facts={[
          ["Room", <Outside key="room" text={name} isCode />],
          ["Namespace", <Outside key="namespace" text={namespace} isCode />],
          ["Sockets", whole(room.sockets)],
          ["Channel", channel === null ? "no" : <ChannelTags key="channel" room={room} />],
          ...(channel === null ? [] : ([["Members", whole(channel.members)]] as const)),
        ]}
      />
      <h3>In the room now</h3>
      {members.length === 0 && <p class="muted">Nobody.</p>}
      <ul class="lines" data-testid="members">
        {members.map((member) => (
          <li key={member.socket} data-socket={member.socket}>
            <a href={href("connections", member.socket)}>
              <Outside text={nameOf(member.user)} />
              <small>
                {member.address} · {device(member.userAgent)} · <Moment time={member.connectedAt} />
              </small>
            </a>
            {admin.mayAct.value && !isPersonal(name) && (
              <button
                type="button"
                class="quiet"
                data-testid="kick"
                aria-label={`Kick ${nameOf(member.user)}`}
                onClick={() => askFor(kick(admin, { name, namespace }, member, false))}
              >
                Kick
              </button>
            )}
          </li>
        ))}
      </ul>
      <p>
        <a href={href("connections", null, { room: name, namespace: namespace === "/" ? "" : namespace })}>
          All its connections
        </a>
      </p>
    </>
  );
}
