import { Moment } from "../parts/moment";
import { Outside } from "../parts/outside";
import type { Column } from "../parts/table";
import type { Connection, Token } from "../wire/records";
import { device } from "../words/device";
import { whole } from "../words/number";

/** Who, and where the detail is. */
export function Who({ connection: { user }, link }: { connection: Connection; link: string }) {
  return (
    <a class="who tight" href={link}>
      <Outside text={user.name ?? user.id} />
      {user.name !== null && <Outside text={user.id} isCode />}
    </a>
  );
}

export function Device({ userAgent }: { userAgent: string | null }) {
  return (
    <span class="device" title={userAgent ?? undefined}>
      <Outside text={device(userAgent)} />
    </span>
  );
}

/** Who issued a token, and with which key. */
function IssuerAndKey({ token: { issuer, keyId } }: { token: Token }) {
  return (
    <span class="who short">
      <Outside text={issuer} />
      {keyId !== null && <Outside text={keyId} isCode />}
    </span>
  );
}

export function TokenEnd({ token }: { token: Token | undefined }) {
  return <Moment time={token?.expiresAt} as="left" none="never" />;
}

export function connectionColumns(linkOf: (connection: Connection) => string): readonly Column<Connection>[] {
  return [
    { label: "User", cell: (connection) => <Who connection={connection} link={linkOf(connection)} /> },
    { label: "Address", cell: ({ address }) => <span class="code address">{address}</span> },
    { label: "Device", kind: "lesser", cell: ({ userAgent }) => <Device userAgent={userAgent} /> },
    {
      label: "Transport",
      kind: "lesser",
      cell: ({ transport, namespace }) => (
        <>
          {transport}
          {namespace !== "/" && " "}
          {namespace !== "/" && <Outside text={namespace} isCode />}
        </>
      ),
    },
    {
      label: "Since",
      cell: ({ connectedAt, recovered }) => (
        <>
          <Moment time={connectedAt} /> {recovered && <span class="tag">recovered</span>}
        </>
      ),
    },
    { label: "Session", kind: "minor", cell: ({ session }) => <span class="code">{session?.tag ?? "–"}</span> },
    {
      label: "Token",
      kind: "minor",
      cell: ({ token }) => (token === undefined ? "–" : <IssuerAndKey token={token} />),
    },
    { label: "Expires", cell: ({ token }) => <TokenEnd token={token} /> },
    { label: "Rooms", kind: "number", cell: ({ rooms }) => whole(rooms) },
  ];
}
