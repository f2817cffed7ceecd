//! What Socket.IO clients v1 and v2 write and read differently: the packets around CONNECT.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::{
    ParseError,
    engine::query,
    socket::{
        Namespace, Packet,
        header::{Header, Kind},
    },
};

/// Reads a CONNECT packet, without its type: `/c?token=abc,`. The query behind the namespace is its `auth`.
pub(crate) fn decode_connect(text: &str) -> Result<Packet, ParseError> {
    let (name, rest) = text.split_once(',').unwrap_or((text, ""));
    if !rest.is_empty() || !(name.is_empty() || name.starts_with('/')) {
        return Err(ParseError::PayloadUnexpected);
    }
    let (name, query) = match name.split_once('?') {
        Some((name, query)) => (name, Some(query)),
        None => (name, None),
    };
    let auth = query.map(|query| {
        let pairs =
            query::pairs(query).map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())));
        Value::Object(Map::from_iter(pairs)).to_string().into()
    });
    Ok(Packet::Connect { namespace: Namespace::new(if name.is_empty() { "/" } else { name })?, auth })
}

/// A packet that the server sends, with the `4` of an Engine.IO message in front, as these clients read it.
///
/// The answer to CONNECT tells them no id, and a refusal is the error's data, or else its message.
pub fn downgrade(packet: &str) -> Cow<'_, str> {
    let header = packet.strip_prefix('4').and_then(|text| Header::parse(text, usize::MAX).ok());
    let Some(Header { kind: kind @ (Kind::Connect | Kind::ConnectError), payload, .. }) = header else {
        return Cow::Borrowed(packet);
    };
    let head = &packet[..packet.len() - payload.len()];
    if kind == Kind::Connect {
        return Cow::Borrowed(head);
    }
    match serde_json::from_str::<Refusal<'_>>(payload) {
        Ok(Refusal { data: Some(data), .. }) => Cow::Owned([head, data.get()].concat()),
        Ok(Refusal { message, .. }) if message.get() != UNKNOWN_NAMESPACE => {
            Cow::Owned([head, message.get()].concat())
        }
        _ => Cow::Borrowed(packet),
    }
}

/// The one refusal that stays an object.
const UNKNOWN_NAMESPACE: &str = "\"Invalid namespace\"";

#[derive(Deserialize)]
struct Refusal<'a> {
    #[serde(borrow)]
    message: &'a RawValue,
    data: Option<&'a RawValue>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_with_a_query() {
        for (text, namespace, auth) in [
            ("", "/", None),
            ("/", "/", None),
            ("/c", "/c", None),
            ("/c,", "/c", None),
            ("/c?token=abc", "/c", Some(r#"{"token":"abc"}"#)),
            ("/c?token=a%2Cb&x=%22&token=c,", "/c", Some(r#"{"token":"c","x":"\""}"#)),
            ("/c?,", "/c", Some("{}")),
            ("/?a=b,", "/", Some(r#"{"a":"b"}"#)),
        ] {
            let expected = Packet::Connect {
                namespace: Namespace::new(namespace).expect("short"),
                auth: auth.map(Into::into),
            };
            assert_eq!(decode_connect(text), Ok(expected), "{text}");
        }
        for text in ["{}", "/c,{}", "5", "c,"] {
            assert_eq!(decode_connect(text), Err(ParseError::PayloadUnexpected), "{text}");
        }
        let long = "x".repeat(5000);
        assert!(decode_connect(&format!("/c?token={long}")).is_ok(), "a token is not a part of the name");
        assert_eq!(decode_connect(&format!("/{long}?a")), Err(ParseError::NamespaceTooLong));
    }

    #[test]
    fn answers() {
        for (packet, downgraded) in [
            (r#"40{"sid":"x"}"#, "40"),
            (r#"40/c,{"sid":"x","pid":"y"}"#, "40/c,"),
            (r#"44/no,{"message":"denied"}"#, r#"44/no,"denied""#),
            (r#"44{"message":"denied"}"#, r#"44"denied""#),
            (r#"44/nod,{"message":"denied","data":{"x":1}}"#, r#"44/nod,{"x":1}"#),
            (r#"44/z,{"message":"Invalid namespace"}"#, r#"44/z,{"message":"Invalid namespace"}"#),
            (r#"42["40{"]"#, r#"42["40{"]"#),
            ("41/c,", "41/c,"),
            ("3", "3"),
            ("3probe", "3probe"),
            ("6", "6"),
            ("", ""),
        ] {
            assert_eq!(downgrade(packet), downgraded);
        }
    }
}
