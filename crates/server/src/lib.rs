//! An authenticated real-time server that stock Socket.IO clients connect to.
//!
//! ```no_run
//! use roomkey::{Namespace, ServerBuilder, ServerConfig, TokenAuthentication, RoomName};
//! # fn verifier() -> std::sync::Arc<roomkey::auth::Verifier> { unimplemented!() }
//!
//! let chat = Namespace::new(TokenAuthentication::new(verifier()).into())
//!     .on("join", async |socket, (room,): (RoomName,)| socket.join(&room).map(|()| "ok"));
//! ```

mod accounts;
mod ack;
mod authentication;
mod chat;
mod clock;
mod connection;
mod context;
mod fd_table;
mod handshake;
mod http;
mod mailbox;
mod metrics;
mod namespace;
mod pages;
mod registry;
mod rest;
mod server;
mod socket;
mod transport;

pub use ack::{Args, IntoAck, Json};
pub use authentication::{Authentication, TokenAuthentication};
pub use clock::{SystemClock, SystemEntropy};
pub use context::Transports;
pub use handshake::Handshake;
pub use http::{ClientAddress, InvalidOrigin, Origin, OriginPolicy};
pub use namespace::{Event, Namespace};
pub use server::{Server, ServerBuilder, ServerConfig, ServerHandle};
pub use socket::{AckError, Broadcast, Socket};

pub use roomkey_auth as auth;
pub use roomkey_model::{ErrorCode, Failure, Limits, RoomName, SocketId, Timestamp, UserId};
pub use roomkey_protocol::{
    session::DisconnectReason,
    socket::{Binary, EncodeError, Payload},
};
