//! How often clients may do what costs the server something, so that one of them cannot use up what is everybody's.
//!
//! Nothing here waits, and nothing grows: what is remembered is eight bytes of whoever comes, in tables with bounds
//! ([`Table`]), by an algorithm that needs no timers ([`Gcra`]). The time is a parameter.

mod exceeded;
mod gcra;
mod logins;
mod network;
mod per_network;
mod places;
mod refusals;
mod table;
mod users;

use roomkey_model::{Limit, Limits};

pub(crate) use self::{
    exceeded::{Exceeded, Policy},
    gcra::{Gcra, Rate, SharedGcra},
    logins::{ACQUAINTED_MS, AccountName, Logins, Mood},
    network::Network,
    per_network::PerNetwork,
    places::{Place, Places},
    refusals::{Penalty, Refusals},
    table::Table,
    users::{UserShare, Users},
};

/// All rates of a server.
pub(crate) struct Rates {
    /// Sessions that are opened.
    pub(crate) handshakes: PerNetwork,
    /// Requests of sessions that do not exist.
    pub(crate) unknown_sessions: PerNetwork,
    /// Tokens that are refused.
    pub(crate) refusals: Refusals,
    /// Logins that fail, and accounts that are created.
    pub(crate) logins: Logins,
    /// Events of one connection.
    pub(crate) events: Rate,
    /// Events of one user, over all connections.
    pub(crate) user_events: Users,
}

impl Rates {
    /// `monotonic_ms` is the clock that events are counted by; it only goes forward.
    pub(crate) fn new(limits: &Limits, monotonic_ms: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        let handshakes = Policy {
            name: "handshake",
            limit: Limit::HandshakesPerAddress,
            rate: Rate::per_second(limits.handshakes_per_address_per_s, limits.handshakes_per_address_burst),
        };
        let unknown_sessions = Policy {
            name: "unknown-session",
            limit: Limit::UnknownSessionsPerAddress,
            rate: Rate::per_second(
                limits.unknown_sessions_per_address_per_s,
                limits.unknown_sessions_per_address_burst,
            ),
        };
        let refusals = Policy {
            name: "refused-token",
            limit: Limit::RefusalsPerAddress,
            rate: Rate::new(
                limits.refusals_per_address_per_min,
                MINUTE_MS,
                limits.refusals_per_address_per_min,
            ),
        };
        let user_events = Rate::per_second(limits.events_per_user_per_s, limits.events_per_user_burst);
        Self {
            events: Rate::per_second(limits.events_per_socket_per_s, limits.events_per_socket_burst),
            user_events: Users::new(user_events, limits.rate_keys, monotonic_ms),
            logins: Logins::new(limits),
            refusals: Refusals::new(refusals, limits.refusals_waiting_per_address, limits.rate_keys),
            handshakes: PerNetwork::new(handshakes, limits.rate_keys),
            unknown_sessions: PerNetwork::new(unknown_sessions, limits.rate_keys),
        }
    }

    /// How often [`Limit::RateKeys`] was reached.
    pub(crate) fn forced(&self) -> u64 {
        self.handshakes.forced()
            + self.unknown_sessions.forced()
            + self.refusals.forced()
            + self.logins.forced()
            + self.user_events.forced()
    }
}

const MINUTE_MS: u64 = 60_000;
