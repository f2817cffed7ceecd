//! Socket.IO protocol revision 5: events and acks in namespaces, with binary attachments.

mod binary;
mod decoder;
mod encode;
mod header;
mod json;
pub mod msgpack;
mod namespace;
mod payload;
pub mod v3;

pub use binary::Binary;
use decoder::split_event;
pub use decoder::{Decoder, Packet};
use encode::utf8;
pub use encode::{
    EncodeError, Encoded, encode_ack, encode_ack_raw, encode_connect, encode_connect_error,
    encode_connect_request, encode_disconnect, encode_event, encode_event_raw,
};
pub use namespace::Namespace;
pub use payload::Payload;

/// Event names that mean something else in the clients; they are neither accepted nor sent.
pub const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];
