//! Many Socket.IO clients in one thread, and what a server does under them.
//!
//! Every client is authenticated with a token of its own and speaks Socket.IO over WebSocket, as a stock client
//! does, but costs next to nothing: the server is what is measured. A [`Scenario`] is one kind of load;
//! [`run`] puts it on a server and returns a [`Report`].
//!
//! The server must offer what `bench_server` offers: `join(room)` joins and acks, `bcast(room, payload)` emits
//! `msg(payload)` to the room, `echo(x)` acks `x`. [`Scenario::Send`], [`Scenario::CatchUp`] and a durable
//! [`Scenario::Broadcast`] want `roomkey serve` instead.

mod chat;
mod client;
mod process;
mod report;
mod rest;
mod scenario;
mod target;
mod token;

pub use report::Report;
pub use scenario::{Scenario, run};
pub use target::Target;
