use super::{
    SEPARATOR,
    counted::{self, Piece},
};
use crate::{
    ParseError,
    engine::{Packet, Revision},
};

/// The packets of a body.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    /// Nothing after the last packet, or an error.
    rest: Option<Rest<'a>>,
    packets_left: usize,
}

/// What is left of a body.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rest<'a> {
    Binary(&'a [u8]),
    Counted(&'a str),
    Separated(&'a str),
}

impl<'a> Decoder<'a> {
    pub(super) fn new(rest: Rest<'a>, packets_max: usize) -> Self {
        Self { rest: Some(rest), packets_left: packets_max }
    }
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
