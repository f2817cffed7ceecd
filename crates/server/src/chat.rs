//! The chat as a namespace.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use roomkey_chat::{Ack, Caller, Chat, Reply, SocketsOf};
use roomkey_model::{ErrorCode, Failure};
use roomkey_protocol::socket::{EncodeError, Encoded, encode_ack_raw};
use serde_json::json;

use crate::{
    IntoAck, Namespace, Socket, TokenAuthentication, backends::Handlers, namespace::Event,
    revocation::LiveTokens,
};

/// How often the chat is told that time has passed.
const TICK: Duration = Duration::from_millis(250);

/// The namespace whose events are the chat's.
pub(crate) fn namespace(
    chat: &Arc<Chat>,
    authentication: &Arc<TokenAuthentication>,
    handlers: Arc<Handlers>,
) -> Namespace {
    let (arrivals, entries, exits, events) = (chat.clone(), chat.clone(), chat.clone(), chat.clone());
    let (returning, renewing) = (chat.clone(), chat.clone());
    Namespace::new(authentication.clone())
        .middleware(move |socket| arrive(arrivals.clone(), socket))
        // By now the socket is in every channel that it may hear, and in no room that a newer token may not hear.
        .room_check(move |socket, room| {
            let may_return =
                || socket.identity().is_some_and(|identity| returning.may_return(&identity, &room));
            std::future::ready(socket.is_in(&room) || may_return())
        })
        .on_connect(move |socket| {
            if let Some(caller) = caller(&socket) {
                entries.arrived(&caller);
            }
            async {}
        })
        .on_disconnect(move |socket, _| {
            if let Some(caller) = caller(&socket) {
                exits.disconnected(&caller);
            }
            async {}
        })
        .on_refresh(move |socket| renew(renewing.clone(), socket))
        .on_any(move |event| {
            let reply = handle(&events, &handlers, &event);
            async move {
                let ack = reply?.ack().await;
                complain(&event, &ack);
                Some(ack)
            }
        })
}

async fn arrive(chat: Arc<Chat>, socket: Socket) -> Result<(), Failure> {
    let identity = socket.identity().ok_or(ErrorCode::TokenMissing)?;
    let caller = Arc::new(Caller::new(identity, socket.key().clone()));
    socket.extensions(|extensions| extensions.insert(caller.clone()));
    chat.connected(&caller).await
}

/// What the token says now counts for the events to come, and for what the socket hears.
async fn renew(chat: Arc<Chat>, socket: Socket) {
    let Some(identity) = socket.identity() else { return };
    let before = socket.extensions(|extensions| {
        let caller = extensions.get_mut::<Arc<Caller>>()?;
        let newer = Arc::new(caller.renewed(identity.clone()));
        Some(std::mem::replace(caller, newer))
    });
    if !before.is_some_and(|before| before.identity.has_rights_of(&identity)) {
        chat.recheck(&identity, socket.key()).await;
    }
}

/// The live sockets of a user in the chat's namespace, as the chat asks for them.
pub(crate) fn sockets_of(live_tokens: Arc<LiveTokens>, namespace: &'static str) -> SocketsOf {
    Box::new(move |user| {
        let sockets = live_tokens.sockets().of_user(user);
        let of_chat = sockets.iter().filter(|socket| **socket.namespace() == *namespace);
        of_chat.filter_map(|socket| Some((socket.key().clone(), socket.identity()?))).collect()
    })
}

/// The ordered part of handling happens here, before anything is awaited.
fn handle(chat: &Chat, handlers: &Handlers, event: &Event) -> Option<Reply> {
    let caller = caller(&event.socket)?;
    let reply = chat.handle(&caller, &event.name, event.args.json());
    Some(
        reply
            .or_else(|| ask(handlers, &caller, event))
            .unwrap_or_else(|| refuse(Failure::with_message(ErrorCode::NotFound, "There is no such event"))),
    )
}

/// Who a socket is, once it has arrived.
fn caller(socket: &Socket) -> Option<Arc<Caller>> {
    socket.extensions(|extensions| extensions.get::<Arc<Caller>>().cloned())
}

/// Lets the chat's time pass, for as long as it is polled.
pub(crate) async fn keep_time(chat: &Chat) {
    let mut was_told = false;
    loop {
        tokio::time::sleep(TICK).await;
        let ticked = chat.tick().await;
        if let (Err(failure), false) = (&ticked, was_told) {
            tracing::warn!(error = %failure.message, "who comes and goes cannot be told; it is tried again");
        }
        was_told = ticked.is_err();
    }
}

/// The answer of the backend that handles the event, if one does.
fn ask(handlers: &Handlers, caller: &Caller, event: &Event) -> Option<Reply> {
    let asked = handlers.ask(&caller.identity, &event.name, &event.args)?;
    let reply = asked.map(|answer| async move {
        let outcome = answer.await.unwrap_or_else(|_| Err(ErrorCode::BackendFailed.into()));
        Ack::new(outcome)
    });
    Some(reply.map_or_else(refuse, |ack| Reply::Later(ack.boxed())))
}

fn refuse(failure: Failure) -> Reply {
    Reply::Now(Ack::new(Err::<(), _>(failure)))
}

const BACKEND_FAILURES: [ErrorCode; 2] = [ErrorCode::BackendFailed, ErrorCode::BackendTimeout];

/// Counts what went wrong, and tells a client that asked for no ack.
fn complain(event: &Event, ack: &Ack) {
    if let Some(limit) = ack.failure().and_then(|failure| failure.limit) {
        event.socket.limit_reached(limit);
    }
    if ack.failure().is_some_and(|failure| BACKEND_FAILURES.contains(&failure.code)) {
        event.socket.backend_failed();
    }
    if ack.failure().is_some_and(|failure| failure.code == ErrorCode::Forbidden) {
        event.socket.denied(&event.name);
    }
    if let (None, Some(failure)) = (event.id, ack.failure()) {
        let error = json!({ "code": failure.code, "message": failure.message, "event": event.name });
        if let Err(error) = event.socket.emit("error", &(error,)) {
            tracing::error!(%error, "an error cannot be sent");
        }
    }
}

impl IntoAck for Ack {
    fn into_ack(self, namespace: &str, id: u64) -> Result<Encoded, EncodeError> {
        encode_ack_raw(namespace, id, &self.args_json(), Vec::new())
    }
}
