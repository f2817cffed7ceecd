//! Connection tickets: for clients that can only connect with what is in an address, where a token must not be, and for
//! pages whose token is in a cookie that they cannot read.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use roomkey_auth::{
    Identity, InvalidReason, SecretDigest, TokenError,
    credentials::{self, Credentials},
};
use roomkey_model::{Entropy, ErrorCode, Failure, Limit, Timestamp, UserId};
use secrecy::SecretString;

use crate::Handshake;

/// How long a ticket waits to be used.
pub(crate) const LIFETIME_MS: u64 = 30_000;

/// For programs that look for leaked secrets, and so that no ticket is taken for a token.
const PREFIX: &str = "rkt_";

/// Tickets that were given out and not used yet. Of use once, on this node, for as long as it runs: a client that finds its
/// ticket gone asks for another.
pub(crate) struct Tickets {
    pending: Mutex<Pending>,
    max: usize,
    per_user_max: usize,
    replaced: AtomicU64,
}

#[derive(Default)]
struct Pending {
    tickets: HashMap<SecretDigest, Ticket>,
    /// Oldest first. Those that are used are taken out when the user asks for the next.
    of_users: HashMap<UserId, VecDeque<SecretDigest>>,
}

struct Ticket {
    identity: Arc<Identity>,
    origin: Option<Box<str>>,
    expires: Timestamp,
}

impl Tickets {
    pub(crate) fn new(max: usize, per_user_max: usize) -> Self {
        Self { pending: Mutex::default(), max, per_user_max, replaced: AtomicU64::new(0) }
    }

    /// A ticket for whoever has this identity, for pages of this origin; without one, for programs.
    pub(crate) fn issue(
        &self,
        identity: Arc<Identity>,
        origin: Option<&str>,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> Result<SecretString, Failure> {
        let mut secret = [0; 32];
        entropy.fill(&mut secret);
        let text = PREFIX.to_owned() + &BASE64_URL_SAFE_NO_PAD.encode(secret);
        let digest = SecretDigest::of(&text);
        let mut pending = self.pending.lock();
        let Pending { tickets, of_users } = &mut *pending;
        if tickets.len() >= self.max || of_users.len() >= self.max {
            tickets.retain(|_, ticket| ticket.expires > now);
            of_users.retain(|_, digests| digests.iter().any(|digest| tickets.contains_key(digest)));
        }
        if tickets.len() >= self.max {
            return Err(Failure::new(ErrorCode::Unavailable).at(Limit::TicketsPending));
        }
        let of_user = of_users.entry(identity.user.clone()).or_default();
        of_user.retain(|digest| tickets.contains_key(digest));
        if of_user.len() >= self.per_user_max
            && let Some(oldest) = of_user.pop_front()
        {
            tickets.remove(&oldest);
            self.replaced.fetch_add(1, Ordering::Relaxed);
        }
        of_user.push_back(digest);
        let expires = now.plus_ms(LIFETIME_MS);
        tickets.insert(digest, Ticket { identity, origin: origin.map(Into::into), expires });
        Ok(text.into())
    }

    /// How often a user's oldest ticket made room for another.
    pub(crate) fn replaced(&self) -> u64 {
        self.replaced.load(Ordering::Relaxed)
    }

    /// Who connects with a ticket, if the client shows one: in `auth.token`, or in the query as `ticket` or `token`.
    pub(crate) fn redeem(
        &self,
        handshake: &Handshake,
        auth_payload: Option<&str>,
        now: Timestamp,
    ) -> Option<Result<Arc<Identity>, TokenError>> {
        let in_query = ["ticket", "token"].map(|name| handshake.query(name).filter(|text| is_ticket(text)));
        let mut given = in_query.into_iter().flatten();
        let (one, other) = (given.next(), given.next());
        if other.is_some_and(|other| Some(other) != one) {
            return Some(Err(TokenError::Ambiguous));
        }
        let given = Credentials { auth_payload, query: one.as_deref(), ..Credentials::default() };
        self.redeem_given(&given, handshake, now)
    }

    /// The same for a client that is connected already, and shows the ticket by itself: what its handshake brought is
    /// used up.
    pub(crate) fn redeem_shown(
        &self,
        handshake: &Handshake,
        auth_payload: &str,
        now: Timestamp,
    ) -> Option<Result<Arc<Identity>, TokenError>> {
        let given = Credentials { auth_payload: Some(auth_payload), ..Credentials::default() };
        self.redeem_given(&given, handshake, now)
    }

    fn redeem_given(
        &self,
        given: &Credentials<'_>,
        handshake: &Handshake,
        now: Timestamp,
    ) -> Option<Result<Arc<Identity>, TokenError>> {
        match credentials::pick(given) {
            Ok(text) if is_ticket(&text) => Some(self.take(&text, handshake, now)),
            // A ticket beside another token. What else is wrong is said where tokens are looked at.
            Err(TokenError::Ambiguous) => Some(Err(TokenError::Ambiguous)),
            _ => None,
        }
    }

    /// Whoever shows a ticket has used it, also from the wrong page.
    fn take(&self, text: &str, handshake: &Handshake, now: Timestamp) -> Result<Arc<Identity>, TokenError> {
        let ticket = self.pending.lock().tickets.remove(&SecretDigest::of(text));
        let ticket = ticket.ok_or(InvalidReason::Ticket)?;
        if ticket.expires <= now || !is_same_page(ticket.origin.as_deref(), handshake) {
            return Err(InvalidReason::Ticket.into());
        }
        if ticket.identity.deadline.is_some_and(|deadline| deadline <= now) {
            return Err(TokenError::Expired);
        }
        Ok(ticket.identity)
    }
}

fn is_ticket(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Whether a connection comes from where the ticket was meant to be used. In a request to its own origin that only
/// reads, a browser leaves the origin out, and says in another header that it is the same.
fn is_same_page(origin: Option<&str>, handshake: &Handshake) -> bool {
    let is_own = || handshake.header("sec-fetch-site") == Some("same-origin");
    match (origin, handshake.header("origin")) {
        (Some(origin), Some(page)) => origin == page,
        (Some(origin), None) => {
            is_own() && origin.split_once("://").map(|(_, host)| host) == handshake.header("host")
        }
        (None, page) => page.is_none() && !is_own(),
    }
}
