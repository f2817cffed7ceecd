//! The query of an Engine.IO request, and the errors that answer a bad one.

use std::borrow::Cow;

use crate::engine::Revision;

/// How a client exchanges packets with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// HTTP long-polling.
    Polling,
    /// WebSocket.
    Websocket,
}

impl Transport {
    /// The name in queries and in the list of upgrades.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Polling => "polling",
            Self::Websocket => "websocket",
        }
    }
}

/// What Engine.IO reads from a query; everything else in it belongs to the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query<'a> {
    /// `transport`.
    pub transport: Transport,
    /// `sid`, unless empty. None: the request is a handshake.
    pub sid: Option<Cow<'a, str>>,
    /// `EIO`: the revision of the protocol.
    version: Option<Cow<'a, str>>,
    /// `b64`: in revision 3 a client that cannot read binary bodies.
    pub base64: bool,
    /// `j`: in revision 3 a request of a script element, see [`super::jsonp`].
    pub jsonp: Option<u32>,
}

impl<'a> Query<'a> {
    /// Reads the part of a URL after the `?`.
    ///
    /// `t` (against caches) means nothing.
    pub fn parse(query: &'a str) -> Result<Self, HandshakeError> {
        let (mut transport, mut sid, mut version) = (None, None, None);
        let (mut base64, mut jsonp) = (false, None);
        for (name, value) in pairs(query) {
            let place = match &*name {
                "transport" => &mut transport,
                "sid" => &mut sid,
                "EIO" => &mut version,
                "b64" => {
                    base64 |= !value.is_empty();
                    continue;
                }
                "j" => {
                    jsonp = jsonp.or_else(|| value.parse().ok());
                    continue;
                }
                _ => continue,
            };
            if place.replace(value).is_some() {
                return Err(HandshakeError::BadRequest);
            }
        }
        let transport = match transport.as_deref() {
            Some("polling") => Transport::Polling,
            Some("websocket") => Transport::Websocket,
            _ => return Err(HandshakeError::TransportUnknown),
        };
        Ok(Self { transport, sid: sid.filter(|sid| !sid.is_empty()), version, base64, jsonp })
    }

    /// Checks the request of a handshake. The application's own check goes between this and
    /// [`Self::check_version`].
    pub fn check_handshake(&self, method: &str, is_upgrade: bool) -> Result<(), HandshakeError> {
        if method != "GET" {
            return Err(HandshakeError::BadHandshakeMethod);
        }
        if is_upgrade != (self.transport == Transport::Websocket) {
            return Err(HandshakeError::BadRequest);
        }
        Ok(())
    }

    /// The protocol revision of a handshake: exactly `4`, or `3` where that is allowed.
    pub fn check_version(&self, allow_eio3: bool) -> Result<Revision, HandshakeError> {
        match self.version.as_deref() {
            Some("4") => Ok(Revision::V4),
            Some("3") if allow_eio3 => Ok(Revision::V3),
            _ => Err(HandshakeError::UnsupportedProtocolVersion),
        }
    }

    /// Checks a request of a session that exists: it must not claim another revision.
    pub fn check_follow_up(&self, revision: Revision, is_upgrade: bool) -> Result<(), HandshakeError> {
        let expected = match revision {
            Revision::V3 => "3",
            Revision::V4 => "4",
        };
        let is_same_version = self.version.as_deref().is_none_or(|version| version == expected);
        if is_same_version && is_upgrade == (self.transport == Transport::Websocket) {
            Ok(())
        } else {
            Err(HandshakeError::BadRequest)
        }
    }
}

/// The names and values of a query, decoded. What is not valid percent-encoding stays as it is; what is not UTF-8
/// is replaced.
pub fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail.split_first_chunk()) {
            (b'+', _) => bytes.push(b' '),
            (b'%', Some((&[high, low], after))) if let (Some(high), Some(low)) = (hex(high), hex(low)) => {
                bytes.push(high << 4 | low);
                rest = after;
            }
            _ => bytes.push(byte),
        }
    }
    Cow::Owned(
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Why an Engine.IO request is refused; answered as JSON `{code, message}` over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum HandshakeError {
    /// The transport is missing or does not exist.
    #[error("Transport unknown")]
    TransportUnknown,
    /// No session has this id.
    #[error("Session ID unknown")]
    SessionIdUnknown,
    /// A handshake by another method than GET.
    #[error("Bad handshake method")]
    BadHandshakeMethod,
    /// The request does not fit the session, or makes no sense.
    #[error("Bad request")]
    BadRequest,
    /// The application refused the handshake, or the origin is not allowed.
    #[error("Forbidden")]
    Forbidden,
    /// Another revision of the protocol than is served.
    #[error("Unsupported protocol version")]
    UnsupportedProtocolVersion,
}

impl HandshakeError {
    /// The number clients know the error by.
    pub fn code(self) -> u8 {
        match self {
            Self::TransportUnknown => 0,
            Self::SessionIdUnknown => 1,
            Self::BadHandshakeMethod => 2,
            Self::BadRequest => 3,
            Self::Forbidden => 4,
            Self::UnsupportedProtocolVersion => 5,
        }
    }

    /// The HTTP status it is answered with.
    pub fn http_status(self) -> u16 {
        if self == Self::Forbidden { 403 } else { 400 }
    }

    /// The JSON body it is answered with.
    pub fn body(self) -> String {
        format!(r#"{{"code":{},"message":"{self}"}}"#, self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<Query<'_>, HandshakeError> {
        Query::parse(query)
    }

    /// The outcome of a request without a session, as its code.
    fn handshake(query: &str, method: &str, is_upgrade: bool) -> Result<(), u8> {
        parse(query)
            .and_then(|query| {
                query.check_handshake(method, is_upgrade)?;
                query.check_version(false)
            })
            .map(|revision| assert_eq!(revision, Revision::V4))
            .map_err(HandshakeError::code)
    }

    #[test]
    fn handshakes() {
        for (query, expected) in [
            ("EIO=4&transport=polling&t=abc", Ok(())),
            ("transport=polling&EIO=4", Ok(())),
            ("EIO=4&transport=polling&sid=", Ok(())),
            ("EIO=4&transport=polling&b64=1&b64=2&j=0&j=x&token=x", Ok(())),
            ("&&EIO=4&&transport=p%6flling&", Ok(())),
            ("", Err(0)),
            ("EIO=4", Err(0)),
            ("EIO=4&transport", Err(0)),
            ("EIO=4&transport=foo", Err(0)),
            ("EIO=4&transport=__proto__", Err(0)),
            ("EIO=4&transport=constructor", Err(0)),
            ("EIO=4&transport=webtransport", Err(0)),
            ("EIO=4&transport=Polling", Err(0)),
            ("EIO=4&transport=polling&transport=polling", Err(3)),
            ("EIO=4&EIO=3&transport=polling", Err(3)),
            ("transport=polling&sid=&sid=", Err(3)),
            ("transport=polling", Err(5)),
            ("EIO=3&transport=polling", Err(5)),
            ("EIO=5&transport=polling", Err(5)),
            ("EIO=abc&transport=polling", Err(5)),
            ("EIO=4+&transport=polling", Err(5)),
            ("EIO=%34&transport=polling", Ok(())),
            ("EIO=4&transport=websocket", Err(3)),
        ] {
            assert_eq!(handshake(query, "GET", false), expected, "{query}");
        }
        assert_eq!(handshake("EIO=4&transport=polling", "POST", false), Err(2));
        assert_eq!(
            handshake("EIO=9&transport=websocket", "POST", true),
            Err(2),
            "the method is checked first"
        );
        assert_eq!(handshake("EIO=4&transport=websocket", "GET", true), Ok(()));
        assert_eq!(handshake("EIO=4&transport=polling", "GET", true), Err(3));
    }

    #[test]
    fn follow_ups() {
        for (query, sid, expected) in [
            ("EIO=4&transport=polling&sid=abc", "abc", Ok(())),
            ("transport=polling&sid=__proto__", "__proto__", Ok(())),
            ("EIO=3&transport=polling&sid=abc", "abc", Err(HandshakeError::BadRequest)),
            ("EIO=4&transport=websocket&sid=abc", "abc", Err(HandshakeError::BadRequest)),
        ] {
            let query = parse(query).expect("a known transport");
            assert_eq!(query.sid.as_deref(), Some(sid));
            assert_eq!(query.check_follow_up(Revision::V4, false), expected);
        }
    }

    #[test]
    fn revision_3() {
        let query = parse("EIO=3&transport=polling").expect("a query");
        assert_eq!(query.check_version(true), Ok(Revision::V3));
        assert_eq!((query.base64, query.jsonp), (false, None));
        assert_eq!(query.check_follow_up(Revision::V3, false), Ok(()));
        assert_eq!(query.check_follow_up(Revision::V4, false), Err(HandshakeError::BadRequest));
        let query = parse("EIO=3&transport=polling&b64=1&j=12").expect("a query");
        assert_eq!((query.base64, query.jsonp), (true, Some(12)));
        for j in ["", "-1", "alert(1)", "1]", "4294967296"] {
            assert_eq!(parse(&format!("transport=polling&j={j}")).map(|query| query.jsonp), Ok(None), "{j}");
        }
        for version in ["EIO=4", "EIO=3"] {
            let query = format!("{version}&transport=websocket");
            assert!(parse(&query).is_ok_and(|query| query.check_version(true).is_ok()));
        }
        for version in ["", "EIO=2", "EIO=5", "EIO=abc", "EIO=3+"] {
            let query = format!("{version}&transport=polling");
            assert!(parse(&query).is_ok_and(|query| query.check_version(true).is_err()), "{version}");
        }
    }

    #[test]
    fn an_empty_session_id_is_none() {
        assert_eq!(parse("EIO=4&transport=polling&sid=").map(|query| query.sid), Ok(None));
        assert_eq!(parse("EIO=4&transport=polling").map(|query| query.sid), Ok(None));
    }

    #[test]
    fn percent_encoding() {
        for (query, expected) in [
            ("a=1&b", vec![("a", "1"), ("b", "")]),
            ("a+b=%2B%26%3d", vec![("a b", "+&=")]),
            ("a=%", vec![("a", "%")]),
            ("a=%4", vec![("a", "%4")]),
            ("a=%zz%41", vec![("a", "%zzA")]),
            ("a=%é", vec![("a", "%é")]),
            ("a=%E2%82%AC", vec![("a", "€")]),
            ("a=%FF", vec![("a", "\u{fffd}")]),
            ("=b==c", vec![("", "b==c")]),
        ] {
            let pairs: Vec<_> = pairs(query).collect();
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
            assert_eq!(pairs, expected, "{query}");
        }
    }

    #[test]
    fn bodies() {
        assert_eq!(HandshakeError::TransportUnknown.body(), r#"{"code":0,"message":"Transport unknown"}"#);
        assert_eq!(HandshakeError::Forbidden.body(), r#"{"code":4,"message":"Forbidden"}"#);
        assert_eq!(HandshakeError::Forbidden.http_status(), 403);
        assert_eq!(
            HandshakeError::UnsupportedProtocolVersion.body(),
            r#"{"code":5,"message":"Unsupported protocol version"}"#
        );
    }
}
