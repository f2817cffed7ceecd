use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::Extensions;
use parking_lot::{Mutex, RwLock};
use roomkey_auth::Identity;
use roomkey_cluster::{Emission, Node};
use roomkey_hub::{Frame, JoinError, Notice, RoomKey, SocketKey};
use roomkey_model::{ErrorCode, Failure, Limit, RevocationReason, RoomName, SocketId, UserId};
use roomkey_protocol::socket::{EncodeError, Payload, encode_event, encode_event_raw};
use serde::Serialize;
use tokio::{sync::oneshot, time::timeout};

use crate::{
    Broadcast, Handshake,
    audit::{Event as Decision, Record},
    broadcast_acks::{BroadcastAck, BroadcastAcks, Receipt},
    context::Context,
};

/// A client in a namespace. Cheap to clone; outlives the connection, but then reaches nobody.
#[derive(Clone)]
pub struct Socket(Arc<Inner>);

struct Inner {
    id: SocketId,
    key: SocketKey,
    context: Arc<Context>,
    handshake: Arc<Handshake>,
    /// Another one after `auth:refresh`, of the same user.
    identity: Option<RwLock<Arc<Identity>>>,
    auth: Option<Box<str>>,
    acks: Mutex<PendingAcks>,
    extensions: Mutex<Extensions>,
    recovered: bool,
    /// Its place among all sockets of the server, in the order in which they came.
    serial: u64,
}

/// Acks that the client owes, by the ids of the events.
#[derive(Default)]
struct PendingAcks {
    next_id: u32,
    waiting: HashMap<u32, oneshot::Sender<Payload>>,
    closed: bool,
}

/// Why an event got no ack.
#[derive(Debug, thiserror::Error)]
pub enum AckError {
    /// The socket is gone.
    #[error("the socket is disconnected")]
    Disconnected,
    /// The event cannot be sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The client did not answer in time.
    #[error("the client did not answer in time")]
    Timeout,
    /// The client owes as many acks as it may (the limit `acks_pending_per_socket`).
    #[error("the client owes too many acks")]
    TooMany,
}

/// What a socket is made of.
pub(crate) struct NewSocket {
    pub(crate) id: SocketId,
    pub(crate) key: SocketKey,
    pub(crate) context: Arc<Context>,
    pub(crate) handshake: Arc<Handshake>,
    pub(crate) identity: Option<Arc<Identity>>,
    pub(crate) auth: Option<Box<str>>,
    /// The socket is one that comes back: as it was, unless that was before a restart.
    pub(crate) before: Option<Option<Socket>>,
}

impl Socket {
    pub(crate) fn new(new: NewSocket) -> Self {
        let NewSocket { id, key, context, handshake, identity, auth, before } = new;
        let identity = identity.map(RwLock::new);
        let recovered = before.is_some();
        let before = before.flatten();
        let extensions = before.map(|before| before.extensions(|extensions| extensions.clone()));
        let (acks, extensions) = (Mutex::default(), Mutex::new(extensions.unwrap_or_default()));
        let serial = context.sockets_made.fetch_add(1, Ordering::Relaxed);
        Self(Arc::new(Inner {
            id,
            key,
            context,
            handshake,
            identity,
            auth,
            acks,
            extensions,
            recovered,
            serial,
        }))
    }

    /// The public id, which the client knows, too.
    pub fn id(&self) -> SocketId {
        self.0.id
    }

    /// A number that is greater than that of every socket that was there before.
    pub(crate) fn serial(&self) -> u64 {
        self.0.serial
    }

    /// Whether this is a client that came back in time: it has its old id, its rooms and what it missed.
    pub fn recovered(&self) -> bool {
        self.0.recovered
    }

    /// The namespace.
    pub fn namespace(&self) -> &Arc<str> {
        self.0.key.namespace()
    }

    /// What names this socket on this node.
    pub fn key(&self) -> &SocketKey {
        &self.0.key
    }

    /// The request that opened the connection.
    pub fn handshake(&self) -> &Handshake {
        &self.0.handshake
    }

    /// Whose token the client has, as it was shown last; `None` only in an open namespace.
    pub fn identity(&self) -> Option<Arc<Identity>> {
        self.0.identity.as_ref().map(|identity| identity.read().clone())
    }

    /// The user; `None` only in an open namespace.
    pub fn user(&self) -> Option<UserId> {
        self.0.identity.as_ref().map(|identity| identity.read().user.clone())
    }

    /// The JSON object of the client's `auth` in an open namespace. Elsewhere it held a token, and is not kept.
    pub fn auth(&self) -> Option<&str> {
        self.0.auth.as_deref()
    }

    /// Whether the client is still there, as far as is known. What is emitted to one that is not goes nowhere.
    pub fn is_connected(&self) -> bool {
        !self.0.acks.lock().closed
    }

    /// State of your own for this socket, by type.
    pub fn extensions<T>(&self, act: impl FnOnce(&mut Extensions) -> T) -> T {
        act(&mut self.0.extensions.lock())
    }

    /// Sends an event; `args` is a tuple, slice or array of its arguments.
    pub fn emit(&self, event: &str, args: &impl Serialize) -> Result<(), EncodeError> {
        self.node().emit_to_socket(&self.0.key, &Emission::new(self.namespace(), event, args)?);
        Ok(())
    }

    /// Sends an event unless it would have to wait for the network.
    pub fn emit_volatile(&self, event: &str, args: &impl Serialize) -> Result<(), EncodeError> {
        let emission = Emission::new(self.namespace(), event, args)?.volatile();
        self.node().emit_to_socket(&self.0.key, &emission);
        Ok(())
    }

    /// Sends an event with arguments that are encoded already.
    pub fn emit_raw(&self, event: &str, args_json: &str, attachments: Vec<Bytes>) -> Result<(), EncodeError> {
        let namespace = self.namespace();
        let encoded = encode_event_raw(namespace, None, event, args_json, attachments)?;
        self.node().emit_to_socket(&self.0.key, &Emission::from_encoded(namespace, encoded));
        Ok(())
    }

    /// Sends an event and waits for the client's answer.
    pub async fn emit_with_ack(
        &self,
        event: &str,
        args: &impl Serialize,
        patience: Duration,
    ) -> Result<Payload, AckError> {
        let (id, answer) = self.expect_ack()?;
        match encode_event(self.namespace(), Some(id.into()), event, args) {
            Ok(encoded) => {
                let frame = Frame::new(&encoded.text, &encoded.attachments);
                self.node().hub().emit(&self.0.key, frame, false);
            }
            Err(error) => {
                self.0.acks.lock().waiting.remove(&id);
                return Err(error.into());
            }
        }
        match timeout(patience, answer).await {
            Ok(Ok(payload)) => Ok(payload),
            Ok(Err(_)) => Err(AckError::Disconnected),
            Err(_) => {
                self.0.acks.lock().waiting.remove(&id);
                Err(AckError::Timeout)
            }
        }
    }

    /// Joins a room.
    pub fn join(&self, room: &RoomName) -> Result<(), JoinError> {
        self.node().join(&self.0.key, room)
    }

    /// Leaves a room.
    pub fn leave(&self, room: &RoomName) {
        self.node().leave(&self.0.key, room);
    }

    /// The rooms the socket has joined.
    pub fn rooms(&self) -> Vec<RoomName> {
        self.node().hub().rooms_of(self.key())
    }

    /// Whether the socket is in a room.
    pub fn is_in(&self, room: &RoomName) -> bool {
        self.node().hub().is_member(&self.0.key, &RoomKey::room(self.namespace(), room))
    }

    /// The other sockets in a room of the same namespace.
    pub fn to(&self, room: &RoomName) -> Broadcast {
        self.broadcast().to(room)
    }

    /// All sockets in a room of the same namespace, this one included if it is in.
    pub fn in_room(&self, room: &RoomName) -> Broadcast {
        self.everyone().to(room)
    }

    /// All sockets of the namespace, this one included.
    pub fn everyone(&self) -> Broadcast {
        Broadcast::new(self.0.context.clone(), self.namespace().clone())
    }

    /// All other sockets of the namespace.
    pub fn broadcast(&self) -> Broadcast {
        self.everyone().except(self)
    }

    /// Ends this socket; with `close` the whole connection. A stock client does not come back by itself.
    pub fn disconnect(&self, close: bool) {
        let notice = Notice::DisconnectSocket { socket: self.key().clone(), close };
        self.node().hub().notify(self.key().connection(), notice);
    }

    /// The client has shown another token of the same user.
    pub(crate) fn set_identity(&self, newer: Arc<Identity>) {
        if let Some(identity) = &self.0.identity {
            *identity.write() = newer;
        }
    }

    /// The token no longer counts: nothing reaches this socket any more, and it is closed.
    pub(crate) fn revoke(&self, reason: RevocationReason) {
        let notice = Notice::Revoked { socket: self.key().clone(), reason };
        self.node().hub().end_socket(self.key(), notice);
    }

    /// Something about this socket reached a limit.
    /// Records that the client may not do what it asked for with this event.
    pub(crate) fn denied(&self, event: &str) {
        let identity = self.identity();
        self.0.context.audit.record(&Record {
            user: identity.as_ref().map(|identity| &identity.user),
            issuer: identity.as_ref().map(|identity| &*identity.issuer),
            session: identity.as_ref().and_then(|identity| identity.session.as_ref()),
            address: Some(self.handshake().address),
            target: Some(event),
            ..Record::new(Decision::AuthorizationFailed)
        });
    }

    pub(crate) fn limit_reached(&self, limit: Limit) {
        self.0.context.metrics.limit_reached(limit);
    }

    pub(crate) fn backend_failed(&self) {
        self.0.context.metrics.backend_failures.increment();
    }

    /// Code of the application panicked that was to serve this socket.
    pub(crate) fn panicked(&self) -> Failure {
        self.0.context.metrics.handlers_panicked.increment();
        ErrorCode::Internal.into()
    }

    fn node(&self) -> &Node {
        &self.0.context.node
    }

    fn expect_ack(&self) -> Result<(u32, oneshot::Receiver<Payload>), AckError> {
        let mut acks = self.0.acks.lock();
        if acks.closed {
            return Err(AckError::Disconnected);
        }
        if acks.waiting.len() >= self.0.context.limits.acks_pending_per_socket {
            self.limit_reached(Limit::AcksPending);
            return Err(AckError::TooMany);
        }
        let (sender, receiver) = oneshot::channel();
        let mut id = acks.next_id;
        while acks.waiting.contains_key(&id) {
            id = (id + 1) % BroadcastAcks::FIRST_ID;
        }
        acks.next_id = (id + 1) % BroadcastAcks::FIRST_ID;
        acks.waiting.insert(id, sender);
        Ok((id, receiver))
    }

    /// The client's answer to the event `id`. False: nobody waits for it.
    pub(crate) fn resolve_ack(&self, id: u64, args: Payload) -> bool {
        let Ok(id) = u32::try_from(id) else { return false };
        if id >= BroadcastAcks::FIRST_ID {
            let ack = BroadcastAck { socket: self.id(), args };
            let receipt = self.0.context.broadcast_acks.receive(self.key(), id, ack);
            if receipt == Receipt::TooBig {
                self.limit_reached(Limit::BroadcastAckBytes);
            }
            return receipt != Receipt::Unexpected;
        }
        let waiting = self.0.acks.lock().waiting.remove(&id);
        waiting.is_some_and(|sender| sender.send(args).is_ok())
    }

    /// No more answers will come.
    pub(crate) fn close(&self) {
        let mut acks = self.0.acks.lock();
        acks.closed = true;
        acks.waiting = HashMap::new();
        drop(acks);
        self.0.context.broadcast_acks.leave(self.key());
        self.0.context.live_tokens.remove(self);
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("id", &self.id())
            .field("namespace", self.namespace())
            .finish_non_exhaustive()
    }
}
