//! Engine.IO protocol revisions 4 and 3: packets, polling payloads, the handshake, the heartbeat, the session.

mod handshake;
mod heartbeat;
pub mod jsonp;
mod packet;
pub mod payload;
pub mod query;
mod revision;
mod session;

pub use handshake::Handshake;
pub use heartbeat::{Heartbeat, HeartbeatAction};
pub use packet::Packet;
pub use revision::Revision;
pub use session::{Incoming, Message, Session};
