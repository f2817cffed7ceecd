//! Polling payloads: several packets in the body of one request or response.

mod counted;

use crate::{
    ParseError,
    engine::{Packet, Revision},
};
use counted::Piece;

/// What stands between two packets of a payload: the record separator.
pub const SEPARATOR: char = '\u{1e}';

/// Packets in one response. Clients based on python-engineio refuse more.
pub const PACKETS_PER_RESPONSE_MAX: usize = 16;

/// The body of a request or a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// `application/octet-stream`; only in revision 3.
    Binary(Vec<u8>),
    /// Anything else.
    Text(String),
}

/// How the payloads of a session are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// In revision 3: each packet behind its length.
    V3 {
        /// The client cannot read binary bodies.
        base64: bool,
    },
    /// In revision 4: packets between separators.
    V4,
}

impl Format {
    /// The body that holds these packets, which are in the form of revision 4 such as `42["a"]` or `bAQID`; `None` if
    /// there are none, because an empty body must not be sent.
    pub fn encode<'a>(self, packets: impl Iterator<Item = &'a str> + Clone) -> Option<Body> {
        packets.clone().next()?;
        Some(match self {
            Self::V3 { base64 } => counted::encode(packets, base64),
            Self::V4 => {
                let mut body = Encoder::new();
                packets.for_each(|packet| body.push_text(packet));
                Body::Text(body.finish())
            }
        })
    }

    /// The body that holds this packet.
    pub fn encode_one(self, packet: &str) -> Body {
        self.encode(std::iter::once(packet)).expect("there is one")
    }

    /// The revision of the protocol.
    pub fn revision(self) -> Revision {
        match self {
            Self::V3 { .. } => Revision::V3,
            Self::V4 => Revision::V4,
        }
    }

    /// Reads the body of a request, packet by packet, so that the ones before a bad one can be handled. See [`decode`].
    pub fn decode(self, body: &Body, packets_max: usize) -> Decoder<'_> {
        let rest = match (self, body) {
            (Self::V3 { .. }, Body::Text(text)) => Rest::Counted(text),
            (_, Body::Binary(bytes)) => Rest::Binary(bytes),
            (Self::V4, Body::Text(text)) => Rest::Separated(text),
        };
        Decoder { rest: Some(rest), packets_left: packets_max }
    }
}

/// Reads the text body of a request of revision 4, packet by packet.
///
/// The iterator ends after an error. Neither an empty body nor a separator at the end is a payload.
pub fn decode(body: &str, packets_max: usize) -> Decoder<'_> {
    Decoder { rest: Some(Rest::Separated(body)), packets_left: packets_max }
}

/// The packets of a body.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    /// Nothing after the last packet, or an error.
    rest: Option<Rest<'a>>,
    packets_left: usize,
}

#[derive(Clone, Copy, Debug)]
enum Rest<'a> {
    Binary(&'a [u8]),
    Counted(&'a str),
    Separated(&'a str),
}

impl<'a> Iterator for Decoder<'a> {
    type Item = Result<Packet<'a>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        let Some(packets_left) = self.packets_left.checked_sub(1) else {
            return Some(Err(ParseError::PacketsTooMany));
        };
        self.packets_left = packets_left;
        let (packet, rest) = match rest.split() {
            Ok(split) => split,
            Err(error) => return Some(Err(error)),
        };
        self.rest = rest;
        Some(Ok(packet))
    }
}

impl<'a> Rest<'a> {
    /// The first packet, and what follows.
    fn split(self) -> Result<(Packet<'a>, Option<Self>), ParseError> {
        match self {
            Self::Separated(text) => {
                let (packet, rest) = match text.split_once(SEPARATOR) {
                    Some((packet, rest)) => (packet, Some(Self::Separated(rest))),
                    None => (text, None),
                };
                Ok((Packet::decode(packet)?, rest))
            }
            Self::Counted(text) => {
                let (packet, rest) = counted::split_text(text)?;
                let rest = (!rest.is_empty()).then_some(Self::Counted(rest));
                Ok((Revision::V3.decode(packet)?, rest))
            }
            Self::Binary(bytes) => {
                let (piece, rest) = counted::split_binary(bytes)?;
                let rest = (!rest.is_empty()).then_some(Self::Binary(rest));
                let packet = match piece {
                    Piece::Text(text) => Revision::V3.decode(text)?,
                    Piece::Binary(bytes) => Revision::V3.decode_frame(bytes)?,
                };
                Ok((packet, rest))
            }
        }
    }
}

/// Builds the body of a response.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    body: String,
    packets: usize,
}

impl Encoder {
    /// A body without packets; such a body must not be sent.
    pub fn new() -> Self {
        Self::default()
    }

    /// No packet has been added.
    pub fn is_empty(&self) -> bool {
        self.packets == 0
    }

    /// No more packets may be added; what is left belongs into the next response.
    pub fn is_full(&self) -> bool {
        self.packets >= PACKETS_PER_RESPONSE_MAX
    }

    /// Bytes of the body so far.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Adds a packet that is text already, such as `42["a"]`.
    pub fn push_text(&mut self, packet: &str) {
        self.separate();
        self.body.push_str(packet);
    }

    /// Adds a packet.
    pub fn push(&mut self, packet: &Packet<'_>) {
        self.separate();
        packet.encode(&mut self.body);
    }

    /// The body.
    pub fn finish(self) -> String {
        self.body
    }

    fn separate(&mut self) {
        if self.packets > 0 {
            self.body.push(SEPARATOR);
        }
        self.packets += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn check(body: &str, expected: &[Result<Packet<'_>, ParseError>]) {
        assert_eq!(decode(body, 3).collect::<Vec<_>>(), expected, "{body:?}");
    }

    #[test]
    fn examples() {
        check(
            "42[\"a\"]\u{1e}bAQID",
            &[Ok(Packet::Message("2[\"a\"]")), Ok(Packet::Binary(Cow::Borrowed(&[1, 2, 3])))],
        );
        check("3", &[Ok(Packet::Pong(""))]);
        check("6\u{1e}1", &[Ok(Packet::Noop), Ok(Packet::Close)]);
    }

    #[test]
    fn packets_before_a_bad_one_are_given() {
        check("", &[Err(ParseError::EmptyPacket)]);
        check("\u{1e}", &[Err(ParseError::EmptyPacket)]);
        check("6\u{1e}", &[Ok(Packet::Noop), Err(ParseError::EmptyPacket)]);
        check("6\u{1e}x\u{1e}6", &[Ok(Packet::Noop), Err(ParseError::PacketType)]);
        check("6\u{1e}\u{1e}6", &[Ok(Packet::Noop), Err(ParseError::EmptyPacket)]);
    }

    #[test]
    fn too_many_packets() {
        let noop = || Ok(Packet::Noop);
        check("6\u{1e}6\u{1e}6", &[noop(), noop(), noop()]);
        check(&"6\u{1e}".repeat(500_000), &[noop(), noop(), noop(), Err(ParseError::PacketsTooMany)]);
        check(&"\u{1e}".repeat(1_000_000), &[Err(ParseError::EmptyPacket)]);
    }

    const V3: Format = Format::V3 { base64: false };

    #[track_caller]
    fn check_v3(body: &Body, expected: &[Result<Packet<'_>, ParseError>]) {
        assert_eq!(V3.decode(body, 3).collect::<Vec<_>>(), expected, "{body:?}");
    }

    fn text(body: &str) -> Body {
        Body::Text(body.to_owned())
    }

    #[test]
    fn counted_packets() {
        let hello = || Ok(Packet::Message("hello"));
        let bytes = || Ok(Packet::Binary(Cow::Borrowed(&[1, 2, 3, 4])));
        check_v3(&text("6:4hello"), &[hello()]);
        check_v3(&text("6:4hello10:b4AQIDBA==1:2"), &[hello(), bytes(), Ok(Packet::Ping(""))]);
        // Lengths are in UTF-16 units, in which an emoji is two.
        check_v3(&text("3:4\u{1f600}2:4é"), &[Ok(Packet::Message("\u{1f600}")), Ok(Packet::Message("é"))]);
        check_v3(&text("4:4\u{1e}:x"), &[Ok(Packet::Message("\u{1e}:x"))]);
        let binary = b"\x00\x06\xff4hello\x01\x05\xff\x04\x01\x02\x03\x04";
        check_v3(&Body::Binary(binary.to_vec()), &[hello(), bytes()]);
        let lengths_in_bytes = b"\x00\x03\xff4\xc3\xa9\x00\x00\x01\xff2";
        check_v3(&Body::Binary(lengths_in_bytes.to_vec()), &[Ok(Packet::Message("é")), Ok(Packet::Ping(""))]);
    }

    #[test]
    fn bad_counts() {
        let refused = || [Err(ParseError::Payload)];
        let bodies = ["", ":", "4hello", "2", "-1:2", "+1:2", " 1:2", "1 :2", "2:2", "1:\u{1f600}"];
        for body in bodies {
            check_v3(&text(body), &refused());
        }
        check_v3(&text("99999999999999999999:2"), &refused());
        check_v3(&text(&format!("{}1:2", "0".repeat(1_000_000))), &refused());
        check_v3(&text("0:"), &[Err(ParseError::EmptyPacket)]);
        check_v3(&text("1:21:"), &[Ok(Packet::Ping("")), Err(ParseError::Payload)]);
        check_v3(&text("1:x1:2"), &[Err(ParseError::PacketType)]);
        for body in [
            &b""[..],
            b"\x00",
            b"\x00\xff",
            b"\x00\x01",
            b"\x00\x01\xff",
            b"\x02\x01\xff2",
            b"\x00\x01\x0a\xff2",
            b"\x00\x01\xff\xff",
            b"\x01\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\xff\x04",
            b"6:4hello",
        ] {
            check_v3(&Body::Binary(body.to_vec()), &refused());
        }
        check_v3(&Body::Binary(b"\x01\x00\xff".to_vec()), &[Err(ParseError::EmptyPacket)]);
        assert!(Format::V4.decode(&Body::Binary(Vec::new()), 3).all(|packet| packet.is_err()));
        let ping = || Ok(Packet::Ping(""));
        check_v3(&text(&"1:2".repeat(300_000)), &[ping(), ping(), ping(), Err(ParseError::PacketsTooMany)]);
    }

    #[test]
    fn responses_of_revision_3() {
        let encode = |base64, packets: &[&str]| Format::V3 { base64 }.encode(packets.iter().copied());
        assert_eq!(encode(false, &[]), None);
        assert_eq!(encode(false, &["4é\u{1f600}", "2"]), Some(text("4:4é\u{1f600}1:2")));
        assert_eq!(encode(true, &["4hello", "bAQIDBA=="]), Some(text("6:4hello10:b4AQIDBA==")));
        let binary = b"\x00\x06\xff4hello\x01\x05\xff\x04\x01\x02\x03\x04";
        assert_eq!(encode(false, &["4hello", "bAQIDBA=="]), Some(Body::Binary(binary.to_vec())));
    }

    #[test]
    fn a_response() {
        let mut encoder = Encoder::new();
        assert!(encoder.is_empty());
        encoder.push_text("40{\"sid\":\"x\"}");
        encoder.push(&Packet::Binary(Cow::Borrowed(&[1, 2, 3, 4])));
        for _ in 2..PACKETS_PER_RESPONSE_MAX {
            assert!(!encoder.is_full());
            encoder.push(&Packet::Noop);
        }
        assert!(encoder.is_full());
        let body = encoder.finish();
        assert!(body.starts_with("40{\"sid\":\"x\"}\u{1e}bAQIDBA==\u{1e}6\u{1e}6"), "{body}");
        assert_eq!(decode(&body, 100).filter(Result::is_ok).count(), 16);
    }
}
