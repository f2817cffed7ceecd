//! The head: a small file beside the log that says where the log ends, so that a tail cannot be cut off unnoticed.

use std::fmt::Write;

use super::chain::{Digest, Key, Position};

/// Where a log begins and ends, by what was last made durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The number of the oldest record that is kept.
    pub(super) first: u64,
    /// The newest record.
    pub(super) last: Position,
}

const PURPOSE: &str = "roomkey audit head";

impl Head {
    /// All heads have one length, so that a new one replaces an old one as a whole.
    pub(super) const BYTES: usize = 256;

    pub(super) fn write(&self, key: &Key) -> String {
        let mut text =
            format!("{{\"first\":{},\"seq\":{},\"hash\":\"{}\"", self.first, self.last.seq, self.last.hash);
        let mac = key.authenticate(PURPOSE, text.as_bytes());
        let _ = write!(text, ",\"mac\":\"{mac}\"}}");
        format!("{text:<width$}\n", width = Self::BYTES - 1)
    }

    /// `None`: it is no head, or, where there is a key, none that was made with it.
    pub(super) fn read(text: &[u8], key: Option<&Key>) -> Option<Self> {
        let text = str::from_utf8(text).ok()?.trim_end();
        let (sealed, mac) = text.strip_suffix("\"}")?.split_once(",\"mac\":\"")?;
        let mac = Digest::parse(mac.as_bytes())?;
        if key.is_some_and(|key| !key.is_right(PURPOSE, sealed.as_bytes(), &mac)) {
            return None;
        }
        let (first, rest) = sealed.strip_prefix("{\"first\":")?.split_once(",\"seq\":")?;
        let (seq, hash) = rest.split_once(",\"hash\":\"")?;
        let hash = Digest::parse(hash.strip_suffix('"')?.as_bytes())?;
        Some(Self { first: first.parse().ok()?, last: Position { seq: seq.parse().ok()?, hash } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_reads_back_and_no_other_does() {
        let key = Key::new(&[7; 32]);
        let head = Head { first: 3, last: Position { seq: u64::MAX, hash: Digest::of(b"x") } };
        let text = head.write(&key);
        assert_eq!(text.len(), Head::BYTES);
        assert_eq!(Head { first: 1, last: Position::START }.write(&key).len(), Head::BYTES);
        assert_eq!(Head::read(text.as_bytes(), Some(&key)), Some(head));
        assert_eq!(Head::read(text.as_bytes(), None), Some(head));
        assert_eq!(Head::read(text.as_bytes(), Some(&Key::new(&[8; 32]))), None);
        for index in 0..text.trim_end().len() {
            let mut edited = text.clone().into_bytes();
            edited[index] ^= 1;
            assert_eq!(Head::read(&edited, Some(&key)), None, "byte {index}");
        }
        assert_eq!(Head::read(b"", None), None);
    }
}
