use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::Verifier;
use crate::InvalidReason;

/// Bytes that a decoded header may have.
const HEADER_BYTES_MAX: usize = 1024;

/// The three parts of a JWS in compact serialization (RFC 7515 section 7.1), still encoded.
pub(super) struct Compact<'a> {
    token: &'a str,
    header_end: usize,
    payload_end: usize,
}

impl<'a> Compact<'a> {
    /// Finds the parts in one pass, after the length is known to be fine.
    pub(super) fn split(token: &'a str) -> Result<Self, InvalidReason> {
        if token.len() > Verifier::TOKEN_BYTES_MAX {
            return Err(InvalidReason::TokenTooLong);
        }
        let (mut ends, mut dots) = ([0; 2], 0);
        for (index, byte) in token.bytes().enumerate() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => {}
                b'.' => {
                    if let Some(end) = ends.get_mut(dots) {
                        *end = index;
                    }
                    dots += 1;
                }
                _ => return Err(InvalidReason::Charset),
            }
        }
        let [header_end, payload_end] = ends;
        match dots {
            2 if header_end > 0 && payload_end > header_end + 1 && token.len() > payload_end + 1 => {
                Ok(Self { token, header_end, payload_end })
            }
            4 => Err(InvalidReason::Encrypted),
            _ => Err(InvalidReason::Segments),
        }
    }

    pub(super) fn header(&self) -> Result<Vec<u8>, InvalidReason> {
        let header = decode(&self.token[..self.header_end])?;
        if header.len() > HEADER_BYTES_MAX { Err(InvalidReason::HeaderTooLong) } else { Ok(header) }
    }

    pub(super) fn payload(&self) -> Result<Vec<u8>, InvalidReason> {
        decode(&self.token[self.header_end + 1..self.payload_end])
    }

    pub(super) fn signature(&self) -> Result<Vec<u8>, InvalidReason> {
        decode(&self.token[self.payload_end + 1..])
    }

    /// What was signed: the ASCII of `header.payload`.
    pub(super) fn signing_input(&self) -> &'a [u8] {
        &self.token.as_bytes()[..self.payload_end]
    }
}

/// Strict: no padding, and no bits set after the last byte, so that a part has one spelling only.
fn decode(part: &str) -> Result<Vec<u8>, InvalidReason> {
    BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| InvalidReason::Base64)
}
