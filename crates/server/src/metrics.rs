//! What is counted. Labels are fixed sets: never a user, a room, an event or an address.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet, text::encode},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use roomkey_model::{Limit, Limits};

use crate::{context::Context, event_times::EventTimes, jwks::KeySets, shard_lag::ShardLag};

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long something took.
#[derive(Debug)]
pub(crate) struct Durations(Histogram);

impl Default for Durations {
    fn default() -> Self {
        Self(Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0]))
    }
}

impl Durations {
    pub(crate) fn observe(&self, duration: Duration) {
        self.0.observe(duration.as_secs_f64());
    }
}

/// How many things came together.
#[derive(Clone, Debug)]
pub(crate) struct Sizes(Histogram);

impl Default for Sizes {
    fn default() -> Self {
        Self(Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0]))
    }
}

impl Sizes {
    pub(crate) fn observe(&self, count: usize) {
        self.0.observe(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    }
}

/// What the store has committed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Commits {
    changes: Sizes,
    messages: Arc<Counter>,
}

impl Commits {
    pub(crate) fn observe(&self, changes: usize, messages: usize) {
        self.changes.observe(changes);
        self.messages.add(messages);
    }
}

/// A counter for each limit.
#[derive(Debug)]
struct LimitCounters([Counter; Limits::TABLE.len()]);

impl Default for LimitCounters {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Counter::default()))
    }
}

impl Metrics {
    pub(crate) fn new(key_sets: Vec<Arc<KeySets>>, commits: Commits, shards: usize) -> Self {
        let (event_times, shard_lag) = (EventTimes::new(shards), ShardLag::new(shards));
        Self { key_sets, commits, event_times, shard_lag, ..Self::default() }
    }

    /// Messages of the chat that were stored.
    pub(crate) fn messages_stored(&self) -> u64 {
        self.commits.messages.value()
    }

    /// How often the key sets of issuers were fetched, and how often in vain.
    fn key_set_fetches(&self) -> (u64, u64) {
        let counters = self.key_sets.iter().map(|sets| sets.counters());
        counters.fold((0, 0), |(fetches, failures), counters| {
            (fetches + counters.fetches.value(), failures + counters.failures.value())
        })
    }

    pub(crate) fn limit_reached(&self, limit: Limit) {
        self.limits.0[limit as usize].increment();
    }
}

macro_rules! counters {
    ($( $(#[doc = $help:literal])+ $name:ident; )*) => {
        /// The counters of a server, by name.
        #[derive(Debug, Default)]
        pub(crate) struct Metrics {
            /// How often each limit was reached.
            limits: LimitCounters,
            /// From when a revocation was stored to when the last of its sockets was closed.
            pub(crate) revocation_propagation: Durations,
            /// Changes that shared one commit of the store.
            commits: Commits,
            /// How long events took.
            pub(crate) event_times: EventTimes,
            /// How long shards keep others waiting.
            pub(crate) shard_lag: ShardLag,
            /// Which count what they fetch by themselves.
            key_sets: Vec<Arc<KeySets>>,
            $( $(#[doc = $help])+ pub(crate) $name: Counter, )*
        }

        impl Metrics {
            /// Name, help and value of each, in the order of their names.
            fn counters(&self) -> Vec<(&'static str, &'static str, u64)> {
                vec![$( (stringify!($name), concat!($($help),+).trim_ascii(), self.$name.value()) ),*]
            }
        }
    };
}

counters! {
    /// Acks that nobody waits for: to no event of ours, given twice, or too late.
    acks_ignored;
    /// Events whose backend failed, or did not answer in time.
    backend_failures;
    /// Namespaces that clients were let into.
    connects_accepted;
    /// Namespaces that clients were refused.
    connects_refused;
    /// Bytes of the frames that messages were compressed to.
    deflate_bytes_after;
    /// Bytes of the messages that were compressed.
    deflate_bytes_before;
    /// Messages that were compressed, each once for all of its receivers.
    deflate_messages;
    /// Events received from clients.
    events_received;
    /// Handlers, listeners and middlewares of the application that panicked.
    handlers_panicked;
    /// Requests refused for their origin or host.
    origins_refused;
    /// Sessions that ended for a violation of the protocol.
    protocol_errors;
    /// Clients that came back and were sent what they had missed.
    recoveries;
    /// Questions to a backend about the users of live sockets that were not answered.
    revalidation_failures;
    /// Sessions opened, over either transport.
    sessions_opened;
    /// Sessions refused because there were too many, in all or from one place.
    sessions_refused;
    /// Sockets closed because their token was revoked.
    sockets_revoked;
    /// Connections closed because they read too slowly.
    slow_readers;
    /// Sessions that moved from long-polling to WebSocket.
    upgrades;
    /// Attempts to deliver a webhook that failed.
    webhook_failures;
    /// Webhooks that were taken.
    webhooks_delivered;
    /// Webhooks that were given up.
    webhooks_given_up;
}

/// All metrics of a server, in the OpenMetrics text format.
pub(crate) fn text(context: &Arc<Context>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(ServerCollector(context.clone())));
    let mut text = String::new();
    encode(&mut text, &registry).expect("a string takes all that is written to it");
    text
}

/// How often each limit was reached, by name.
pub(crate) fn limits_reached(context: &Context) -> impl Iterator<Item = (&'static str, u64)> {
    let rooms_refused = context.node.hub().counters().rooms_refused;
    Limits::TABLE.iter().map(move |row| {
        let reached = match row.limit {
            Limit::Rooms => rooms_refused,
            Limit::RateKeys => context.rates.forced(),
            Limit::TicketsPerUser => context.tickets.replaced(),
            limit => context.metrics.limits.0[limit as usize].value(),
        };
        (row.name, reached)
    })
}

/// Reads the counters of a server and of its hub when they are asked for.
struct ServerCollector(Arc<Context>);

impl fmt::Debug for ServerCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerCollector")
    }
}

impl Collector for ServerCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let hub = self.0.node.hub();
        let counted = hub.counters();
        let audit = self.0.audit.counters();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let of_parts = [
            ("audit_errors", "Writes of the audit log that failed.", count(&audit.errors)),
            (
                "audit_merged",
                "Records of the audit log that are counted in another of their kind.",
                count(&audit.merged),
            ),
            ("audit_written", "Records of the audit log.", count(&audit.written)),
            ("messages_stored", "Messages of the chat that were stored.", self.0.metrics.messages_stored()),
            ("deliveries", "Frames handed to connections.", counted.deliveries),
            ("flushes", "Flushes of rooms.", counted.flushes),
            (
                "volatile_dropped",
                "Volatile frames dropped because their receiver was not ready.",
                counted.volatile_dropped,
            ),
            ("writes", "Writes that the deliveries took.", counted.writes),
        ];
        let (fetches, failures) = self.0.metrics.key_set_fetches();
        let of_key_sets = [
            ("key_set_failures", "Fetches of an issuer's key set that brought no keys.", failures),
            ("key_set_fetches", "Fetches of an issuer's key set.", fetches),
        ];
        for (name, help, value) in self.0.metrics.counters().into_iter().chain(of_parts).chain(of_key_sets) {
            let counter = ConstCounter::new(value);
            let name = format!("roomkey_{name}");
            counter.encode(encoder.encode_descriptor(&name, help, None, counter.metric_type())?)?;
        }
        let name = "roomkey_limit_reached";
        let help = "How often each limit was reached.";
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (name, reached) in limits_reached(&self.0) {
            ConstCounter::new(reached).encode(family.encode_family(&[("limit", name)])?)?;
        }
        let histogram = &self.0.metrics.revocation_propagation.0;
        histogram.encode(encoder.encode_descriptor(
            "roomkey_revocation_propagation",
            "From when a revocation was stored to when the last of its sockets was closed.",
            Some(&Unit::Seconds),
            histogram.metric_type(),
        )?)?;
        let histogram = &self.0.metrics.commits.changes.0;
        histogram.encode(encoder.encode_descriptor(
            "roomkey_commit_changes",
            "Changes that shared one commit of the store.",
            None,
            histogram.metric_type(),
        )?)?;
        let counts = self.0.metrics.event_times.counts();
        let (sum, buckets) = counts.in_seconds();
        encoder
            .encode_descriptor(
                "roomkey_event_duration",
                "From when an event's turn came to when it was answered.",
                Some(&Unit::Seconds),
                MetricType::Histogram,
            )?
            .encode_histogram::<NoLabelSet>(sum, counts.total(), &buckets, None)?;
        let lag = ConstGauge::new(self.0.metrics.shard_lag.recent().as_secs_f64());
        lag.encode(encoder.encode_descriptor(
            "roomkey_shard_lag",
            "The longest that a thread kept others waiting in the last 10 to 20 seconds.",
            Some(&Unit::Seconds),
            lag.metric_type(),
        )?)?;
        let gauges = [
            ("connections", "Connections.", hub.connection_count()),
            (
                "parked_sockets",
                "Sockets whose client is away and may come back.",
                self.0.recoverable.as_ref().map_or(0, |sockets| sockets.parked_count()),
            ),
            ("revocations", "Revocations that are remembered.", self.0.live_tokens.revocation_count()),
            ("rooms", "Rooms that have members, and namespaces that have sockets.", hub.room_count()),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let name = format!("roomkey_{name}");
            gauge.encode(encoder.encode_descriptor(&name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}
