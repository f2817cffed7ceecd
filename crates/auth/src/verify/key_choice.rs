use std::sync::Arc;

use roomkey_model::Timestamp;

use super::{compact::Compact, header::Header};
use crate::{InvalidReason, IssuerProfile, TokenError, VerifyingKey};

/// Public keys that are tried on one token at most.
const PUBLIC_KEYS_TRIED_MAX: usize = 2;

/// The name of the key of the profile that made the signature.
///
/// A `kid` selects the keys configured under it, else those configured without one; no `kid` selects all. Of
/// these only the keys of the header's algorithm are tried, and the algorithm must be in the profile's list.
pub(super) fn verify(
    profile: &IssuerProfile,
    header: &Header,
    compact: &Compact<'_>,
    now: Timestamp,
) -> Result<Option<Arc<str>>, TokenError> {
    if !profile.algorithms.contains(&header.algorithm) {
        return Err(InvalidReason::AlgorithmNotAllowed.into());
    }
    let remote = profile.remote_keys.as_ref().map(|keys| keys.at(now));
    let keys = profile.keys.iter().chain(remote.iter().flatten().flat_map(|keys| keys.iter()));
    let candidates = candidates(&keys.collect::<Vec<_>>(), header);
    if candidates.is_empty() {
        let is_missing_keys = matches!(remote, Some(None)) && !header.algorithm.is_symmetric();
        return Err(if is_missing_keys {
            TokenError::KeysUnavailable
        } else {
            InvalidReason::KeyUnknown.into()
        });
    }
    if candidates.len() > PUBLIC_KEYS_TRIED_MAX && !header.algorithm.is_symmetric() {
        return Err(InvalidReason::KeyAmbiguous.into());
    }
    let signature = compact.signature()?;
    let made_it = |key: &&VerifyingKey| key.verify(compact.signing_input(), &signature);
    Ok(candidates.into_iter().find(made_it).ok_or(InvalidReason::Signature)?.name())
}

fn candidates<'p>(keys: &[&'p VerifyingKey], header: &Header) -> Vec<&'p VerifyingKey> {
    let of_algorithm = || keys.iter().copied().filter(|key| key.algorithm() == header.algorithm);
    let Some(wanted) = &header.key_id else {
        return of_algorithm().collect();
    };
    let named: Vec<_> =
        of_algorithm().filter(|key| key.key_id().is_some_and(|id| **id == **wanted)).collect();
    if named.is_empty() { of_algorithm().filter(|key| key.key_id().is_none()).collect() } else { named }
}
