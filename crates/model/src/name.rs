use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// Why a name or an id was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidName {
    /// Nothing but white space, or nothing at all.
    Blank,
    /// A control character, such as a line feed or NUL.
    ControlCharacter,
    /// Longer than this many bytes.
    TooLong(usize),
    /// Not of the form this kind of id has.
    Malformed,
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("must not be blank"),
            Self::ControlCharacter => f.write_str("must not contain control characters"),
            Self::TooLong(max) => write!(f, "must be at most {max} bytes long"),
            Self::Malformed => f.write_str("is malformed"),
        }
    }
}

impl std::error::Error for InvalidName {}

pub(crate) fn check(text: &str, bytes_max: usize) -> Result<(), InvalidName> {
    if text.trim().is_empty() {
        return Err(InvalidName::Blank);
    }
    if text.len() > bytes_max {
        return Err(InvalidName::TooLong(bytes_max));
    }
    if text.chars().any(char::is_control) {
        return Err(InvalidName::ControlCharacter);
    }
    Ok(())
}

/// The name of a room: compared byte by byte, never folded, trimmed or matched as a pattern.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoomName(Arc<str>);

impl RoomName {
    /// Bytes a room name may have at most.
    pub const BYTES_MAX: usize = 256;

    /// Checks a name that a peer or a program gave.
    pub fn new(name: impl Into<Arc<str>>) -> Result<Self, InvalidName> {
        let name = name.into();
        check(&name, Self::BYTES_MAX)?;
        Ok(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RoomName {
    type Error = InvalidName;

    fn try_from(name: String) -> Result<Self, InvalidName> {
        Self::new(name)
    }
}

impl From<RoomName> for String {
    fn from(name: RoomName) -> Self {
        (*name.0).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_names_are_checked_and_kept_as_they_are() {
        for bad in ["", " ", "\t", "a\nb", "a\0", "\u{7f}", &"x".repeat(257)] {
            assert!(RoomName::new(bad).is_err(), "{bad:?}");
        }
        for good in ["lobby", "*", "channel:1", "user-7", " padded ", "é", "e\u{301}", "__proto__"] {
            assert_eq!(RoomName::new(good).expect("a good name").as_str(), good);
        }
        assert_ne!(RoomName::new("é"), RoomName::new("e\u{301}"));
    }
}
