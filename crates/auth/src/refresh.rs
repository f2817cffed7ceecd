use aws_lc_rs::{constant_time, digest, hmac};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use roomkey_model::{Entropy, SessionId};
use secrecy::SecretString;
use zeroize::Zeroizing;

/// A refresh token: opaque to clients, and of use once.
///
/// It is the session's id, 256 bits of secret, and a tag. The store keeps a digest of the secret that may be used next
/// and of the one before it, and a key that makes tags. So it can tell three kinds of tokens apart without a row for each
/// that was ever issued: those that count, those that counted once (somebody has a copy), and those that were never
/// issued, which mean nothing and harm nobody.
///
/// The successor of a token is made from the token's secret and a salt. Whoever has the store has the salt, whoever has
/// the token has the secret, and only both together give the successor: the server can answer a client that asks again,
/// and no key has to be kept.
pub struct RefreshToken(Zeroizing<[u8; BYTES]>);

const SESSION_BYTES: usize = 16;
const SECRET_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
const BYTES: usize = SESSION_BYTES + SECRET_BYTES + TAG_BYTES;
const TAGGED_BYTES: usize = SESSION_BYTES + SECRET_BYTES;

/// For programs that look for leaked secrets.
const PREFIX: &str = "rkr_";

impl RefreshToken {
    /// The first token of a session. `None` if the id is not 128 bits in base64url, as those of our own sessions are.
    pub fn first(session: &SessionId, tag_key: &[u8; 32], entropy: &dyn Entropy) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        let length =
            BASE64_URL_SAFE_NO_PAD.decode_slice(session.as_str(), &mut bytes[..SESSION_BYTES]).ok()?;
        entropy.fill(&mut bytes[SESSION_BYTES..TAGGED_BYTES]);
        (length == SESSION_BYTES).then(|| Self::tagged(bytes, tag_key))
    }

    /// Reads what a client sent. `None`: it does not even look like one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        let length = BASE64_URL_SAFE_NO_PAD.decode_slice(text.strip_prefix(PREFIX)?, &mut bytes[..]).ok()?;
        (length == BYTES).then_some(Self(bytes))
    }

    /// The token that takes this one's place. The same salt gives the same token.
    #[must_use]
    pub fn successor(&self, salt: &[u8; 32], tag_key: &[u8; 32]) -> Self {
        let mut bytes = self.0.clone();
        let secret = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, self.secret()), salt);
        bytes[SESSION_BYTES..TAGGED_BYTES].copy_from_slice(secret.as_ref());
        Self::tagged(bytes, tag_key)
    }

    /// The session it continues, if it is one of its tokens.
    pub fn session(&self) -> SessionId {
        let id = BASE64_URL_SAFE_NO_PAD.encode(&self.0[..SESSION_BYTES]);
        SessionId::new(id).expect("22 characters of base64url")
    }

    /// Whether the server that has this key once issued it.
    pub fn was_issued(&self, tag_key: &[u8; 32]) -> bool {
        let tag = tag(&self.0[..TAGGED_BYTES], tag_key);
        constant_time::verify_slices_are_equal(&tag, &self.0[TAGGED_BYTES..]).is_ok()
    }

    /// What the store knows it by: SHA-256 of the secret.
    pub fn digest(&self) -> [u8; 32] {
        sha256(self.secret())
    }

    /// As the client keeps it.
    pub fn to_secret(&self) -> SecretString {
        (PREFIX.to_owned() + &BASE64_URL_SAFE_NO_PAD.encode(&self.0[..])).into()
    }

    fn tagged(mut bytes: Zeroizing<[u8; BYTES]>, tag_key: &[u8; 32]) -> Self {
        let tag = tag(&bytes[..TAGGED_BYTES], tag_key);
        bytes[TAGGED_BYTES..].copy_from_slice(&tag);
        Self(bytes)
    }

    fn secret(&self) -> &[u8] {
        &self.0[SESSION_BYTES..TAGGED_BYTES]
    }
}

fn tag(tagged: &[u8], key: &[u8; 32]) -> [u8; TAG_BYTES] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), tagged);
    tag.as_ref()[..TAG_BYTES].try_into().expect("a tag of SHA-256 is longer")
}

/// SHA-256: enough for what is random and long, never for a password.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, bytes).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};

    use secrecy::ExposeSecret;

    use super::*;

    struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    const KEY: [u8; 32] = [1; 32];

    fn token() -> RefreshToken {
        let session = SessionId::new(BASE64_URL_SAFE_NO_PAD.encode([7; 16])).unwrap();
        RefreshToken::first(&session, &KEY, &Counting(AtomicU8::new(40))).unwrap()
    }

    fn text(token: &RefreshToken) -> String {
        token.to_secret().expose_secret().to_owned()
    }

    #[test]
    fn a_token_reads_back() {
        let token = token();
        let read = RefreshToken::parse(&text(&token)).unwrap();
        assert_eq!(text(&read), text(&token));
        assert_eq!(read.session().as_str(), BASE64_URL_SAFE_NO_PAD.encode([7; 16]));
        assert_eq!(read.digest(), sha256(&[40; 32]));
        assert!(read.was_issued(&KEY));
        assert!(!read.was_issued(&[2; 32]));
    }

    #[test]
    fn a_successor_needs_the_token_and_the_salt() {
        let token = token();
        let successor = token.successor(&[9; 32], &KEY);
        assert!(successor.was_issued(&KEY));
        assert_eq!(successor.session(), token.session());
        assert_eq!(text(&successor), text(&token.successor(&[9; 32], &KEY)));
        assert_ne!(successor.digest(), token.digest());
        assert_ne!(successor.digest(), token.successor(&[8; 32], &KEY).digest());
        assert_ne!(successor.digest(), successor.successor(&[9; 32], &KEY).digest());
    }

    #[test]
    fn no_bit_may_be_changed() {
        let token = token();
        for bit in 0..BYTES * 8 {
            let mut bytes = token.0.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!RefreshToken(bytes).was_issued(&KEY), "bit {bit}");
        }
    }

    #[test]
    fn what_is_no_token_is_none() {
        let token = text(&token());
        let bare = token.strip_prefix(PREFIX).unwrap();
        let cases = ["", "rkr_", bare, &token[..token.len() - 1], "eyJ.e30.x", "rkr_ä"];
        for bad in cases.into_iter().map(str::to_owned).chain([
            format!("{token}A"),
            format!("{token}="),
            format!(" {token}"),
            token.to_uppercase(),
            "rkr_".to_owned() + &"A".repeat(1 << 20),
        ]) {
            assert!(RefreshToken::parse(&bad).is_none(), "{bad:.100}");
        }
    }

    #[test]
    fn only_our_own_sessions_have_tokens() {
        for other in ["s1", &"A".repeat(23), &"A".repeat(255), "sess_2b1"] {
            let session = SessionId::new(other).unwrap();
            assert!(RefreshToken::first(&session, &KEY, &Counting(AtomicU8::new(0))).is_none(), "{other}");
        }
    }
}
