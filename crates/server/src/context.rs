use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use http::{HeaderMap, header};
use roomkey_cluster::Node;
use roomkey_model::{Clock, Entropy, ErrorCode, Failure, Limit, Limits, Timestamp};
use roomkey_protocol::session;

use crate::{
    audit::{Audit, Event, Record},
    broadcast_acks::BroadcastAcks,
    deflate::Deflate,
    engine::Engine,
    http::{OriginPolicy, TrustedProxies},
    metrics::Metrics,
    namespaces::Namespaces,
    newcomers::{Newcomer, Newcomers},
    rates::{Exceeded, Network, Penalty, Rates},
    recovery::RecoverableSockets,
    registry::Registry,
    revocation::LiveTokens,
    tickets::Tickets,
};

/// What every connection of a server shares.
pub(crate) struct Context {
    pub(crate) node: Node,
    pub(crate) namespaces: Namespaces,
    pub(crate) registry: Registry,
    pub(crate) newcomers: Newcomers,
    pub(crate) live_tokens: Arc<LiveTokens>,
    pub(crate) audit: Arc<Audit>,
    pub(crate) rates: Rates,
    /// `None` where nothing is recovered.
    pub(crate) recoverable: Option<Arc<RecoverableSockets>>,
    /// How long a client may be away.
    pub(crate) recovery_ms: u64,
    pub(crate) origins: OriginPolicy,
    /// Whether a request whose `Host` is not ours is refused.
    pub(crate) check_host: bool,
    pub(crate) trusted_proxies: TrustedProxies,
    /// Where Engine.IO is served, with a slash at both ends.
    pub(crate) path: Box<str>,
    pub(crate) transports: Transports,
    /// Whether messages are compressed for clients that offer it, and how.
    /// What is served in place of Socket.IO.
    pub(crate) engine: Option<Arc<Engine>>,
    pub(crate) allow_eio3: bool,
    pub(crate) deflate: Option<Deflate>,
    pub(crate) limits: Limits,
    pub(crate) session: Arc<session::Config>,
    pub(crate) upgrade_timeout_ms: u64,
    /// How long before the end of its token a client is warned.
    pub(crate) expiry_warning_ms: u64,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) tickets: Tickets,
    pub(crate) metrics: Metrics,
    pub(crate) broadcast_acks: Arc<BroadcastAcks>,
    /// Numbers the sockets in the order in which they come.
    pub(crate) sockets_made: AtomicU64,
    /// When the server was made.
    pub(crate) started: Timestamp,
    pub(crate) draining: AtomicBool,
}

/// Which transports are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transports {
    /// HTTP long-polling.
    pub polling: bool,
    /// WebSocket, at once or as an upgrade.
    pub websocket: bool,
}

impl Default for Transports {
    fn default() -> Self {
        Self { polling: true, websocket: true }
    }
}

impl Context {
    /// Whether the server is stopping: whatever begins now is to end at once.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Counts and records a request that is refused for the page it comes from, or the host it asks for.
    pub(crate) fn refuse_origin(&self, address: IpAddr, headers: &HeaderMap, reason: &'static str) {
        self.metrics.origins_refused.increment();
        self.record_request(Event::OriginDenied, address, headers, reason);
    }

    /// Records what was decided about a request of which nothing else is known.
    pub(crate) fn record_request(
        &self,
        event: Event,
        address: IpAddr,
        headers: &HeaderMap,
        reason: &'static str,
    ) {
        let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
        let record = Record { address: Some(address), origin, ..Record::new(event) };
        self.audit.record(&Record { reason: Some(reason), ..record });
    }

    /// Counts a session that is to be opened from this address.
    pub(crate) fn count_handshake(&self, address: IpAddr) -> Result<(), Exceeded> {
        self.counted(address, self.rates.handshakes.take(address, self.clock.now().0))
    }

    /// Counts a request from this address whose session does not exist.
    pub(crate) fn count_unknown_session(&self, address: IpAddr) -> Result<(), Exceeded> {
        self.counted(address, self.rates.unknown_sessions.take(address, self.clock.now().0))
    }

    /// Counts a token from this address that is refused, and says how. One that was good once is no guess, and does not
    /// count.
    pub(crate) fn count_refusal(&self, address: IpAddr, failure: &Failure) -> Penalty {
        if !matches!(failure.code, ErrorCode::TokenInvalid | ErrorCode::TokenAmbiguous) {
            return Penalty::None;
        }
        let penalty = self.rates.refusals.count(address, self.clock.now().0);
        let limit = match &penalty {
            Penalty::None => return penalty,
            Penalty::Wait(..) => Limit::RefusalsPerAddress,
            Penalty::TooMany(_) => Limit::RefusalsWaiting,
        };
        self.record_limit(Event::LoginFailedMax, address, limit);
        penalty
    }

    fn counted(&self, address: IpAddr, outcome: Result<(), Exceeded>) -> Result<(), Exceeded> {
        outcome.inspect_err(|exceeded| self.record_limit(Event::RateLimited, address, exceeded.policy.limit))
    }

    fn record_limit(&self, event: Event, address: IpAddr, limit: Limit) {
        self.metrics.limit_reached(limit);
        self.audit.record(&Record {
            address: Some(address),
            reason: Some(limit.name()),
            ..Record::new(event)
        });
    }

    /// Room for one more session from this address; `None` if there is none, there or anywhere.
    pub(crate) fn admit(&self, address: IpAddr) -> Option<Newcomer> {
        let limits = &self.limits;
        let newcomer = if self.registry.len() < limits.sessions {
            let newcomer =
                self.newcomers.admit(Network::of(address), limits.unauthenticated_sessions_per_address);
            newcomer.ok_or(Limit::UnauthenticatedSessions)
        } else {
            Err(Limit::Sessions)
        };
        if let Err(limit) = newcomer {
            self.metrics.sessions_refused.increment();
            self.record_limit(Event::TooManySessions, address, limit);
        }
        newcomer.ok()
    }
}
