import { useEffect, useMemo } from "preact/hooks";
import { List } from "../parts/list";
import { Outside } from "../parts/outside";
import { Page } from "../parts/page";
import { Reload } from "../parts/reload";
import { useRenewed } from "../parts/renewed";
import { Search } from "../parts/search";
import type { Column } from "../parts/table";
import { useAdmin } from "../state/admin";
import { Listing } from "../state/listing";
import { href, replaceRoute, type Route } from "../state/route";
import type { Room } from "../wire/records";
import { withQuery } from "../wire/request";
import { whole } from "../words/number";
import { RoomDetailPanel } from "./room";

const PAGE_SIZE = 50;

export function RoomsPage({ route }: { route: Route }) {
  const admin = useAdmin();
  const listing = useMemo(() => new Listing<Room>(), []);
  const { q = "", namespace = "/" } = route.query;

  useEffect(() => {
    void listing.show(async (cursor) => {
      const path = withQuery("/api/rooms", { limit: PAGE_SIZE, cursor, q });
      type Answer = { rooms: readonly Room[]; next: string | null; total: number };
      const { rooms, next, total } = await admin.request<Answer>("GET", path);
      return { items: rooms, next, total };
    });
  }, [q]);
  useRenewed(listing, q);

  const linkOf = (room: Room) =>
    href("rooms", room.name, { q, namespace: room.namespace === "/" ? "" : room.namespace });
  const columns: readonly Column<Room>[] = [
    {
      label: "Room",
      cell: (room) => (
        <a class="who" href={linkOf(room)}>
          <Outside text={room.channel?.name ?? room.name} />
          {room.channel !== null && <Outside text={room.name} isCode />}
        </a>
      ),
    },
    { label: "Namespace", cell: (room) => <Outside text={room.namespace} isCode /> },
    { label: "Sockets", kind: "number", cell: (room) => whole(room.sockets) },
    {
      label: "Channel",
      cell: (room) => (room.channel === null ? <span class="muted">no</span> : <ChannelTags room={room} />),
    },
    { label: "Members", kind: "number", cell: (room) => (room.channel === null ? "–" : whole(room.channel.members)) },
  ];
  return (
    <Page
      title="Rooms"
      tools={
        <>
          <Search
            label="Search rooms"
            placeholder="Beginning of the name"
            value={q}
            onSearch={(text) => replaceRoute(href("rooms", route.id, { ...route.query, q: text }))}
          />
          <Reload onReload={() => void listing.reload()} isLoading={listing.isLoading.value} />
        </>
      }
      detail={
        route.id !== null && (
          <RoomDetailPanel
            name={route.id}
            namespace={namespace}
            back={href("rooms", null, { q })}
            onChanged={() => void listing.reload()}
          />
        )
      }
    >
      <List
        listing={listing}
        caption="Rooms, by how many sockets are in them"
        columns={columns}
        keyOf={keyOf}
        selected={route.id === null ? null : keyOf({ name: route.id, namespace })}
        testId="rooms"
        empty={q ? "No room is called like that." : "Nobody is in a room."}
        noun="rooms"
        pageSize={PAGE_SIZE}
      />
    </Page>
  );
}

/** Rooms of the same name in two namespaces are two rooms. */
export function keyOf({ name, namespace }: Pick<Room, "name" | "namespace">): string {
  return `${namespace} ${name}`;
}

export function ChannelTags({ room: { channel } }: { room: Room }) {
  if (channel === null) return null;
  return (
    <>
      <span class="tag">{channel.visibility}</span> {channel.archived && <span class="tag">archived</span>}
    </>
  );
}
