//! What is counted. Labels are fixed sets: never a user, a room, an event or an address.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! counters {
    ($( $(#[doc = $help:literal])+ $name:ident; )*) => {
        /// The counters of a server, by name.
        #[derive(Debug, Default)]
        pub(crate) struct Metrics {
            $( $(#[doc = $help])+ pub(crate) $name: Counter, )*
        }

        impl Metrics {
            /// Name, help and value of each, in the order of their names.
            pub(crate) fn counters(&self) -> Vec<(&'static str, &'static str, u64)> {
                vec![$( (stringify!($name), concat!($($help),+), self.$name.value()) ),*]
            }
        }
    };
}

counters! {
    /// Namespaces that clients were let into.
    connects_accepted;
    /// Namespaces that clients were refused.
    connects_refused;
    /// Events received from clients.
    events_received;
    /// Requests refused for their origin or host.
    origins_refused;
    /// Sessions that ended for a violation of the protocol.
    protocol_errors;
    /// Sessions opened, over either transport.
    sessions_opened;
    /// Connections closed because they read too slowly.
    slow_readers;
    /// Sessions that moved from long-polling to WebSocket.
    upgrades;
}
