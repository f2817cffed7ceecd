//! Engine.IO revisions 4 and 3 and Socket.IO revision 5 without I/O: packets in, meaning out.
//!
//! This crate is not a server. It owns no socket, no clock, no source of randomness and no users: the caller passes
//! what it read and what time it is, makes the ids, decides who may join what, and writes what the encoders return.
//!
//! - [`engine`] is the lower layer: the packets that a WebSocket frame or a polling payload holds, the query of a
//!   request, the handshake, the heartbeat; [`engine::Session`] for a server of nothing but that.
//! - [`socket`] is the upper layer: events and acks in namespaces, binary attachments. Arguments stay the JSON text
//!   that was received ([`socket::Payload`]), so that an event can be passed on without writing it anew. Other forms of
//!   the same packets ([`socket::msgpack`], [`socket::v3`]) are translated to and from that.
//! - [`session::Session`] puts them together: the one state machine that knows what a client may send when.
//! - [`upgrade::Upgrade`] is the change of a session from polling to WebSocket, a machine of its own.
//!
//! # Driving a session
//!
//! 1. On a handshake make a [`session::Session`] and send [`engine::Handshake`].
//! 2. Decode what the client sends with [`engine::Revision`] or [`engine::payload::Format`] and pass each packet to
//!    [`session::Session::receive`].
//! 3. Answer [`session::Incoming::Connect`] with [`accept`](session::Session::accept) or
//!    [`reject`](session::Session::reject), now or later, and with the packet that belongs to it.
//! 4. After every call ask for the [`deadline`](session::Session::deadline). When it has come, and before handling
//!    input that came later, call [`on_timer`](session::Session::on_timer).
//! 5. After an error send nothing more, close the transport and drop the session. Every namespace in
//!    [`namespaces`](session::Session::namespaces) is disconnected with it.
//!
//! ```
//! use std::sync::Arc;
//!
//! use roomkey_model::Timestamp;
//! use roomkey_protocol::{engine::{Packet, Revision}, session::{Config, Incoming, Session}, socket};
//!
//! let mut now = Timestamp(0);
//! let mut session = Session::new(Arc::new(Config::default()), Revision::V4, now);
//! let mut sent = Vec::new();
//!
//! for received in [r#"40{"token":"secret"}"#, r#"427["echo","hi",{"a":[1, 2]}]"#] {
//!     match session.receive(Packet::decode(received)?, now)? {
//!         Some(Incoming::Connect { namespace, auth }) if auth.as_deref() == Some(r#"{"token":"secret"}"#) => {
//!             session.accept(&namespace);
//!             sent.push(socket::encode_connect(&namespace, "n_eIWrXomh2BrjL4AAAA", None));
//!         }
//!         Some(Incoming::Connect { namespace, .. }) => {
//!             session.reject(&namespace);
//!             sent.push(socket::encode_connect_error(&namespace, "not authorized", None::<&()>)?);
//!         }
//!         Some(Incoming::Event { namespace, id: Some(id), args, .. }) => {
//!             sent.push(socket::encode_ack_raw(&namespace, id, args.json(), args.attachments().to_vec())?.text);
//!         }
//!         _ => {}
//!     }
//! }
//! assert_eq!(sent, [r#"40{"sid":"n_eIWrXomh2BrjL4AAAA"}"#, r#"437["hi",{"a":[1, 2]}]"#]);
//!
//! now = session.deadline();
//! assert_eq!(now, Timestamp(25_000));
//! assert_eq!(session.on_timer(now)?, Some(roomkey_protocol::session::TimerAction::SendPing));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod engine;
mod error;
pub mod session;
pub mod socket;
pub mod upgrade;

pub use error::ParseError;
pub use session::CloseReason;

#[cfg(test)]
mod tests;
