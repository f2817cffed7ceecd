//! Passwords: Argon2id hashes in PHC form, and which passwords are accepted.
//!
//! Hashing takes 19 MiB and tens of milliseconds on purpose. It belongs on threads of its own, a bounded number
//! of them, never on one that serves connections.

mod guesses;
mod rules;

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use roomkey_model::Entropy;

pub use rules::{PasswordProblem, check};

/// Bytes a password may have: looked at before any work is done.
pub const BYTES_MAX: usize = 1024;

/// Whether a password is the one that was hashed.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Right,
    /// It is, but the hash is weaker than what [`hash`] makes now: store a new one.
    RightRehash,
    /// It is not, or the hash cannot be used.
    Wrong,
}

impl Verdict {
    /// Whether the password is right.
    #[must_use]
    pub fn is_right(self) -> bool {
        self != Self::Wrong
    }
}

/// The hash to store, as PHC text. `None` if the password is over [`BYTES_MAX`].
pub fn hash(password: &str, entropy: &dyn Entropy) -> Option<String> {
    if password.len() > BYTES_MAX {
        return None;
    }
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    let hash = argon2id().hash_password_with_salt(password.as_bytes(), &salt);
    Some(hash.expect("a salt of 16 bytes and the default parameters are valid").to_string())
}

/// Compares a password with a stored hash, which may be anything: what cannot be used is [`Verdict::Wrong`].
pub fn verify(password: &str, hash: &str) -> Verdict {
    let Some((hash, params)) = usable(hash) else {
        let _ = verify_nobody(password);
        return Verdict::Wrong;
    };
    #[cfg(test)]
    tests::work::spend(password, &params);
    if password.len() > BYTES_MAX || argon2id().verify_password(password.as_bytes(), &hash).is_err() {
        return Verdict::Wrong;
    }
    if is_current(&hash, &params) { Verdict::Right } else { Verdict::RightRehash }
}

/// The same work as [`verify`], for a user who does not exist: the time of an answer must not tell.
pub fn verify_nobody(password: &str) -> Verdict {
    #[cfg(test)]
    tests::work::spend(password, &Params::DEFAULT);
    if password.len() <= BYTES_MAX {
        let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
        // The result is of no interest, and with these parameters it cannot fail.
        let _ = argon2id().hash_password_into(password.as_bytes(), b"nobody's salt 16", &mut output);
    }
    Verdict::Wrong
}

/// OWASP's minimum: 19 MiB, two passes, one lane.
fn argon2id() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// A parsed hash whose cost is one that we would pay: a damaged or planted one could ask for terabytes.
fn usable(hash: &str) -> Option<(PasswordHash, Params)> {
    const MEMORY_KIB_MAX: u32 = 256 * 1024;
    const PASSES_MAX: u32 = 16;
    const LANES_MAX: u32 = 16;
    let hash = PasswordHash::new(hash).ok()?;
    // The format leaves out what it likes, down to `$a`.
    if Algorithm::try_from(hash.algorithm.as_str()).is_err() || hash.salt.is_none() || hash.hash.is_none() {
        return None;
    }
    let params = Params::try_from(&hash).ok()?;
    let is_bearable =
        params.m_cost() <= MEMORY_KIB_MAX && params.t_cost() <= PASSES_MAX && params.p_cost() <= LANES_MAX;
    is_bearable.then_some((hash, params))
}

fn is_current(hash: &PasswordHash, params: &Params) -> bool {
    let cost = |params: &Params| u64::from(params.m_cost()) * u64::from(params.t_cost());
    hash.algorithm.as_str() == "argon2id" && cost(params) >= cost(&Params::DEFAULT)
}

#[cfg(test)]
mod tests;
