//! An authenticated real-time server that stock Socket.IO clients connect to, as a library.
//!
//! A [`Namespace`] says who is let in and what is done about each event; a [`ServerBuilder`] puts namespaces and
//! an HTTP router together; a [`Server`] has its address and runs on threads of its own, one for each core. A
//! handler gets the [`Socket`] that sent the event and its arguments, and what it returns is the ack.
//!
//! ```no_run
//! use roomkey::{
//!     Namespace, RoomName, ServerBuilder, ServerConfig, Socket, TokenAuthentication,
//!     auth::{Algorithm, HmacSecret, IssuerProfile, SecretStrength, Verifier},
//! };
//!
//! // Tokens that your backend signs with the same secret: `jwt.sign({ id }, JWT_SECRET)`.
//! let secret = std::env::var("JWT_SECRET")?;
//! let secret = HmacSecret::new("JWT_SECRET", Algorithm::Hs256, secret.as_bytes(), SecretStrength::Required)?;
//! let verifier = Verifier::new(vec![IssuerProfile::shared_secret("backend", vec![secret])])?;
//!
//! let main = Namespace::new(TokenAuthentication::new(verifier.into()))
//!     .on("join", async |socket: Socket, (room,): (RoomName,)| match socket.join(&room) {
//!         Ok(()) => "joined",
//!         Err(_) => "refused",
//!     })
//!     .on("say", async |socket: Socket, (room, text): (RoomName, String)| {
//!         let user = socket.user().map(|user| user.to_string());
//!         socket.to(&room).emit("said", &(user, text)).is_ok()
//!     });
//!
//! let server = ServerBuilder::new(ServerConfig::default()).namespace("/", main).bind()?;
//! println!("listening on {}", server.local_addr());
//! server.run(std::future::pending())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Handlers of one socket start in the order its events arrive. What a handler emits reaches each socket in the order
//! emitted. A handler that panics answers `INTERNAL` and harms nobody else. No handler may block its thread: slow
//! work belongs on `tokio::task::spawn_blocking`.
//!
//! Where to find what:
//!
//! - who is let in: [`TokenAuthentication`], [`Namespace::middleware`];
//! - typed handlers and their acks: [`Namespace::on`], [`IntoAck`], [`Json`], [`Args`]; events as they came:
//!   [`Namespace::on_any`], [`Event`], [`Payload`]; binary data: [`Binary`];
//! - rooms and broadcasts: [`Socket::join`], [`Socket::to`], [`Broadcast`];
//! - acks that the server waits for: [`Socket::emit_with_ack`], [`Broadcast::emit_with_ack`];
//! - tokens that end early: [`ServerHandle::revoke`], [`Namespace::on_refresh`], [`Namespace::room_check`];
//! - state of your own for each socket: [`Socket::extensions`];
//! - namespaces by pattern: [`ServerBuilder::namespace_matching`];
//! - emitting from outside the handlers: [`ServerHandle`]; HTTP beside the sockets: [`Server::router`];
//! - bare Engine.IO: [`engine`];
//! - every limit: [`Limits`].
//!
//! The [`guide`] has an example of each.

mod accounts;
mod ack;
mod admin;
mod api_keys;
mod audit;
mod authentication;
mod backends;
mod broadcast;
mod broadcast_acks;
mod chat;
mod cli;
mod clock;
mod config;
mod connection;
mod context;
mod control;
mod deflate;
mod dialect;
pub mod engine;
mod event_times;
mod farewell;
mod fd_table;
mod handshake;
mod http;
mod jwks;
mod key_ring;
mod logging;
mod mailbox;
mod metrics;
mod namespace;
mod namespaces;
mod newcomers;
mod outbound;
mod pages;
mod private;
mod rates;
mod recovery;
mod registry;
mod rest;
mod revocation;
mod serve;
mod server;
mod shard_lag;
mod socket;
mod tickets;
mod transport;

#[doc = include_str!("../../../docs/library.md")]
pub mod guide {}

pub use ack::{Args, IntoAck, Json};
pub use audit::AuditLog;
pub use authentication::{Authentication, TokenAuthentication};
pub use broadcast::{Broadcast, BroadcastAckError};
pub use broadcast_acks::BroadcastAck;
pub use cli::main;
pub use clock::{SystemClock, SystemEntropy};
pub use context::Transports;
pub use deflate::Deflate;
pub use handshake::Handshake;
pub use http::{
    ClientAddress, ForwardedHeader, InvalidNetwork, InvalidOrigin, Network, Origin, OriginPolicy,
    TrustedProxies,
};
pub use jwks::{KeySet, KeySets};
pub use namespace::{Event, Namespace};
pub use outbound::{InvalidUrl, OutboundUrl};
pub use recovery::Recovery;
#[doc(hidden)]
pub use serve::Product;
pub use server::{Server, ServerBuilder, ServerConfig, ServerHandle};
pub use socket::{AckError, Socket};

pub use axum;
pub use roomkey_auth as auth;
pub use roomkey_hub::JoinError;
pub use roomkey_model::{
    Clock, Entropy, ErrorCode, Failure, InvalidName, Limit, LimitRow, Limits, Revocation, RevocationReason,
    RevocationTarget, RoomName, SessionId, SocketId, Timestamp, TokenId, UserId,
};
pub use roomkey_protocol::{
    session::DisconnectReason,
    socket::{Binary, EncodeError, Payload},
};
