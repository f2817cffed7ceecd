//! The WebSocket protocol (RFC 6455) without I/O: bytes in, messages out; messages in, bytes out.
//!
//! This crate is not a WebSocket server. It owns no socket, no read buffer and no timer, and it knows nothing
//! of what the messages mean.
//!
//! - [`Decoder`] takes whatever bytes were read and lends out whole [`Message`]s. A frame that arrived whole is
//!   unmasked where it lies and lent without a copy; an idle decoder owns no heap memory.
//! - [`encode`] and [`header`] write frames. A server's frames are not masked, so the bytes of one frame can be
//!   sent to any number of peers.
//! - [`handshake`] checks the opening request and computes the `Sec-WebSocket-Accept` of the answer.
//! - [`deflate`] is the one extension, for whoever negotiates it; otherwise a reserved bit is an error.
//!
//! A read loop calls [`Decoder::next`] until it says `None`, then reads again:
//!
//! ```
//! use roomkey_websocket::{Decoder, Message, Opcode, Role, encode_masked};
//!
//! let mut decoder = Decoder::new(Role::Server, 1_000_000, 1024);
//! let mut read = Vec::new();
//! encode_masked(Opcode::Text, b"2probe", [1, 2, 3, 4], &mut read);
//!
//! let mut input = read.as_mut_slice();
//! while let Some(message) = decoder.next(&mut input)? {
//!     match message {
//!         Message::Text(text) => assert_eq!(text, "2probe"),
//!         Message::Ping(payload) => { /* answer with a pong of the same payload */ }
//!         Message::Close(frame) => break, // answer with a close frame, then close the connection
//!         Message::Binary(_) | Message::Pong(_) => {}
//!     }
//! }
//! # Ok::<(), roomkey_websocket::ProtocolError>(())
//! ```
//!
//! After an error the connection is over: send [`close`] with [`ProtocolError::close_code`] and drop both.

mod close;
mod decoder;
pub mod deflate;
mod encode;
mod error;
pub mod handshake;
mod header;
mod mask;
mod message;

pub use close::{CloseCode, CloseFrame, close};
pub use decoder::{Decoder, Role};
pub use encode::{Header, encode, encode_masked, header};
pub use error::ProtocolError;
pub use message::{Message, Opcode};
