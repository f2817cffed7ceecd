use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::Arc,
};

use parking_lot::Mutex;

use super::Network;

/// How many there are of each network at one time, so that one cannot take all the room.
#[derive(Clone, Default)]
pub(crate) struct Places(Arc<Mutex<HashMap<Network, usize>>>);

/// One place of a network, until it is dropped.
pub(crate) struct Place {
    places: Places,
    network: Network,
}

impl Places {
    /// One more place for the network of this address, unless it has `max`.
    pub(crate) fn admit(&self, address: IpAddr, max: usize) -> Option<Place> {
        let network = Network::of(address);
        let mut counts = self.0.lock();
        let count = counts.entry(network).or_insert(0);
        if *count >= max {
            if *count == 0 {
                counts.remove(&network);
            }
            return None;
        }
        *count += 1;
        Some(Place { places: self.clone(), network })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = self.places.0.lock().entry(self.network) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_network_has_only_so_much_room() {
        let places = Places::default();
        let first = places.admit(address("2001:db8::1"), 2).expect("room for one");
        let second = places.admit(address("2001:db8::ffff:2"), 2).expect("room for two");
        assert!(places.admit(address("2001:db8::3"), 2).is_none());
        assert!(places.admit(address("2001:db8:0:1::3"), 2).is_some());
        drop(first);
        assert!(places.admit(address("2001:db8::3"), 2).is_some());
        drop(second);
        assert!(places.admit(address("192.0.2.1"), 0).is_none());
        assert!(places.0.lock().is_empty());
    }

    #[test]
    fn a_mapped_address_is_the_address_it_maps() {
        let places = Places::default();
        let _first = places.admit(address("::ffff:192.0.2.1"), 1).expect("room for one");
        assert!(places.admit(address("192.0.2.1"), 1).is_none());
        assert!(places.admit(address("192.0.2.2"), 1).is_some());
    }
}
