//! What of a token's claims bounds what its user may do, beside the roles.

use std::sync::Arc;

/// What the scopes of a token are good for.
///
/// A token that names no scope of the chat (`chat:...`) is good for all: that is how most issuers' tokens are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes {
    /// `chat:read`: hearing and reading.
    pub read: bool,
    /// `chat:write`: everything else.
    pub write: bool,
}

impl Scopes {
    /// Good for everything.
    pub const ALL: Self = Self { read: true, write: true };

    /// Of the scopes that a token names.
    pub(crate) fn of<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Self {
        let of_chat = names.filter(|name| name.starts_with("chat:"));
        if of_chat.clone().next().is_none() {
            return Self::ALL;
        }
        let has = |name: &str| of_chat.clone().any(|its| its == name);
        Self { read: has("chat:read"), write: has("chat:write") }
    }

    /// The names of the scopes.
    pub fn names(self) -> Vec<&'static str> {
        let all = [("chat:read", self.read), ("chat:write", self.write)];
        all.into_iter().filter_map(|(name, has)| has.then_some(name)).collect()
    }
}

impl Default for Scopes {
    fn default() -> Self {
        Self::ALL
    }
}

/// The claims of a token that policy rules speak of. All others are forgotten once the token is verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptClaims(Option<Arc<[Kept]>>);

/// A claim: its path, and its values.
type Kept = (Arc<str>, Box<[Box<str>]>);

impl KeptClaims {
    /// Claims by their paths, each with one value or more.
    pub fn new(claims: Vec<(Arc<str>, Vec<String>)>) -> Self {
        let boxed = |values: Vec<String>| values.into_iter().map(String::into_boxed_str).collect();
        let kept: Vec<Kept> = claims.into_iter().map(|(path, values)| (path, boxed(values))).collect();
        Self((!kept.is_empty()).then(|| kept.into()))
    }

    /// The values of a claim; none where the token does not have it.
    pub fn get(&self, path: &str) -> impl Iterator<Item = &str> {
        let found = self.iter().find(|(its, _)| *its == path);
        found.into_iter().flat_map(|(_, values)| values)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = &str>)> {
        let all = self.0.as_deref().unwrap_or_default().iter();
        all.map(|(path, values)| (&**path, values.iter().map(|value| &**value)))
    }
}
