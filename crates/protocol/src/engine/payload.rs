//! Polling payloads: several packets in the body of one request or response.

mod counted;
mod decoder;

use crate::engine::{Packet, Revision};
use decoder::Rest;

pub use decoder::Decoder;

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
        Decoder::new(rest, packets_max)
    }
}

/// Reads the text body of a request of revision 4, packet by packet.
///
/// The iterator ends after an error. Neither an empty body nor a separator at the end is a payload.
pub fn decode(body: &str, packets_max: usize) -> Decoder<'_> {
    Decoder::new(Rest::Separated(body), packets_max)
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
mod tests;
