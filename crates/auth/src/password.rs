//! Passwords: Argon2id hashes in PHC form, and which passwords are accepted.
//!
//! Hashing takes 19 MiB and tens of milliseconds on purpose. It belongs on threads of its own, a bounded number
//! of them, never on one that serves connections.

mod guesses;
mod rules;

use argon2::{
    Algorithm, Argon2, Block, Params, PasswordHash, Version,
    password_hash::phc::{Output, ParamsString, Salt},
};
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

/// What hashing needs memory for, to be used again by the next: to allocate and free so much each time makes the system's
/// allocator keep a multiple of it.
#[derive(Default)]
pub struct Memory(Vec<Block>);

/// The hash to store, as PHC text. `None` if the password is over [`BYTES_MAX`].
pub fn hash(password: &str, entropy: &dyn Entropy, memory: &mut Memory) -> Option<String> {
    if password.len() > BYTES_MAX {
        return None;
    }
    let mut salt = [0; 16];
    entropy.fill(&mut salt);
    let mut hash = || {
        Some(PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&Params::DEFAULT).ok()?,
            salt: Some(Salt::new(&salt).ok()?),
            hash: Some(compute(password, &salt, &argon2id(), memory)?),
        })
    };
    Some(hash().expect("a salt of 16 bytes and the default parameters are valid").to_string())
}

/// Compares a password with a stored hash, which may be anything: what cannot be used is [`Verdict::Wrong`].
pub fn verify(password: &str, hash: &str, memory: &mut Memory) -> Verdict {
    let Some((hash, argon2)) = usable(hash) else {
        let _ = verify_nobody(password, memory);
        return Verdict::Wrong;
    };
    let salt = hash.salt.as_ref().map_or(&[][..], |salt| salt);
    // Compared in constant time.
    if password.len() > BYTES_MAX || compute(password, salt, &argon2, memory) != hash.hash {
        return Verdict::Wrong;
    }
    if is_current(&hash, argon2.params()) { Verdict::Right } else { Verdict::RightRehash }
}

/// The same work as [`verify`], for a user who does not exist: the time of an answer must not tell.
pub fn verify_nobody(password: &str, memory: &mut Memory) -> Verdict {
    if password.len() <= BYTES_MAX {
        // The result is of no interest, and with these parameters it cannot fail.
        let _ = compute(password, b"nobody's salt 16", &argon2id(), memory);
    }
    Verdict::Wrong
}

/// All of the work there is. `None` where the parameters do not go together.
fn compute(password: &str, salt: &[u8], argon2: &Argon2<'_>, memory: &mut Memory) -> Option<Output> {
    #[cfg(test)]
    tests::work::spend(argon2.params());
    let params = argon2.params();
    let mut output = [0; Output::MAX_LENGTH];
    let output = output.get_mut(..params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN))?;
    let blocks = params.block_count();
    if blocks > Params::DEFAULT.block_count() {
        // The hash of another system, which is replaced by one of ours: too much to keep.
        argon2.hash_password_into(password.as_bytes(), salt, output).ok()?;
    } else {
        memory.0.resize(memory.0.len().max(blocks), Block::new());
        let blocks = &mut memory.0[..blocks];
        argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, blocks).ok()?;
    }
    Output::new(output).ok()
}

/// OWASP's minimum: 19 MiB, two passes, one lane.
fn argon2id() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
}

/// A parsed hash whose cost is one that we would pay: a damaged or planted one could ask for terabytes.
fn usable(hash: &str) -> Option<(PasswordHash, Argon2<'static>)> {
    const MEMORY_KIB_MAX: u32 = 256 * 1024;
    const PASSES_MAX: u32 = 16;
    const LANES_MAX: u32 = 16;
    let hash = PasswordHash::new(hash).ok()?;
    // The format leaves out what it likes, down to `$a`.
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = hash.version.map(Version::try_from).transpose().ok()?.unwrap_or_default();
    if hash.salt.is_none() || hash.hash.is_none() {
        return None;
    }
    let params = Params::try_from(&hash).ok()?;
    let is_bearable =
        params.m_cost() <= MEMORY_KIB_MAX && params.t_cost() <= PASSES_MAX && params.p_cost() <= LANES_MAX;
    is_bearable.then(|| (hash, Argon2::new(algorithm, version, params)))
}

fn is_current(hash: &PasswordHash, params: &Params) -> bool {
    let cost = |params: &Params| u64::from(params.m_cost()) * u64::from(params.t_cost());
    hash.algorithm.as_str() == "argon2id" && cost(params) >= cost(&Params::DEFAULT)
}

#[cfg(test)]
mod tests;
