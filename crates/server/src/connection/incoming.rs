//! What the client's Socket.IO packets do.

use std::{
    sync::Arc,
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture};
use roomkey_auth::Identity;
use roomkey_hub::{Frame, RoomKey, SocketKey};
use roomkey_model::{ErrorCode, Failure, Limit, Retry, RoomName, SocketId};
use roomkey_protocol::{
    session::{CloseReason, DisconnectReason, Incoming},
    socket::{Encoded, encode_connect, encode_connect_error, encode_disconnect},
};
use tokio::time::{Instant, timeout};

use super::{
    Connection, Ending,
    recovery::{Origin, Recoverability, ceded},
    token::{self, Refreshes, TokenTimes},
};
use crate::{
    Authentication, Namespace, Socket,
    audit::Event as Decision,
    namespace::{Event, answer},
    recovery::Pid,
    socket::NewSocket,
};

/// How long a refused client may stay, to try again on the same connection.
const LINGER_MS: u64 = 1000;

/// How long handlers may go on whose client is gone.
const WORK_GRACE: Duration = Duration::from_secs(30);

/// The client in one namespace.
pub(super) struct Client {
    namespace: Arc<Namespace>,
    pub(super) socket: Socket,
    pub(super) times: TokenTimes,
    /// `None` while its first token is the only one.
    pub(super) refreshes: Option<Box<Refreshes>>,
    /// `None` where nothing is recovered.
    pub(super) recoverability: Option<Box<Recoverability>>,
}

/// What came of something that took time.
pub(super) enum Done {
    /// The token was looked at.
    Authenticated {
        name: Arc<str>,
        namespace: Arc<Namespace>,
        auth: Option<Box<str>>,
        outcome: Result<Option<Arc<Identity>>, Failure>,
    },
    /// The middleware has decided, also on the rooms that the client was in before.
    Admission { socket: Socket, outcome: Result<Vec<RoomName>, Failure> },
    /// The client's other connection has ended, or does not listen.
    Ceded(Joining),
    /// A client that is in has shown another token.
    Reauthenticated { socket: Socket, id: Option<u64>, outcome: Result<Arc<Identity>, Failure> },
    /// A handler has finished, and this is its ack.
    Handled { socket: Socket, ack: Option<Encoded>, received: Instant },
    /// A token was refused, and it is time to say so.
    Refused { name: Arc<str>, failure: Failure },
}

impl Client {
    pub(super) fn namespace(&self) -> Arc<Namespace> {
        self.namespace.clone()
    }

    pub(super) fn authentication(&self) -> &Authentication {
        &self.namespace.authentication
    }

    pub(super) fn has_token(&self) -> bool {
        matches!(self.authentication(), Authentication::Token(_))
    }
}

/// A client that has shown a token, if one was asked for.
pub(super) struct Joining {
    name: Arc<str>,
    namespace: Arc<Namespace>,
    auth: Option<Box<str>>,
    identity: Option<Arc<Identity>>,
}

impl Connection {
    pub(super) fn on_incoming(&mut self, incoming: Incoming, cx: &mut TaskContext<'_>) -> Result<(), Ending> {
        match incoming {
            Incoming::Connect { namespace, auth } => self.on_connect(&namespace, auth, cx),
            Incoming::Disconnect { namespace } => {
                self.drop_client(&namespace, DisconnectReason::ClientNamespaceDisconnect);
                Ok(())
            }
            Incoming::Event { namespace, id, name, args } => {
                let received = Instant::now();
                self.context.metrics.events_received.increment();
                let Some(client) = self.client(&namespace) else { return Ok(()) };
                let socket = client.socket.clone();
                if &*name == token::REFRESH && client.has_token() {
                    return self.on_refresh(&socket, id, &args, cx);
                }
                let event = Event { socket: socket.clone(), name, id, args };
                let Some(handling) = self.handle(client, event) else { return Ok(()) };
                self.start_handling(socket, handling, received, cx)
            }
            Incoming::Ack { namespace, id, args } => {
                let client = self.client(&namespace);
                if !client.is_some_and(|client| client.socket.resolve_ack(id, args)) {
                    self.context.metrics.acks_ignored.increment();
                }
                Ok(())
            }
            Incoming::Ping => {
                self.seat.send(Frame::text("3"));
                Ok(())
            }
        }
    }

    /// The handling of an event, up to its encoded ack. A name that nobody can mean is refused.
    fn handle(&self, client: &Client, event: Event) -> Option<BoxFuture<'static, Option<Encoded>>> {
        let bytes_max = self.context.limits.event_name_bytes;
        let failure = if event.name.len() > bytes_max {
            self.context.metrics.limit_reached(Limit::EventName);
            Failure::bad_payload(format!("The name of the event must be at most {bytes_max} bytes long"))
        } else if event.name.chars().any(char::is_control) {
            Failure::bad_payload("The name of the event must not contain control characters")
        } else {
            return client.namespace.handle(event);
        };
        Some(std::future::ready(answer(event.id, &event.socket, failure)).boxed())
    }

    /// Runs a handler up to where it first waits. One that does not wait costs no more than its own box.
    fn start_handling(
        &mut self,
        socket: Socket,
        mut handling: BoxFuture<'static, Option<Encoded>>,
        received: Instant,
        cx: &mut TaskContext<'_>,
    ) -> Result<(), Ending> {
        match handling.as_mut().poll(cx) {
            Poll::Ready(ack) => self.on_done(Done::Handled { socket, ack, received }, cx),
            Poll::Pending => {
                let done = handling.map(move |ack| Done::Handled { socket, ack, received }).boxed();
                self.work.get_or_insert_default().push(done);
                Ok(())
            }
        }
    }

    fn on_connect(
        &mut self,
        name: &str,
        auth: Option<Box<str>>,
        cx: &mut TaskContext<'_>,
    ) -> Result<(), Ending> {
        let Some((name, namespace)) = self.context.namespaces.find(name) else {
            self.session.reject(name);
            let refusal = encode_connect_error(name, "Invalid namespace", None::<&()>);
            self.seat.send(Frame::text(&refusal.expect("text always serializes")));
            self.linger();
            return Ok(());
        };
        let (context, handshake) = (self.context.clone(), self.handshake.clone());
        let authenticated = async move {
            let authentication = &namespace.authentication;
            let outcome = authentication.authenticate(&context, &handshake, auth.as_deref()).await;
            Done::Authenticated { name, namespace, auth, outcome }
        };
        self.start(authenticated.boxed(), cx)
    }

    fn join(&mut self, joining: Joining, may_wait: bool, cx: &mut TaskContext<'_>) -> Result<(), Ending> {
        let Joining { name, namespace, auth, identity } = joining;
        let known = self.clients.iter().filter_map(|client| client.socket.user());
        if known.zip(identity.as_ref()).any(|(user, identity)| user != identity.user) {
            self.record(Decision::PrincipalMismatch, identity.as_deref(), None);
            return self.refuse(&name, &ErrorCode::PrincipalMismatch.into());
        }
        let returning = match self.origin(&name, identity.as_deref(), auth.as_deref()) {
            Origin::Known(returning) => Some(returning),
            Origin::Elsewhere(by) if may_wait => {
                let joining = Joining { name, namespace, auth, identity };
                return self.start(ceded(by).map(|()| Done::Ceded(joining)).boxed(), cx);
            }
            Origin::Elsewhere(_) | Origin::New => None,
        };
        let (now, now_ms) = (self.context.clock.now(), self.seat.now_ms());
        let times = TokenTimes::new(identity.as_deref(), self.context.expiry_warning_ms, now, now_ms);
        let key = self.seat.shard().open_socket(self.seat.key, &name);
        self.seat.shard().hold(&key);
        let socket = Socket::new(NewSocket {
            id: match &returning {
                Some(returning) => returning.parked.id,
                None => SocketId::generate(&*self.context.entropy),
            },
            key: key.clone(),
            before: returning.as_ref().map(|returning| returning.parked.socket.clone()),
            context: self.context.clone(),
            handshake: self.handshake.clone(),
            auth: if identity.is_none() { Some(auth.unwrap_or_else(|| "{}".into())) } else { None },
            identity,
        });
        let rooms = returning.as_ref().map(|returning| returning.rooms.clone()).unwrap_or_default();
        let recoverability = self.recoverability(&key, returning);
        let admission = namespace.admit(socket.clone(), rooms);
        self.clients.push(Client {
            namespace,
            socket: socket.clone(),
            times,
            refreshes: None,
            recoverability,
        });
        if let Err(reason) = self.context.live_tokens.register(&socket) {
            return self.on_revoked(socket.key(), reason);
        }
        self.start(admission.map(|outcome| Done::Admission { socket, outcome }).boxed(), cx)
    }

    pub(super) fn on_done(&mut self, done: Done, cx: &mut TaskContext<'_>) -> Result<(), Ending> {
        match done {
            Done::Handled { socket, ack, received } => {
                self.context.metrics.event_times.observe(self.seat.shard().index(), received);
                if let Some(ack) = ack
                    && self
                        .client(socket.namespace())
                        .is_some_and(|client| client.socket.key() == socket.key())
                {
                    self.seat.send(Frame::new(&ack.text, &ack.attachments));
                }
                Ok(())
            }
            Done::Authenticated { name, namespace, auth, outcome } => match outcome {
                Ok(identity) => self.join(Joining { name, namespace, auth, identity }, true, cx),
                Err(failure) => self.refuse_token(name, failure, cx),
            },
            Done::Reauthenticated { socket, id, outcome } => self.on_reauthenticated(socket, id, outcome, cx),
            Done::Refused { name, failure } => self.refuse(&name, &failure),
            Done::Ceded(joining) => self.join(joining, false, cx),
            Done::Admission { socket, outcome } => {
                let name = socket.namespace().clone();
                if self.client(&name).is_none_or(|client| client.socket.key() != socket.key()) {
                    return Ok(());
                }
                match outcome {
                    Ok(rooms) => {
                        if let Some(client) = self.client_mut(&name)
                            && let Some(Recoverability::Returning { returning, .. }) =
                                client.recoverability.as_deref_mut()
                        {
                            returning.rooms = rooms;
                        }
                        self.accept(&socket, cx)
                    }
                    Err(failure) => {
                        self.forget_client(&name, DisconnectReason::ServerNamespaceDisconnect);
                        self.refuse(&name, &failure)
                    }
                }
            }
        }
    }

    fn accept(&mut self, socket: &Socket, cx: &mut TaskContext<'_>) -> Result<(), Ending> {
        let name = socket.namespace();
        if !self.session.accept(name) {
            return Ok(());
        }
        self.context.metrics.connects_accepted.increment();
        self.linger_until_ms = None;
        self.seat.welcome();
        self.enter_user(socket);
        if let Some(identity) = socket.identity().filter(|_| self.context.audit.records_connects) {
            self.record(Decision::LoginSucceeded, Some(&identity), Some("token"));
        }
        let everyone = RoomKey::everyone(name);
        if let Err(error) = self.context.node.hub().join(socket.key(), &everyone) {
            tracing::error!(%error, "a socket has no place in its namespace");
        }
        let pid = self.settle_in(socket)?;
        let pid = pid.as_ref().map(Pid::as_str);
        // Many clients drop what comes before it.
        let connect = Frame::text(&encode_connect(name, socket.id().as_str(), pid));
        self.seat.shard().welcome(socket.key(), connect);
        let connected = self.client(name).and_then(|client| client.namespace.connected(socket.clone()));
        if let Some(mut connected) = connected
            && connected.as_mut().poll(cx).is_pending()
        {
            // What it emits at once comes first; however long it then takes, nobody waits for it.
            tokio::spawn(connected);
        }
        Ok(())
    }

    /// Sends the refusal and gives the client a little time to come with something better.
    ///
    /// A stock client does not come back after a refusal. So where it should, the connection is closed instead.
    pub(super) fn refuse(&mut self, namespace: &str, failure: &Failure) -> Result<(), Ending> {
        self.context.metrics.connects_refused.increment();
        if let Some(limit) = failure.limit {
            self.context.metrics.limit_reached(limit);
        }
        if let Retry::AfterMs(_) = failure.retry {
            return Err(Ending::Unavailable);
        }
        self.session.reject(namespace);
        let refusal = encode_connect_error(namespace, &failure.message, Some(&failure.data()));
        self.seat.send(Frame::text(&refusal.expect("text always serializes")));
        self.linger();
        self.auth_failures += 1;
        if self.auth_failures >= self.context.limits.auth_failures_per_connection {
            self.context.metrics.limit_reached(Limit::AuthFailures);
            self.record(Decision::LoginFailedMax, None, Some(Limit::AuthFailures.name()));
            return Err(CloseReason::ForcedClose.into());
        }
        Ok(())
    }

    fn linger(&mut self) {
        if self.clients.is_empty() {
            self.linger_until_ms = Some(self.seat.now_ms() + LINGER_MS);
        }
    }

    /// Ends this socket, unless it has ended.
    pub(super) fn on_disconnect_socket(&mut self, socket: &SocketKey, close: bool) -> Result<(), Ending> {
        match self.client(socket.namespace()).is_some_and(|client| client.socket.key() == socket) {
            true => self.on_server_disconnect(socket.namespace(), close),
            false => Ok(()),
        }
    }

    /// The server ends a namespace, and with `close` the connection. A client that is still being admitted is
    /// refused instead.
    pub(super) fn on_server_disconnect(&mut self, namespace: &str, close: bool) -> Result<(), Ending> {
        if self.session.disconnect(namespace) {
            self.seat.send(Frame::text(&encode_disconnect(namespace)));
        } else if self.client(namespace).is_some() {
            self.forget_client(namespace, DisconnectReason::ServerNamespaceDisconnect);
            self.refuse(namespace, &Failure::forbidden())?;
        }
        if !close {
            self.drop_client(namespace, DisconnectReason::ServerNamespaceDisconnect);
            return Ok(());
        }
        while let Some(client) = self.clients.first() {
            let namespace = client.socket.namespace().clone();
            if self.session.disconnect(&namespace) {
                self.seat.send(Frame::text(&encode_disconnect(&namespace)));
            }
            self.drop_client(&namespace, DisconnectReason::ForcedServerClose);
        }
        Err(CloseReason::ForcedClose.into())
    }

    pub(super) fn client_mut(&mut self, namespace: &str) -> Option<&mut Client> {
        self.clients.iter_mut().find(|client| **client.socket.namespace() == *namespace)
    }

    /// The client of this very socket, if it is still there.
    pub(super) fn client_of(&self, socket: &Socket) -> Option<&Client> {
        self.client(socket.namespace()).filter(|client| client.socket.key() == socket.key())
    }

    pub(super) fn client(&self, namespace: &str) -> Option<&Client> {
        self.clients.iter().find(|client| **client.socket.namespace() == *namespace)
    }

    /// Lets handlers finish whose client is gone, and starts those of events that it sent before it went.
    pub(super) fn let_work_finish(&mut self) {
        for incoming in self.take_backlog() {
            if let Incoming::Event { namespace, id, name, args } = incoming
                && let Some(client) = self.client(&namespace)
            {
                let socket = client.socket.clone();
                let event = Event { socket: socket.clone(), name, id, args };
                let received = Instant::now();
                let handling = self.handle(client, event);
                let done = handling
                    .map(|handling| handling.map(move |ack| Done::Handled { socket, ack, received }).boxed());
                self.work.get_or_insert_default().extend(done);
            }
        }
        if let Some(work) = self.work.take() {
            tokio::spawn(timeout(WORK_GRACE, work.for_each(async |_| ())));
        }
    }

    /// Takes the client out of a namespace and tells the application.
    pub(super) fn drop_client(&mut self, namespace: &str, reason: DisconnectReason) {
        if let Some(client) = self.forget_client(namespace, reason)
            && let Some(disconnected) = client.namespace.disconnected(client.socket, reason)
        {
            tokio::spawn(disconnected);
        }
    }

    pub(super) fn forget_client(&mut self, namespace: &str, reason: DisconnectReason) -> Option<Client> {
        let index = self.clients.iter().position(|client| **client.socket.namespace() == *namespace)?;
        let mut client = self.clients.remove(index);
        self.keep(&mut client, reason);
        self.seat.shard().close_socket(client.socket.key());
        // No broadcast can count on its answer any more, so that this finds all that do.
        client.socket.close();
        Some(client)
    }
}
