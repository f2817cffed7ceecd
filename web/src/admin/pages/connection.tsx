import { Detail, Facts } from "../parts/detail";
import { Moment } from "../parts/moment";
import { Outside } from "../parts/outside";
import { type Action, ask } from "../state/action";
import { useAdmin } from "../state/admin";
import { useLoaded } from "../state/loaded";
import { href } from "../state/route";
import type { ConnectionDetail, Token } from "../wire/records";
import { pathOf } from "../wire/request";
import { whole } from "../words/number";
import { block, disconnect, endSession, isPersonal, kick, nameOf, notify, revokeAll } from "./actions";
import { Device } from "./connection-columns";

interface ConnectionDetailProps {
  socket: string;
  back: string;
  onChanged: () => void;
}

/** Everything about a socket, and what can be done to it. */
export function ConnectionDetailPanel({ socket, back, onChanged }: ConnectionDetailProps) {
  const admin = useAdmin();
  const loaded = useLoaded(socket, () => admin.request<ConnectionDetail>("GET", pathOf`/api/connections/${socket}`));
  const connection = loaded.value.value;
  const changed = () => {
    onChanged();
    loaded.reload();
  };
  return (
    <Detail
      of={socket}
      title={connection === null ? "Connection" : <Outside text={nameOf(connection.user)} />}
      back={back}
      failure={loaded.failure.value}
      isLoading={connection === null}
    >
      {connection !== null && <Everything connection={connection} onChanged={changed} />}
    </Detail>
  );
}

function Everything({ connection, onChanged }: { connection: ConnectionDetail; onChanged: () => void }) {
  const admin = useAdmin();
  const { user, session, token } = connection;
  const askFor = (action: Action) => ask({ ...action, onDone: onChanged });
  return (
    <>
      {admin.mayAct.value && (
        <div class="deeds">
          <button
            type="button"
            class="danger"
            data-testid="disconnect"
            onClick={() => askFor(disconnect(admin, connection))}
          >
            Disconnect
          </button>
          {session?.id && (
            <button
              type="button"
              class="secondary danger-text"
              data-testid="end-session"
              onClick={() => askFor(endSession(admin, user.id, { id: session.id! }))}
            >
              End session
            </button>
          )}
          <button
            type="button"
            class="secondary danger-text"
            data-testid="revoke"
            onClick={() => askFor(revokeAll(admin, user))}
          >
            Revoke all
          </button>
          <button
            type="button"
            class="secondary danger-text"
            data-testid="block"
            onClick={() => askFor(block(admin, user))}
          >
            Block
          </button>
          <button
            type="button"
            class="secondary"
            data-testid="notify"
            onClick={() => askFor(notify(admin, { user: user.id }, nameOf(user)))}
          >
            Notify
          </button>
        </div>
      )}
      <Facts
        facts={[
          [
            "User",
            <a key="user" href={href("users", user.id)} data-testid="user-link">
              <Outside text={user.id} isCode />
            </a>,
          ],
          ["Socket", <Outside key="socket" text={connection.socket} isCode />],
          ["Namespace", <Outside key="namespace" text={connection.namespace} isCode />],
          ["Address", <Outside key="address" text={connection.address} isCode />],
          ["Device", <Device key="device" userAgent={connection.userAgent} />],
          ["Origin", connection.origin === null ? "–" : <Outside key="origin" text={connection.origin} />],
          ["Transport", connection.transport],
          [
            "Connected",
            <>
              <Moment time={connection.connectedAt} /> {connection.recovered && <span class="tag">recovered</span>}
            </>,
          ],
          ["Session", session === null ? "–" : <span class="code">{session.tag}</span>],
        ]}
      />
      <h3>Token</h3>
      {token === undefined ? <p class="muted">None.</p> : <TokenFacts token={token} />}
      <h3>Rooms ({whole(connection.roomNames.length)})</h3>
      {connection.roomNames.length === 0 && <p class="muted">In no room.</p>}
      <ul class="lines">
        {connection.roomNames.map((name) => (
          <li key={name}>
            <a href={href("rooms", name, roomQuery(connection.namespace))}>
              <Outside text={name} />
            </a>
            {admin.mayAct.value && !isPersonal(name) && (
              <button
                type="button"
                class="quiet"
                aria-label={`Kick from ${name}`}
                onClick={() => askFor(kick(admin, { name, namespace: connection.namespace }, connection, true))}
              >
                Kick
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function TokenFacts({ token }: { token: Token }) {
  return (
    <Facts
      facts={[
        ["Issuer", <Outside key="issuer" text={token.issuer} />],
        ["Key", token.keyId === null ? "–" : <Outside key="key" text={token.keyId} isCode />],
        ["Tag", <span class="code">{token.tag}</span>],
        ["Issued", <Moment key="issued" time={token.issuedAt} />],
        ["Expires", <Moment key="expires" time={token.expiresAt} as="left" none="never" />],
        ["Roles", token.roles.length === 0 ? "–" : token.roles.map((role) => <Tag key={role} text={role} />)],
        ["Scopes", token.scopes === null ? "all" : token.scopes.map((scope) => <Tag key={scope} text={scope} />)],
      ]}
    />
  );
}

function Tag({ text }: { text: string }) {
  return (
    <span class="tag">
      <bdi>{text}</bdi>
    </span>
  );
}

/** Rooms are looked for in the main namespace where none is said. */
function roomQuery(namespace: string): Record<string, string> {
  return namespace === "/" ? {} : { namespace };
}
