import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { AccountPage } from "../pages/account";
import { ConnectionsPage } from "../pages/connections";
import { NotifyPage } from "../pages/notify";
import { OverviewPage } from "../pages/overview";
import { PolicyPage } from "../pages/policy";
import { RoomsPage } from "../pages/rooms";
import { SecurityPage } from "../pages/security";
import { UsersPage } from "../pages/users";
import { asked, told } from "../state/action";
import { useAdmin } from "../state/admin";
import { href, type Route, route } from "../state/route";
import { ActionDialog } from "./action-dialog";
import { Brand } from "./brand";
import { Icon, type IconName } from "./icon";
import { Page } from "./page";

const PLACES: readonly { page: string; label: string; icon: IconName; isForAdmins?: boolean }[] = [
  { page: "overview", label: "Overview", icon: "chart" },
  { page: "connections", label: "Connections", icon: "plug" },
  { page: "rooms", label: "Rooms", icon: "hash" },
  { page: "users", label: "Users", icon: "people" },
  { page: "security", label: "Security", icon: "shield" },
  { page: "notify", label: "Notify", icon: "bell", isForAdmins: true },
  { page: "policy", label: "Policy", icon: "scale" },
  { page: "account", label: "My account", icon: "account" },
];

/** What is around every page: the ways to the others, who is logged in, and what was done last. */
export function Shell() {
  const admin = useAdmin();
  const isOpen = useSignal(false);
  const { page } = route.value;
  useEffect(() => {
    isOpen.value = false;
  }, [route.value]);
  return (
    <div class="shell">
      <a class="skip" href="#content" onClick={skip}>
        Skip to the content
      </a>
      <header class="side" data-open={isOpen.value || undefined}>
        <div class="side-top">
          <Brand />
          <LiveState />
          <button
            type="button"
            class="quiet menu"
            aria-expanded={isOpen.value}
            aria-controls="places"
            data-testid="menu"
            onClick={() => (isOpen.value = !isOpen.value)}
          >
            <Icon name={isOpen.value ? "close" : "menu"} /> Menu
          </button>
        </div>
        <div id="places" class="places">
          <nav aria-label="Admin pages">
            <ul>
              {PLACES.filter(({ isForAdmins }) => !isForAdmins || admin.mayAct.value).map((place) => (
                <li key={place.page}>
                  <a
                    href={href(place.page)}
                    data-testid={`to-${place.page}`}
                    aria-current={place.page === page ? "page" : undefined}
                  >
                    <Icon name={place.icon} /> {place.label}
                  </a>
                </li>
              ))}
            </ul>
          </nav>
          <div class="me">
            <p>
              <bdi>{admin.me.value?.admin.name}</bdi>{" "}
              {!admin.mayAct.value && (
                <span class="tag" data-testid="read-only">
                  read-only
                </span>
              )}
            </p>
            <button type="button" class="quiet" data-testid="logout" onClick={() => void admin.logOut()}>
              <Icon name="leave" /> Log out
            </button>
          </div>
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        <Place route={route.value} />
      </main>
      <div class="told" role="status" data-testid="told">
        {told.value !== null && <p key={told.value.id}>{told.value.text}</p>}
      </div>
      {asked.value !== null && <ActionDialog action={asked.value} />}
    </div>
  );
}

/** Moves the focus without changing the address, which says where in the page one is. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("content")?.focus();
}

function Place({ route }: { route: Route }) {
  switch (route.page) {
    case "overview":
      return <OverviewPage />;
    case "connections":
      return <ConnectionsPage route={route} />;
    case "rooms":
      return <RoomsPage route={route} />;
    case "users":
      return <UsersPage route={route} />;
    case "security":
      return <SecurityPage />;
    case "notify":
      return <NotifyPage />;
    case "policy":
      return <PolicyPage key={route.query["user"] ?? ""} route={route} />;
    case "account":
      return <AccountPage />;
    default:
      return (
        <Page title="No such page">
          <p class="empty">
            There is nothing at this address. <a href={href("overview")}>To the overview</a>
          </p>
        </Page>
      );
  }
}

const STATES = { connecting: "Connecting…", live: "Live", waiting: "Not connected", ended: "Not connected" } as const;

/** Whether what is shown is what is. */
function LiveState() {
  const { feedState } = useAdmin();
  return (
    <span class="live" data-state={feedState.value} data-testid="live" role="status">
      {STATES[feedState.value]}
    </span>
  );
}
