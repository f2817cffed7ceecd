use std::{net::IpAddr, time::Duration};

use roomkey_model::Limit;

use super::{Exceeded, Gcra, Network, Place, Places, Policy, Table};

/// Refused tokens, by where they came from.
///
/// Some of them are answered at once: people have old tabs, and programs have bugs. Who goes on has to wait for each
/// refusal, longer each time, and can wait for only so many at once. A token that is good is never waited for, whatever
/// else comes from its address.
pub(crate) struct Refusals {
    policy: Policy,
    table: Table<Network, Gcra>,
    waiting: Places<Network>,
    waiting_max: usize,
}

/// How a refusal is to be answered.
pub(crate) enum Penalty {
    /// At once.
    None,
    /// After this time; the place is kept until then.
    Wait(Duration, Place<Network>),
    /// Not at all: too many wait already.
    TooMany(Exceeded),
}

impl Refusals {
    /// At most `waiting_max` of one network wait, and `keys_max` networks are remembered.
    pub(crate) fn new(policy: Policy, waiting_max: usize, keys_max: usize) -> Self {
        let keep_ms = policy.rate.window_ms().saturating_mul(2);
        Self { policy, table: Table::new(keep_ms, keys_max), waiting: Places::default(), waiting_max }
    }

    /// Counts a refused token from this address.
    pub(crate) fn count(&self, address: IpAddr, now_ms: u64) -> Penalty {
        let rate = self.policy.rate;
        if !rate.is_limited() {
            return Penalty::None;
        }
        let over = self.table.with(Network::of(address), now_ms, |gcra| gcra.charge(rate, now_ms, OVER_MAX));
        if over == 0 {
            return Penalty::None;
        }
        let wait = FIRST_WAIT * 2_u32.pow(over - 1);
        match self.waiting.admit(Network::of(address), self.waiting_max) {
            Some(place) => Penalty::Wait(wait, place),
            None => {
                let wait_ms = u64::try_from(WAIT_MAX.as_millis()).expect("some seconds");
                let policy = Policy { limit: Limit::RefusalsWaiting, ..self.policy };
                Penalty::TooMany(Exceeded { policy, wait_ms, spread_ms: 0 })
            }
        }
    }

    /// How often a network was forgotten early.
    pub(crate) fn forced(&self) -> u64 {
        self.table.forced()
    }
}

/// How long the first refusal waits that is one too many.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// How often it is doubled.
const OVER_MAX: u32 = 5;
/// The longest wait.
const WAIT_MAX: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rates::Rate;

    const ADDRESS: [u8; 4] = [192, 0, 2, 1];

    fn refusals(waiting_max: usize) -> Refusals {
        let rate = Rate::new(10, 60_000, 10);
        Refusals::new(Policy { name: "refusal", limit: Limit::RefusalsPerAddress, rate }, waiting_max, 1000)
    }

    fn wait_ms(penalty: &Penalty) -> Option<u128> {
        match penalty {
            Penalty::None => Some(0),
            Penalty::Wait(wait, _) => Some(wait.as_millis()),
            Penalty::TooMany(_) => None,
        }
    }

    #[test]
    fn who_goes_on_waits_twice_as_long_each_time_up_to_four_seconds() {
        let refusals = refusals(100);
        let waits: Vec<_> = (0..18).map(|_| wait_ms(&refusals.count(ADDRESS.into(), 0)).unwrap()).collect();
        assert_eq!(waits[..10], [0; 10]);
        assert_eq!(waits[10..], [250, 500, 1000, 2000, 4000, 4000, 4000, 4000]);
        assert_eq!(wait_ms(&refusals.count([192, 0, 2, 2].into(), 0)), Some(0), "others do not wait");
    }

    #[test]
    fn what_was_too_much_is_forgiven_in_a_minute_and_a_half() {
        let refusals = refusals(100);
        for _ in 0..1000 {
            refusals.count(ADDRESS.into(), 0);
        }
        assert_eq!(wait_ms(&refusals.count(ADDRESS.into(), 30_000)), Some(250));
        assert_eq!(wait_ms(&refusals.count(ADDRESS.into(), 42_000)), Some(0));
        let at_once = (0..20).map(|_| wait_ms(&refusals.count(ADDRESS.into(), 150_000)));
        assert_eq!(at_once.take_while(|wait| *wait == Some(0)).count(), 10);
    }

    #[test]
    fn only_so_many_wait_at_once() {
        let refusals = refusals(3);
        for _ in 0..10 {
            refusals.count(ADDRESS.into(), 0);
        }
        let mut waiting: Vec<_> = (0..3).map(|_| refusals.count(ADDRESS.into(), 0)).collect();
        assert!(waiting.iter().all(|penalty| matches!(penalty, Penalty::Wait(..))));
        assert!(matches!(refusals.count(ADDRESS.into(), 0), Penalty::TooMany(_)));
        waiting.pop();
        assert!(matches!(refusals.count(ADDRESS.into(), 0), Penalty::Wait(..)));
    }
}
