//! Cookies: the one that is found is there, once, and lines are as good as semicolons.

use roomkey_auth::{TokenError, credentials};

/// Pieces of `Cookie` headers.
pub const DICTIONARY: &[&[u8]] = &[
    b"session=",
    b"session=a.b.c",
    b"; ",
    b"=",
    b"\n",
    b"session",
    b"\t",
    b"Session=x",
    b"\"",
    b",",
    b";;;;",
];

const NAME: &str = "session";

/// The input is the values of the header's lines, one each.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lines: Vec<_> = text.split('\n').collect();
    let found = credentials::cookie(&lines, NAME);
    let pairs = || lines.iter().flat_map(|line| line.split(';')).map(|pair| pair.trim_matches([' ', '\t']));
    let values = pairs().filter_map(|pair| pair.strip_prefix(NAME)?.strip_prefix('='));
    match found {
        Ok(value) => assert!(values.eq(value)),
        Err(TokenError::Ambiguous) => assert!(values.count() > 1),
        Err(_) => assert!(data.len() > 16 * 1024 || pairs().count() > 256),
    }
    if data.len() <= 16 * 1024 {
        assert_eq!(credentials::cookie(&[&lines.join(";")], NAME), credentials::cookie(&lines, NAME));
    }
}
