//! Who is here: a user with at least one socket, on whatever device, and for some seconds after the last one went.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use roomkey_model::{Timestamp, UserId};
use roomkey_store::{LastSeen, PresenceChange};

/// How long a user without a socket counts as here: as long as it takes to reload a page, or to change networks.
const GRACE_MS: u64 = 5_000;
/// Arrivals and departures that are told at once. When a server starts and everybody comes back, the rest waits its
/// turn.
pub(crate) const CHANGES_AT_ONCE: usize = 256;

/// Who is here, on this node.
#[derive(Default)]
pub(crate) struct Presence(Mutex<State>);

#[derive(Default)]
struct State {
    /// Everyone who is here, or is still told to be.
    users: HashMap<UserId, User>,
    /// Who came and may have to be told.
    came: VecDeque<UserId>,
    /// Who went, and when: each departure with its number.
    went: VecDeque<(Timestamp, u64, UserId)>,
    departures: u64,
    departures_told: u64,
}

#[derive(Default)]
struct User {
    sockets: u32,
    /// When the last socket went, and which departure that was, while there is none.
    left: Timestamp,
    departure: u64,
    /// Whether those who share a channel know that the user is here.
    is_told: bool,
}

/// Whether a user is here, or was when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UserPresence {
    pub(crate) user: UserId,
    pub(crate) online: bool,
    pub(crate) last_seen: Option<Timestamp>,
}

impl Presence {
    /// One more socket of the user.
    pub(crate) fn connected(&self, user: &UserId) {
        let state = &mut *self.0.lock();
        let entry = state.users.entry(user.clone()).or_default();
        entry.sockets += 1;
        if entry.sockets == 1 && !entry.is_told {
            state.came.push_back(user.clone());
        }
    }

    /// One socket less.
    pub(crate) fn disconnected(&self, user: &UserId, now: Timestamp) {
        let state = &mut *self.0.lock();
        let Some(entry) = state.users.get_mut(user) else { return };
        entry.sockets = entry.sockets.saturating_sub(1);
        if entry.sockets == 0 {
            state.departures += 1;
            (entry.left, entry.departure) = (now, state.departures);
            state.went.push_back((now, state.departures, user.clone()));
        }
    }

    /// What is to be told now, arrivals first. It is not given again, but by [`Self::not_told`].
    pub(crate) fn changes(&self, now: Timestamp) -> Vec<PresenceChange> {
        let State { users, came, went, .. } = &mut *self.0.lock();
        let mut changes = Vec::new();
        while changes.len() < CHANGES_AT_ONCE
            && let Some(user) = came.pop_front()
        {
            // Also of who has gone again, which is told in its turn.
            if users.get(&user).is_some_and(|entry| !entry.is_told) {
                changes.push(PresenceChange { user, online: true, at: now });
            }
        }
        while changes.len() < CHANGES_AT_ONCE
            && let Some((left, departure, user)) = went.pop_front_if(|(left, ..)| is_over(*left, now))
        {
            let has_gone = |entry: &User| entry.sockets == 0 && entry.departure == departure;
            if users.get(&user).is_some_and(has_gone) {
                changes.push(PresenceChange { user, online: false, at: left });
            }
        }
        changes
    }

    /// These changes were told.
    pub(crate) fn told(&self, changes: Vec<PresenceChange>) {
        let State { users, came, departures_told, .. } = &mut *self.0.lock();
        for PresenceChange { user, online, at } in changes {
            let Some(entry) = users.get_mut(&user) else { continue };
            entry.is_told = online;
            if online {
                continue;
            }
            *departures_told += 1;
            if entry.sockets == 0 && entry.left == at {
                users.remove(&user);
            } else {
                // Was back meanwhile.
                came.push_back(user);
            }
        }
    }

    /// These changes could not be told: they come again.
    pub(crate) fn not_told(&self, changes: Vec<PresenceChange>) {
        let State { users, came, went, .. } = &mut *self.0.lock();
        for PresenceChange { user, online, at } in changes.into_iter().rev() {
            match users.get(&user) {
                Some(_) if online => came.push_front(user),
                Some(entry) => went.push_front((at, entry.departure, user)),
                None => {}
            }
        }
    }

    /// Everybody goes now.
    pub(crate) fn end(&self, now: Timestamp) -> Vec<PresenceChange> {
        let users = std::mem::take(&mut *self.0.lock()).users;
        let at = |entry: &User| if entry.sockets == 0 { entry.left } else { now };
        users
            .into_iter()
            .map(|(user, entry)| PresenceChange { at: at(&entry), user, online: false })
            .collect()
    }

    /// How many departures were told. What the store said before one of them is older than what is known here after it.
    pub(crate) fn departures_told(&self) -> u64 {
        self.0.lock().departures_told
    }

    /// Whether these users are here.
    pub(crate) fn of(&self, users: Vec<LastSeen>) -> Vec<UserPresence> {
        let state = self.0.lock();
        let presence = |LastSeen { user, at }| match state.users.contains_key(&user) {
            true => UserPresence { user, online: true, last_seen: None },
            false => UserPresence { user, online: false, last_seen: at },
        };
        users.into_iter().map(presence).collect()
    }
}

/// Also where the clock was set back, so that nobody stays for hours who has gone.
fn is_over(left: Timestamp, now: Timestamp) -> bool {
    now < left || now.since_ms(left) >= GRACE_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> UserId {
        UserId::new("ada").expect("a good name")
    }

    fn change(online: bool, at: u64) -> PresenceChange {
        PresenceChange { user: ada(), online, at: Timestamp(at) }
    }

    fn is_here(presence: &Presence) -> bool {
        presence.of(vec![LastSeen { user: ada(), at: None }])[0].online
    }

    /// Ada has come, and everybody knows.
    fn with_ada() -> Presence {
        let presence = Presence::default();
        presence.connected(&ada());
        let changes = presence.changes(Timestamp(0));
        assert_eq!(changes, [change(true, 0)]);
        presence.told(changes);
        presence
    }

    #[test]
    fn what_could_not_be_told_comes_again_and_only_once() {
        let presence = Presence::default();
        presence.connected(&ada());
        presence.not_told(presence.changes(Timestamp(0)));
        let changes = presence.changes(Timestamp(1));
        assert_eq!(changes, [change(true, 1)]);
        presence.told(changes);
        presence.disconnected(&ada(), Timestamp(2));
        let changes = presence.changes(Timestamp(5_002));
        assert_eq!(changes, [change(false, 2)]);
        presence.not_told(changes);
        assert!(is_here(&presence));
        let changes = presence.changes(Timestamp(5_003));
        assert_eq!(changes, [change(false, 2)]);
        presence.told(changes);
        assert!(!is_here(&presence));
        assert_eq!(presence.changes(Timestamp(99_999)), []);
    }

    #[test]
    fn who_returns_while_the_departure_is_told_arrives_again() {
        let presence = with_ada();
        presence.disconnected(&ada(), Timestamp(0));
        let changes = presence.changes(Timestamp(5_000));
        presence.connected(&ada());
        presence.told(changes);
        assert!(is_here(&presence));
        assert_eq!(presence.changes(Timestamp(5_001)), [change(true, 5_001)]);
    }

    #[test]
    fn who_was_back_for_a_moment_while_the_departure_was_told_is_told_of_twice() {
        let presence = with_ada();
        presence.disconnected(&ada(), Timestamp(0));
        let changes = presence.changes(Timestamp(5_000));
        presence.connected(&ada());
        presence.disconnected(&ada(), Timestamp(5_001));
        presence.told(changes);
        let changes = presence.changes(Timestamp(5_002));
        assert_eq!(changes, [change(true, 5_002)]);
        presence.told(changes);
        assert_eq!(presence.changes(Timestamp(10_001)), [change(false, 5_001)]);
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_here() {
        let presence = with_ada();
        presence.disconnected(&ada(), Timestamp(1_000_000));
        assert_eq!(presence.changes(Timestamp(10)), [change(false, 1_000_000)]);
    }
}
