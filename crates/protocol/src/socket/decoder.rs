use std::borrow::Cow;

use bytes::Bytes;

use crate::{
    ParseError,
    socket::{
        Namespace, Payload, RESERVED_EVENTS,
        header::{Header, Kind},
        json::{self, Shape},
    },
};

/// One Socket.IO packet from the peer, complete and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// The client wants to join a namespace, or the server says that it did.
    Connect {
        /// Which one.
        namespace: Namespace,
        /// A JSON object as it was received: the client's `auth`, or the server's `{sid, pid?}`.
        auth: Option<Box<str>>,
    },
    /// The peer leaves a namespace.
    Disconnect {
        /// Which one.
        namespace: Namespace,
    },
    /// An event, binary or not.
    Event {
        /// Where.
        namespace: Namespace,
        /// The sender wants an ack of this id.
        id: Option<u64>,
        /// Its name; an integer is given in its decimal form.
        name: Box<str>,
        /// What comes after the name.
        args: Payload,
    },
    /// The answer to an event, binary or not.
    Ack {
        /// Where.
        namespace: Namespace,
        /// The id that the event had.
        id: u64,
        /// The answer.
        args: Payload,
    },
    /// The server refused a CONNECT.
    ConnectError {
        /// Which namespace.
        namespace: Namespace,
        /// A JSON object as it was received: `{message, data?}`.
        error: Box<str>,
    },
}

impl Packet {
    /// The namespace it belongs to.
    pub fn namespace(&self) -> &Namespace {
        match self {
            Self::Connect { namespace, .. }
            | Self::Disconnect { namespace }
            | Self::Event { namespace, .. }
            | Self::Ack { namespace, .. }
            | Self::ConnectError { namespace, .. } => namespace,
        }
    }

    fn args_mut(&mut self) -> Option<&mut Payload> {
        match self {
            Self::Event { args, .. } | Self::Ack { args, .. } => Some(args),
            Self::Connect { .. } | Self::Disconnect { .. } | Self::ConnectError { .. } => None,
        }
    }
}

/// Turns Engine.IO messages into Socket.IO packets.
///
/// Owns heap memory only while attachments are awaited. After an error the connection is over.
#[derive(Debug)]
pub struct Decoder {
    attachments_max: usize,
    bytes_max: usize,
    partial: Option<Box<Partial>>,
}

/// A packet whose attachments are arriving.
#[derive(Debug)]
struct Partial {
    packet: Packet,
    attachments_missing: usize,
    bytes: usize,
}

impl Decoder {
    /// A decoder for a fresh connection. A packet may have `attachments_max` attachments, and `bytes_max` bytes with
    /// all of them.
    pub fn new(attachments_max: usize, bytes_max: usize) -> Self {
        Self { attachments_max, bytes_max, partial: None }
    }

    /// Attachments are awaited. The caller limits how long this may last.
    pub fn has_partial(&self) -> bool {
        self.partial.is_some()
    }

    /// The packet whose attachments are awaited.
    pub fn partial(&self) -> Option<&Packet> {
        self.partial.as_ref().map(|partial| &partial.packet)
    }

    /// Bytes of packets whose attachments are awaited.
    pub fn buffered_bytes(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.bytes)
    }

    /// Takes the text of an Engine.IO message. `None`: attachments must come first.
    pub fn text(&mut self, text: &str) -> Result<Option<Packet>, ParseError> {
        if self.has_partial() {
            return Err(ParseError::AttachmentExpected);
        }
        let header = Header::parse(text, self.attachments_max)?;
        let attachments_missing = header.attachments;
        let packet = packet(&header)?;
        if attachments_missing == 0 {
            return Ok(Some(packet));
        }
        self.partial = Some(Box::new(Partial { packet, attachments_missing, bytes: text.len() }));
        Ok(None)
    }

    /// Takes a binary Engine.IO message, an attachment. `None`: more must come first.
    pub fn binary(&mut self, attachment: Cow<'_, [u8]>) -> Result<Option<Packet>, ParseError> {
        let mut partial = self.partial.take().ok_or(ParseError::AttachmentUnexpected)?;
        partial.bytes += attachment.len();
        if partial.bytes > self.bytes_max {
            return Err(ParseError::AttachmentsTooBig);
        }
        if let Some(args) = partial.packet.args_mut() {
            args.attachments.push(Bytes::from(attachment.into_owned()));
        }
        partial.attachments_missing -= 1;
        if partial.attachments_missing == 0 {
            return Ok(Some(partial.packet));
        }
        self.partial = Some(partial);
        Ok(None)
    }
}

/// The packet of a header, still without its attachments.
fn packet(header: &Header<'_>) -> Result<Packet, ParseError> {
    let Header { kind, attachments, namespace, id, payload } = *header;
    let namespace = Namespace::new(namespace)?;
    if id.is_some() && !matches!(kind, Kind::Event | Kind::Ack) {
        return Err(ParseError::AckId);
    }
    match kind {
        Kind::Connect if payload.is_empty() => Ok(Packet::Connect { namespace, auth: None }),
        Kind::Connect => {
            json::check(payload, Shape::Object)?;
            Ok(Packet::Connect { namespace, auth: Some(payload.into()) })
        }
        Kind::Disconnect if payload.is_empty() => Ok(Packet::Disconnect { namespace }),
        Kind::Disconnect => Err(ParseError::PayloadUnexpected),
        Kind::Event => {
            check_args(payload, attachments)?;
            let (name, args) = split_event(payload)?;
            Ok(Packet::Event { namespace, id, name, args: Payload::awaiting(args, attachments) })
        }
        Kind::Ack => {
            let id = id.ok_or(ParseError::AckId)?;
            check_args(payload, attachments)?;
            Ok(Packet::Ack { namespace, id, args: Payload::awaiting(payload.into(), attachments) })
        }
        Kind::ConnectError => {
            json::check(payload, Shape::Object)?;
            Ok(Packet::ConnectError { namespace, error: payload.into() })
        }
    }
}

/// The name of an event, which must not be a reserved one, and its arguments.
pub(crate) fn split_event(array: &str) -> Result<(Box<str>, Box<str>), ParseError> {
    let (name, args) = json::split_event(array)?;
    if RESERVED_EVENTS.contains(&&*name) {
        return Err(ParseError::EventNameReserved);
    }
    Ok((name, args))
}

fn check_args(payload: &str, attachments: usize) -> Result<(), ParseError> {
    json::check(payload, Shape::Array)?;
    if attachments > 0 {
        json::check_placeholders(payload, attachments)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
