import { useEffect, useMemo } from "preact/hooks";
import { List } from "../parts/list";
import { Moment } from "../parts/moment";
import { Outside } from "../parts/outside";
import { Page } from "../parts/page";
import { Reload } from "../parts/reload";
import { useRenewed } from "../parts/renewed";
import { Search } from "../parts/search";
import type { Column } from "../parts/table";
import { useAdmin } from "../state/admin";
import { Listing } from "../state/listing";
import { href, replaceRoute, type Route } from "../state/route";
import type { User } from "../wire/records";
import { withQuery } from "../wire/request";
import { whole } from "../words/number";
import { UserDetailPanel } from "./user";

const PAGE_SIZE = 50;

export function UsersPage({ route }: { route: Route }) {
  const admin = useAdmin();
  const listing = useMemo(() => new Listing<User>(), []);
  const { q = "" } = route.query;

  useEffect(() => {
    void listing.show(async (cursor) => {
      const path = withQuery("/api/users", { limit: PAGE_SIZE, cursor, q });
      type Answer = { users: readonly User[]; next: string | null; total: number };
      const { users, next, total } = await admin.request<Answer>("GET", path);
      return { items: users, next, total };
    });
  }, [q]);
  useRenewed(listing, q);

  const columns: readonly Column<User>[] = [
    {
      label: "User",
      cell: (user) => (
        <a class="who" href={href("users", user.id, { q })}>
          <Outside text={user.username ?? user.email ?? user.id} />
          <Outside text={user.id} isCode />
        </a>
      ),
    },
    { label: "Email", cell: (user) => (user.email === null ? "–" : <Outside text={user.email} />) },
    { label: "Created", cell: (user) => <Moment time={user.created} /> },
    { label: "State", cell: (user) => <UserState user={user} /> },
    { label: "Sockets", kind: "number", cell: (user) => whole(user.online) },
  ];
  return (
    <Page
      title="Users"
      tools={
        <>
          <Search
            label="Search users"
            placeholder="Name, email or id"
            value={q}
            onSearch={(text) => replaceRoute(href("users", route.id, { ...route.query, q: text }))}
          />
          <Reload onReload={() => void listing.reload()} isLoading={listing.isLoading.value} />
        </>
      }
      detail={
        route.id !== null && (
          <UserDetailPanel id={route.id} back={href("users", null, { q })} onChanged={() => void listing.reload()} />
        )
      }
    >
      <List
        listing={listing}
        caption="Users"
        columns={columns}
        keyOf={({ id }) => id}
        selected={route.id}
        testId="users"
        empty={q ? "No user is called like that." : "There are no users yet."}
        noun="users"
        pageSize={PAGE_SIZE}
      />
    </Page>
  );
}

export function UserState({ user }: { user: User }) {
  if (user.blocked) return <span class="tag tag-danger">blocked</span>;
  return user.online > 0 ? <span class="tag tag-good">online</span> : <span class="muted">offline</span>;
}
