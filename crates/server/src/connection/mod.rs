//! The life of one connection: a task with one loop over everything that can happen to it.

mod ending;
mod incoming;
mod polling;
mod probe;
mod websocket;

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use roomkey_hub::{ConnectionKey, Frame, Notice, Shard, Wire};
use roomkey_model::Timestamp;
use roomkey_protocol::{
    engine::query::Transport,
    session::{CloseReason, Session, TimerAction},
    upgrade::Upgrade,
};
use smallvec::SmallVec;

pub(crate) use self::websocket::WebSocket;
use self::{
    ending::Ending,
    incoming::{Client, Done},
    polling::Polling,
    probe::Probe,
};
use crate::{
    Handshake,
    context::Context,
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
    key: ConnectionKey,
    sid: Sid,
    entry: Arc<Entry>,
    mailbox: Arc<Mailbox>,
    handshake: Arc<Handshake>,
    session: Session,
    link: Link,
    upgrade: Upgrade,
    probe: Option<Box<Probe>>,
    /// The client's sockets: those being admitted, and those that are in.
    clients: SmallVec<[Client; 1]>,
    /// Handlers that did not finish at once.
    work: Option<Box<FuturesUnordered<BoxFuture<'static, Done>>>>,
    /// Until the client has authenticated.
    newcomer: Option<Newcomer>,
    auth_failures: u32,
    /// After a refusal: when to close, unless the client gets in after all.
    linger_until_ms: Option<u64>,
    armed_ms: u64,
    is_draining: bool,
}

impl Connection {
    /// A session that begins on `wire`, on the current shard. Its first packet has yet to be sent.
    pub(crate) fn open(
        context: &Arc<Context>,
        shard: &Shard,
        handshake: Handshake,
        sid: Sid,
        newcomer: Newcomer,
        websocket: Option<WebSocket>,
    ) -> Self {
        let transport = if websocket.is_some() { Transport::Websocket } else { Transport::Polling };
        let mailbox = Arc::new(Mailbox::default());
        let entry = Arc::new(Entry::new(mailbox.clone(), transport, handshake.header("origin")));
        context.registry.insert(sid.clone(), entry.clone());
        context.metrics.sessions_opened.increment();
        let wire = match &websocket {
            Some(websocket) => Wire::WebSocket(websocket.stream().clone()),
            None => Wire::Polling,
        };
        let now = Timestamp(context.node.hub().now_ms());
        Self {
            key: shard.insert(mailbox.clone(), wire),
            sid,
            entry,
            mailbox,
            handshake: Arc::new(handshake),
            session: Session::new(context.session.clone(), now),
            link: websocket.map_or_else(Link::default, Link::WebSocket),
            upgrade: Upgrade::new(transport),
            probe: None,
            clients: SmallVec::new(),
            work: None,
            newcomer: Some(newcomer),
            auth_failures: 0,
            linger_until_ms: None,
            armed_ms: u64::MAX,
            is_draining: false,
            context: context.clone(),
        }
    }

    /// Runs the connection to its end.
    pub(crate) async fn run(mut self) {
        self.arm();
        let ending = poll_fn(|cx| self.poll(cx)).await;
        // Boxed, so that its buffers are no part of every idle connection.
        Box::pin(self.end(ending)).await;
    }

    fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<Ending> {
        loop {
            let step = if let Poll::Ready(letter) = self.mailbox.poll_next(cx) {
                self.on_letter(letter, cx)
            } else if let Poll::Ready(done) = self.poll_work(cx) {
                self.on_done(done, cx)
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
            if self.is_draining && self.work.is_none() {
                return Poll::Ready(Ending::Shutdown);
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

    /// Whether so many events are being handled that no more are read.
    fn is_busy(&self) -> bool {
        self.is_draining
            || self
                .work
                .as_ref()
                .is_some_and(|work| work.len() >= self.context.limits.events_in_flight_per_socket)
    }

    fn poll_link(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Ending>> {
        match &mut self.link {
            Link::Polling(_) => Poll::Pending,
            Link::WebSocket(_) => self.poll_websocket(cx),
        }
    }

    fn on_letter(&mut self, letter: Letter, cx: &mut TaskContext<'_>) -> Result<(), Ending> {
        match letter {
            Letter::Aborted => Err(CloseReason::TransportClose.into()),
            Letter::Notice(notice) => self.on_notice(notice),
            Letter::Overlap => Err(CloseReason::TransportError.into()),
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

    fn on_deadline(&mut self) -> Result<(), Ending> {
        let now_ms = self.now_ms();
        if self.linger_until_ms.is_some_and(|until| until <= now_ms) {
            return Err(CloseReason::ForcedClose.into());
        }
        if let Link::WebSocket(websocket) = &self.link
            && websocket.partial_until_ms().is_some_and(|until| until <= now_ms)
        {
            return Err(CloseReason::TransportError.into());
        }
        self.expire_tokens()?;
        self.on_probe_deadline(now_ms);
        if let Some(TimerAction::SendPing) = self.session.on_timer(Timestamp(now_ms))? {
            self.send(Frame::text("2"));
        }
        Ok(())
    }

    /// Arms the one deadline of the connection for the first of everything that may come due.
    fn arm(&mut self) {
        let expiry_ms = self.clients.iter().filter_map(|client| client.expires_ms).min();
        let partial_ms = match &self.link {
            Link::Polling(_) => None,
            Link::WebSocket(websocket) => websocket.partial_until_ms(),
        };
        let others = [self.linger_until_ms, self.probe_deadline_ms(), expiry_ms, partial_ms];
        let first = others.into_iter().flatten().fold(self.session.deadline().0, u64::min);
        // A deadline that is armed too early is looked at in vain once; arming it anew each time would cost more.
        if first < self.armed_ms {
            self.armed_ms = first;
            self.shard().arm(self.key, first);
        }
    }

    fn send(&self, frame: Frame) {
        self.context.node.hub().send(self.key, frame, false);
    }

    fn shard(&self) -> &Shard {
        self.context.node.hub().shard_of(self.key)
    }

    fn now_ms(&self) -> u64 {
        self.context.node.hub().now_ms()
    }
}
