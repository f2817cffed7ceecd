import { useEffect, useMemo } from "preact/hooks";
import { List } from "../parts/list";
import { Page } from "../parts/page";
import { Reload } from "../parts/reload";
import { useRenewed } from "../parts/renewed";
import { Search } from "../parts/search";
import { ask } from "../state/action";
import { useAdmin } from "../state/admin";
import { Listing } from "../state/listing";
import { href, replaceRoute, type Route } from "../state/route";
import type { Connection } from "../wire/records";
import { withQuery } from "../wire/request";
import { disconnectMany, type Filter } from "./actions";
import { connectionColumns } from "./connection-columns";
import { ConnectionDetailPanel } from "./connection";

const PAGE_SIZE = 50;
const NARROWERS = ["user", "room", "namespace"] as const;

/** Who is connected, from where, with which session and token. */
export function ConnectionsPage({ route }: { route: Route }) {
  const admin = useAdmin();
  const listing = useMemo(() => new Listing<Connection>(), []);
  const { q = "", user = "", room = "", namespace = "" } = route.query;
  const key = JSON.stringify([q, user, room, namespace]);

  useEffect(() => {
    void listing.show(async (cursor) => {
      const path = withQuery("/api/connections", { limit: PAGE_SIZE, cursor, q, user, room, namespace });
      type Answer = { connections: readonly Connection[]; next: string | null; total: number };
      const { connections, next, total } = await admin.request<Answer>("GET", path);
      return { items: connections, next, total };
    });
  }, [key]);
  useRenewed(listing, key);

  const linkOf = ({ socket }: Connection) => href("connections", socket, route.query);
  const narrow = (query: Readonly<Record<string, string>>) => href("connections", null, query);
  const filter = filterOf(route.query);
  const reload = () => void listing.reload();
  return (
    <Page
      title="Connections"
      tools={
        <>
          <Search
            label="Search connections"
            placeholder="User, address or socket"
            value={q}
            onSearch={(text) => replaceRoute(href("connections", route.id, { ...route.query, q: text }))}
          />
          <Reload onReload={reload} isLoading={listing.isLoading.value} />
          {admin.mayAct.value && filter !== null && (
            <button
              type="button"
              class="secondary danger-text"
              data-testid="disconnect-many"
              onClick={() => ask({ ...disconnectMany(admin, filter), onDone: reload })}
            >
              {"all" in filter ? "Disconnect all…" : "Disconnect these…"}
            </button>
          )}
        </>
      }
      detail={
        route.id !== null && (
          <ConnectionDetailPanel socket={route.id} back={href("connections", null, route.query)} onChanged={reload} />
        )
      }
    >
      <ul class="narrowers" aria-label="Filters">
        {NARROWERS.filter((name) => route.query[name]).map((name) => (
          <li key={name}>
            <span class="tag">
              {name} <bdi>{route.query[name]}</bdi>
              <a href={narrow({ ...route.query, [name]: "" })} aria-label={`Remove the filter by ${name}`}>
                ×
              </a>
            </span>
          </li>
        ))}
      </ul>
      <List
        listing={listing}
        caption="Connections, newest first"
        columns={connectionColumns(linkOf)}
        keyOf={({ socket }) => socket}
        selected={route.id}
        testId="connections"
        empty={q || user || room || namespace ? "No connection is like that." : "Nobody is connected."}
        noun="connections"
        pageSize={PAGE_SIZE}
      />
    </Page>
  );
}

/** What the list shows, as something that can be disconnected as a whole; null where it is not. */
function filterOf({ q, user, room, namespace }: Route["query"]): Filter | null {
  const set = [user, room, namespace, q].filter(Boolean).length;
  if (set === 0) return { all: true };
  if (set > 1) return null;
  if (user) return { user };
  if (room) return { room };
  // Only a whole address: the search takes beginnings, too.
  return q !== undefined && /^(\d+\.\d+\.\d+\.\d+|[\da-f:]*:[\da-f:.]+)$/i.test(q) ? { address: q } : null;
}
