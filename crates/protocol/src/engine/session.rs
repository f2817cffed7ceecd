use std::borrow::Cow;

use roomkey_model::Timestamp;

use crate::{
    CloseReason, ParseError,
    engine::{Heartbeat, HeartbeatAction, Packet, Revision},
};

/// The life of an Engine.IO session by itself, on the server's side: messages, and the heartbeat.
///
/// It is driven as [`crate::session::Session`] is, which has one inside.
#[derive(Clone, Debug)]
pub struct Session {
    heartbeat: Heartbeat,
}

/// What a packet means to the server; a session handles everything else by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// A message of the application.
    Message(Message<'a>),
    /// A client of revision 3 wants a pong.
    Ping,
}

/// What Engine.IO carries for others, without a packet around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Text.
    Text(&'a str),
    /// Bytes.
    Binary(Cow<'a, [u8]>),
}

impl Session {
    /// The session that begins with the handshake.
    pub fn new(revision: Revision, ping_interval_ms: u64, ping_timeout_ms: u64, now: Timestamp) -> Self {
        let heartbeat = match revision {
            Revision::V3 => Heartbeat::listening(ping_interval_ms, ping_timeout_ms, now),
            Revision::V4 => Heartbeat::new(ping_interval_ms, ping_timeout_ms, now),
        };
        Self { heartbeat }
    }

    /// The revision that the client speaks.
    pub fn revision(&self) -> Revision {
        if self.heartbeat.is_listening() { Revision::V3 } else { Revision::V4 }
    }

    /// Takes a packet from the client. An error is the end of the session.
    pub fn receive<'a>(
        &mut self,
        packet: Packet<'a>,
        now: Timestamp,
    ) -> Result<Option<Incoming<'a>>, CloseReason> {
        match (&packet, self.revision()) {
            (Packet::Pong(_), Revision::V4) => self.heartbeat.on_pong(now),
            (Packet::Ping(_), Revision::V3) => {
                self.heartbeat.on_ping(now);
                return Ok(Some(Incoming::Ping));
            }
            (Packet::Ping(_), Revision::V4) | (Packet::Pong(_), Revision::V3) => {
                return Err(ParseError::HeartbeatDirection.into());
            }
            _ => self.heartbeat.on_packet(now),
        }
        match packet {
            Packet::Message(text) => Ok(Some(Incoming::Message(Message::Text(text)))),
            Packet::Binary(bytes) => Ok(Some(Incoming::Message(Message::Binary(bytes)))),
            Packet::Close => Err(CloseReason::TransportClose),
            Packet::Open(_) | Packet::Ping(_) | Packet::Pong(_) | Packet::Upgrade | Packet::Noop => Ok(None),
        }
    }

    /// The server does not listen for now: the client's silence is not its fault.
    pub fn excuse_silence(&mut self, now: Timestamp) {
        match self.revision() {
            Revision::V3 => self.heartbeat.on_ping(now),
            Revision::V4 => self.heartbeat.on_pong(now),
        }
    }

    /// When [`Self::on_timer`] must be called at the latest.
    pub fn deadline(&self) -> Timestamp {
        self.heartbeat.deadline()
    }

    /// Does what is due; calling it early does no harm. True: a ping must be sent. An error is the end of the session.
    pub fn on_timer(&mut self, now: Timestamp) -> Result<bool, CloseReason> {
        match self.heartbeat.on_timer(now) {
            None => Ok(false),
            Some(HeartbeatAction::SendPing) => Ok(true),
            Some(HeartbeatAction::TimeOut) => Err(CloseReason::PingTimeout),
        }
    }
}
