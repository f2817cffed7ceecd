//! The pieces of a session's cookie: what is found is what a plain reading of the numbers puts together.

use std::collections::BTreeMap;

use roomkey_auth::{TokenError, credentials};

/// Pieces of `Cookie` headers.
pub const DICTIONARY: &[&[u8]] = &[
    b"s=", b"s.0=", b"s.1=", b"s.2=", b"s.7=x", b"s.8=x", b"s.00=", b"s.=", b"s.x=", b"ss=", b"; ", b"\n",
    b"=", b"abc",
];

const NAME: &str = "s";

/// The input is the values of the header's lines, one each.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lines: Vec<_> = text.split('\n').collect();
    let found = credentials::session_cookie(&lines, NAME);
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let pairs = || lines.iter().flat_map(|line| line.split(';'));
    for (name, value) in pairs().filter_map(|pair| pair.trim_matches([' ', '\t']).split_once('=')) {
        values.entry(name).or_default().push(value);
    }
    match found {
        Ok(None) => {
            assert!(!values.contains_key(NAME));
            assert!((0..10).all(|number| !values.contains_key(format!("{NAME}.{number}").as_str())));
        }
        Ok(Some(token)) => {
            let whole = values.get(NAME).map(|whole| whole.concat());
            let pieces: String = (0..8)
                .map_while(|number| values.get(format!("{NAME}.{number}").as_str()))
                .map(|piece| {
                    assert_eq!(piece.len(), 1);
                    piece[0]
                })
                .collect();
            assert_eq!(*token, whole.unwrap_or(pieces));
            assert!(token.len() <= 64 * 1024);
        }
        Err(TokenError::Ambiguous) => assert!(values.values().any(|values| values.len() > 1)),
        Err(TokenError::Invalid(_)) => assert!(values.keys().any(|name| name.starts_with("s."))),
        Err(_) => assert!(data.len() > 64 * 1024 || pairs().count() > 256),
    }
}
