//! A connection of a server of bare Engine.IO.

use std::sync::Arc;

use roomkey_model::Timestamp;
use roomkey_protocol::{
    engine::{Incoming, Packet, Session},
    session::{CloseReason, DisconnectReason},
};

use super::{Connection, Ending};
use crate::engine::{Engine, Socket};

/// What such a connection has in place of a Socket.IO session.
pub(super) struct Bare {
    engine: Arc<Engine>,
    socket: Socket,
    session: Session,
}

impl Connection {
    /// Begins to serve bare Engine.IO, if that is what the server does. There is nobody to authenticate.
    pub(super) fn begin_bare(&mut self) {
        let Some(engine) = self.context.engine.clone() else { return };
        let (key, config) = (self.seat.key, &self.context.session);
        let now = Timestamp(self.seat.now_ms());
        let revision = self.session.revision();
        let bare = Bare {
            socket: Socket::new(key, self.context.node.clone(), self.handshake.clone()),
            session: Session::new(revision, config.ping_interval_ms, config.ping_timeout_ms, now),
            engine,
        };
        self.seat.welcome();
        bare.engine.opened(&bare.socket);
        self.bare = Some(Box::new(bare));
    }

    pub(super) fn end_bare(&self, reason: DisconnectReason) {
        if let Some(bare) = &self.bare {
            bare.engine.closed(&bare.socket, reason);
        }
    }
}

impl Bare {
    pub(super) fn receive(&mut self, packet: Packet<'_>, now: Timestamp) -> Result<(), Ending> {
        match self.session.receive(packet, now)? {
            Some(Incoming::Message(message)) => self.engine.received(&self.socket, message),
            Some(Incoming::Ping) => self.socket.send_packet("3"),
            None => {}
        }
        Ok(())
    }

    pub(super) fn deadline(&self) -> Timestamp {
        self.session.deadline()
    }

    pub(super) fn on_timer(&mut self, now: Timestamp) -> Result<(), CloseReason> {
        if self.session.on_timer(now)? {
            self.socket.send_packet("2");
        }
        Ok(())
    }
}
