//! The life of one connection: a task with one loop over everything that can happen to it.

mod backlog;
mod bare;
mod ending;
mod incoming;
mod polling;
mod probe;
mod rates;
mod recovery;
mod seat;
mod token;
mod websocket;

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use roomkey_hub::{Frame, Notice, Shard, Wire};
use roomkey_model::Timestamp;
use roomkey_protocol::{
    engine::{Packet, payload::Format, query::Transport},
    session::{CloseReason, Incoming, Session, TimerAction},
    upgrade::Upgrade,
};
use smallvec::SmallVec;

pub(crate) use self::websocket::WebSocket;
use self::{
    backlog::Backlog,
    bare::Bare,
    ending::Ending,
    incoming::{Client, Done},
    polling::Polling,
    probe::Probe,
    rates::EventRates,
    seat::Seat,
};
use crate::{
    Handshake,
    context::Context,
    dialect,
    mailbox::Mailbox,
    newcomers::Newcomer,
    registry::{Entry, Sid},
    transport::Letter,
};

/// How the client is connected.
enum Link {
    Polling(Polling),
    WebSocket(WebSocket),
}

impl Default for Link {
    fn default() -> Self {
        Self::Polling(Polling::default())
    }
}

/// One Engine.IO session and everything that belongs to it, owned by the task that runs it.
pub(crate) struct Connection {
    context: Arc<Context>,
    seat: Seat,
    handshake: Arc<Handshake>,
    session: Session,
    /// Instead of the session, where the server is one of bare Engine.IO.
    bare: Option<Box<Bare>>,
    link: Link,
    /// Of the WebSocket, which is not in `link` while it is read.
    has_deflate: bool,
    upgrade: Upgrade,
    probe: Option<Box<Probe>>,
    /// The client's sockets: those being admitted, and those that are in.
    clients: SmallVec<[Client; 1]>,
    /// Handlers that did not finish at once.
    work: Option<Box<FuturesUnordered<BoxFuture<'static, Done>>>>,
    /// What has been received while as many handlers ran as may.
    backlog: Option<Box<Backlog>>,
    auth_failures: u32,
    event_rates: EventRates,
    /// After a refusal: when to close, unless the client gets in after all.
    linger_until_ms: Option<u64>,
    armed_ms: u64,
    /// When the first of its tokens ends, as the hub knows it.
    expires_ms: u64,
    is_draining: bool,
}

impl Connection {
    /// A session on the current shard, over `websocket` or long-polling. Its first packet is the caller's to send.
    pub(crate) fn open(
        context: &Arc<Context>,
        shard: &Shard,
        handshake: Handshake,
        sid: Sid,
        newcomer: Newcomer,
        format: Format,
        websocket: Option<WebSocket>,
    ) -> Self {
        let (transport, wire) = match &websocket {
            Some(websocket) => (Transport::Websocket, Wire::WebSocket(websocket.stream().clone())),
            None => (Transport::Polling, Wire::Polling),
        };
        let mailbox = Arc::new(Mailbox::default());
        let entry = Arc::new(Entry::new(mailbox.clone(), transport, format, handshake.header("origin")));
        context.registry.insert(sid.clone(), entry.clone());
        context.metrics.sessions_opened.increment();
        let key = shard.insert(mailbox, wire);
        let seat = Seat { context: context.clone(), key, sid, entry, newcomer: Some(newcomer) };
        let now = Timestamp(seat.now_ms());
        let mut connection = Self {
            session: Session::new(context.session.clone(), format.revision(), now),
            seat,
            handshake: Arc::new(handshake),
            bare: None,
            has_deflate: websocket.as_ref().is_some_and(WebSocket::has_deflate),
            link: websocket.map_or_else(Link::default, Link::WebSocket),
            upgrade: Upgrade::new(transport),
            probe: None,
            clients: SmallVec::new(),
            work: None,
            backlog: None,
            auth_failures: 0,
            event_rates: EventRates::default(),
            linger_until_ms: None,
            armed_ms: u64::MAX,
            expires_ms: u64::MAX,
            is_draining: context.is_draining(),
            context: context.clone(),
        };
        connection.choose_dialect();
        connection.begin_bare();
        connection
    }

    /// Tells the hub which form the client's frames take.
    fn choose_dialect(&self) {
        let dialect = dialect::of(self.session.revision(), self.session.is_msgpack(), self.has_deflate);
        self.seat.shard().set_dialect(self.seat.key, dialect);
    }

    /// Runs the connection to its end.
    pub(crate) async fn run(mut self) {
        let begun = poll_fn(|cx| Poll::Ready(self.begin(cx))).await;
        self.arm();
        let ending = match begun {
            Ok(()) => poll_fn(|cx| self.poll(cx)).await,
            Err(ending) => ending,
        };
        // Boxed, so that its buffers are no part of every idle connection.
        Box::pin(self.end(ending)).await;
    }

    /// Does what the client need not ask for.
    fn begin(&mut self, cx: &mut TaskContext<'_>) -> Result<(), Ending> {
        if self.bare.is_some() {
            return Ok(());
        }
        self.session.begin().map_or(Ok(()), |incoming| self.on_incoming(incoming, cx))
    }

    fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<Ending> {
        loop {
            if self.is_draining && self.work.is_none() && self.backlog.is_none() {
                return Poll::Ready(Ending::Shutdown);
            }
            let step = if let Poll::Ready(letter) = self.seat.mailbox().poll_next(cx) {
                self.on_letter(letter, cx)
            } else if let Poll::Ready(done) = self.poll_work(cx) {
                self.on_done(done, cx).and_then(|()| self.work_off(cx))
            } else if let Poll::Ready(step) = self.poll_probe(cx) {
                step
            } else if let Poll::Ready(step) = self.poll_link(cx) {
                step
            } else {
                return Poll::Pending;
            };
            if let Err(ending) = step {
                return Poll::Ready(ending);
            }
            self.arm();
        }
    }

    fn poll_work(&mut self, cx: &mut TaskContext<'_>) -> Poll<Done> {
        let Some(work) = &mut self.work else { return Poll::Pending };
        let done = ready!(work.poll_next_unpin(cx));
        if work.is_empty() {
            self.work = None;
        }
        done.map_or(Poll::Pending, Poll::Ready)
    }

    /// Starts something that may take time: runs it up to where it first waits, now.
    fn start(
        &mut self,
        mut future: BoxFuture<'static, Done>,
        cx: &mut TaskContext<'_>,
    ) -> Result<(), Ending> {
        match future.as_mut().poll(cx) {
            Poll::Ready(done) => self.on_done(done, cx),
            Poll::Pending => {
                self.work.get_or_insert_default().push(future);
                Ok(())
            }
        }
    }

    fn poll_link(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Ending>> {
        match &mut self.link {
            Link::Polling(_) => Poll::Pending,
            Link::WebSocket(_) => self.poll_websocket(cx),
        }
    }

    fn on_letter(&mut self, letter: Letter, cx: &mut TaskContext<'_>) -> Result<(), Ending> {
        match letter {
            // What becomes of old requests no longer matters once the WebSocket has taken over.
            Letter::Aborted | Letter::Overlap if matches!(self.link, Link::WebSocket(_)) => Ok(()),
            Letter::Aborted => {
                // A poll that waits now came behind the request that was given up: it finds no session.
                self.link = Link::default();
                Err(CloseReason::TransportClose.into())
            }
            Letter::Cede => Err(CloseReason::TransportClose.into()),
            Letter::Overlap => Err(CloseReason::TransportError.into()),
            Letter::Notice(notice) => self.on_notice(notice),
            Letter::Poll(answer) => self.on_poll(answer),
            Letter::Post { body, answer } => self.on_post(&body, answer, cx),
            Letter::Probe(socket) => {
                self.on_probe(socket);
                Ok(())
            }
        }
    }

    fn on_notice(&mut self, notice: Notice) -> Result<(), Ending> {
        match notice {
            Notice::Deadline => {
                self.armed_ms = u64::MAX;
                self.on_deadline()
            }
            Notice::ClockSet => self.look_at_tokens(),
            Notice::WantsWrite => {
                self.on_wants_write();
                Ok(())
            }
            Notice::SlowReader => {
                self.context.metrics.slow_readers.increment();
                Err(Ending::SlowReader)
            }
            Notice::WriteFailed => Err(CloseReason::TransportError.into()),
            Notice::Disconnect { namespace, close } => self.on_server_disconnect(&namespace, close),
            Notice::DisconnectSocket { socket, close } => self.on_disconnect_socket(&socket, close),
            Notice::Revoked { socket, reason } => self.on_revoked(&socket, reason),
            Notice::Shutdown => {
                self.is_draining = true;
                Ok(())
            }
        }
    }

    fn on_wants_write(&mut self) {
        match &mut self.link {
            Link::Polling(_) => self.answer_poll(),
            Link::WebSocket(websocket) => websocket.wait_to_write(),
        }
    }

    fn on_packet(&mut self, packet: Packet<'_>, cx: &mut TaskContext<'_>) -> Result<(), Ending> {
        let now = Timestamp(self.seat.now_ms());
        if let Some(bare) = &mut self.bare {
            return bare.receive(packet, now);
        }
        if self.expires_ms <= now.0 {
            // Its deadline may have to wait for its turn; what the client sends does not count any more.
            self.look_at_tokens()?;
        }
        match self.session.receive(packet, now)? {
            Some(incoming) => {
                if self.session.is_msgpack() && matches!(incoming, Incoming::Connect { .. }) {
                    self.choose_dialect();
                }
                if self.is_too_much(&incoming, now.0)? {
                    return Ok(());
                }
                self.handle_or_keep(incoming, cx)
            }
            None => Ok(()),
        }
    }

    fn on_deadline(&mut self) -> Result<(), Ending> {
        let now_ms = self.seat.now_ms();
        if self.linger_until_ms.is_some_and(|until| until <= now_ms) && self.clients.is_empty() {
            return Err(CloseReason::ForcedClose.into());
        }
        if let Link::WebSocket(websocket) = &self.link
            && websocket.partial_until_ms().is_some_and(|until| until <= now_ms)
        {
            return Err(Ending::TooSlow);
        }
        if let Some(bare) = &mut self.bare {
            bare.on_timer(Timestamp(now_ms))?;
            self.on_probe_deadline(now_ms);
            return Ok(());
        }
        self.look_at_tokens()?;
        self.on_probe_deadline(now_ms);
        if self.is_backlog_full() {
            // Nobody can be blamed for a silence that comes from our not listening.
            self.session.excuse_silence(Timestamp(now_ms));
            self.excuse_recoveries();
        }
        if let Some(TimerAction::SendPing) = self.session.on_timer(Timestamp(now_ms))? {
            self.seat.send(Frame::text("2"));
            self.confirm_recoveries();
        }
        Ok(())
    }

    /// Arms the one deadline of the connection for the first of everything that may come due.
    fn arm(&mut self) {
        let token_ms = self.clients.iter().map(|client| client.times.next_ms()).min();
        let expires_ms = self.first_expiry_ms();
        if expires_ms != self.expires_ms {
            self.expires_ms = expires_ms;
            self.seat.shard().expire_at(self.seat.key, expires_ms);
        }
        let partial_ms = match &self.link {
            Link::Polling(_) => None,
            Link::WebSocket(websocket) => websocket.partial_until_ms(),
        };
        let linger_ms = self.linger_until_ms.filter(|_| self.clients.is_empty());
        let heartbeat = self.bare.as_ref().map_or_else(|| self.session.deadline(), |bare| bare.deadline());
        let others = [linger_ms, self.probe_deadline_ms(), token_ms, partial_ms];
        let first = others.into_iter().flatten().fold(heartbeat.0, u64::min);
        // A deadline that is armed too early is looked at in vain once; arming it anew each time would cost more.
        if first < self.armed_ms {
            self.armed_ms = first;
            self.seat.shard().arm(self.seat.key, first);
        }
    }
}
