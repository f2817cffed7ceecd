//! The opening handshake (RFC 6455 section 4.2), on header values that an HTTP parser found.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

/// The parts of a request that decide whether it opens a WebSocket.
///
/// A header that came more than once is given as one value, joined by commas (RFC 9110 section 5.3).
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The `Connection` header.
    pub connection: Option<&'a str>,
    /// The `Upgrade` header.
    pub upgrade: Option<&'a str>,
    /// The `Sec-WebSocket-Version` header.
    pub version: Option<&'a str>,
    /// The `Sec-WebSocket-Key` header.
    pub key: Option<&'a str>,
}

/// Why a request does not open a WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// `Sec-WebSocket-Key` is missing or is not the base64 of sixteen bytes.
    #[error("Sec-WebSocket-Key is missing or malformed")]
    Key,
    /// Not a GET request.
    #[error("a WebSocket is opened by a GET request")]
    Method,
    /// The headers do not ask for a WebSocket.
    #[error("Connection and Upgrade do not ask for a WebSocket")]
    NotAnUpgrade,
    /// Another version than 13.
    #[error("Sec-WebSocket-Version is not 13")]
    Version,
}

impl HandshakeError {
    /// The HTTP status to refuse with; 426 goes with the header `Sec-WebSocket-Version: 13`.
    pub fn http_status(self) -> u16 {
        match self {
            Self::Key | Self::NotAnUpgrade => 400,
            Self::Method => 405,
            Self::Version => 426,
        }
    }
}

impl Request<'_> {
    /// Whether the headers ask for a WebSocket at all, be it correctly or not.
    pub fn is_upgrade(&self) -> bool {
        has_token(self.connection, "upgrade") && has_token(self.upgrade, "websocket")
    }

    /// Checks the request; the value is the `Sec-WebSocket-Accept` of the answer 101.
    pub fn accept(&self) -> Result<String, HandshakeError> {
        if !self.is_upgrade() {
            return Err(HandshakeError::NotAnUpgrade);
        }
        if self.method != "GET" {
            return Err(HandshakeError::Method);
        }
        if self.version.map(str::trim) != Some("13") {
            return Err(HandshakeError::Version);
        }
        accept_key(self.key.ok_or(HandshakeError::Key)?)
    }
}

/// The `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key`.
pub fn accept_key(sec_websocket_key: &str) -> Result<String, HandshakeError> {
    const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let key = sec_websocket_key.trim().as_bytes();
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    match key.split_last_chunk() {
        Some((digits, b"==")) if digits.len() == 22 && digits.iter().all(is_base64) => {
            Ok(STANDARD.encode(Sha1::new().chain_update(key).chain_update(GUID).finalize()))
        }
        _ => Err(HandshakeError::Key),
    }
}

/// Whether a comma-separated header value has this token, in any case.
fn has_token(header: Option<&str>, token: &str) -> bool {
    header.is_some_and(|value| value.split(',').any(|item| item.trim().eq_ignore_ascii_case(token)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Request<'_> = Request {
        method: "GET",
        connection: Some("keep-alive, Upgrade"),
        upgrade: Some("WebSocket"),
        version: Some("13"),
        key: Some("dGhlIHNhbXBsZSBub25jZQ=="),
    };

    #[test]
    fn example_of_the_rfc() {
        assert_eq!(GOOD.accept().as_deref(), Ok("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }

    #[test]
    fn refusals() {
        let cases = [
            (Request { method: "POST", ..GOOD }, HandshakeError::Method),
            (Request { connection: None, ..GOOD }, HandshakeError::NotAnUpgrade),
            (Request { connection: Some("not-upgrade"), ..GOOD }, HandshakeError::NotAnUpgrade),
            (Request { upgrade: Some("h2c"), ..GOOD }, HandshakeError::NotAnUpgrade),
            (Request { upgrade: None, ..GOOD }, HandshakeError::NotAnUpgrade),
            (Request { version: Some("12"), ..GOOD }, HandshakeError::Version),
            (Request { version: None, ..GOOD }, HandshakeError::Version),
            (Request { key: None, ..GOOD }, HandshakeError::Key),
            (Request { key: Some(""), ..GOOD }, HandshakeError::Key),
            (Request { key: Some("AAAA=="), ..GOOD }, HandshakeError::Key),
            (Request { key: Some("dGhlIHNhbXBsZSBub25jZQ="), ..GOOD }, HandshakeError::Key),
            (Request { key: Some("dGhlIHNhbXBsZSBub25jZQ==="), ..GOOD }, HandshakeError::Key),
            (Request { key: Some("dGhlIHNhbXBsZSBub25jZQQ="), ..GOOD }, HandshakeError::Key),
            (Request { key: Some("dGhlIHNhbXBs\u{e9}SBub25jZ=="), ..GOOD }, HandshakeError::Key),
        ];
        for (request, error) in cases {
            assert_eq!(request.accept(), Err(error), "{request:?}");
        }
    }
}
