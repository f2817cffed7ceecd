//! The msgpack form of packets (the parser `socket.io-msgpack-parser`): each is one binary Engine.IO message that
//! holds a map `{type, nsp, data?, id?}`, with binary data in place.
//!
//! It is translated at the edge: what is read becomes the [`Packet`] that the standard form would have given, and
//! what is written is made of a packet in the standard form. Nothing here recurses.

mod from_json;
mod reader;
mod to_json;

use bytes::Bytes;

use crate::{
    ParseError,
    socket::{
        Namespace, Packet, Payload,
        header::{Header, Kind, SAFE_INTEGER_MAX},
        split_event,
    },
};
use reader::{Reader, Token};

/// Reads a binary Engine.IO message.
///
/// As in the standard form a packet may have `attachments_max` attachments; it may have `bytes_max` bytes with all of
/// them, counted as the standard form would have it.
pub fn decode(message: &[u8], attachments_max: usize, bytes_max: usize) -> Result<Packet, ParseError> {
    let Envelope { kind, namespace, id, data } = Envelope::read(message)?;
    // In the standard form there can be no others.
    check(namespace.starts_with('/') && !namespace.contains(','))?;
    let namespace = Namespace::new(namespace)?;
    if id.is_some() && !matches!(kind, Kind::Event | Kind::Ack) {
        return Err(ParseError::AckId);
    }
    let json = |attachments_max| to_json::transcode(data, attachments_max, bytes_max);
    match kind {
        Kind::Connect if data.is_empty() => Ok(Packet::Connect { namespace, auth: None }),
        Kind::Connect => {
            let (auth, _) = json(0)?;
            check(auth.starts_with('{'))?;
            Ok(Packet::Connect { namespace, auth: Some(auth) })
        }
        Kind::Disconnect if data.is_empty() => Ok(Packet::Disconnect { namespace }),
        Kind::Disconnect => Err(ParseError::PayloadUnexpected),
        Kind::Event => {
            let (array, attachments) = json(attachments_max)?;
            check(array.starts_with('['))?;
            let (name, args) = split_event(&array)?;
            Ok(Packet::Event { namespace, id, name, args: payload(args, attachments)? })
        }
        Kind::Ack => {
            let id = id.ok_or(ParseError::AckId)?;
            let (args, attachments) = json(attachments_max)?;
            check(args.starts_with('['))?;
            Ok(Packet::Ack { namespace, id, args: payload(args, attachments)? })
        }
        Kind::ConnectError => {
            let (error, _) = json(0)?;
            check(error.starts_with(['{', '"']))?;
            Ok(Packet::ConnectError { namespace, error })
        }
    }
}

/// The msgpack form of a packet: `text` as it is sent in the standard form, with the `4` of an Engine.IO message in
/// front, and its attachments. `None` if it is no Socket.IO packet.
pub fn encode(text: &str, attachments: &[Bytes]) -> Option<Vec<u8>> {
    let Header { kind, namespace, id, payload, .. } =
        Header::parse(text.strip_prefix('4')?, usize::MAX).ok()?;
    let size: usize = text.len() + attachments.iter().map(Bytes::len).sum::<usize>();
    let mut out = Vec::with_capacity(size + 32);
    let mut entries = 2;
    entries += usize::from(id.is_some()) + usize::from(!payload.is_empty());
    from_json::map(entries, &mut out);
    from_json::string("type", &mut out);
    out.push(kind as u8);
    from_json::string("nsp", &mut out);
    from_json::string(namespace, &mut out);
    if let Some(id) = id {
        from_json::string("id", &mut out);
        from_json::unsigned(id, &mut out);
    }
    if !payload.is_empty() {
        from_json::string("data", &mut out);
        from_json::transcode(payload, attachments, &mut out);
    }
    Some(out)
}

/// The map around a packet.
struct Envelope<'a> {
    kind: Kind,
    namespace: &'a str,
    id: Option<u64>,
    /// The value as it came; empty if there is none.
    data: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn read(message: &'a [u8]) -> Result<Self, ParseError> {
        let mut reader = Reader::new(message);
        let Token::Map(entries) = reader.next()? else { return Err(ParseError::Msgpack) };
        let (mut kind, mut namespace, mut id, mut data) = (None, "/", None, &[][..]);
        for _ in 0..entries {
            let Token::String(key) = reader.next()? else { return Err(ParseError::Msgpack) };
            match key {
                "type" => kind = reader.next()?.integer().and_then(kind_of),
                "nsp" => match reader.next()? {
                    Token::String(name) => namespace = name,
                    Token::Nil => namespace = "/",
                    _ => return Err(ParseError::Msgpack),
                },
                "id" => match reader.next()? {
                    Token::Nil | Token::Undefined => id = None,
                    token => id = Some(token.integer().and_then(ack_id).ok_or(ParseError::AckId)?),
                },
                "data" => data = reader.skip()?,
                _ => _ = reader.skip()?,
            }
        }
        check(reader.is_at_end())?;
        // Clients in other languages write nil where JavaScript has nothing.
        if matches!(Reader::new(data).next(), Ok(Token::Nil | Token::Undefined)) {
            data = &[];
        }
        Ok(Self { kind: kind.ok_or(ParseError::PacketType)?, namespace, id, data })
    }
}

fn kind_of(number: i128) -> Option<Kind> {
    [Kind::Connect, Kind::Disconnect, Kind::Event, Kind::Ack, Kind::ConnectError]
        .into_iter()
        .find(|kind| *kind as i128 == number)
}

fn ack_id(number: i128) -> Option<u64> {
    u64::try_from(number).ok().filter(|id| *id <= SAFE_INTEGER_MAX)
}

/// Arguments whose attachments can be told from a map that only looks like a placeholder.
fn payload(json: Box<str>, attachments: Vec<Bytes>) -> Result<Payload, ParseError> {
    if !attachments.is_empty() {
        let placeholders = crate::socket::json::check_placeholders(&json, attachments.len())?;
        if placeholders != attachments.len() {
            return Err(ParseError::Placeholder);
        }
    }
    Ok(Payload::new(json, attachments))
}

fn check(is_right: bool) -> Result<(), ParseError> {
    if is_right { Ok(()) } else { Err(ParseError::Msgpack) }
}

#[cfg(test)]
mod tests;
