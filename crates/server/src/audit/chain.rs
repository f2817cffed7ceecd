//! The chain that the records of the audit log are links of.
//!
//! A line ends with `"prev"` (the hash of the line before it), `"hash"` (SHA-256 of the line up to there) and `"mac"`
//! (HMAC-SHA-256 of the hash with the key of the log). Anybody can follow the hashes, and will find a line that was
//! edited by a careless hand. Who knows what is done here can make all hashes right again; the codes only with the key.

use std::fmt;

use aws_lc_rs::{constant_time, digest, hmac};

/// A SHA-256 digest or an HMAC, written in lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    /// What the first line of all follows.
    pub(super) const NONE: Self = Self([0; 32]);

    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(digest::digest(&digest::SHA256, bytes).as_ref().try_into().expect("32 bytes"))
    }

    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let text: &[u8; 64] = text.try_into().ok()?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_chunks::<2>().0) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The key of a log.
#[derive(Clone)]
pub(super) struct Key(hmac::Key);

impl Key {
    pub(super) const BYTES: usize = 32;

    pub(super) fn new(bytes: &[u8; Self::BYTES]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// Authenticates `bytes` as what they are used for, so that no code stands for another thing.
    pub(super) fn authenticate(&self, purpose: &str, bytes: &[u8]) -> Digest {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(purpose.as_bytes());
        context.update(&[0]);
        context.update(bytes);
        Digest(context.sign().as_ref().try_into().expect("32 bytes"))
    }

    pub(super) fn is_right(&self, purpose: &str, bytes: &[u8], code: &Digest) -> bool {
        constant_time::verify_slices_are_equal(&self.authenticate(purpose, bytes).0, &code.0).is_ok()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([REDACTED])")
    }
}

const LINE: &str = "roomkey audit line";

/// How far a chain has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    /// Of the last line; 0 before the first.
    pub(super) seq: u64,
    /// Of the last line.
    pub(super) hash: Digest,
}

impl Position {
    pub(super) const START: Self = Self { seq: 0, hash: Digest::NONE };

    /// Makes the next line of a record's fields, `,"name":value` each, and puts it at the end of `lines`.
    pub(super) fn append(&mut self, fields: &str, key: &Key, lines: &mut String) {
        use fmt::Write;
        let start = lines.len();
        self.seq += 1;
        let _ = write!(lines, "{{\"seq\":{}{fields},\"prev\":\"{}\"", self.seq, self.hash);
        self.hash = Digest::of(&lines.as_bytes()[start..]);
        let mac = key.authenticate(LINE, &self.hash.0);
        let _ = writeln!(lines, ",\"hash\":\"{}\",\"mac\":\"{mac}\"}}", self.hash);
    }
}

/// A line, as far as the chain is concerned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) prev: Digest,
    pub(super) hash: Digest,
    mac: Digest,
    /// Of what the hash should be of.
    computed: Digest,
}

impl Link {
    /// Reads a line without its end. `None`: it is no record of ours.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let line = line.strip_suffix(b"\"}")?;
        let (line, mac) = split_digest(line)?;
        let line = line.strip_suffix(b"\",\"mac\":\"")?;
        let (line, hash) = split_digest(line)?;
        let hashed = line.strip_suffix(b",\"hash\":\"")?;
        let (line, prev) = split_digest(hashed.strip_suffix(b"\"")?)?;
        let line = line.strip_suffix(b",\"prev\":\"")?.strip_prefix(b"{\"seq\":")?;
        let digits = &line[..line.iter().position(|byte| !byte.is_ascii_digit())?];
        // Written in one way only: no zeros ahead, no sign.
        let seq = std::str::from_utf8(digits).ok()?.parse().ok().filter(|seq| *seq > 0)?;
        (digits[0] != b'0').then(|| Self { seq, prev, hash, mac, computed: Digest::of(hashed) })
    }

    /// Whether the line is what was hashed.
    pub(super) fn is_whole(&self) -> bool {
        self.computed == self.hash
    }

    /// Whether somebody with the key made it.
    pub(super) fn is_authentic(&self, key: &Key) -> bool {
        key.is_right(LINE, &self.hash.0, &self.mac)
    }

    pub(super) fn position(&self) -> Position {
        Position { seq: self.seq, hash: self.hash }
    }
}

fn split_digest(line: &[u8]) -> Option<(&[u8], Digest)> {
    let (rest, digits) = line.split_at_checked(line.len().checked_sub(64)?)?;
    Some((rest, Digest::parse(digits)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_it_is() {
        let key = Key::new(&[7; 32]);
        let (mut position, mut lines) = (Position::START, String::new());
        position.append(",\"event\":\"sys_startup\"", &key, &mut lines);
        expect_test::expect![[r#"
            {"seq":1,"event":"sys_startup","prev":"0000000000000000000000000000000000000000000000000000000000000000","hash":"e25d3383db81bc0a701773bf95c85ac5806c32d287663cc75c13a618c0a93915","mac":"2dd85d8d58bf14ffa718166344c2530bb07eaef2336b7def5b432e9a4667c313"}
        "#]]
        .assert_eq(&lines);
        let link = Link::parse(lines.trim_end().as_bytes()).unwrap();
        assert_eq!((link.position(), link.prev), (position, Digest::NONE));
        assert!(link.is_whole() && link.is_authentic(&key) && !link.is_authentic(&Key::new(&[8; 32])));
    }

    #[test]
    fn the_key_is_not_shown() {
        assert_eq!(format!("{:?}", Key::new(b"canary canary canary canary cana")), "Key([REDACTED])");
    }
}
