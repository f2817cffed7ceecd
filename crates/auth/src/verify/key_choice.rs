use super::{compact::Compact, header::Header};
use crate::{InvalidReason, IssuerProfile, VerifyingKey};

/// Public keys that are tried on one token at most.
const PUBLIC_KEYS_TRIED_MAX: usize = 2;

/// The key of the profile that made the signature.
///
/// A `kid` selects the keys configured under it, else those configured without one; no `kid` selects all. Of
/// these only the keys of the header's algorithm are tried, and the algorithm must be in the profile's list.
pub(super) fn verify<'p>(
    profile: &'p IssuerProfile,
    header: &Header,
    compact: &Compact<'_>,
) -> Result<&'p VerifyingKey, InvalidReason> {
    if !profile.algorithms.contains(&header.algorithm) {
        return Err(InvalidReason::AlgorithmNotAllowed);
    }
    let candidates = candidates(&profile.keys, header);
    if candidates.is_empty() {
        return Err(InvalidReason::KeyUnknown);
    }
    if candidates.len() > PUBLIC_KEYS_TRIED_MAX && !header.algorithm.is_symmetric() {
        return Err(InvalidReason::KeyAmbiguous);
    }
    let signature = compact.signature()?;
    let made_it = |key: &&VerifyingKey| key.verify(compact.signing_input(), &signature);
    candidates.into_iter().find(made_it).ok_or(InvalidReason::Signature)
}

fn candidates<'p>(keys: &'p [VerifyingKey], header: &Header) -> Vec<&'p VerifyingKey> {
    let of_algorithm = || keys.iter().filter(|key| key.algorithm() == header.algorithm);
    let Some(wanted) = &header.key_id else {
        return of_algorithm().collect();
    };
    let named: Vec<_> =
        of_algorithm().filter(|key| key.key_id().is_some_and(|id| **id == **wanted)).collect();
    if named.is_empty() { of_algorithm().filter(|key| key.key_id().is_none()).collect() } else { named }
}
