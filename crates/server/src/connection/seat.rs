use std::sync::Arc;

use roomkey_hub::{ConnectionKey, Frame, Shard};

use crate::{
    context::Context,
    mailbox::Mailbox,
    newcomers::Newcomer,
    registry::{Entry, Sid},
};

/// A session's place in everything that knows of it. Whatever happens to its task, dropping this gives it up: no
/// request finds the session any more, nothing is written to it, and it counts nowhere.
pub(super) struct Seat {
    pub(super) context: Arc<Context>,
    pub(super) key: ConnectionKey,
    pub(super) sid: Sid,
    pub(super) entry: Arc<Entry>,
    /// Until the client has authenticated.
    pub(super) newcomer: Option<Newcomer>,
}

impl Seat {
    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.entry.mailbox
    }

    pub(super) fn shard(&self) -> &Shard {
        self.context.node.hub().shard_of(self.key)
    }

    pub(super) fn send(&self, frame: Frame) {
        self.context.node.hub().send(self.key, frame, false);
    }

    pub(super) fn now_ms(&self) -> u64 {
        self.context.node.hub().now_ms()
    }

    /// A client that nobody knows yet has nothing to say that is long.
    pub(super) fn message_bytes_max(&self) -> usize {
        let limits = &self.context.limits;
        if self.newcomer.is_some() { limits.pre_auth_bytes } else { limits.message_bytes }
    }

    /// The client has authenticated.
    pub(super) fn welcome(&mut self) {
        self.newcomer = None;
        self.entry.set_authenticated();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.context.registry.remove(&self.sid);
        self.mailbox().close();
        self.shard().remove(self.key);
    }
}
