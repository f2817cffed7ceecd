//! One Engine.IO session with everything that may happen on it: heartbeat, namespaces, packets.

mod config;
mod namespaces;
mod reason;

use std::{borrow::Cow, sync::Arc};

use roomkey_model::Timestamp;

use crate::{
    ParseError,
    engine::{self, Message, Revision},
    socket::{Decoder, Namespace, Packet, Payload, msgpack, v3},
};
use namespaces::Namespaces;

pub use config::Config;
pub use reason::{CloseReason, DisconnectReason};

/// The life of one session, on the server's side, whatever carries its packets.
///
/// How to drive it is written in the [crate's documentation](crate#driving-a-session).
#[derive(Debug)]
pub struct Session {
    config: Arc<Config>,
    engine: engine::Session,
    format: Format,
    decoder: Decoder,
    namespaces: Namespaces,
    /// Present until a namespace is accepted for the first time.
    pre_auth: Option<PreAuth>,
    /// When the attachments that are awaited must be there.
    partial_until: Option<Timestamp>,
}

/// How Socket.IO packets are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// Text, with attachments behind it.
    Json,
    /// Binary.
    Msgpack,
    /// As the client's first one will be.
    Undecided,
}

/// What a client may use up before anybody knows who it is.
#[derive(Debug)]
struct PreAuth {
    bytes_left: usize,
    until: Timestamp,
}

/// What a packet means to the server. Everything else a session handles by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// The client wants to join a namespace: answer with [`Session::accept`] or [`Session::reject`].
    Connect {
        /// Which one; it may not exist.
        namespace: Namespace,
        /// The JSON object of the client's `auth`.
        auth: Option<Box<str>>,
    },
    /// The client left a namespace.
    Disconnect {
        /// Which one.
        namespace: Namespace,
    },
    /// An event in a connected namespace.
    Event {
        /// Which one.
        namespace: Namespace,
        /// The client wants an ack of this id.
        id: Option<u64>,
        /// The event's name.
        name: Box<str>,
        /// What comes after the name.
        args: Payload,
    },
    /// The answer to an event of the server, if there was one of this id.
    Ack {
        /// In which namespace.
        namespace: Namespace,
        /// The id that the event had.
        id: u64,
        /// The answer.
        args: Payload,
    },
    /// A client of revision 3 wants an Engine.IO pong.
    Ping,
}

/// What is due when the [`Session::deadline`] has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerAction {
    /// Send an Engine.IO ping.
    SendPing,
}

impl Session {
    /// The session that begins with the handshake.
    pub fn new(config: Arc<Config>, revision: Revision, now: Timestamp) -> Self {
        let may_be_msgpack = config.msgpack && revision == Revision::V4;
        Self {
            engine: engine::Session::new(revision, config.ping_interval_ms, config.ping_timeout_ms, now),
            format: if may_be_msgpack { Format::Undecided } else { Format::Json },
            decoder: Decoder::new(config.attachments_max, config.message_bytes_max),
            namespaces: Namespaces::default(),
            pre_auth: Some(PreAuth {
                bytes_left: config.pre_auth_bytes,
                until: now.plus_ms(config.connect_timeout_ms),
            }),
            partial_until: None,
            config,
        }
    }

    /// What a client means by opening the session: with revision 3 that it wants to join the main namespace. To be
    /// called once, before anything is received.
    pub fn begin(&mut self) -> Option<Incoming> {
        if self.engine.revision() == Revision::V4 {
            return None;
        }
        let connect = Packet::Connect { namespace: Namespace::MAIN, auth: None };
        self.on_packet(connect).ok().flatten()
    }

    /// The revision of Engine.IO that the client speaks.
    pub fn revision(&self) -> Revision {
        self.engine.revision()
    }

    /// The server does not listen for now: the client's silence is not its fault.
    pub fn excuse_silence(&mut self, now: Timestamp) {
        self.engine.excuse_silence(now);
    }

    /// Whether the client speaks msgpack, as its first Socket.IO packet has shown.
    pub fn is_msgpack(&self) -> bool {
        self.format == Format::Msgpack
    }

    /// Takes a packet from the client. An error is the end of the session.
    pub fn receive(
        &mut self,
        packet: engine::Packet<'_>,
        now: Timestamp,
    ) -> Result<Option<Incoming>, CloseReason> {
        if let Some(pre_auth) = &mut self.pre_auth {
            let bytes = 1 + packet.data_len();
            pre_auth.bytes_left = pre_auth.bytes_left.checked_sub(bytes).ok_or(CloseReason::PreAuthBytes)?;
        }
        let packet = match self.engine.receive(packet, now)? {
            None => return Ok(None),
            Some(engine::Incoming::Ping) => return Ok(Some(Incoming::Ping)),
            Some(engine::Incoming::Message(Message::Text(text))) => self.on_text(text, now)?,
            Some(engine::Incoming::Message(Message::Binary(bytes))) => self.on_binary(bytes)?,
        };
        packet.map_or(Ok(None), |packet| self.on_packet(packet))
    }

    fn on_text(&mut self, text: &str, now: Timestamp) -> Result<Option<Packet>, CloseReason> {
        match self.format {
            Format::Json => {}
            Format::Undecided => self.format = Format::Json,
            Format::Msgpack => return Err(ParseError::Msgpack.into()),
        }
        if self.engine.revision() == Revision::V3
            && !self.decoder.has_partial()
            && let Some(connect) = text.strip_prefix('0')
        {
            return Ok(Some(v3::decode_connect(connect)?));
        }
        let packet = self.decoder.text(text)?;
        if let Some(partial) = self.decoder.partial() {
            // Nothing is buffered for a namespace that the client is not in.
            self.namespaces.check_connected(partial.namespace())?;
            self.partial_until = Some(now.plus_ms(self.config.partial_message_ms));
        }
        Ok(packet)
    }

    fn on_binary(&mut self, bytes: Cow<'_, [u8]>) -> Result<Option<Packet>, CloseReason> {
        if self.format == Format::Undecided {
            self.format = Format::Msgpack;
        }
        if self.format == Format::Msgpack {
            let (attachments_max, bytes_max) = (self.config.attachments_max, self.config.message_bytes_max);
            return Ok(Some(msgpack::decode(&bytes, attachments_max, bytes_max)?));
        }
        if self.pre_auth.is_some() {
            return Err(CloseReason::PreAuthBytes);
        }
        let packet = self.decoder.binary(bytes)?;
        self.partial_until = self.partial_until.filter(|_| packet.is_none());
        Ok(packet)
    }

    fn on_packet(&mut self, packet: Packet) -> Result<Option<Incoming>, CloseReason> {
        let is_heard = match &packet {
            Packet::Connect { namespace, .. } => {
                match self.namespaces.request(namespace, self.config.namespaces_max) {
                    Ok(()) => true,
                    // It is in by itself; some clients ask nevertheless.
                    Err(CloseReason::ParseError(ParseError::ConnectTwice))
                        if *namespace == Namespace::MAIN && self.engine.revision() == Revision::V3 =>
                    {
                        false
                    }
                    Err(reason) => return Err(reason),
                }
            }
            Packet::Disconnect { namespace } => self.namespaces.leave(namespace)?,
            Packet::Event { namespace, .. } | Packet::Ack { namespace, .. } => {
                self.namespaces.check_connected(namespace)?
            }
            Packet::ConnectError { .. } => return Err(ParseError::ConnectErrorFromClient.into()),
        };
        Ok(is_heard.then(|| match packet {
            Packet::Connect { namespace, auth } => Incoming::Connect { namespace, auth },
            Packet::Disconnect { namespace } | Packet::ConnectError { namespace, .. } => {
                Incoming::Disconnect { namespace }
            }
            Packet::Event { namespace, id, name, args } => Incoming::Event { namespace, id, name, args },
            Packet::Ack { namespace, id, args } => Incoming::Ack { namespace, id, args },
        }))
    }

    /// When [`Self::on_timer`] must be called at the latest.
    pub fn deadline(&self) -> Timestamp {
        let pre_auth = self.pre_auth.as_ref().map(|pre_auth| pre_auth.until);
        [pre_auth, self.partial_until].into_iter().flatten().fold(self.engine.deadline(), Timestamp::min)
    }

    /// Does what is due; calling it early does no harm. An error is the end of the session.
    pub fn on_timer(&mut self, now: Timestamp) -> Result<Option<TimerAction>, CloseReason> {
        if self.pre_auth.as_ref().is_some_and(|pre_auth| now >= pre_auth.until) {
            return Err(CloseReason::ConnectTimeout);
        }
        if self.partial_until.is_some_and(|until| now >= until) {
            return Err(ParseError::AttachmentsTooSlow.into());
        }
        Ok(self.engine.on_timer(now)?.then_some(TimerAction::SendPing))
    }

    /// The server lets the client into a namespace it asked for; send [`crate::socket::encode_connect`].
    /// False: it did not ask, or the answer was given.
    pub fn accept(&mut self, namespace: &str) -> bool {
        let is_accepted = self.namespaces.accept(namespace);
        if is_accepted {
            self.pre_auth = None;
        }
        is_accepted
    }

    /// The server does not let the client in; send [`crate::socket::encode_connect_error`]. It may ask again.
    /// False: it did not ask, or the answer was given.
    pub fn reject(&mut self, namespace: &str) -> bool {
        self.namespaces.reject(namespace)
    }

    /// The server ends a namespace; send [`crate::socket::encode_disconnect`]. What the client sent before it knows
    /// is ignored. False: it was not connected.
    pub fn disconnect(&mut self, namespace: &str) -> bool {
        self.namespaces.expel(namespace)
    }

    /// Bytes of the client's that are kept until the rest of a packet comes.
    pub fn buffered_bytes(&self) -> usize {
        self.decoder.buffered_bytes()
    }

    /// Whether the client is in this namespace.
    pub fn is_connected(&self, namespace: &str) -> bool {
        self.namespaces.is_connected(namespace)
    }

    /// The namespaces the client is in, in the order in which it asked for them.
    pub fn namespaces(&self) -> impl Iterator<Item = &Namespace> {
        self.namespaces.connected()
    }
}
