import { computed, signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { asFailure, Failure } from "../wire/failure";
import { Decisions, type Kind } from "../live/decisions";
import { Feed } from "../live/feed";
import { append } from "../live/samples";
import type { Decision, Me, Sample, Stats } from "../wire/records";
import { request, type Method, withQuery } from "../wire/request";
import { setClock } from "./clock";

/** How many decisions are fetched at once. */
const DECISIONS_PAGE = 200;

const NOTHING: { readonly from: number; readonly next: string | null } = { from: 0, next: null };

/** Who is logged in to this page, and what the server tells meanwhile. */
export class Admin {
  readonly #me = signal<Me | null | undefined>(undefined);
  readonly #feed = signal<Feed | null>(null);
  readonly #startedAt = signal<string | null>(null);

  /** Undefined until the server has said whether there is a session. */
  readonly me = computed(() => this.#me.value);
  readonly mayAct = computed(() => this.#me.value?.admin.role === "admin");
  /** Why there is no session; null where that was one's own wish, or where there was none before. */
  readonly ending = signal<string | null>(null);
  readonly samples = signal<readonly Sample[]>([]);
  readonly stats = signal<Stats | null>(null);
  /** Why there are no figures. */
  readonly statsFailure = signal<Failure | null>(null);
  readonly decisions = new Decisions();
  /** From which decision on those of a kind are known, and where the server goes on; null where it has no more. */
  readonly reach = { all: signal(NOTHING), failures: signal(NOTHING) };
  readonly feedState = computed(() => this.#feed.value?.state.value ?? "ended");
  readonly latest = computed(() => this.samples.value.at(-1) ?? null);

  /** Looks whether there is still a session from before. */
  async resume(): Promise<void> {
    try {
      this.#begin(await request<Me>("GET", "/api/me"));
    } catch (thrown) {
      const failure = asFailure(thrown);
      this.#me.value = null;
      if (!failure.isSessionOver) this.ending.value = failure.message;
    }
  }

  async logIn(name: string, password: string): Promise<void> {
    await request("POST", "/api/login", { name, password });
    this.ending.value = null;
    this.#begin(await request<Me>("GET", "/api/me"));
  }

  async logOut(): Promise<void> {
    this.#end(null);
    await request("POST", "/api/logout").catch(() => undefined);
  }

  /** A request in this session. When the server does not know it any more, the login is shown. */
  async request<T>(method: Method, path: string, body?: unknown): Promise<T> {
    const session = this.#feed.peek();
    try {
      return await request<T>(method, path, body);
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (failure.isSessionOver && session === this.#feed.peek()) this.#end("unknown");
      throw failure;
    }
  }

  /** The figures and the limits, as they are now. */
  async loadStats(): Promise<void> {
    try {
      const stats = await this.request<Stats>("GET", "/api/stats");
      setClock(stats.now);
      // Another start of the server counts its decisions from one again.
      if (this.#startedAt.peek() !== null && this.#startedAt.peek() !== stats.startedAt) this.decisions.clear();
      this.#startedAt.value = stats.startedAt;
      this.stats.value = stats;
      this.samples.value = stats.samples;
      this.statsFailure.value = null;
    } catch (thrown) {
      this.statsFailure.value = asFailure(thrown);
    }
  }

  /** Fetches decisions from before those that are known. */
  loadOlder(kind: Kind): Promise<void> {
    return this.#loadDecisions(kind, this.reach[kind].peek().next);
  }

  async #catchUp(): Promise<void> {
    await this.loadStats();
    await Promise.all([this.#loadDecisions("failures", null), this.#loadDecisions("all", null)]);
  }

  async #loadDecisions(kind: Kind, cursor: string | null): Promise<void> {
    const path = withQuery("/api/decisions", { limit: DECISIONS_PAGE, kind, cursor });
    type Answer = { decisions: readonly Decision[]; next: string | null };
    const { decisions, next } = await this.request<Answer>("GET", path);
    this.decisions.add(...decisions);
    this.reach[kind].value = { from: next === null ? 0 : (decisions.at(-1)?.id ?? 0), next };
  }

  #begin(me: Me): void {
    this.#feed.peek()?.close();
    this.#me.value = me;
    this.#feed.value = new Feed({
      onSample: (sample) => (this.samples.value = append(this.samples.peek(), sample)),
      onDecision: (decision) => this.decisions.add(decision),
      onOpen: () => void this.#catchUp().catch(() => undefined),
      onEnd: (reason) => this.#end(reason || "unknown"),
      isAllowed: () => this.#isSessionThere(),
    });
  }

  /** Whether it is worth trying again: also where the server cannot be reached just now. */
  async #isSessionThere(): Promise<boolean> {
    try {
      await this.request<Me>("GET", "/api/me");
      return true;
    } catch (thrown) {
      return !asFailure(thrown).isSessionOver;
    }
  }

  /** Opens what is live at once, instead of waiting on. */
  hurry(): void {
    this.#feed.peek()?.hurry();
  }

  #end(reason: string | null): void {
    if (this.#me.peek() === null) return;
    this.#feed.peek()?.close();
    this.#feed.value = null;
    this.#me.value = null;
    this.ending.value = reason;
    // The next one who logs in here is told everything anew.
    this.samples.value = [];
    this.stats.value = null;
    this.decisions.clear();
  }
}

export const AdminContext = createContext<Admin | null>(null);

export function useAdmin(): Admin {
  const admin = useContext(AdminContext);
  if (admin === null) throw new Error("there is no admin around this part");
  return admin;
}
