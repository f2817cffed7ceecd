//! The live sockets, by their users.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasher, RandomState},
};

use parking_lot::Mutex;
use roomkey_model::{Revocation, RevocationTarget, UserId};
use smallvec::{SmallVec, smallvec};
use tokio::sync::Notify;

use crate::Socket;

/// Every socket with a token, from before it is let in until it is closed. In stripes, so that shards seldom meet.
///
/// By user only: a logout or a block knows whom it concerns. What does not, as the revocation of a key, looks at all
/// sockets, one stripe at a time.
pub(crate) struct SocketIndex {
    stripes: [Mutex<Stripe>; 64],
    hasher: RandomState,
    /// Told whenever a socket has closed.
    pub(super) closed: Notify,
}

type Stripe = HashMap<UserId, SmallVec<[Socket; 1]>>;

impl Default for SocketIndex {
    fn default() -> Self {
        Self {
            stripes: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            closed: Notify::new(),
        }
    }
}

impl SocketIndex {
    pub(super) fn insert(&self, user: &UserId, socket: &Socket) {
        match self.stripe(user).lock().entry(user.clone()) {
            Entry::Occupied(mut sockets) => sockets.get_mut().push(socket.clone()),
            Entry::Vacant(entry) => _ = entry.insert(smallvec![socket.clone()]),
        }
    }

    pub(super) fn remove(&self, user: &UserId, socket: &Socket) {
        if let Entry::Occupied(mut sockets) = self.stripe(user).lock().entry(user.clone()) {
            sockets.get_mut().retain(|other| other.key() != socket.key());
            if sockets.get().is_empty() {
                sockets.remove();
            }
        }
        self.closed.notify_waiters();
    }

    /// The sockets of a user, in the order they came.
    pub(crate) fn of_user(&self, user: &UserId) -> SmallVec<[Socket; 1]> {
        self.stripe(user).lock().get(user).cloned().unwrap_or_default()
    }

    /// The sockets whose token a revocation is about.
    pub(super) fn matching(&self, revocation: &Revocation) -> Vec<Socket> {
        let matches =
            |socket: &&Socket| socket.identity().is_some_and(|identity| identity.is_revoked_by(revocation));
        if let RevocationTarget::User(user) = &revocation.target {
            return self.of_user(user).iter().filter(matches).cloned().collect();
        }
        let in_stripe = |stripe: &Mutex<Stripe>| -> Vec<Socket> {
            stripe.lock().values().flatten().filter(matches).cloned().collect()
        };
        self.stripes.iter().flat_map(in_stripe).collect()
    }

    #[expect(clippy::cast_possible_truncation, reason = "only the low bits count")]
    fn stripe(&self, user: &UserId) -> &Mutex<Stripe> {
        &self.stripes[self.hasher.hash_one(user) as usize % self.stripes.len()]
    }
}
