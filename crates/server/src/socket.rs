use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Extensions;
use parking_lot::Mutex;
use roomkey_auth::Identity;
use roomkey_cluster::{Emission, Node};
use roomkey_hub::{ConnectionKey, Frame, JoinError, Notice, RoomKey, SocketKey};
use roomkey_model::{RoomName, SocketId, UserId};
use roomkey_protocol::socket::{EncodeError, Payload, encode_event, encode_event_raw};
use serde::Serialize;
use tokio::{sync::oneshot, time::timeout};

use crate::Handshake;

/// A client in a namespace. Cheap to clone; outlives the connection, but then reaches nobody.
#[derive(Clone)]
pub struct Socket(Arc<Inner>);

struct Inner {
    id: SocketId,
    key: SocketKey,
    node: Node,
    handshake: Arc<Handshake>,
    identity: Option<Arc<Identity>>,
    auth: Option<Box<str>>,
    acks: Mutex<PendingAcks>,
    acks_max: usize,
    extensions: Mutex<Extensions>,
}

/// Acks that the client owes, by the ids of the events.
#[derive(Default)]
struct PendingAcks {
    next_id: u64,
    waiting: HashMap<u64, oneshot::Sender<Payload>>,
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
    pub(crate) node: Node,
    pub(crate) handshake: Arc<Handshake>,
    pub(crate) identity: Option<Arc<Identity>>,
    pub(crate) auth: Option<Box<str>>,
    pub(crate) acks_max: usize,
}

impl Socket {
    pub(crate) fn new(new: NewSocket) -> Self {
        let NewSocket { id, key, node, handshake, identity, auth, acks_max } = new;
        let (acks, extensions) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { id, key, node, handshake, identity, auth, acks, acks_max, extensions }))
    }

    /// The public id, which the client knows, too.
    pub fn id(&self) -> SocketId {
        self.0.id
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

    /// Whose token the client has; `None` only in an open namespace.
    pub fn identity(&self) -> Option<&Arc<Identity>> {
        self.0.identity.as_ref()
    }

    /// The user; `None` only in an open namespace.
    pub fn user(&self) -> Option<&UserId> {
        self.0.identity.as_ref().map(|identity| &identity.user)
    }

    /// The JSON object of the client's `auth` in an open namespace. Elsewhere it held a token, and is not kept.
    pub fn auth(&self) -> Option<&str> {
        self.0.auth.as_deref()
    }

    /// State of your own for this socket, by type.
    pub fn extensions<T>(&self, act: impl FnOnce(&mut Extensions) -> T) -> T {
        act(&mut self.0.extensions.lock())
    }

    /// Sends an event; `args` is a tuple, slice or array of its arguments.
    pub fn emit(&self, event: &str, args: &impl Serialize) -> Result<(), EncodeError> {
        self.0.node.emit_to_socket(&self.0.key, &Emission::new(self.namespace(), event, args)?);
        Ok(())
    }

    /// Sends an event unless it would have to wait for the network.
    pub fn emit_volatile(&self, event: &str, args: &impl Serialize) -> Result<(), EncodeError> {
        let emission = Emission::new(self.namespace(), event, args)?.volatile();
        self.0.node.emit_to_socket(&self.0.key, &emission);
        Ok(())
    }

    /// Sends an event with arguments that are encoded already.
    pub fn emit_raw(&self, event: &str, args_json: &str, attachments: Vec<Bytes>) -> Result<(), EncodeError> {
        let namespace = self.namespace();
        let encoded = encode_event_raw(namespace, None, event, args_json, attachments)?;
        self.0.node.emit_to_socket(&self.0.key, &Emission::from_encoded(namespace, encoded));
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
        match encode_event(self.namespace(), Some(id), event, args) {
            Ok(encoded) => {
                let frame = Frame::new(&encoded.text, &encoded.attachments);
                self.0.node.hub().emit(&self.0.key, frame, false);
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
        self.0.node.join(&self.0.key, room)
    }

    /// Leaves a room.
    pub fn leave(&self, room: &RoomName) {
        self.0.node.leave(&self.0.key, room);
    }

    /// Whether the socket is in a room.
    pub fn is_in(&self, room: &RoomName) -> bool {
        self.0.node.hub().is_member(&self.0.key, &RoomKey::room(self.namespace(), room))
    }

    /// The other sockets in a room of the same namespace.
    pub fn to(&self, room: &RoomName) -> Broadcast {
        self.in_room(room).except(self)
    }

    /// All sockets in a room of the same namespace, this one included if it is in.
    pub fn in_room(&self, room: &RoomName) -> Broadcast {
        Broadcast::new(self.0.node.clone(), self.namespace().clone(), Some(room.clone()))
    }

    /// All other sockets of the namespace.
    pub fn broadcast(&self) -> Broadcast {
        Broadcast::new(self.0.node.clone(), self.namespace().clone(), None).except(self)
    }

    /// Ends this socket; with `close` the whole connection. A stock client does not come back by itself.
    pub fn disconnect(&self, close: bool) {
        let notice = Notice::Disconnect { namespace: self.namespace().clone(), close };
        self.0.node.hub().notify(self.connection(), notice);
    }

    fn connection(&self) -> ConnectionKey {
        self.0.key.connection()
    }

    fn expect_ack(&self) -> Result<(u64, oneshot::Receiver<Payload>), AckError> {
        let mut acks = self.0.acks.lock();
        if acks.closed {
            return Err(AckError::Disconnected);
        }
        if acks.waiting.len() >= self.0.acks_max {
            return Err(AckError::TooMany);
        }
        let (sender, receiver) = oneshot::channel();
        let id = acks.next_id;
        acks.next_id += 1;
        acks.waiting.insert(id, sender);
        Ok((id, receiver))
    }

    /// The client's answer to the event `id`; one that nobody waits for is ignored.
    pub(crate) fn resolve_ack(&self, id: u64, payload: Payload) {
        if let Some(sender) = self.0.acks.lock().waiting.remove(&id) {
            // Whoever waited may have given up.
            drop(sender.send(payload));
        }
    }

    /// No more answers will come.
    pub(crate) fn close(&self) {
        let mut acks = self.0.acks.lock();
        acks.closed = true;
        acks.waiting = HashMap::new();
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

/// Many sockets to send to.
#[derive(Clone)]
pub struct Broadcast {
    node: Node,
    namespace: Arc<str>,
    room: Option<RoomName>,
    except: Vec<ConnectionKey>,
    volatile: bool,
}

impl Broadcast {
    pub(crate) fn new(node: Node, namespace: Arc<str>, room: Option<RoomName>) -> Self {
        Self { node, namespace, room, except: Vec::new(), volatile: false }
    }

    /// All but this one.
    #[must_use]
    pub fn except(mut self, socket: &Socket) -> Self {
        self.except.push(socket.connection());
        self
    }

    /// Whoever cannot take the event at once does not get it.
    #[must_use]
    pub fn volatile(self) -> Self {
        Self { volatile: true, ..self }
    }

    /// Sends an event; `args` is a tuple, slice or array of its arguments. It is encoded once.
    pub fn emit(&self, event: &str, args: &impl Serialize) -> Result<(), EncodeError> {
        self.send(Emission::new(&self.namespace, event, args)?);
        Ok(())
    }

    /// Sends an event with arguments that are encoded already, such as those of an event that is passed on.
    pub fn emit_raw(&self, event: &str, args_json: &str, attachments: Vec<Bytes>) -> Result<(), EncodeError> {
        let encoded = encode_event_raw(&self.namespace, None, event, args_json, attachments)?;
        self.send(Emission::from_encoded(&self.namespace, encoded));
        Ok(())
    }

    fn send(&self, emission: Emission) {
        let emission = if self.volatile { emission.volatile() } else { emission };
        match &self.room {
            Some(room) => self.node.emit_to_room_except(room, &emission, &self.except),
            None => self.node.emit_to_everyone_except(&emission, &self.except),
        }
    }
}
