//! The live sockets, by what may be revoked about them.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasher, Hash, RandomState},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use roomkey_auth::Identity;
use roomkey_model::{Revocation, RevocationTarget, SessionId, UserId};
use smallvec::{SmallVec, smallvec};
use tokio::sync::Notify;

use crate::Socket;

/// Every socket with a token, from before it is let in until it is closed.
///
/// By user and by session: blocks and logouts come every day. What is rare, the revocation of one token or of a key,
/// looks at all sockets.
#[derive(Default)]
pub(crate) struct SocketIndex {
    users: Striped<UserId>,
    sessions: Striped<SessionId>,
    count: AtomicUsize,
    /// Told whenever a socket has closed.
    pub(super) closed: Notify,
}

impl SocketIndex {
    pub(super) fn insert(&self, socket: &Socket) {
        let Some(identity) = socket.identity() else { return };
        self.users.insert(&identity.user, socket);
        self.count.fetch_add(1, Ordering::Relaxed);
        if let Some(session) = &identity.session {
            self.sessions.insert(session, socket);
        }
    }

    /// A token that takes the place of another is of the same user and session, so that the socket is found again.
    pub(super) fn remove(&self, socket: &Socket) {
        let Some(identity) = socket.identity() else { return };
        let removed = self.users.remove(&identity.user, socket);
        self.count.fetch_sub(removed, Ordering::Relaxed);
        if let Some(session) = &identity.session {
            self.sessions.remove(session, socket);
        }
        self.closed.notify_waiters();
    }

    /// The sockets of a user.
    pub(crate) fn of_user(&self, user: &UserId) -> SmallVec<[Socket; 1]> {
        self.users.get(user)
    }

    /// All sockets.
    pub(crate) fn all(&self) -> Vec<Socket> {
        self.users.all_that(|_| true)
    }

    /// How many sockets there are.
    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How many users they are of.
    pub(crate) fn user_count(&self) -> usize {
        self.users.stripes.iter().map(|stripe| stripe.lock().len()).sum()
    }

    /// Looks at all sockets in [`Self::PARTS`] parts. The lock of a part, for which who comes and goes waits, is held for
    /// as long as `look` takes for a sixty-fourth of all sockets: it must be quick.
    pub(crate) fn look_at_part(&self, part: usize, look: impl FnMut(&Socket)) {
        self.users.stripes[part].lock().values().flatten().for_each(look);
    }

    /// The parts that all sockets are in.
    pub(crate) const PARTS: usize = STRIPES;

    /// The sockets of a user that came before the last `max`, the oldest first.
    pub(crate) fn surplus_of_user(&self, user: &UserId, max: usize) -> SmallVec<[Socket; 1]> {
        self.users.all_but_last(user, max)
    }

    /// The users who have live sockets, a part of them at a time, so that no list of all of them is ever made. Each comes
    /// with the identity of one of the sockets.
    pub(super) fn users(&self) -> impl Iterator<Item = Vec<Arc<Identity>>> {
        self.users.stripes.iter().map(|stripe| {
            let stripe = stripe.lock();
            stripe.values().filter_map(|sockets| sockets.first()?.identity()).collect()
        })
    }

    /// The sockets whose token a revocation is about.
    pub(super) fn matching(&self, revocation: &Revocation) -> Vec<Socket> {
        let matches =
            |socket: &Socket| socket.identity().is_some_and(|identity| identity.is_revoked_by(revocation));
        let mut candidates = match &revocation.target {
            RevocationTarget::User(user) => self.users.get(user),
            RevocationTarget::Session { session, .. } => self.sessions.get(session),
            RevocationTarget::Key { .. } | RevocationTarget::Token { .. } => {
                return self.users.all_that(matches);
            }
        };
        candidates.retain(|socket| matches(socket));
        candidates.into_vec()
    }
}

const STRIPES: usize = 64;

/// Sockets by a key that several may share, in stripes so that shards seldom meet.
struct Striped<K> {
    stripes: [Mutex<HashMap<K, SmallVec<[Socket; 1]>>>; STRIPES],
    hasher: RandomState,
}

impl<K> Default for Striped<K> {
    fn default() -> Self {
        Self { stripes: std::array::from_fn(|_| Mutex::default()), hasher: RandomState::new() }
    }
}

impl<K: Clone + Eq + Hash> Striped<K> {
    fn insert(&self, key: &K, socket: &Socket) {
        match self.stripe(key).lock().entry(key.clone()) {
            Entry::Occupied(mut sockets) => sockets.get_mut().push(socket.clone()),
            Entry::Vacant(entry) => _ = entry.insert(smallvec![socket.clone()]),
        }
    }

    fn all_but_last(&self, key: &K, max: usize) -> SmallVec<[Socket; 1]> {
        let stripe = self.stripe(key).lock();
        let sockets = stripe.get(key).map_or(&[][..], |sockets| sockets);
        sockets[..sockets.len().saturating_sub(max)].iter().cloned().collect()
    }

    /// Tells how many were there: one or none.
    fn remove(&self, key: &K, socket: &Socket) -> usize {
        let mut stripe = self.stripe(key).lock();
        let Entry::Occupied(mut sockets) = stripe.entry(key.clone()) else { return 0 };
        let before = sockets.get().len();
        sockets.get_mut().retain(|other| other.key() != socket.key());
        let removed = before - sockets.get().len();
        if sockets.get().is_empty() {
            sockets.remove();
        }
        removed
    }

    fn get(&self, key: &K) -> SmallVec<[Socket; 1]> {
        self.stripe(key).lock().get(key).cloned().unwrap_or_default()
    }

    fn all_that(&self, matches: impl Fn(&Socket) -> bool) -> Vec<Socket> {
        let mut all = Vec::new();
        for stripe in &self.stripes {
            all.extend(stripe.lock().values().flatten().filter(|socket| matches(socket)).cloned());
        }
        all
    }

    #[expect(clippy::cast_possible_truncation, reason = "only the low bits count")]
    fn stripe(&self, key: &K) -> &Mutex<HashMap<K, SmallVec<[Socket; 1]>>> {
        &self.stripes[self.hasher.hash_one(key) as usize % self.stripes.len()]
    }
}
