import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Waiting } from "../parts/list";
import { Page } from "../parts/page";
import { type Line, Plot } from "../parts/plot";
import { isLookedAt } from "../state/activity";
import { useAdmin } from "../state/admin";
import { now } from "../state/clock";
import { href } from "../state/route";
import { lastSeconds } from "../live/samples";
import type { Sample, Stats } from "../wire/records";
import { failureText } from "../words/ending";
import { bytes, counted, fine, milliseconds, whole } from "../words/number";
import { clock, duration } from "../words/time";

const RENEW_MS = 60_000;

const RANGES = [
  { label: "5 min", seconds: 300 },
  { label: "15 min", seconds: 900 },
  { label: "30 min", seconds: 1_800 },
] as const;

interface Plotted {
  readonly title: string;
  readonly format: (value: number) => string;
  readonly lines: readonly Line[];
  /** What the marks are round numbers of, where that is not one. */
  readonly unit?: number;
}

const PLOTS: readonly Plotted[] = [
  {
    title: "Clients",
    format: whole,
    lines: [
      { label: "connections", of: (sample) => sample.connections },
      { label: "sockets", of: (sample) => sample.sockets },
      { label: "users", of: (sample) => sample.users },
    ],
  },
  {
    title: "Events received per second",
    format: fine,
    lines: [
      { label: "events", of: ({ rates }) => rates.events },
      { label: "messages", of: ({ rates }) => rates.messages },
    ],
  },
  {
    title: "Deliveries per second",
    format: fine,
    lines: [
      { label: "deliveries", of: ({ rates }) => rates.deliveries },
      { label: "writes", of: ({ rates }) => rates.writes },
    ],
  },
  {
    title: "Latency of events",
    format: milliseconds,
    lines: [
      { label: "p50", of: ({ latencyMs }) => latencyMs.p50 },
      { label: "p99", of: ({ latencyMs }) => latencyMs.p99 },
    ],
  },
  {
    title: "Handshakes per second",
    format: fine,
    lines: [
      { label: "let in", of: ({ rates }) => rates.connects },
      { label: "refused", of: ({ rates }) => rates.refusals },
    ],
  },
  {
    title: "Memory",
    format: bytes,
    unit: 1_024 ** 2,
    lines: [{ label: "resident", of: (sample) => sample.memoryBytes }],
  },
  { title: "Processor", format: fine, lines: [{ label: "cores used", of: (sample) => sample.cpu }] },
  { title: "Wait for a shard", format: milliseconds, lines: [{ label: "longest", of: (sample) => sample.lagMs }] },
];

/** How the server is, now and in the last half hour. */
export function OverviewPage() {
  const admin = useAdmin();
  const stats = admin.stats.value;
  const latest = admin.latest.value;
  const failure = admin.statsFailure.value;
  useEffect(() => {
    // Limits and warnings are not in the stream.
    const timer = setInterval(() => isLookedAt() && void admin.loadStats(), RENEW_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <Page title="Overview" tools={stats !== null && <Age stats={stats} />}>
      {stats === null || latest === null ? (
        failure === null ? (
          <Waiting />
        ) : (
          <p class="empty" role="alert">
            {failureText(failure)}
          </p>
        )
      ) : (
        <>
          <Warnings warnings={stats.warnings} />
          <Numbers sample={latest} threads={stats.threads} />
          <Plots />
          <Limits limits={stats.limits} />
        </>
      )}
    </Page>
  );
}

function Age({ stats }: { stats: Stats }) {
  return (
    <p class="muted">
      Roomkey {stats.version}, {counted(stats.threads, "thread")}, up{" "}
      <time dateTime={stats.startedAt} title={stats.startedAt}>
        {duration(now.value - Date.parse(stats.startedAt))}
      </time>
    </p>
  );
}

function Warnings({ warnings }: Pick<Stats, "warnings">) {
  if (warnings.length === 0) return null;
  return (
    <ul class="warnings" aria-label="Warnings">
      {warnings.map((warning) => (
        <li key={warning}>{warning}</li>
      ))}
    </ul>
  );
}

function Numbers({ sample, threads }: { sample: Sample; threads: number }) {
  const { latencyMs, rates } = sample;
  const tiles: readonly (readonly [label: string, value: string, note: string, link?: string])[] = [
    ["Connections", whole(sample.connections), counted(sample.sockets, "socket"), href("connections")],
    ["Users", whole(sample.users), "connected now", href("users")],
    ["Rooms", whole(sample.rooms), "not empty", href("rooms")],
    ["Events/s", fine(rates.events), `${fine(rates.deliveries)} deliveries/s`],
    ["Latency p99", latencyMs.p99 === null ? "–" : milliseconds(latencyMs.p99), "of events"],
    ["Memory", bytes(sample.memoryBytes), "resident"],
    ["Processor", fine(sample.cpu), `of ${counted(threads, "core")}`],
    ["Parked", whole(sample.parked), "may come back"],
  ];
  return (
    <dl class="tiles" data-testid="numbers">
      {tiles.map(([label, value, note, link]) => (
        <div key={label} class="tile">
          <dt>{link === undefined ? label : <a href={link}>{label}</a>}</dt>
          <dd>
            <b data-testid={`number-${label.toLowerCase().replace(/\W+/g, "-")}`}>{value}</b> <small>{note}</small>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Plots() {
  const admin = useAdmin();
  const seconds = useSignal<number>(RANGES[0].seconds);
  const pointed = useSignal<number | null>(null);
  const samples = lastSeconds(admin.samples.value, seconds.value);
  return (
    <section aria-labelledby="plots-title">
      <header class="section-header">
        <h2 id="plots-title">
          {pointed.value === null ? `Last ${seconds.value / 60} minutes` : `At ${clock(pointed.value)}`}
        </h2>
        <div class="segments" role="group" aria-label="Length of time">
          {RANGES.map((range) => (
            <button
              key={range.label}
              type="button"
              aria-pressed={seconds.value === range.seconds}
              onClick={() => (seconds.value = range.seconds)}
            >
              {range.label}
            </button>
          ))}
        </div>
      </header>
      <div class="plots" data-testid="plots">
        {PLOTS.map((plot) => (
          <Plot key={plot.title} {...plot} samples={samples} pointed={pointed} seconds={seconds.value} />
        ))}
      </div>
    </section>
  );
}

function Limits({ limits }: Pick<Stats, "limits">) {
  return (
    <section aria-labelledby="limits-title">
      <header class="section-header">
        <h2 id="limits-title">Limits reached since the start</h2>
      </header>
      {limits.length === 0 ? (
        <p class="empty">None.</p>
      ) : (
        <ul class="lines limits">
          {limits.map(({ name, reached }) => (
            <li key={name}>
              <span class="code">{name}</span>
              <span>{counted(reached, "time")}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
