//! This node's connections and rooms, one shard per core.
//!
//! A connection lives and dies on the shard that accepted it, and only that shard writes to it. Everything that
//! is emitted waits, in order, until the end of the shard's tick; then a room's members all get the same bytes,
//! encoded once, in one write each, straight into the kernel. A queue exists only for a connection whose kernel
//! buffer is full, and it is bounded.
//!
//! The types to know: a [`Hub`] has [`Shard`]s; a [`Frame`] is one packet, encoded once; a [`SocketKey`] names a
//! connected socket; a [`Dialect`] is another form of frames, for connections that need one. The hub knows neither
//! users nor events nor JSON, and decides nothing: it is told who is in which room, and wakes a connection's own task
//! ([`Attention`]) when something concerns it.
//!
//! # What it guarantees
//!
//! - What one thread emits reaches each socket in the order emitted, whether it was sent to rooms or to the socket.
//! - A socket gets what was emitted to a room while it was a member, and nothing else.
//! - No call here blocks, and none waits for a reader.

mod dialect;
mod frame;
mod hub;
mod key;
mod notice;
mod offset;
mod past;
mod selection;
mod shard;
mod wheel;

pub use dialect::{Dialect, Form};
pub use frame::Frame;
pub use hub::{Hub, HubConfig};
pub use key::{ConnectionKey, RoomKey, SocketKey};
pub use notice::{Attention, Notice};
pub use offset::Offset;
pub use past::{Base, Past, merge};
pub use selection::{Census, Selection};
pub use shard::{Counters, Era, History, JoinError, LogConfig, Members, Missed, Reach, Seen, Shard, Wire};
