//! Encrypted sessions: the only text that opens is the one that Auth.js made.

use std::sync::LazyLock;

use roomkey_auth::{AuthJsProfile, AuthJsVersion, SecretStrength, Verifier};
use roomkey_model::Timestamp;

/// Pieces of tokens.
pub const DICTIONARY: &[&[u8]] = &[
    b".",
    b"..",
    b"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0",
    b"eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2Q0JDLUhTNTEyIn0",
    b"AAAAAAAAAAAAAAAA",
    b"AAAAAAAAAAAAAAAAAAAAAA",
    b"=",
    b"-_",
];

const COOKIE: &str = "__Secure-authjs.session-token";
const SECRET: &[u8] = b"k3-Zp8_vQ2xR7tYw1LmN5bHc9JdFs4Ga";

/// Made by `@auth/core`; also in the corpus.
const GENUINE: &str = include_str!("../corpus/jwe/genuine");

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let mut profile = AuthJsProfile::new("web", AuthJsVersion::V5, COOKIE);
    profile.add_secret("AUTH_SECRET", SECRET, SecretStrength::Required).expect("a good secret");
    Verifier::with_sessions(Vec::new(), vec![profile]).expect("a good profile")
});

/// The input is the value of the cookie.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let verified = VERIFIER.verify_session(COOKIE, text, Timestamp::from_secs(1_800_000_000));
    assert_eq!(verified.is_ok(), text == GENUINE);
    let inspection = VERIFIER.inspect(text, Timestamp::from_secs(1_800_000_000));
    assert_eq!(inspection.claims.is_some() && text.matches('.').count() == 4, text == GENUINE);
}
