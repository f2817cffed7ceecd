use crate::{Opcode, ProtocolError, Role};

/// The header of a frame from the peer, checked for everything that does not depend on earlier frames.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameHeader {
    pub(crate) fin: bool,
    /// The first frame of a compressed message.
    pub(crate) is_compressed: bool,
    pub(crate) opcode: Opcode,
    /// All zero where the peer does not mask.
    pub(crate) mask_key: [u8; 4],
    pub(crate) payload_len: u64,
}

impl FrameHeader {
    /// Reads a header from the start of `bytes`, with its length. None: it is not all there yet.
    ///
    /// `has_deflate`: messages may be compressed.
    pub(crate) fn parse(
        bytes: &[u8],
        role: Role,
        has_deflate: bool,
    ) -> Result<Option<(Self, usize)>, ProtocolError> {
        let Some((&[first, second], rest)) = bytes.split_first_chunk() else { return Ok(None) };
        let fin = first & 0x80 != 0;
        let masked = second & 0x80 != 0;
        let short_len = second & 0x7f;
        let is_compressed = first & 0x40 != 0;
        if first & 0x30 != 0 || is_compressed && !has_deflate {
            return Err(ProtocolError::ReservedBits);
        }
        let opcode = Opcode::from_bits(first).ok_or(ProtocolError::ReservedOpcode)?;
        if is_compressed && !matches!(opcode, Opcode::Text | Opcode::Binary) {
            return Err(ProtocolError::ReservedBits);
        }
        match role {
            Role::Server if !masked => return Err(ProtocolError::MaskMissing),
            Role::Client if masked => return Err(ProtocolError::MaskUnexpected),
            _ => {}
        }
        if opcode.is_control() && !fin {
            return Err(ProtocolError::ControlFragmented);
        }
        if opcode.is_control() && short_len > 125 {
            return Err(ProtocolError::ControlTooLong);
        }

        let (payload_len, rest) = match short_len {
            126 => {
                let Some((len, rest)) = rest.split_first_chunk() else { return Ok(None) };
                (u64::from(u16::from_be_bytes(*len)), rest)
            }
            127 => {
                let Some((len, rest)) = rest.split_first_chunk() else { return Ok(None) };
                (u64::from_be_bytes(*len), rest)
            }
            len => (u64::from(len), rest),
        };
        if (short_len == 126 && payload_len < 126) || (short_len == 127 && payload_len <= 0xffff) {
            return Err(ProtocolError::LengthNotMinimal);
        }

        let (mask_key, rest) = match (masked, rest.split_first_chunk()) {
            (true, Some((key, rest))) => (*key, rest),
            (true, None) => return Ok(None),
            (false, _) => ([0; 4], rest),
        };
        Ok(Some((Self { fin, is_compressed, opcode, mask_key, payload_len }, bytes.len() - rest.len())))
    }
}
