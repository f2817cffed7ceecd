use std::sync::Arc;

use roomkey_hub::{Census, Frame, Hub, JoinError, Notice, Offset, RoomKey, Selection, SocketKey};
use roomkey_model::{Clock, RoomName};
use roomkey_protocol::socket::{EncodeError, Encoded, encode_event};
use serde::Serialize;

/// This node of the cluster. Cheap to clone.
#[derive(Clone)]
pub struct Node {
    hub: Arc<Hub>,
    clock: Arc<dyn Clock>,
}

/// An event and its arguments, encoded for one namespace, to be sent any number of times.
#[derive(Clone, Debug)]
pub struct Emission {
    namespace: Arc<str>,
    encoded: Encoded,
    volatile: bool,
}

impl Emission {
    /// Encodes an event; `args` is a tuple, slice or array of its arguments.
    pub fn new(namespace: &Arc<str>, event: &str, args: &impl Serialize) -> Result<Self, EncodeError> {
        Ok(Self::from_encoded(namespace, encode_event(namespace, None, event, args)?))
    }

    /// From an event without ack that is encoded already.
    pub fn from_encoded(namespace: &Arc<str>, encoded: Encoded) -> Self {
        Self { namespace: namespace.clone(), encoded, volatile: false }
    }

    /// The same, but dropped for whoever cannot take it at once.
    #[must_use]
    pub fn volatile(self) -> Self {
        Self { volatile: true, ..self }
    }
}

impl Node {
    /// A cluster of one.
    pub fn new(hub: Arc<Hub>, clock: Arc<dyn Clock>) -> Self {
        Self { hub, clock }
    }

    /// The connections and rooms of this node.
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Sends to every socket in a room.
    pub fn emit_to_room(&self, room: &RoomName, emission: &Emission) {
        let room = RoomKey::room(&emission.namespace, room);
        self.hub.broadcast(&room, &self.frame(emission), &[], emission.volatile);
    }

    /// Sends to every selected socket.
    pub fn emit_to(&self, to: &Selection, emission: &Emission) {
        self.hub.broadcast_to(to, &self.frame(emission), emission.volatile, None);
    }

    /// Sends an event that asks for acks to every selected socket, and tells `census` who they are. Like all such
    /// events it cannot be recovered.
    pub fn ask(&self, to: &Selection, question: &Encoded, volatile: bool, census: &Arc<dyn Census>) {
        let frame = Frame::new(&question.text, &question.attachments);
        self.hub.broadcast_to(to, &frame, volatile, Some(census));
    }

    /// Sends to one socket.
    pub fn emit_to_socket(&self, socket: &SocketKey, emission: &Emission) {
        self.hub.emit(socket, self.frame(emission), emission.volatile);
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

    /// The frame of one sending. Where clients may recover what they missed, the packet names its offset.
    ///
    /// A client takes the last argument of any event for an offset if it is text. So a volatile event, which is not
    /// recovered, has none unless it would be mistaken.
    fn frame(&self, emission: &Emission) -> Frame {
        let Encoded { text, attachments } = &emission.encoded;
        let offset = match emission.volatile && !ends_with_text(text) {
            true => None,
            false => self.hub.next_offset(|| self.clock.now().0),
        };
        match offset {
            Some(offset) => Frame::new(&with_offset(text, offset), attachments).recoverable(offset),
            None => Frame::new(text, attachments),
        }
    }
}

/// The packet of an event with one more argument.
fn with_offset(packet: &str, offset: Offset) -> String {
    let array = packet.strip_suffix(']').expect("an event is an array");
    format!("{array},\"{offset}\"]")
}

/// Whether the last element of an event's array is text.
fn ends_with_text(packet: &str) -> bool {
    packet.strip_suffix(']').is_some_and(|array| array.trim_end().ends_with('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_the_last_argument() {
        let offset = Offset::parse("0000Q7uKYqZ").expect("an offset");
        assert_eq!(with_offset("42[\"m\"]", offset), "42[\"m\",\"0000Q7uKYqZ\"]");
        assert_eq!(with_offset("42/a,[\"m\",[1]]", offset), "42/a,[\"m\",[1],\"0000Q7uKYqZ\"]");
    }

    #[test]
    fn text_at_the_end() {
        for (packet, expected) in [
            ("42[\"m\"]", true),
            ("42[\"m\",1]", false),
            ("42[\"m\",\"a\" ]", true),
            ("42[\"m\",[\"a\"]]", false),
            ("42[\"m\",{\"a\":\"b\"}]", false),
        ] {
            assert_eq!(ends_with_text(packet), expected, "{packet}");
        }
    }
}
