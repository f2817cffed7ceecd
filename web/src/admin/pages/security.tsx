import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../parts/icon";
import { Moment } from "../parts/moment";
import { Outside } from "../parts/outside";
import { Page } from "../parts/page";
import { grouped, groupKey, type Kind } from "../live/decisions";
import { asFailure, type Failure } from "../wire/failure";
import { useAdmin } from "../state/admin";
import { href } from "../state/route";
import type { Decision } from "../wire/records";
import { eventText, reasonText } from "../words/decision";
import { failureText } from "../words/ending";
import { counted, whole } from "../words/number";

/** So many are shown at first, and so many more each time. */
const STEP = 100;
const GROUPS_MAX = 8;
/** A screen reader is not interrupted more often. */
const ANNOUNCE_MS = 3_000;

/** Who was let in and who was refused, as it happens. */
export function SecurityPage() {
  const admin = useAdmin();
  const kind = useSignal<Kind>("failures");
  const group = useSignal<string | null>(null);
  const limit = useSignal(STEP);
  const { decisions } = admin;

  const ofKind = decisions.of(kind.value, admin.reach[kind.value].value.from);
  const groups = grouped(ofKind).slice(0, GROUPS_MAX);
  const matching = ofKind.filter(
    ({ event, reason }) => group.value === null || groupKey(event, reason) === group.value,
  );
  const choose = (chosen: Kind) => {
    kind.value = chosen;
    group.value = null;
    limit.value = STEP;
  };
  return (
    <Page
      title="Security"
      tools={
        <>
          <div class="segments" role="group" aria-label="Which decisions">
            <button type="button" aria-pressed={kind.value === "failures"} onClick={() => choose("failures")}>
              Failures
            </button>
            <button type="button" data-testid="all" aria-pressed={kind.value === "all"} onClick={() => choose("all")}>
              All
            </button>
          </div>
          <button
            type="button"
            class="secondary"
            data-testid="pause"
            aria-pressed={decisions.isPaused.value}
            onClick={() => (decisions.isPaused.value ? decisions.goOn() : decisions.pause())}
          >
            <Icon name={decisions.isPaused.value ? "play" : "pause"} />
            {decisions.isPaused.value ? `Go on (${whole(decisions.waiting.value)} new)` : "Pause"}
          </button>
        </>
      }
    >
      <Announced decisions={matching} />
      <ul class="groups" aria-label="How often what">
        {groups.map(({ key, event, reason, outcome, count }) => (
          <li key={key}>
            <button
              type="button"
              aria-pressed={group.value === key}
              data-outcome={outcome}
              onClick={() => (group.value = group.value === key ? null : key)}
            >
              <b>{whole(count)}</b>
              <span>
                {eventText(event)}
                {reason !== null && (
                  <small>
                    <bdi>{reasonText({ event, reason })}</bdi>
                  </small>
                )}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {matching.length === 0 ? (
        <p class="empty" data-testid="empty">
          {kind.value === "failures" ? "Nobody was refused." : "Nothing was decided yet."}
        </p>
      ) : (
        <ol class="decisions" data-testid="decisions" aria-label="Decisions, newest first">
          {matching.slice(0, limit.value).map((decision) => (
            <Row key={decision.id} decision={decision} />
          ))}
        </ol>
      )}
      <Older kind={kind.value} isAllShown={matching.length <= limit.value} onMore={() => (limit.value += STEP)} />
    </Page>
  );
}

function Row({ decision }: { decision: Decision }) {
  const { at, event, outcome, description, count, id } = decision;
  const reason = reasonText(decision);
  return (
    <li data-outcome={outcome} data-event={event} data-id={id}>
      <Moment time={at} as="clock" />
      <span class="outcome">
        <Icon name={outcome === "success" ? "check" : "cross"} />
        <span class="sr-only">{outcome}</span>
      </span>
      <div class="what">
        <p>
          <b title={description}>{eventText(event)}</b>
          {reason ? (
            <>
              : <Outside text={reason} />
            </>
          ) : null}
          {count > 1 && <span class="tag">× {whole(count)}</span>}
        </p>
        <p class="whom">
          <About decision={decision} />
        </p>
      </div>
      <span class="code event">{event}</span>
    </li>
  );
}

function About({ decision: { user, issuer, target, address, origin, session } }: { decision: Decision }) {
  return (
    <>
      {user && (
        <span>
          user{" "}
          <a href={href("users", user)}>
            <Outside text={user} />
          </a>
        </span>
      )}
      {target && (
        <span>
          about <Outside text={target} />
        </span>
      )}
      {address && (
        <span>
          from{" "}
          <a class="code" href={href("connections", null, { q: address })}>
            {address}
          </a>
        </span>
      )}
      {origin && (
        <span>
          page <Outside text={origin} />
        </span>
      )}
      {issuer && (
        <span>
          issuer <Outside text={issuer} />
        </span>
      )}
      {session && (
        <span>
          session <span class="code">{session}</span>
        </span>
      )}
    </>
  );
}

/** Tells a screen reader how many are new, now and then, rather than each of them. */
function Announced({ decisions }: { decisions: readonly Decision[] }) {
  const text = useSignal("");
  const heard = useRef<number | null>(null);
  const shown = useRef(decisions);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  shown.current = decisions;

  const announce = () => {
    timer.current = undefined;
    const newest = shown.current[0]?.id ?? 0;
    // What is there at first is not new.
    const known = heard.current ?? newest;
    heard.current = Math.max(known, newest);
    const fresh = shown.current.filter(({ id }) => id > known);
    const latest = fresh[0];
    if (latest !== undefined) text.value = `${counted(fresh.length, "new decision")}: ${eventText(latest.event)}`;
  };
  // One that runs is left alone: in a flood there would be no end of it.
  useEffect(() => void (timer.current ??= setTimeout(announce, ANNOUNCE_MS)), [decisions[0]?.id]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <p class="sr-only" role="status">
      {text.value}
    </p>
  );
}

/** The way to what is not shown yet, or was not fetched. */
function Older({ kind, isAllShown, onMore }: { kind: Kind; isAllShown: boolean; onMore: () => void }) {
  const admin = useAdmin();
  const failure = useSignal<Failure | null>(null);
  const isLoading = useSignal(false);

  const more = async () => {
    if (isLoading.value) return;
    isLoading.value = true;
    failure.value = null;
    try {
      if (isAllShown) await admin.loadOlder(kind);
      onMore();
    } catch (thrown) {
      failure.value = asFailure(thrown);
    } finally {
      isLoading.value = false;
    }
  };
  if (isAllShown && admin.reach[kind].value.next === null) {
    return <p class="muted end">What was decided earlier is in the audit log.</p>;
  }
  return (
    <p class="end">
      <button
        type="button"
        class="secondary"
        data-testid="older"
        aria-busy={isLoading.value}
        onClick={() => void more()}
      >
        Show older ones
      </button>
      {failure.value !== null && <span role="alert">{failureText(failure.value)}</span>}
    </p>
  );
}
