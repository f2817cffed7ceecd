//! Clients that nobody knows yet: how many there are from where, so that one place cannot take all the room.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use parking_lot::Mutex;

/// Sessions whose client has not authenticated, counted by network.
#[derive(Clone, Default)]
pub(crate) struct Newcomers(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// Counts for one session until it is dropped: when its client has authenticated, or is gone.
pub(crate) struct Newcomer {
    all: Newcomers,
    network: IpAddr,
}

impl Newcomers {
    /// Counts one more from this address, unless there are `max` from its network.
    pub(crate) fn admit(&self, address: IpAddr, max: usize) -> Option<Newcomer> {
        let network = network(address);
        let mut counts = self.0.lock();
        let count = counts.entry(network).or_insert(0);
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(Newcomer { all: self.clone(), network })
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = self.all.0.lock().entry(self.network) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

/// What one customer of a provider has: an IPv4 address, or an IPv6 network of 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
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
        let newcomers = Newcomers::default();
        let first = newcomers.admit(address("2001:db8::1"), 2).expect("room for one");
        let second = newcomers.admit(address("2001:db8::ffff:2"), 2).expect("room for two");
        assert!(newcomers.admit(address("2001:db8::3"), 2).is_none());
        assert!(newcomers.admit(address("2001:db8:0:1::3"), 2).is_some());
        drop(first);
        assert!(newcomers.admit(address("2001:db8::3"), 2).is_some());
        drop(second);
        assert!(newcomers.0.lock().is_empty());
    }

    #[test]
    fn a_mapped_address_is_the_address_it_maps() {
        let newcomers = Newcomers::default();
        let _first = newcomers.admit(address("::ffff:192.0.2.1"), 1).expect("room for one");
        assert!(newcomers.admit(address("192.0.2.1"), 1).is_none());
        assert!(newcomers.admit(address("192.0.2.2"), 1).is_some());
    }
}
