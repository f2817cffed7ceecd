//! Measurements, one each 2 seconds for half an hour: what the plots are made of.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use axum::{Json, extract::State};
use parking_lot::Mutex;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{AdminPage, guard::Seeing, process, routes::Routes};
use crate::{
    context::Context,
    event_times::Counts,
    metrics::{Metrics, limits_reached},
};

pub(super) fn routes() -> Routes {
    Routes::new().get("/api/stats", stats)
}

const EVERY: Duration = Duration::from_secs(2);
/// Half an hour.
const KEPT: usize = 900;

/// The last measurements, and the next ones.
#[derive(Default)]
pub(super) struct Samples {
    kept: Mutex<VecDeque<Arc<Sample>>>,
    latest: watch::Sender<Option<Arc<Sample>>>,
}

/// The server at one moment, and what it did in the time before.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sample {
    at: String,
    connections: usize,
    sockets: usize,
    users: usize,
    rooms: usize,
    parked: usize,
    memory_bytes: u64,
    /// Cores that were busy.
    cpu: f64,
    rates: Rates,
    latency_ms: Latency,
    /// The longest that a shard kept others waiting.
    lag_ms: f64,
}

/// How much of it there was in a second.
#[derive(Clone, Debug, Serialize)]
struct Rates {
    connects: f64,
    refusals: f64,
    events: f64,
    deliveries: f64,
    writes: f64,
    messages: f64,
}

/// How long events took, from received to answered. Nothing where there were none.
#[derive(Clone, Debug, Serialize)]
struct Latency {
    p50: Option<f64>,
    p99: Option<f64>,
    max: Option<f64>,
}

impl Samples {
    /// The newest, and a notice of each further one.
    pub(super) fn watch(&self) -> watch::Receiver<Option<Arc<Sample>>> {
        self.latest.subscribe()
    }

    fn push(&self, sample: Sample) {
        let sample = Arc::new(sample);
        let mut kept = self.kept.lock();
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(sample.clone());
        self.latest.send_replace(Some(sample));
    }
}

/// Measures for as long as it is polled; the first time at once.
pub(super) async fn take(page: &AdminPage) {
    let context = page.context();
    let mut before = Counted::now(context);
    page.samples.push(sample(context, &before, &before));
    loop {
        sleep(EVERY).await;
        let now = Counted::now(context);
        page.samples.push(sample(context, &before, &now));
        before = now;
        // Live streams learn here that their session is over.
        page.admins.sessions.expire(page.api.clock.now());
    }
}

/// What is only counted, at one moment.
struct Counted {
    at: Instant,
    cpu: Duration,
    connects: u64,
    refusals: u64,
    events: u64,
    deliveries: u64,
    writes: u64,
    messages: u64,
    times: Counts,
}

impl Counted {
    fn now(context: &Context) -> Self {
        let Metrics { connects_accepted, connects_refused, sessions_refused, origins_refused, .. } =
            &context.metrics;
        let hub = context.node.hub().counters();
        Self {
            at: Instant::now(),
            cpu: process::cpu_time(),
            connects: connects_accepted.value(),
            refusals: connects_refused.value() + sessions_refused.value() + origins_refused.value(),
            events: context.metrics.events_received.value(),
            deliveries: hub.deliveries,
            writes: hub.writes,
            messages: context.metrics.messages_stored(),
            times: context.metrics.event_times.counts(),
        }
    }
}

fn sample(context: &Context, before: &Counted, now: &Counted) -> Sample {
    let seconds = (now.at - before.at).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "it is shown with two digits")]
    let rate = |before: u64, now: u64| match seconds > 0.0 {
        true => rounded(now.saturating_sub(before) as f64 / seconds),
        false => 0.0,
    };
    let times = now.times.since(&before.times);
    #[expect(clippy::cast_precision_loss, reason = "it is known to a fifth")]
    let ms = |share| times.quantile_us(share).map(|us| us as f64 / 1000.0);
    let sockets = context.live_tokens.sockets();
    Sample {
        at: context.clock.now().to_rfc3339(),
        connections: context.node.hub().connection_count(),
        sockets: sockets.len(),
        users: sockets.user_count(),
        rooms: context.node.hub().room_count(),
        parked: context.recoverable.as_ref().map_or(0, |sockets| sockets.parked_count()),
        memory_bytes: process::memory_bytes(),
        cpu: match seconds > 0.0 {
            true => rounded((now.cpu.saturating_sub(before.cpu)).as_secs_f64() / seconds),
            false => 0.0,
        },
        rates: Rates {
            connects: rate(before.connects, now.connects),
            refusals: rate(before.refusals, now.refusals),
            events: rate(before.events, now.events),
            deliveries: rate(before.deliveries, now.deliveries),
            writes: rate(before.writes, now.writes),
            messages: rate(before.messages, now.messages),
        },
        latency_ms: Latency { p50: ms(0.5), p99: ms(0.99), max: ms(1.0) },
        lag_ms: rounded(context.metrics.shard_lag.take().as_secs_f64() * 1000.0),
    }
}

fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

async fn stats(State(page): State<Arc<AdminPage>>, Seeing(_): Seeing) -> Json<Value> {
    let context = page.context();
    let samples: Vec<_> = page.samples.kept.lock().iter().cloned().collect();
    let samples: Vec<&Sample> = samples.iter().map(AsRef::as_ref).collect();
    let mut limits: Vec<_> = limits_reached(context).filter(|(_, reached)| *reached > 0).collect();
    limits.sort_by_key(|(_, reached)| std::cmp::Reverse(*reached));
    let limits: Vec<_> =
        limits.into_iter().map(|(name, reached)| json!({ "name": name, "reached": reached })).collect();
    let warnings: Vec<_> =
        page.api.warnings.iter().map(String::as_str).chain(context.audit.warning()).collect();
    Json(json!({
        "now": page.api.clock.now().to_rfc3339(),
        "startedAt": context.started.to_rfc3339(),
        "version": env!("CARGO_PKG_VERSION"),
        "threads": context.node.hub().shards().len(),
        "current": samples.last(),
        "samples": samples,
        "limits": limits,
        "warnings": warnings,
    }))
}
