use std::{fmt, str::FromStr};

use crate::Identity;

/// Which rooms a rule is about: `*` is any characters, `{user}` the id of who asks, `{claim.org}` a claim of their
/// token. Everything else is itself, byte by byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomPattern {
    text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Any,
    Claim(String),
    Literal(String),
    User,
}

/// Why a text is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// There is nothing in it.
    #[error("must not be blank")]
    Blank,
    /// A brace that nothing is known for.
    #[error("must have `{{user}}` or `{{claim.NAME}}` where there are braces")]
    Brace,
    /// Two people's rooms could have the same name.
    #[error(
        "must have `*` only after the last `{{...}}`, and some other character between them: otherwise what one user \
         is called could reach into the rooms of another"
    )]
    Ambiguous,
    /// More characters than any name of a room can have.
    #[error("must be at most {} bytes long", RoomPattern::BYTES_MAX)]
    TooLong,
}

impl RoomPattern {
    /// Bytes a pattern may have at most.
    pub const BYTES_MAX: usize = 512;

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The claims it speaks of.
    pub(super) fn claims(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Claim(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Whether it is about this room when this user asks.
    ///
    /// `strict` is for rules that allow: what the user or a claim is called must then not hold the character that
    /// comes next in the pattern. With `room:{claim.org}:*` the organization `a` may enter `room:a:b:c`, and one that
    /// calls itself `a:b` may not.
    pub(super) fn matches(&self, room: &str, identity: &Identity, strict: bool) -> bool {
        rest_matches(&self.parts, room, identity, strict)
    }
}

/// There is no `*` before a value, and at most as many values as a token may have: no input makes this slow.
fn rest_matches(parts: &[Part], room: &str, identity: &Identity, strict: bool) -> bool {
    let Some((first, rest)) = parts.split_first() else { return room.is_empty() };
    let with_value = |value: &str| {
        let is_unusable = value.is_empty() || (strict && holds_next(rest, value));
        let after = room.strip_prefix(value).filter(|_| !is_unusable);
        after.is_some_and(|room| rest_matches(rest, room, identity, strict))
    };
    match first {
        Part::Literal(text) => {
            room.strip_prefix(text.as_str()).is_some_and(|room| rest_matches(rest, room, identity, strict))
        }
        Part::User => with_value(identity.user.as_str()),
        Part::Claim(name) => identity.claims.get(name).any(with_value),
        Part::Any => glob(rest, room),
    }
}

/// Whether the value holds the character that follows it in the pattern.
fn holds_next(rest: &[Part], value: &str) -> bool {
    match rest.first() {
        Some(Part::Literal(text)) => text.chars().next().is_some_and(|next| value.contains(next)),
        _ => false,
    }
}

/// Matches what follows a `*`: literals with a `*` between any two. The first place where a literal fits does as well
/// as any later one, except at the end.
fn glob(parts: &[Part], room: &str) -> bool {
    match parts {
        [] => true,
        [Part::Literal(last)] => room.ends_with(last.as_str()),
        [Part::Literal(text), rest @ ..] => {
            room.split_once(text.as_str()).is_some_and(|(_, room)| glob(rest, room))
        }
        // Two in a row are one, and no value comes after one.
        [_, rest @ ..] => glob(rest, room),
    }
}

impl FromStr for RoomPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        if text.trim().is_empty() {
            return Err(InvalidPattern::Blank);
        }
        if text.len() > Self::BYTES_MAX {
            return Err(InvalidPattern::TooLong);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['*', '{', '}']) {
            if at > 0 {
                parts.push(Part::Literal(rest[..at].to_owned()));
            }
            let (part, length) = match &rest[at..] {
                special if special.starts_with('*') => (Part::Any, 1),
                special => value(special).ok_or(InvalidPattern::Brace)?,
            };
            parts.push(part);
            rest = &rest[at + length..];
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        if is_ambiguous(&parts) {
            return Err(InvalidPattern::Ambiguous);
        }
        Ok(Self { text: text.to_owned(), parts })
    }
}

/// `{user}` or `{claim.NAME}`, and how long it is.
fn value(text: &str) -> Option<(Part, usize)> {
    let (name, _) = text.strip_prefix('{')?.split_once('}')?;
    let part = match name.strip_prefix("claim.") {
        Some(claim) if !claim.is_empty() && !claim.contains('{') => Part::Claim(claim.to_owned()),
        None if name == "user" => Part::User,
        _ => return None,
    };
    Some((part, name.len() + 2))
}

/// Whether the end of a value cannot be told from what comes after it, or its begin from what comes before.
fn is_ambiguous(parts: &[Part]) -> bool {
    let is_value = |part: &Part| matches!(part, Part::Claim(_) | Part::User);
    let last_value = parts.iter().rposition(is_value);
    let first_any = parts.iter().position(|part| *part == Part::Any);
    let has_any_before = last_value.zip(first_any).is_some_and(|(value, any)| any < value);
    has_any_before || parts.windows(2).any(|pair| is_value(&pair[0]) && !matches!(pair[1], Part::Literal(_)))
}

impl fmt::Display for RoomPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
