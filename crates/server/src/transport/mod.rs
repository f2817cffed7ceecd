//! How bytes become packets: a WebSocket, or the requests of long-polling.

mod admission;
pub(crate) mod polling;
mod unsent;
pub(crate) mod websocket;

use roomkey_hub::Notice;
use roomkey_protocol::engine::payload::Body;
use tokio::sync::oneshot;

pub(crate) use unsent::Unsent;

/// Something that reaches a connection's task from outside it.
#[derive(Debug)]
pub(crate) enum Letter {
    /// A polling request was given up half-way.
    Aborted,
    /// The client has come back on another connection.
    Cede,
    /// From the hub.
    Notice(Notice),
    /// A second POST came while one was being received.
    Overlap,
    /// A request that wants packets; answered when there are any.
    Poll(oneshot::Sender<PollAnswer>),
    /// A request that brings packets.
    Post { body: Body, answer: oneshot::Sender<PostAnswer> },
    /// A WebSocket that wants to take over from long-polling.
    Probe(ProbeSocket),
}

/// The answer to a [`Letter::Poll`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PollAnswer {
    /// Packets, as a payload.
    Payload(Body),
    /// There was a poll already, so the session has ended.
    Overlap,
}

/// The answer to a [`Letter::Post`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PostAnswer {
    /// All packets were taken.
    Taken,
    /// A packet broke the protocol, so the session has ended.
    Refused,
}

/// A WebSocket whose opening handshake is done, on its way to the shard of its session.
#[derive(Debug)]
pub(crate) struct ProbeSocket {
    /// Not registered with any runtime, so that any can take it.
    pub(crate) stream: std::net::TcpStream,
    /// What was read behind the request's head.
    pub(crate) unread: Vec<u8>,
    /// Whether messages may be compressed.
    pub(crate) has_deflate: bool,
}
