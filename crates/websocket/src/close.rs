use std::fmt;

use crate::{Opcode, ProtocolError, encode};

/// Why a connection is closed (RFC 6455 section 7.4), limited to what may be sent in a frame.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: done.
    pub const NORMAL: Self = Self(1000);
    /// 1001: this end goes away.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: this kind of data is not accepted.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1007: text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: against this end's policy.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message is too big.
    pub const TOO_BIG: Self = Self(1009);
    /// 1011: this end failed.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: this end restarts; come back.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: this end is overloaded; come back later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);

    /// The code, if it may be sent: registered ones, and 3000 to 4999 for libraries and applications.
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            _ => None,
        }
    }

    /// The number on the wire.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The body of a peer's close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseFrame<'a> {
    /// Why.
    pub code: CloseCode,
    /// Why, in words; chosen by the peer, so not to be trusted.
    pub reason: &'a str,
}

impl<'a> CloseFrame<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Option<Self>, ProtocolError> {
        if body.is_empty() {
            return Ok(None);
        }
        let (code, reason) = body.split_first_chunk().ok_or(ProtocolError::CloseBody)?;
        let code = CloseCode::new(u16::from_be_bytes(*code)).ok_or(ProtocolError::CloseCode)?;
        let reason = simdutf8::basic::from_utf8(reason).map_err(|_| ProtocolError::InvalidUtf8)?;
        Ok(Some(Self { code, reason }))
    }
}

/// A server's close frame. Without a code the peer sees 1005. The reason is cut at 123 bytes.
///
/// Reasons are fixed texts, so that nothing secret and nothing a peer sent can get into one.
pub fn close(code: Option<CloseCode>, reason: &'static str) -> Vec<u8> {
    const REASON_BYTES_MAX: usize = 123;
    let mut body = Vec::new();
    if let Some(code) = code {
        body.extend_from_slice(&code.get().to_be_bytes());
        let (reason, _) = reason.split_at(reason.floor_char_boundary(REASON_BYTES_MAX));
        body.extend_from_slice(reason.as_bytes());
    }
    let mut frame = Vec::with_capacity(2 + body.len());
    encode(Opcode::Close, &body, &mut frame);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_frames() {
        assert_eq!(close(None, "unsaid without a code"), [0x88, 0]);
        assert_eq!(close(Some(CloseCode::NORMAL), ""), [0x88, 2, 0x03, 0xe8]);
        assert_eq!(close(CloseCode::new(4401), "expired"), b"\x88\x09\x11\x31expired");

        // 61 two-byte letters fit into 123 bytes; the 62nd would be cut in half.
        let long = close(
            Some(CloseCode::NORMAL),
            const {
                concat!("éééééééééééééééééééééééééééééé", "éééééééééééééééééééééééééééééé", "éé")
            },
        );
        assert_eq!(long[..2], [0x88, 2 + 122]);
        assert_eq!(std::str::from_utf8(&long[4..]), Ok("é".repeat(61).as_str()));
    }

    #[test]
    fn codes_that_may_be_sent() {
        for good in
            [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
        {
            assert_eq!(CloseCode::new(good).map(CloseCode::get), Some(good));
        }
        for bad in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] {
            assert_eq!(CloseCode::new(bad), None, "{bad}");
        }
    }
}
