use crate::{ParseError, engine::Packet};

/// Which protocol a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Revision {
    /// That of Socket.IO clients v1 and v2: the client sends the heartbeat, and is in the main namespace at once.
    V3,
    /// That of Socket.IO clients v3 and v4.
    V4,
}

impl Revision {
    /// Reads a text frame of a WebSocket, or a packet of a polling payload.
    pub fn decode(self, text: &str) -> Result<Packet<'_>, ParseError> {
        match (self, text.strip_prefix('b')) {
            (Self::V3, Some(binary)) => {
                Packet::decode_base64(binary.strip_prefix('4').ok_or(ParseError::PacketType)?)
            }
            _ => Packet::decode(text),
        }
    }

    /// Reads a binary frame of a WebSocket: a message, with its type in front in revision 3.
    pub fn decode_frame(self, frame: &[u8]) -> Result<Packet<'_>, ParseError> {
        match (self, frame) {
            (Self::V4, message) | (Self::V3, [4, message @ ..]) => Ok(Packet::Binary(message.into())),
            (Self::V3, [_, ..]) => Err(ParseError::PacketType),
            (Self::V3, []) => Err(ParseError::EmptyPacket),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_messages() {
        let message = Ok(Packet::Binary([1, 2, 3].as_slice().into()));
        assert_eq!(Revision::V4.decode("bAQID"), message);
        assert_eq!(Revision::V4.decode_frame(&[1, 2, 3]), message);
        assert_eq!(Revision::V3.decode("b4AQID"), message);
        assert_eq!(Revision::V3.decode_frame(&[4, 1, 2, 3]), message);
        assert_eq!(Revision::V3.decode("bAQID"), Err(ParseError::PacketType));
        assert_eq!(Revision::V3.decode("b4AQI"), Err(ParseError::Base64));
        assert_eq!(Revision::V3.decode_frame(&[1, 2, 3]), Err(ParseError::PacketType));
        assert_eq!(Revision::V3.decode_frame(&[]), Err(ParseError::EmptyPacket));
        assert_eq!(Revision::V3.decode_frame(&[4]), Ok(Packet::Binary([].as_slice().into())));
        assert_eq!(Revision::V3.decode("42[\"é\"]"), Ok(Packet::Message("2[\"é\"]")));
    }
}
