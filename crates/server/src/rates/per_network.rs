use std::{
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{Exceeded, Gcra, Network, Policy, Table};

/// A rate of each network that clients come from.
pub(crate) struct PerNetwork {
    policy: Policy,
    table: Table<Network, Gcra>,
    refused: AtomicU64,
}

impl PerNetwork {
    /// Remembers at most `keys_max` networks.
    pub(crate) fn new(policy: Policy, keys_max: usize) -> Self {
        Self { policy, table: Table::new(policy.rate.window_ms(), keys_max), refused: AtomicU64::new(0) }
    }

    /// Counts one from this address, unless it is too early.
    pub(crate) fn take(&self, address: IpAddr, now_ms: u64) -> Result<(), Exceeded> {
        let Self { policy, table, .. } = self;
        if !policy.rate.is_limited() {
            return Ok(());
        }
        table
            .with(Network::of(address), now_ms, |gcra| gcra.take(policy.rate, now_ms))
            .map_err(|wait_ms| Exceeded { policy: *policy, wait_ms, spread_ms: self.next_spread_ms() })
    }

    /// How often a network was forgotten early.
    pub(crate) fn forced(&self) -> u64 {
        self.table.forced()
    }

    /// Those who are refused together are told to come back one second after another.
    fn next_spread_ms(&self) -> u64 {
        self.refused.fetch_add(1, Ordering::Relaxed) % SPREAD_S * 1000
    }
}

/// Over how many seconds those who were refused at once come back.
const SPREAD_S: u64 = 5;

#[cfg(test)]
mod tests {
    use roomkey_model::Limit;

    use super::*;
    use crate::rates::Rate;

    fn per_network(count: u32, burst: u32) -> PerNetwork {
        let rate = Rate::per_second(count, burst);
        PerNetwork::new(Policy { name: "handshake", limit: Limit::HandshakesPerAddress, rate }, 1000)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn an_address_has_its_burst_and_its_rate_whatever_others_do() {
        let per_network = per_network(20, 200);
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
        for _ in 0..200 {
            assert_eq!(per_network.take(one, 1000), Ok(()));
        }
        assert_eq!(per_network.take(one, 1000).unwrap_err().wait_ms, 50);
        assert_eq!(per_network.take(other, 1000), Ok(()));
        let allowed = (1000..11_000).filter(|now_ms| per_network.take(one, *now_ms).is_ok()).count();
        assert_eq!(allowed, 199, "20 a second, beginning 50 ms later");
        assert_eq!((0..300).filter(|_| per_network.take(one, 60_000).is_ok()).count(), 200);
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_place_however_its_addresses_rotate() {
        let per_network = per_network(1, 3);
        let from = |last: u16| per_network.take(address(&format!("2001:db8::{last:x}")), 0);
        assert_eq!((0..1000).filter(|last| from(*last).is_ok()).count(), 3);
        assert_eq!(per_network.take(address("2001:db8:0:1::1"), 0), Ok(()));
        assert_eq!((0..10).filter(|_| per_network.take(address("::ffff:192.0.2.1"), 0).is_ok()).count(), 3);
        assert!(per_network.take(address("192.0.2.1"), 0).is_err());
    }

    #[test]
    fn those_who_are_refused_at_once_are_not_told_to_come_back_at_once() {
        let per_network = per_network(1, 1);
        assert_eq!(per_network.take(address("192.0.2.1"), 0), Ok(()));
        let mut at: Vec<_> = (0..50)
            .map(|_| per_network.take(address("192.0.2.1"), 0).unwrap_err())
            .map(|exceeded| exceeded.wait_ms + exceeded.spread_ms)
            .collect();
        at.sort_unstable();
        at.dedup();
        assert_eq!(at, [1000, 2000, 3000, 4000, 5000]);
    }

    /// Two thousand clients behind one address whose server has restarted, each of which tries again after one to
    /// five seconds, as stock clients do.
    #[test]
    fn everybody_of_a_reconnect_storm_gets_in_and_nobody_waits_for_ever() {
        let per_network = per_network(20, 200);
        let storm = address("192.0.2.1");
        let mut next_try: Vec<u64> = (0..2000).map(|client| client % 1000).collect();
        let mut now_ms = 0;
        while !next_try.is_empty() {
            next_try.retain_mut(|at_ms| {
                if *at_ms > now_ms {
                    return true;
                }
                let outcome = per_network.take(storm, now_ms);
                *at_ms = now_ms + 1000 + (*at_ms * 7919) % 4000;
                outcome.is_err()
            });
            now_ms += 10;
        }
        assert!((88_000..95_000).contains(&now_ms), "{now_ms} ms: 200 at once, then 20 a second");
    }
}
