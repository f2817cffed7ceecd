use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::ParseError;

/// One Engine.IO packet: a WebSocket frame, or a part of a polling payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// `0`: the server's handshake, see [`super::Handshake`].
    Open(&'a str),
    /// `1`: the end of the session.
    Close,
    /// `2`: the server's heartbeat, or the client's `probe` of a new transport.
    Ping(&'a str),
    /// `3`: the answer to a ping, with its data.
    Pong(&'a str),
    /// `4`: a Socket.IO packet.
    Message(&'a str),
    /// A binary WebSocket frame, or `b` and base64: an attachment of a Socket.IO packet.
    Binary(Cow<'a, [u8]>),
    /// `5`: the new transport takes over.
    Upgrade,
    /// `6`: nothing; it lets a held poll return.
    Noop,
}

impl<'a> Packet<'a> {
    /// Reads a text frame, or a part of a polling payload. A binary frame is [`Self::Binary`] as it is.
    pub fn decode(text: &'a str) -> Result<Self, ParseError> {
        let mut characters = text.chars();
        let packet_type = characters.next().ok_or(ParseError::EmptyPacket)?;
        let data = characters.as_str();
        Ok(match packet_type {
            '0' => Self::Open(data),
            '1' => Self::Close,
            '2' => Self::Ping(data),
            '3' => Self::Pong(data),
            '4' => Self::Message(data),
            '5' => Self::Upgrade,
            '6' => Self::Noop,
            'b' => return Self::decode_base64(data),
            _ => return Err(ParseError::PacketType),
        })
    }

    pub(crate) fn decode_base64(data: &str) -> Result<Self, ParseError> {
        Ok(Self::Binary(Cow::Owned(STANDARD.decode(data).map_err(|_| ParseError::Base64)?)))
    }

    /// Appends the packet in its text form, binary data as base64.
    pub fn encode(&self, out: &mut String) {
        let (packet_type, data) = match self {
            Self::Open(data) => ('0', *data),
            Self::Close => ('1', ""),
            Self::Ping(data) => ('2', *data),
            Self::Pong(data) => ('3', *data),
            Self::Message(data) => ('4', *data),
            Self::Upgrade => ('5', ""),
            Self::Noop => ('6', ""),
            Self::Binary(bytes) => {
                out.push('b');
                STANDARD.encode_string(bytes, out);
                return;
            }
        };
        out.push(packet_type);
        out.push_str(data);
    }

    /// Bytes of data after the type.
    pub(crate) fn data_len(&self) -> usize {
        match self {
            Self::Open(data) | Self::Ping(data) | Self::Pong(data) | Self::Message(data) => data.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::Close | Self::Upgrade | Self::Noop => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        for (text, packet) in [
            ("0{}", Packet::Open("{}")),
            ("1", Packet::Close),
            ("2", Packet::Ping("")),
            ("2probe", Packet::Ping("probe")),
            ("3", Packet::Pong("")),
            ("3probe", Packet::Pong("probe")),
            ("4", Packet::Message("")),
            ("42[\"é\"]", Packet::Message("2[\"é\"]")),
            ("5", Packet::Upgrade),
            ("6", Packet::Noop),
            ("b", Packet::Binary(Cow::Borrowed(&[]))),
            ("bAQIDBA==", Packet::Binary(Cow::Borrowed(&[1, 2, 3, 4]))),
        ] {
            assert_eq!(Packet::decode(text).as_ref(), Ok(&packet));
            let mut encoded = String::new();
            packet.encode(&mut encoded);
            assert_eq!(encoded, text);
        }
    }

    #[test]
    fn refused() {
        for (text, error) in [
            ("", ParseError::EmptyPacket),
            ("7", ParseError::PacketType),
            ("9", ParseError::PacketType),
            ("x", ParseError::PacketType),
            ("-1", ParseError::PacketType),
            (" ", ParseError::PacketType),
            ("é", ParseError::PacketType),
            ("😀😀", ParseError::PacketType),
            ("\u{1e}", ParseError::PacketType),
            ("bA", ParseError::Base64),
            ("bAQIDBA", ParseError::Base64),
            ("bAQIDBB==", ParseError::Base64),
            ("bAQ-_", ParseError::Base64),
            ("b\u{e9}", ParseError::Base64),
        ] {
            assert_eq!(Packet::decode(text), Err(error), "{text:?}");
        }
    }

    /// Data after a type that has none is ignored, as the reference server does.
    #[test]
    fn data_that_means_nothing() {
        assert_eq!(Packet::decode("6x"), Ok(Packet::Noop));
        assert_eq!(Packet::decode("1bye"), Ok(Packet::Close));
        assert_eq!(Packet::decode("5 "), Ok(Packet::Upgrade));
    }
}
