import { Detail, Facts } from "../parts/detail";
import { Moment } from "../parts/moment";
import { Outside } from "../parts/outside";
import { type Action, ask } from "../state/action";
import { useAdmin } from "../state/admin";
import { useLoaded } from "../state/loaded";
import { href } from "../state/route";
import type { UserDetail } from "../wire/records";
import { pathOf } from "../wire/request";
import { device } from "../words/device";
import { whole } from "../words/number";
import { asPerson, block, endSession, nameOf, notify, revokeAll, unblock } from "./actions";
import { UserState } from "./users";

interface UserDetailProps {
  id: string;
  back: string;
  onChanged: () => void;
}

/** A user with sessions and connections. */
export function UserDetailPanel({ id, back, onChanged }: UserDetailProps) {
  const admin = useAdmin();
  const loaded = useLoaded(id, () => admin.request<UserDetail>("GET", pathOf`/api/users/${id}`));
  const detail = loaded.value.value;
  const changed = () => {
    onChanged();
    loaded.reload();
  };
  return (
    <Detail
      of={id}
      title={<Outside text={detail === null ? id : nameOf(asPerson(detail.user))} />}
      back={back}
      failure={loaded.failure.value}
      isLoading={detail === null}
    >
      {detail !== null && <Everything {...detail} onChanged={changed} />}
    </Detail>
  );
}

function Everything({ user, sessions, connections, onChanged }: UserDetail & { onChanged: () => void }) {
  const admin = useAdmin();
  const person = asPerson(user);
  const askFor = (action: Action) => ask({ ...action, onDone: onChanged });
  return (
    <>
      {admin.mayAct.value && (
        <div class="deeds">
          {user.blocked ? (
            <button type="button" class="primary" data-testid="unblock" onClick={() => askFor(unblock(admin, person))}>
              Unblock
            </button>
          ) : (
            <button type="button" class="danger" data-testid="block" onClick={() => askFor(block(admin, person))}>
              Block
            </button>
          )}
          <button
            type="button"
            class="secondary danger-text"
            data-testid="revoke"
            onClick={() => askFor(revokeAll(admin, person))}
          >
            Revoke all
          </button>
          <button
            type="button"
            class="secondary"
            data-testid="notify"
            onClick={() => askFor(notify(admin, { user: user.id }, nameOf(person)))}
          >
            Notify
          </button>
        </div>
      )}
      <Facts
        facts={[
          ["Id", <Outside key="id" text={user.id} isCode />],
          ["Name", user.username === null ? "–" : <Outside key="name" text={user.username} />],
          ["Email", user.email === null ? "–" : <Outside key="email" text={user.email} />],
          ["Created", <Moment key="created" time={user.created} />],
          ["State", <UserState key="state" user={user} />],
        ]}
      />
      <p>
        <a href={href("policy", null, { user: user.id })}>What may this user do?</a>
      </p>
      <h3>Sessions ({whole(sessions.length)})</h3>
      {sessions.length === 0 && <p class="muted">None that this server began.</p>}
      <ul class="lines" data-testid="sessions">
        {sessions.map((session) => (
          <li key={session.id} data-session={session.id}>
            <span>
              <Outside text={device(session.userAgent)} />
              <small>
                {session.address ?? "unknown address"} · seen <Moment time={session.seen} /> · began{" "}
                <Moment time={session.created} />
              </small>
            </span>
            {admin.mayAct.value && (
              <button
                type="button"
                class="quiet"
                data-testid="end-session"
                onClick={() => askFor(endSession(admin, user.id, session))}
              >
                End
              </button>
            )}
          </li>
        ))}
      </ul>
      <h3>Connections ({whole(connections.length)})</h3>
      {connections.length === 0 && <p class="muted">Not connected.</p>}
      <ul class="lines">
        {connections.map((connection) => (
          <li key={connection.socket}>
            <a href={href("connections", connection.socket, { user: user.id })}>
              <Outside text={device(connection.userAgent)} />
              <small>
                {connection.address} · {connection.transport} · <Moment time={connection.connectedAt} />
              </small>
            </a>
          </li>
        ))}
      </ul>
    </>
  );
}
