use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{InvalidName, Timestamp, name::check, time::Entropy};

/// Declares an id that is a checked piece of text, cheap to clone.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $bytes_max:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Bytes this id may have at most.
            pub const BYTES_MAX: usize = $bytes_max;

            /// Checks an id that came from outside.
            pub fn new(id: impl Into<Arc<str>>) -> Result<Self, InvalidName> {
                let id = id.into();
                check(&id, Self::BYTES_MAX)?;
                Ok(Self(id))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(id: String) -> Result<Self, InvalidName> {
                Self::new(id)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                (*id.0).to_owned()
            }
        }
    };
}

text_id! {
    /// A user, as clients and rooms see it: the issuer's prefix (nothing for the first issuer) and the subject.
    ///
    /// Two users of different issuers never have the same id; `auth` sees to that.
    UserId, 320
}

text_id! {
    /// A login: one device in the user's eyes. The `sid` claim of a token.
    SessionId, 255
}

text_id! {
    /// One token, for revocation: its `jti`, or a digest of its signing input where it has none.
    TokenId, 255
}

text_id! {
    /// A channel of the chat.
    ChannelId, 64
}

/// A message, by a UUID version 7 (RFC 9562): ids made later sort later. Public, not a secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageId([u8; 16]);

impl MessageId {
    /// A new id from the time and 74 random bits.
    pub fn generate(now: Timestamp, entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes[6..]);
        bytes[..6].copy_from_slice(&now.0.to_be_bytes()[2..]);
        bytes[6] = bytes[6] & 0x0f | 0x70;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Self(bytes)
    }

    /// The sixteen bytes, as the store keeps them.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// From the sixteen bytes that [`Self::as_bytes`] gave.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for MessageId {
    type Err = InvalidName;

    /// Accepts only the lower-case form with hyphens that [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let mut bytes = [0; 16];
        let mut digits = text.bytes().filter(|byte| *byte != b'-').map(hex_digit);
        for byte in &mut bytes {
            let (Some(Some(high)), Some(Some(low))) = (digits.next(), digits.next()) else {
                return Err(InvalidName::Malformed);
            };
            *byte = high << 4 | low;
        }
        let id = Self(bytes);
        if id.to_string() == text { Ok(id) } else { Err(InvalidName::Malformed) }
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

impl TryFrom<String> for MessageId {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<MessageId> for String {
    fn from(id: MessageId) -> Self {
        id.to_string()
    }
}

/// The place of a message in its channel: 1, 2, 3, ... without a gap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

/// A connected socket, by the public id its client knows: 20 characters of `[A-Za-z0-9_-]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SocketId([u8; 20]);

impl SocketId {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    /// A new id of 120 random bits.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut characters = [0; 20];
        entropy.fill(&mut characters);
        for character in &mut characters {
            *character = Self::ALPHABET[usize::from(*character & 63)];
        }
        Self(characters)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("the alphabet is ASCII")
    }
}

impl TryFrom<String> for SocketId {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let characters: [u8; 20] = text.as_bytes().try_into().map_err(|_| InvalidName::Malformed)?;
        match characters.iter().all(|character| Self::ALPHABET.contains(character)) {
            true => Ok(Self(characters)),
            false => Err(InvalidName::Malformed),
        }
    }
}

impl From<SocketId> for String {
    fn from(id: SocketId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for (index, byte) in bytes.iter_mut().enumerate() {
                *byte = u8::try_from(index * 37 % 256).expect("below 256");
            }
        }
    }

    #[test]
    fn message_ids_are_version_7_and_read_back() {
        let id = MessageId::generate(Timestamp(0x0123_4567_89ab), &Counting);
        assert_eq!(id.to_string(), "01234567-89ab-7025-8a6f-94b9de03284d");
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in
            ["", "01234567", "01234567-89AB-7025-8a6f-94b9de03284d", "0123456789ab70258a6f94b9de03284d"]
        {
            assert_eq!(bad.parse::<MessageId>(), Err(InvalidName::Malformed), "{bad}");
        }
    }

    #[test]
    fn socket_ids_have_twenty_characters_of_the_alphabet() {
        let id = SocketId::generate(&Counting);
        assert_eq!(id.as_str().len(), 20);
        assert!(id.as_str().bytes().all(|byte| SocketId::ALPHABET.contains(&byte)));
        assert_eq!(SocketId::try_from(id.to_string()), Ok(id));
        for bad in ["", "short", "aaaaaaaaaaaaaaaaaaa!", "aaaaaaaaaaaaaaaaaaaaa"] {
            assert_eq!(SocketId::try_from(bad.to_owned()), Err(InvalidName::Malformed), "{bad}");
        }
    }

    #[test]
    fn ids_refuse_control_characters() {
        for bad in ["", " ", "alice\0", "alice\n[audit] ok"] {
            assert!(UserId::new(bad).is_err(), "{bad:?}");
        }
        assert_ne!(UserId::new("Alice"), UserId::new("alice"));
    }
}
