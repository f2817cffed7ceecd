//! The end of a connection: who is told what, and in which order.

use std::{future::poll_fn, time::Duration};

use roomkey_hub::{Frame, Notice};
use roomkey_model::Limit;
use roomkey_protocol::{
    ParseError,
    engine::payload::PACKETS_PER_RESPONSE_MAX,
    session::{CloseReason, DisconnectReason},
};
use roomkey_websocket::{CloseCode, ProtocolError, close};
use tokio::{net::TcpStream, sync::oneshot, time::timeout};

use super::{
    Connection, Link, Seat,
    polling::{CLOSE, NOOP, payload},
};
use crate::{
    audit::Event as Decision,
    farewell::{GRACE, farewell},
    transport::{Letter, PollAnswer},
};

/// How long an ended session waits for the poll that hears of it.
const POLL_GRACE: Duration = Duration::from_secs(30);

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ending {
    #[error("the client closed the WebSocket")]
    ClosedByPeer(Option<CloseCode>),
    #[error("the token has expired")]
    Expired,
    #[error("too many events, though they were refused")]
    EventFlood,
    #[error("too many WebSocket pings")]
    PingFlood,
    /// A polling request whose body is no payload: nothing is left to say to such a client.
    #[error("{0}")]
    Malformed(ParseError),
    /// Its client was told so: it stays away.
    #[error("the token was revoked")]
    Revoked,
    #[error("{0}")]
    Session(#[from] CloseReason),
    #[error("the server is shutting down")]
    Shutdown,
    #[error("the client reads too slowly")]
    SlowReader,
    #[error("too many tokens were shown")]
    TokenFlood,
    #[error("a message did not become complete in time")]
    TooSlow,
    /// The client is to come back later; it would not, after a refusal of its namespace.
    #[error("the client cannot be served now")]
    Unavailable,
    #[error("{0}")]
    WebSocket(#[from] ProtocolError),
}

impl Ending {
    fn reason(&self) -> DisconnectReason {
        match self {
            Self::ClosedByPeer(_) => CloseReason::TransportClose.into(),
            Self::EventFlood
            | Self::Expired
            | Self::PingFlood
            | Self::Revoked
            | Self::SlowReader
            | Self::TokenFlood
            | Self::Unavailable => CloseReason::ForcedClose.into(),
            Self::Malformed(error) => CloseReason::ParseError(*error).into(),
            Self::Session(reason) => (*reason).into(),
            Self::Shutdown => DisconnectReason::ServerShuttingDown,
            Self::TooSlow | Self::WebSocket(_) => CloseReason::TransportError.into(),
        }
    }

    fn is_violation(&self) -> bool {
        matches!(
            self,
            Self::EventFlood
                | Self::Malformed(_)
                | Self::PingFlood
                | Self::WebSocket(_)
                | Self::Session(
                    CloseReason::ParseError(_) | CloseReason::PreAuthBytes | CloseReason::NamespacesTooMany
                )
        )
    }

    /// Expired and revoked tokens have codes of their own, 4401 and 4403, like the HTTP statuses.
    fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Expired => CloseCode::new(4401),
            Self::Revoked => CloseCode::new(4403),
            Self::Shutdown => Some(CloseCode::SERVICE_RESTART),
            Self::EventFlood | Self::PingFlood | Self::TokenFlood => Some(CloseCode::POLICY_VIOLATION),
            Self::Unavailable => Some(CloseCode::TRY_AGAIN_LATER),
            Self::Session(CloseReason::PreAuthBytes) => Some(CloseCode::TOO_BIG),
            Self::WebSocket(error) => Some(error.close_code()),
            Self::ClosedByPeer(code) => *code,
            Self::Malformed(_) | Self::Session(_) | Self::SlowReader | Self::TooSlow => None,
        }
    }

    /// The limit that was reached, if that is why.
    fn limit(&self, was_known: bool) -> Option<Limit> {
        match self {
            Self::PingFlood => Some(Limit::WebSocketPings),
            Self::SlowReader => Some(Limit::Outbox),
            Self::TooSlow | Self::Session(CloseReason::ParseError(ParseError::AttachmentsTooSlow)) => {
                Some(Limit::PartialMessage)
            }
            Self::Malformed(ParseError::PacketsTooMany) => Some(Limit::PacketsPerPayload),
            Self::Session(CloseReason::ConnectTimeout) => Some(Limit::AuthDeadline),
            Self::Session(CloseReason::NamespacesTooMany) => Some(Limit::Namespaces),
            Self::Session(CloseReason::PreAuthBytes) => Some(Limit::PreAuthBytes),
            Self::Session(CloseReason::ParseError(ParseError::AttachmentsTooMany)) => {
                Some(Limit::Attachments)
            }
            Self::WebSocket(ProtocolError::FragmentsTooMany) => Some(Limit::Fragments),
            Self::WebSocket(ProtocolError::MessageTooBig) if !was_known => Some(Limit::PreAuthBytes),
            Self::WebSocket(ProtocolError::MessageTooBig)
            | Self::Session(CloseReason::ParseError(ParseError::AttachmentsTooBig)) => {
                Some(Limit::MessageBytes)
            }
            _ => None,
        }
    }

    /// Whether anything can still be written to a WebSocket.
    fn is_heard_over_websocket(&self) -> bool {
        !matches!(
            self,
            Self::SlowReader
                | Self::TooSlow
                | Self::Session(CloseReason::TransportClose | CloseReason::TransportError)
        )
    }

    /// Whether the next poll is waited for, to hear of it.
    fn waits_for_poll(&self) -> bool {
        match self {
            Self::EventFlood
            | Self::Expired
            | Self::Revoked
            | Self::Shutdown
            | Self::TokenFlood
            | Self::Unavailable => true,
            Self::Session(reason) => !matches!(
                reason,
                CloseReason::ParseError(ParseError::HeartbeatDirection)
                    | CloseReason::PingTimeout
                    | CloseReason::TransportClose
                    | CloseReason::TransportError
            ),
            Self::ClosedByPeer(_)
            | Self::Malformed(_)
            | Self::PingFlood
            | Self::SlowReader
            | Self::TooSlow
            | Self::WebSocket(_) => false,
        }
    }
}

impl Connection {
    pub(super) async fn end(mut self, ending: Ending) {
        tracing::debug!(reason = %ending, "a session ended");
        if ending.is_violation() {
            self.context.metrics.protocol_errors.increment();
            let identity = self.clients.first().and_then(|client| client.socket.identity());
            self.record(Decision::InputInvalid, identity.as_deref(), Some(&ending.to_string()));
        }
        let was_known = self.seat.newcomer.is_none();
        if let Some(limit) = ending.limit(was_known) {
            self.context.metrics.limit_reached(limit);
        }
        if matches!(ending, Ending::Expired | Ending::Revoked) {
            // What waits to be handled was not begun while the token counted.
            drop(self.take_backlog());
        }
        self.let_work_finish();
        while let Some(client) = self.clients.first() {
            let namespace = client.socket.namespace().clone();
            self.drop_client(&namespace, ending.reason());
        }
        self.end_bare(ending.reason());
        self.turn_probe_away();
        let Self { mut seat, link, .. } = self;
        seat.newcomer = None;
        match link {
            Link::WebSocket(websocket) => close_websocket(seat, websocket.stream(), &ending).await,
            Link::Polling(polling) => say_goodbye(&seat, polling.held, &ending, was_known).await,
        }
    }
}

async fn close_websocket(seat: Seat, stream: &TcpStream, ending: &Ending) {
    if ending.is_heard_over_websocket() {
        seat.send(Frame::raw(close(ending.close_code(), "")));
        if !seat.shard().flush_now(seat.key) {
            // The rest of what was promised: acks, and the reason. A reader too slow for that has had its time.
            let drained = async { while stream.writable().await.is_ok() && !seat.shard().drain(seat.key) {} };
            _ = timeout(GRACE, drained).await;
        }
    }
    drop(seat);
    farewell(stream).await;
}

/// Tells the poll that waits, or where somebody may still be there the next one, that this is the end.
async fn say_goodbye(
    seat: &Seat,
    mut held: Option<oneshot::Sender<PollAnswer>>,
    ending: &Ending,
    was_known: bool,
) {
    let stops = seat.context.is_draining();
    let grace = if stops || !was_known { GRACE } else { POLL_GRACE };
    loop {
        let answer = match held.take() {
            Some(held) => held,
            None if !ending.waits_for_poll() => return,
            None => match timeout(grace, next_poll(seat)).await {
                Ok(Some(next)) => next,
                Ok(None) | Err(_) => return,
            },
        };
        let format = seat.entry.format();
        let queued = payload(format, &seat.shard().poll(seat.key, PACKETS_PER_RESPONSE_MAX - 1));
        let is_last = queued.is_none();
        let last_words = match ending {
            // Whoever closes the session need not be told.
            Ending::Session(CloseReason::TransportClose) => NOOP,
            _ => CLOSE,
        };
        // Whether it is still heard makes no difference any more.
        _ = answer.send(PollAnswer::Payload(queued.unwrap_or_else(|| format.encode_one(last_words))));
        if is_last {
            return;
        }
    }
}

/// The next request for packets, unless the server stops first; whoever sends some meanwhile is told that the session
/// is gone.
async fn next_poll(seat: &Seat) -> Option<oneshot::Sender<PollAnswer>> {
    loop {
        match poll_fn(|cx| seat.mailbox().poll_next(cx)).await {
            Letter::Poll(answer) => return Some(answer),
            Letter::Notice(Notice::Shutdown) => return None,
            _ => {}
        }
    }
}
