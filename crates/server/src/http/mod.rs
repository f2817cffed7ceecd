//! HTTP: the accept loop, the first request of a connection, and where each request goes.

mod accept;
mod head;
mod line_ends;
mod origin;
mod rewind;
mod service;

pub(crate) use accept::{Listener, OpenConnections};
pub(crate) use origin::Verdict;
pub use origin::{InvalidOrigin, Origin, OriginPolicy};
pub use service::ClientAddress;
