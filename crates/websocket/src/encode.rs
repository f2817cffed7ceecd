use std::ops::Deref;

use crate::{Opcode, mask};

/// The header of an unmasked, unfragmented frame: two to ten bytes, on the stack.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    bytes: [u8; 10],
    len: u8,
}

impl Deref for Header {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// The header of a server's frame with this many bytes of payload.
pub fn header(opcode: Opcode, payload_len: usize) -> Header {
    const FIN: u8 = 0x80;
    let mut bytes = [0; 10];
    bytes[0] = FIN | opcode as u8;
    let len = if let Ok(len @ ..=125) = u8::try_from(payload_len) {
        bytes[1] = len;
        2
    } else if let Ok(len) = u16::try_from(payload_len) {
        bytes[1] = 126;
        bytes[2..4].copy_from_slice(&len.to_be_bytes());
        4
    } else {
        bytes[1] = 127;
        bytes[2..].copy_from_slice(&(payload_len as u64).to_be_bytes());
        10
    };
    Header { bytes, len }
}

/// Appends a server's frame.
pub fn encode(opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) {
    let header = header(opcode, payload.len());
    out.reserve(header.len() + payload.len());
    out.extend_from_slice(&header);
    out.extend_from_slice(payload);
}

/// Appends a client's frame, as load tests and test clients send it. The key should be unpredictable.
pub fn encode_masked(opcode: Opcode, payload: &[u8], mask_key: [u8; 4], out: &mut Vec<u8>) {
    const MASKED: u8 = 0x80;
    let mut header = header(opcode, payload.len());
    header.bytes[1] |= MASKED;
    out.reserve(header.len() + mask_key.len() + payload.len());
    out.extend_from_slice(&header);
    out.extend_from_slice(&mask_key);
    let start = out.len();
    out.extend_from_slice(payload);
    mask::apply(mask_key, &mut out[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_take_the_fewest_bytes() {
        for (len, expected) in [
            (0, &[0x82, 0][..]),
            (125, &[0x82, 125]),
            (126, &[0x82, 126, 0, 126]),
            (65_535, &[0x82, 126, 0xff, 0xff]),
            (65_536, &[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            assert_eq!(&*header(Opcode::Binary, len), expected, "{len}");
        }
    }

    /// The examples of RFC 6455 section 5.7.
    #[test]
    fn examples_of_the_rfc() {
        let mut frame = Vec::new();
        encode(Opcode::Text, b"Hello", &mut frame);
        assert_eq!(frame, b"\x81\x05Hello");

        frame.clear();
        encode_masked(Opcode::Text, b"Hello", [0x37, 0xfa, 0x21, 0x3d], &mut frame);
        assert_eq!(frame, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);

        frame.clear();
        encode(Opcode::Ping, b"Hello", &mut frame);
        assert_eq!(frame, b"\x89\x05Hello");
    }
}
