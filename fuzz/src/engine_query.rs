//! Queries: what was read is read the same way when it is written with everything escaped.

use std::fmt::Write;

use roomkey_protocol::engine::query::{self, Query};

/// Pieces of queries.
pub const DICTIONARY: &[&[u8]] = &[
    b"EIO=4",
    b"&transport=polling",
    b"&transport=websocket",
    b"&sid=",
    b"%2",
    b"%4a",
    b"%C3%A9",
    b"+",
    b"&",
    b"=",
];

/// Decodes a query, and again what it was encoded to.
pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let pairs: Vec<_> = query::pairs(text).collect();
    let mut escaped = String::new();
    for (name, value) in &pairs {
        escape(name, &mut escaped);
        escaped.push('=');
        escape(value, &mut escaped);
        escaped.push('&');
    }
    assert!(query::pairs(&escaped).eq(pairs), "{escaped}");

    let parsed = Query::parse(text);
    assert_eq!(parsed, Query::parse(&escaped));
    match parsed {
        Ok(query) => {
            let results = [
                query.check_handshake("GET", true),
                query.check_handshake("GET", false),
                query.check_handshake("PUT", true),
            ];
            assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "either an upgrade or not");
            if let Ok(revision) = query.check_version(true) {
                assert_ne!(query.check_follow_up(revision, true), query.check_follow_up(revision, false));
            }
            assert_ne!(query.sid.as_deref(), Some(""));
        }
        Err(error) => assert!(serde_json::from_str::<serde_json::Value>(&error.body()).is_ok()),
    }
}

fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        write!(out, "%{byte:02x}").expect("a string");
    }
}
