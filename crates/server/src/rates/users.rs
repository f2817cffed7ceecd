use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    sync::Arc,
};

use parking_lot::Mutex;
use roomkey_model::UserId;

use super::{Gcra, Rate, SharedGcra, Table};

/// The rate of each user who is connected, over all connections.
///
/// The connections of a user share one state, so that counting takes no lock. The last that goes leaves it behind for as
/// long as it matters: to connect anew gives nobody a new burst.
pub(crate) struct Users(Arc<Inner>);

struct Inner {
    rate: Rate,
    connected: [Mutex<HashMap<UserId, Arc<SharedGcra>>>; STRIPES],
    gone: Table<u64, Gcra>,
    hasher: RandomState,
    /// The clock by which is counted: connections that go do not say when.
    now_ms: Box<dyn Fn() -> u64 + Send + Sync>,
}

const STRIPES: usize = 16;

/// A connection's share in the rate of its user.
pub(crate) struct UserShare {
    users: Arc<Inner>,
    user: UserId,
    /// `None` only while it is dropped.
    gcra: Option<Arc<SharedGcra>>,
}

impl Users {
    pub(crate) fn new(rate: Rate, keys_max: usize, now_ms: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            rate,
            connected: std::array::from_fn(|_| Mutex::default()),
            gone: Table::new(rate.window_ms(), keys_max),
            hasher: RandomState::new(),
            now_ms: Box::new(now_ms),
        }))
    }

    /// One more connection of this user.
    pub(crate) fn enter(&self, user: &UserId) -> UserShare {
        let users = self.0.clone();
        let hash = users.hasher.hash_one(user);
        let gcra = {
            let mut connected = users.stripe(hash).lock();
            let gone =
                || Arc::new(SharedGcra::from(users.gone.get(&hash, (users.now_ms)()).unwrap_or_default()));
            connected.entry(user.clone()).or_insert_with(gone).clone()
        };
        UserShare { users, user: user.clone(), gcra: Some(gcra) }
    }

    /// How often a user was forgotten early.
    pub(crate) fn forced(&self) -> u64 {
        self.0.gone.forced()
    }
}

impl Inner {
    #[expect(clippy::cast_possible_truncation, reason = "only the low bits count")]
    fn stripe(&self, hash: u64) -> &Mutex<HashMap<UserId, Arc<SharedGcra>>> {
        &self.connected[hash as usize % STRIPES]
    }
}

impl UserShare {
    /// Counts one more, unless it is too early: then it says how many milliseconds too early.
    pub(crate) fn take(&self, now_ms: u64) -> Result<(), u64> {
        self.gcra.as_ref().map_or(Ok(()), |gcra| gcra.take(self.users.rate, now_ms))
    }

    /// The same, now.
    pub(crate) fn take_now(&self) -> Result<(), u64> {
        self.take((self.users.now_ms)())
    }
}

impl Drop for UserShare {
    fn drop(&mut self) {
        let hash = self.users.hasher.hash_one(&self.user);
        let mut connected = self.users.stripe(hash).lock();
        // Given up under the lock, under which shares are made: of those that go at once one sees that it is the last.
        drop(self.gcra.take());
        let is_last = connected.get(&self.user).is_some_and(|gcra| Arc::strong_count(gcra) == 1);
        if is_last
            && let Some(gcra) = connected.remove(&self.user)
            && self.users.rate.is_limited()
        {
            self.users.gone.with(hash, (self.users.now_ms)(), |gone| *gone = gcra.state());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn user(name: &str) -> UserId {
        UserId::new(name).unwrap()
    }

    fn users(rate: Rate) -> (Users, Arc<AtomicU64>) {
        let clock = Arc::new(AtomicU64::new(5000));
        let now_ms = clock.clone();
        (Users::new(rate, 1000, move || now_ms.load(Ordering::Relaxed)), clock)
    }

    fn connected(users: &Users) -> usize {
        users.0.connected.iter().map(|stripe| stripe.lock().len()).sum()
    }

    #[test]
    fn the_connections_of_a_user_share_one_rate() {
        let (users, _) = users(Rate::per_second(10, 3));
        let (one, two, other) =
            (users.enter(&user("ada")), users.enter(&user("ada")), users.enter(&user("bob")));
        assert_eq!((one.take(0), two.take(0), one.take(0)), (Ok(()), Ok(()), Ok(())));
        assert_eq!((one.take(0), two.take(0)), (Err(100), Err(100)));
        assert_eq!(other.take(0), Ok(()));
    }

    #[test]
    fn to_connect_anew_gives_no_new_burst() {
        let (users, clock) = users(Rate::per_second(1, 3));
        for round in 0..3 {
            assert_eq!(users.enter(&user("ada")).take(5000), Ok(()), "{round}");
        }
        assert_eq!(users.enter(&user("ada")).take(5000), Err(1000));
        clock.store(6000, Ordering::Relaxed);
        assert_eq!(users.enter(&user("ada")).take(6000), Ok(()));
    }

    #[test]
    fn nothing_is_left_of_users_who_are_gone() {
        let (users, _) = users(Rate::per_second(1, 3));
        let shares: Vec<_> = (0..100).map(|n| users.enter(&user(&format!("user{n}")))).collect();
        let second = users.enter(&user("user0"));
        assert_eq!(connected(&users), 100);
        drop(shares);
        assert_eq!(connected(&users), 1);
        drop(second);
        assert_eq!(connected(&users), 0);
    }
}
