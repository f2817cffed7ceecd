//! The end of a connection: who is told what, and in which order.

use std::{future::poll_fn, io, net::Shutdown, sync::Arc, time::Duration};

use roomkey_hub::{ConnectionKey, Frame, Shard};
use roomkey_protocol::{
    ParseError,
    engine::payload::SEPARATOR,
    session::{CloseReason, DisconnectReason},
};
use roomkey_websocket::{CloseCode, ProtocolError, close};
use socket2::SockRef;
use tokio::{net::TcpStream, sync::oneshot, time::timeout};

use super::{
    Connection, Link,
    polling::{CLOSE, payload},
};
use crate::{
    context::Context,
    mailbox::Mailbox,
    registry::Sid,
    transport::{Letter, PollAnswer},
};

/// How long an ended session waits for the poll that hears of it.
const POLL_GRACE: Duration = Duration::from_secs(30);
/// How long a closed WebSocket waits for the other side to close, too.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ending {
    #[error("the client closed the WebSocket")]
    ClosedByPeer,
    #[error("the token has expired")]
    Expired,
    /// A polling request whose body is no payload: nothing is left to say to such a client.
    #[error("{0}")]
    Malformed(ParseError),
    #[error("{0}")]
    Session(#[from] CloseReason),
    #[error("the server is shutting down")]
    Shutdown,
    #[error("the client reads too slowly")]
    SlowReader,
    #[error("{0}")]
    WebSocket(#[from] ProtocolError),
}

impl Ending {
    fn reason(&self) -> DisconnectReason {
        match self {
            Self::ClosedByPeer => CloseReason::TransportClose.into(),
            Self::Expired | Self::SlowReader => CloseReason::ForcedClose.into(),
            Self::Malformed(error) => CloseReason::ParseError(*error).into(),
            Self::Session(reason) => (*reason).into(),
            Self::Shutdown => DisconnectReason::ServerShuttingDown,
            Self::WebSocket(_) => CloseReason::TransportError.into(),
        }
    }

    fn is_violation(&self) -> bool {
        matches!(
            self,
            Self::Malformed(_)
                | Self::WebSocket(_)
                | Self::Session(
                    CloseReason::ParseError(_) | CloseReason::PreAuthBytes | CloseReason::NamespacesTooMany
                )
        )
    }

    /// Expired tokens have a code of their own, 4401, like the HTTP status.
    fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Expired => CloseCode::new(4401),
            Self::Shutdown => Some(CloseCode::SERVICE_RESTART),
            Self::SlowReader => Some(CloseCode::POLICY_VIOLATION),
            Self::Session(CloseReason::PreAuthBytes) => Some(CloseCode::TOO_BIG),
            Self::WebSocket(error) => Some(error.close_code()),
            Self::ClosedByPeer | Self::Malformed(_) | Self::Session(_) => None,
        }
    }

    /// Whether somebody may still be there to hear of it over long-polling.
    fn is_heard_by_polls(&self) -> bool {
        match self {
            Self::Expired | Self::Shutdown => true,
            Self::Session(reason) => !matches!(
                reason,
                CloseReason::PingTimeout | CloseReason::TransportClose | CloseReason::TransportError
            ),
            Self::ClosedByPeer | Self::Malformed(_) | Self::SlowReader | Self::WebSocket(_) => false,
        }
    }
}

impl Connection {
    pub(super) async fn end(mut self, ending: Ending) {
        tracing::debug!(reason = %ending, "a session ended");
        if ending.is_violation() {
            self.context.metrics.protocol_errors.increment();
        }
        while let Some(client) = self.clients.first() {
            let namespace = client.socket.namespace().clone();
            self.drop_client(&namespace, ending.reason());
        }
        let Self { context, key, sid, mailbox, link, .. } = self;
        let remains = Remains { context, key, sid, mailbox };
        match link {
            Link::WebSocket(websocket) => remains.close_websocket(websocket.stream(), &ending).await,
            Link::Polling(polling) => remains.say_goodbye(polling.held, &ending).await,
        }
    }
}

/// What there still is of a connection whose session has ended.
struct Remains {
    context: Arc<Context>,
    key: ConnectionKey,
    sid: Sid,
    mailbox: Arc<Mailbox>,
}

impl Remains {
    async fn close_websocket(self, stream: &TcpStream, ending: &Ending) {
        if !matches!(ending, Ending::Session(CloseReason::TransportClose | CloseReason::TransportError)) {
            let frame = Frame::raw(close(ending.close_code(), ""));
            self.context.node.hub().send(self.key, frame, false);
        }
        if !self.shard().flush_now(self.key) && matches!(ending, Ending::Expired | Ending::Shutdown) {
            // The rest of what was promised: acks, and the reason.
            let drained = async { while stream.writable().await.is_ok() && !self.shard().drain(self.key) {} };
            // A reader that is too slow has had its time.
            _ = timeout(CLOSE_GRACE, drained).await;
        }
        drop(self);
        if SockRef::from(stream).shutdown(Shutdown::Write).is_ok() {
            // Closing with bytes unread would reset the connection, and the client might lose the reason.
            _ = timeout(CLOSE_GRACE, discard(stream)).await;
        }
    }

    /// Tells the poll that waits, or the next one, that this is the end.
    async fn say_goodbye(self, held: Option<oneshot::Sender<PollAnswer>>, ending: &Ending) {
        if !ending.is_heard_by_polls() {
            return;
        }
        let answer = match held {
            Some(held) => Some(held),
            None if matches!(ending, Ending::Shutdown) => None,
            None => timeout(POLL_GRACE, self.next_poll()).await.ok(),
        };
        if let Some(answer) = answer {
            let queued = payload(&self.shard().poll(self.key, usize::MAX));
            let body = match queued {
                Some(queued) => format!("{queued}{SEPARATOR}{CLOSE}"),
                None => CLOSE.to_owned(),
            };
            // Whether it is still heard makes no difference any more.
            _ = answer.send(PollAnswer::Payload(body));
        }
    }

    /// The next request for packets; whoever sends some meanwhile is told that the session is gone.
    async fn next_poll(&self) -> oneshot::Sender<PollAnswer> {
        loop {
            if let Letter::Poll(answer) = poll_fn(|cx| self.mailbox.poll_next(cx)).await {
                return answer;
            }
        }
    }

    fn shard(&self) -> &Shard {
        self.context.node.hub().shard_of(self.key)
    }
}

/// From here on nobody finds the session, and nothing more is written to it.
impl Drop for Remains {
    fn drop(&mut self) {
        self.context.registry.remove(&self.sid);
        self.mailbox.close();
        self.shard().remove(self.key);
    }
}

async fn discard(stream: &TcpStream) {
    let mut bytes = [0; 1024];
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut bytes) {
            Ok(0) => return,
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
            _ => {}
        }
    }
}
