//! HTTP: the accept loop, the first request of a connection, and where each request goes.

mod accept;
mod forwarded;
mod head;
mod line_ends;
mod network;
mod origin;
mod rewind;
mod service;

pub(crate) use accept::{Listener, OpenConnections};
pub use forwarded::{ForwardedHeader, TrustedProxies};
pub(crate) use head::has_unclear_end;
pub use network::{InvalidNetwork, Network};
pub(crate) use origin::Verdict;
pub use origin::{InvalidOrigin, Origin, OriginPolicy};
pub use service::ClientAddress;
