use std::sync::Arc;

use roomkey_hub::{ConnectionKey, Frame, Hub, JoinError, Notice, RoomKey, SocketKey};
use roomkey_model::RoomName;
use roomkey_protocol::socket::{EncodeError, Encoded, encode_event};
use serde::Serialize;

/// This node of the cluster. Cheap to clone.
#[derive(Clone)]
pub struct Node {
    hub: Arc<Hub>,
}

/// An event and its arguments, encoded for one namespace, to be sent any number of times.
#[derive(Clone, Debug)]
pub struct Emission {
    namespace: Arc<str>,
    frame: Frame,
    volatile: bool,
}

impl Emission {
    /// Encodes an event; `args` is a tuple, slice or array of its arguments.
    pub fn new(namespace: &Arc<str>, event: &str, args: &impl Serialize) -> Result<Self, EncodeError> {
        Ok(Self::from_encoded(namespace, &encode_event(namespace, None, event, args)?))
    }

    /// From a packet that is encoded already.
    pub fn from_encoded(namespace: &Arc<str>, encoded: &Encoded) -> Self {
        let frame = Frame::new(&encoded.text, &encoded.attachments);
        Self { namespace: namespace.clone(), frame, volatile: false }
    }

    /// The same, but dropped for whoever cannot take it at once.
    #[must_use]
    pub fn volatile(self) -> Self {
        Self { volatile: true, ..self }
    }
}

impl Node {
    /// A cluster of one.
    pub fn new(hub: Arc<Hub>) -> Self {
        Self { hub }
    }

    /// The connections and rooms of this node.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Sends to every socket in a room.
    pub fn emit_to_room(&self, room: &RoomName, emission: &Emission) {
        self.emit_to_room_except(room, emission, &[]);
    }

    /// Sends to every socket in a room but those on the connections in `except`.
    pub fn emit_to_room_except(&self, room: &RoomName, emission: &Emission, except: &[ConnectionKey]) {
        let room = RoomKey::room(&emission.namespace, room);
        self.hub.broadcast(&room, &emission.frame, except, emission.volatile);
    }

    /// Sends to every socket of the namespace but those on the connections in `except`.
    pub fn emit_to_everyone_except(&self, emission: &Emission, except: &[ConnectionKey]) {
        let everyone = RoomKey::everyone(&emission.namespace);
        self.hub.broadcast(&everyone, &emission.frame, except, emission.volatile);
    }

    /// Sends to one socket.
    pub fn emit_to_socket(&self, socket: &SocketKey, emission: &Emission) {
        self.hub.emit(socket, emission.frame.clone(), emission.volatile);
    }

    /// Makes a socket a member of a room.
    pub fn join(&self, socket: &SocketKey, room: &RoomName) -> Result<(), JoinError> {
        self.hub.join(socket, &RoomKey::room(socket.namespace(), room))
    }

    /// Ends a socket's membership of a room.
    pub fn leave(&self, socket: &SocketKey, room: &RoomName) {
        self.hub.leave(socket, &RoomKey::room(socket.namespace(), room));
    }

    /// Makes every socket that is in `selector` a member of `room`, too.
    pub fn join_members(&self, namespace: &Arc<str>, selector: &RoomName, room: &RoomName) {
        self.hub.join_members(&RoomKey::room(namespace, selector).into(), &RoomKey::room(namespace, room));
    }

    /// Takes every socket that is in `selector` out of `room`.
    pub fn leave_members(&self, namespace: &Arc<str>, selector: &RoomName, room: &RoomName) {
        self.hub.leave_members(&RoomKey::room(namespace, selector).into(), &RoomKey::room(namespace, room));
    }

    /// Disconnects every socket that is in a room; `close` ends their connections, too.
    pub fn disconnect_members(&self, namespace: &Arc<str>, room: &RoomName, close: bool) {
        let notice = Notice::Disconnect { namespace: namespace.clone(), close };
        self.hub.notify_members(&RoomKey::room(namespace, room).into(), &notice);
    }
}
