use std::{collections::HashMap, hash::Hash, sync::Arc};

use parking_lot::Mutex;

/// How many there are of each network, or of each user, at one time, so that one cannot take all the room.
pub(crate) struct Places<K: Eq + Hash>(Arc<Mutex<HashMap<K, usize>>>);

/// One place, until it is dropped.
pub(crate) struct Place<K: Eq + Hash> {
    places: Places<K>,
    whose: K,
}

impl<K: Clone + Eq + Hash> Places<K> {
    /// One more place, unless `whose` it would be has `max`.
    pub(crate) fn admit(&self, whose: K, max: usize) -> Option<Place<K>> {
        let mut counts = self.0.lock();
        let count = counts.entry(whose.clone()).or_insert(0);
        if *count >= max {
            if *count == 0 {
                counts.remove(&whose);
            }
            return None;
        }
        *count += 1;
        Some(Place { places: self.clone(), whose })
    }
}

impl<K: Eq + Hash> Clone for Places<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Eq + Hash> Default for Places<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut counts = self.places.0.lock();
        if let Some(count) = counts.get_mut(&self.whose) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.whose);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rates::Network;

    fn network(text: &str) -> Network {
        Network::of(text.parse().expect("an address"))
    }

    #[test]
    fn a_network_has_only_so_much_room() {
        let places = Places::default();
        let first = places.admit(network("2001:db8::1"), 2).expect("room for one");
        let second = places.admit(network("2001:db8::ffff:2"), 2).expect("room for two");
        assert!(places.admit(network("2001:db8::3"), 2).is_none());
        assert!(places.admit(network("2001:db8:0:1::3"), 2).is_some());
        drop(first);
        assert!(places.admit(network("2001:db8::3"), 2).is_some());
        drop(second);
        assert!(places.admit(network("192.0.2.1"), 0).is_none());
        assert!(places.0.lock().is_empty());
    }

    #[test]
    fn a_mapped_address_is_the_address_it_maps() {
        let places = Places::default();
        let _first = places.admit(network("::ffff:192.0.2.1"), 1).expect("room for one");
        assert!(places.admit(network("192.0.2.1"), 1).is_none());
        assert!(places.admit(network("192.0.2.2"), 1).is_some());
    }
}
