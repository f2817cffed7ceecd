//! Polling payloads: several packets in the body of one request or response.

use crate::{ParseError, engine::Packet};

/// What stands between two packets of a payload: the record separator.
pub const SEPARATOR: char = '\u{1e}';

/// Packets in one response. Clients based on python-engineio refuse more.
pub const PACKETS_PER_RESPONSE_MAX: usize = 16;

/// Reads the body of a request, packet by packet, so that the ones before a bad one can be handled.
///
/// The iterator ends after an error. Neither an empty body nor a separator at the end is a payload.
pub fn decode(body: &str, packets_max: usize) -> impl Iterator<Item = Result<Packet<'_>, ParseError>> {
    let mut is_over = false;
    body.split(SEPARATOR).enumerate().map_while(move |(index, text)| {
        if is_over {
            return None;
        }
        let packet = if index < packets_max { Packet::decode(text) } else { Err(ParseError::PacketsTooMany) };
        is_over = packet.is_err();
        Some(packet)
    })
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
