use std::{fmt, sync::Arc};

use parking_lot::RwLock;
use roomkey_model::Timestamp;

use super::{PublicKey, VerifyingKey};

/// The keys that an issuer publishes at a URL and may change: whoever fetches them puts them in here, and every
/// verifier with a profile that has a clone of this sees them at once.
///
/// Keys are kept until they are replaced, and used until they are too old: an issuer that cannot be reached locks
/// nobody out for a while, and a key that it took back is not good for ever.
#[derive(Clone)]
pub struct RemoteKeys {
    held: Arc<RwLock<Option<Held>>>,
    age_max_ms: u64,
}

struct Held {
    keys: Arc<[VerifyingKey]>,
    fetched_at: Timestamp,
}

impl RemoteKeys {
    /// No keys yet. What is put in is used for `age_max_ms`.
    pub fn new(age_max_ms: u64) -> Self {
        Self { held: Arc::default(), age_max_ms }
    }

    /// These keys are the issuer's now, and no others.
    pub fn replace(&self, keys: Vec<PublicKey>, now: Timestamp) {
        let keys = keys.into_iter().map(VerifyingKey::from).collect();
        *self.held.write() = Some(Held { keys, fetched_at: now });
    }

    /// The keys that are there are still the issuer's.
    pub fn confirm(&self, now: Timestamp) {
        if let Some(held) = &mut *self.held.write() {
            held.fetched_at = now;
        }
    }

    /// The keys that may be used at `now`; `None` if there never were any, or they are too old.
    pub fn at(&self, now: Timestamp) -> Option<Arc<[VerifyingKey]>> {
        let held = self.held.read();
        let held = held.as_ref()?;
        // Fetched in the future means that the clock was put back: nobody knows how long ago it was.
        let age_ms = now.0.abs_diff(held.fetched_at.0);
        (age_ms <= self.age_max_ms).then(|| held.keys.clone())
    }
}

impl fmt::Debug for RemoteKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.held.read();
        let held = held.as_ref().map(|held| (&held.keys, held.fetched_at));
        f.debug_struct("RemoteKeys").field("held", &held).field("age_max_ms", &self.age_max_ms).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_used_until_they_are_too_old() {
        let keys = RemoteKeys::new(1000);
        let is_usable = |at| keys.at(Timestamp(at)).is_some();
        keys.confirm(Timestamp(5000));
        assert!(!is_usable(5000), "there is nothing to confirm");
        keys.replace(Vec::new(), Timestamp(5000));
        assert!(is_usable(4000) && is_usable(5000) && is_usable(6000));
        assert!(!is_usable(6001));
        keys.confirm(Timestamp(6001));
        assert!(is_usable(7001) && !is_usable(7002));
    }
}
