use std::fmt;

use serde_json::{Map, Value};

/// Where a claim is: the name of a top-level claim, or a JSON pointer (RFC 6901) into it.
///
/// Text that begins with `/` is a pointer (`/realm_access/roles`); everything else is a name as it is, so that
/// names like `https://example.com/roles` need no escaping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(String);

impl ClaimPath {
    /// A path from its text.
    pub fn new(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    pub(crate) fn name(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// What is there, if anything.
    pub(crate) fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        let Some(pointer) = self.0.strip_prefix('/') else {
            return claims.get(&self.0);
        };
        let (first, rest) = match pointer.split_once('/') {
            Some((first, _)) => (first, &self.0[1 + first.len()..]),
            None => (pointer, ""),
        };
        claims.get(&first.replace("~1", "/").replace("~0", "~"))?.pointer(rest)
    }

    /// The name of the top-level claim that the path goes through.
    pub(crate) fn top_level(&self) -> &str {
        self.0.strip_prefix('/').map_or(&self.0, |pointer| pointer.split('/').next().unwrap_or_default())
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_pointers() {
        let json = r#"{"sub": 1, "a": {"b": [2, 3], "": 4}, "https://x/y": 5, "s/l": {"~": 6}, "": 7}"#;
        let claims: Map<String, Value> = serde_json::from_str(json).expect("an object");
        let cases = [
            ("sub", Some(1)),
            ("/sub", Some(1)),
            ("/a/b/1", Some(3)),
            ("/a/", Some(4)),
            ("https://x/y", Some(5)),
            ("/s~1l/~0", Some(6)),
            ("/", Some(7)),
            ("a/b", None),
            ("/a/c", None),
            ("/sub/x", None),
            ("b", None),
        ];
        for (path, expected) in cases {
            assert_eq!(ClaimPath::new(path).find(&claims).and_then(Value::as_u64), expected, "{path}");
        }
    }
}
