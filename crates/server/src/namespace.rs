use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use futures_util::{FutureExt, future::BoxFuture};
use roomkey_model::{ErrorCode, Failure, RoomName};
use roomkey_protocol::{
    session::DisconnectReason,
    socket::{Encoded, Payload},
};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::{Authentication, IntoAck, Socket};

/// What happens in a namespace: who is let in, and what is done about each event.
///
/// Handlers of one socket are started in the order its events arrive, and each runs up to its first `await` before
/// the next is started.
pub struct Namespace {
    pub(crate) authentication: Authentication,
    admissions: Vec<Admission>,
    room_check: Option<RoomCheck>,
    connected: Option<Listener<()>>,
    disconnected: Option<Listener<DisconnectReason>>,
    refreshed: Option<Listener<()>>,
    event_checks: Vec<EventCheck>,
    handlers: HashMap<Box<str>, Handler>,
    fallback: Option<Handler>,
}

type Admission = Box<dyn Fn(Socket) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;
type RoomCheck = Box<dyn Fn(Socket, RoomName) -> BoxFuture<'static, bool> + Send + Sync>;
type Listener<T> = Box<dyn Fn(Socket, T) -> BoxFuture<'static, ()> + Send + Sync>;
type EventCheck = Box<dyn Fn(&Event) -> Result<(), Failure> + Send + Sync>;
type Handler = Box<dyn Fn(Event) -> BoxFuture<'static, Option<Encoded>> + Send + Sync>;

/// An event as it came from a client.
#[derive(Debug)]
pub struct Event {
    /// Who sent it.
    pub socket: Socket,
    /// Its name.
    pub name: Box<str>,
    /// The id of the ack the client wants.
    pub id: Option<u64>,
    /// Its arguments.
    pub args: Payload,
}

impl Namespace {
    /// A namespace that lets in clients with a valid token.
    pub fn new(authentication: impl Into<Authentication>) -> Self {
        Self {
            authentication: authentication.into(),
            admissions: Vec::new(),
            room_check: None,
            connected: None,
            disconnected: None,
            refreshed: None,
            event_checks: Vec::new(),
            handlers: HashMap::new(),
            fallback: None,
        }
    }

    /// A namespace that lets in everybody, unseen.
    pub fn open() -> Self {
        Self::new(Authentication::Open)
    }

    /// Adds a check that runs after authentication and before the client is let in. Several run in the order added.
    ///
    /// It may join rooms. What is then emitted to them, and what is emitted to the socket itself, the client receives once
    /// it is in, in order; if it is refused, never.
    #[must_use]
    pub fn middleware<F, R>(mut self, check: F) -> Self
    where
        F: Fn(Socket) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        self.admissions.push(Box::new(move |socket| check(socket).boxed()));
        self
    }

    /// Decides which rooms a client may be in that is, or was, in them already. Asked for each room when a client comes
    /// back (see [`crate::Recovery`]), after the middleware, and when a client shows a newer token with other roles or scopes:
    /// it then leaves the rooms that it may not be in any more, and is sent `room:evicted {room}` for each. Without
    /// this check it stays in all of them.
    #[must_use]
    pub fn room_check<F, R>(mut self, check: F) -> Self
    where
        F: Fn(Socket, RoomName) -> R + Send + Sync + 'static,
        R: Future<Output = bool> + Send + 'static,
    {
        self.room_check = Some(Box::new(move |socket, room| check(socket, room).boxed()));
        self
    }

    /// What to do once a client is in.
    #[must_use]
    pub fn on_connect<F, R>(mut self, listener: F) -> Self
    where
        F: Fn(Socket) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.connected = Some(Box::new(move |socket, ()| listener(socket).boxed()));
        self
    }

    /// What to do once a client is gone.
    #[must_use]
    pub fn on_disconnect<F, R>(mut self, listener: F) -> Self
    where
        F: Fn(Socket, DisconnectReason) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.disconnected = Some(Box::new(move |socket, reason| listener(socket, reason).boxed()));
        self
    }

    /// What to do once a client has shown a newer token (`auth:refresh`): [`Socket::identity`] is what it says.
    #[must_use]
    pub fn on_refresh<F, R>(mut self, listener: F) -> Self
    where
        F: Fn(Socket) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.refreshed = Some(Box::new(move |socket, ()| listener(socket).boxed()));
        self
    }

    /// Adds a check that every event must pass before it is handled. A failure is the ack, and nothing else happens.
    /// Several run in the order added.
    #[must_use]
    pub fn check_events<F>(mut self, check: F) -> Self
    where
        F: Fn(&Event) -> Result<(), Failure> + Send + Sync + 'static,
    {
        self.event_checks.push(Box::new(check));
        self
    }

    /// What to do about an event. `A` is a tuple of the arguments' types, such as `(RoomName, u32)`, or a `Vec`;
    /// arguments of other types or number are refused with `BAD_PAYLOAD`.
    #[must_use]
    pub fn on<A, F, R, T>(mut self, event: &str, handler: F) -> Self
    where
        A: DeserializeOwned + Send + 'static,
        F: Fn(Socket, A) -> R + Send + Sync + 'static,
        R: Future<Output = T> + Send + 'static,
        T: IntoAck + 'static,
    {
        let handler = Arc::new(handler);
        let handler = move |event: Event| {
            let handler = handler.clone();
            async move {
                match event.args.deserialize::<A>() {
                    Ok(args) => answer(event.id, &event.socket.clone(), handler(event.socket, args).await),
                    Err(error) => {
                        let failure = Failure::bad_payload(format!("{}: {error}", event.name));
                        answer(event.id, &event.socket, failure)
                    }
                }
            }
            .boxed()
        };
        self.handlers.insert(event.into(), Box::new(handler));
        self
    }

    /// What to do about every event without a handler of its own. `None` is no answer at all.
    #[must_use]
    pub fn on_any<F, R, T>(mut self, handler: F) -> Self
    where
        F: Fn(Event) -> R + Send + Sync + 'static,
        R: Future<Output = Option<T>> + Send + 'static,
        T: IntoAck + 'static,
    {
        let handler = Arc::new(handler);
        self.fallback = Some(Box::new(move |event| {
            let handler = handler.clone();
            async move {
                let (id, socket) = (event.id, event.socket.clone());
                let outcome = handler(event).await?;
                answer(id, &socket, outcome)
            }
            .boxed()
        }));
        self
    }

    fn check(&self, event: &Event) -> Result<(), Failure> {
        let check = || self.event_checks.iter().try_for_each(|check| check(event));
        catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|_| Err(event.socket.panicked()))
    }

    /// Runs the middleware, and returns which of the rooms that the client was in before it may be in again.
    pub(crate) fn admit(
        self: &Arc<Self>,
        socket: Socket,
        rooms: Vec<RoomName>,
    ) -> BoxFuture<'static, Result<Vec<RoomName>, Failure>> {
        let (namespace, candidate) = (self.clone(), socket.clone());
        let admission = async move {
            for check in &namespace.admissions {
                check(socket.clone()).await?;
            }
            let Some(room_check) = &namespace.room_check else { return Ok(rooms) };
            let mut readmitted = Vec::new();
            for room in rooms {
                if room_check(socket.clone(), room.clone()).await {
                    readmitted.push(room);
                }
            }
            Ok(readmitted)
        };
        let guarded = AssertUnwindSafe(admission).catch_unwind();
        guarded.map(move |outcome| outcome.unwrap_or_else(|_| Err(candidate.panicked()))).boxed()
    }

    /// Settles what follows from a newer token. A check that panics has not allowed anything.
    pub(crate) fn renewed(
        self: &Arc<Self>,
        socket: Socket,
        has_other_rights: bool,
    ) -> BoxFuture<'static, ()> {
        let namespace = self.clone();
        async move {
            if let Some(listener) = &namespace.refreshed {
                guard(socket.clone(), |socket| listener(socket, ())).await;
            }
            let Some(room_check) = namespace.room_check.as_ref().filter(|_| has_other_rights) else { return };
            let mut lost = Vec::new();
            for room in socket.rooms() {
                let check = async { room_check(socket.clone(), room.clone()).await };
                let may_stay = AssertUnwindSafe(check).catch_unwind().await.unwrap_or_else(|_| {
                    socket.panicked();
                    false
                });
                if !may_stay {
                    lost.push(room);
                }
            }
            for room in &lost {
                socket.leave(room);
            }
            for room in &lost {
                if let Err(error) = socket.emit("room:evicted", &(json!({ "room": room }),)) {
                    tracing::error!(%error, "an eviction cannot be told");
                }
            }
        }
        .boxed()
    }

    pub(crate) fn connected(&self, socket: Socket) -> Option<BoxFuture<'static, ()>> {
        self.connected.as_ref().map(|listener| guard(socket, |socket| listener(socket, ())))
    }

    pub(crate) fn disconnected(
        &self,
        socket: Socket,
        reason: DisconnectReason,
    ) -> Option<BoxFuture<'static, ()>> {
        self.disconnected.as_ref().map(|listener| guard(socket, |socket| listener(socket, reason)))
    }

    /// The handling of an event, up to its encoded ack; `None` where nobody handles it.
    pub(crate) fn handle(&self, event: Event) -> Option<BoxFuture<'static, Option<Encoded>>> {
        let handler = self.handlers.get(&event.name).or(self.fallback.as_ref())?;
        let (id, socket) = (event.id, event.socket.clone());
        if let Err(failure) = self.check(&event) {
            return Some(std::future::ready(answer(id, &socket, failure)).boxed());
        }
        let guarded = AssertUnwindSafe(handler(event)).catch_unwind();
        Some(
            guarded
                .map(move |outcome| outcome.unwrap_or_else(|_| answer(id, &socket, socket.panicked())))
                .boxed(),
        )
    }
}

/// A panic ends the listener, not the connection; the panic hook has logged it.
fn guard(socket: Socket, listen: impl FnOnce(Socket) -> BoxFuture<'static, ()>) -> BoxFuture<'static, ()> {
    let listener = socket.clone();
    let listening = catch_unwind(AssertUnwindSafe(|| listen(listener)));
    let guarded = async { AssertUnwindSafe(listening?).catch_unwind().await };
    guarded.map(move |outcome| outcome.unwrap_or_else(|_| drop(socket.panicked()))).boxed()
}

/// The encoded ack, if the client wants one.
pub(crate) fn answer(id: Option<u64>, socket: &Socket, outcome: impl IntoAck) -> Option<Encoded> {
    let id = id?;
    match outcome.into_ack(socket.namespace(), id) {
        Ok(encoded) => Some(encoded),
        Err(error) => {
            tracing::error!(%error, "an ack cannot be encoded");
            Failure::new(ErrorCode::Internal).into_ack(socket.namespace(), id).ok()
        }
    }
}
