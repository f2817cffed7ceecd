use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use roomkey_cluster::Emission;
use roomkey_hub::{Notice, RoomKey, Selection};
use roomkey_model::{Limit, RoomName};
use roomkey_protocol::socket::{EncodeError, encode_event, encode_event_raw};
use serde::Serialize;
use tokio::time::timeout;

use crate::{
    Socket,
    broadcast_acks::{BroadcastAck, Outcome},
    context::Context,
};

/// Many sockets of a namespace: those in some rooms, or all, but for some. To send to, and to act on.
#[derive(Clone)]
pub struct Broadcast {
    context: Arc<Context>,
    namespace: Arc<str>,
    selection: Selection,
    volatile: bool,
}

/// Why not all acks to a broadcast are there.
#[derive(Debug, thiserror::Error)]
pub enum BroadcastAckError {
    /// The event cannot be sent.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// Some did not answer: not in time, or not at all because they are gone.
    #[error("{missing} sockets did not answer")]
    Incomplete {
        /// The acks that came, in the order they came.
        acks: Vec<BroadcastAck>,
        /// How many did not, as far as it was known who was to answer.
        missing: usize,
    },
    /// As many broadcasts wait for acks as may (the limit `broadcast_acks_pending`).
    #[error("too many broadcasts wait for acks")]
    TooMany,
}

impl Broadcast {
    /// All sockets of a namespace.
    pub(crate) fn new(context: Arc<Context>, namespace: Arc<str>) -> Self {
        let selection = RoomKey::everyone(&namespace).into();
        Self { context, namespace, selection, volatile: false }
    }

    /// Only those in this room, or in one of the rooms that were named before. Who is in several counts once.
    #[must_use]
    pub fn to(self, room: &RoomName) -> Self {
        let room = self.room(room);
        Self { selection: self.selection.to(room), ..self }
    }

    /// All but this one.
    #[must_use]
    pub fn except(self, socket: &Socket) -> Self {
        Self { selection: self.selection.except(socket.key().connection()), ..self }
    }

    /// All but those in this room.
    #[must_use]
    pub fn except_room(self, room: &RoomName) -> Self {
        let room = self.room(room);
        Self { selection: self.selection.except_room(room), ..self }
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

    /// Sends an event and waits for the acks of all who get it, at most for `patience`.
    ///
    /// The acks are in the order they came. Only those who were sent the event can answer, each of them once; whoever
    /// disconnects is not waited for any longer. Must be called inside a tokio runtime: a handler is.
    pub async fn emit_with_ack(
        &self,
        event: &str,
        args: &impl Serialize,
        patience: Duration,
    ) -> Result<Vec<BroadcastAck>, BroadcastAckError> {
        let mut ballot = self.context.broadcast_acks.open().ok_or_else(|| {
            self.context.metrics.limit_reached(Limit::BroadcastAcks);
            BroadcastAckError::TooMany
        })?;
        let encoded = encode_event(&self.namespace, Some(ballot.id().into()), event, args)?;
        self.context.node.ask(&self.selection, &encoded, self.volatile, &ballot.census());
        // What has come when the time is up is as good as what came before.
        _ = timeout(patience, ballot.finished()).await;
        let Outcome { acks, missing, is_complete } = ballot.close();
        if is_complete { Ok(acks) } else { Err(BroadcastAckError::Incomplete { acks, missing }) }
    }

    /// Makes all of them members of a room. Whoever is in too many already stays out.
    pub fn sockets_join(&self, room: &RoomName) {
        self.context.node.hub().join_members(&self.selection, &self.room(room));
    }

    /// Takes all of them out of a room.
    pub fn sockets_leave(&self, room: &RoomName) {
        self.context.node.hub().leave_members(&self.selection, &self.room(room));
    }

    /// Ends all of them; with `close` their whole connections. Stock clients do not come back by themselves.
    pub fn disconnect_sockets(&self, close: bool) {
        let notice = Notice::Disconnect { namespace: self.namespace.clone(), close };
        self.context.node.hub().notify_members(&self.selection, &notice);
    }

    fn room(&self, room: &RoomName) -> RoomKey {
        RoomKey::room(&self.namespace, room)
    }

    fn send(&self, emission: Emission) {
        let emission = if self.volatile { emission.volatile() } else { emission };
        self.context.node.emit_to(&self.selection, &emission);
    }
}
