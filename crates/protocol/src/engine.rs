//! Engine.IO protocol revision 4: packets, polling payloads, the handshake, the heartbeat.

mod handshake;
mod heartbeat;
mod packet;
pub mod payload;
pub mod query;

pub use handshake::Handshake;
pub use heartbeat::{Heartbeat, HeartbeatAction};
pub use packet::Packet;
