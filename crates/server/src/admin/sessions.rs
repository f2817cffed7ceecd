//! Logins of admins. In memory: a restart ends them all.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use roomkey_auth::SecretDigest;
use roomkey_model::{AdminRole, Entropy, Limit, Limits, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

/// A session that is not used ends after so long.
const IDLE_MS: u64 = 30 * 60 * 1000;
/// However much it is used.
const ABSOLUTE_MS: u64 = 12 * 3600 * 1000;
/// What is kept of a browser's name for itself.
const USER_AGENT_BYTES_MAX: usize = 256;

/// The sessions of all admins, by the digest of their cookies.
pub(super) struct Sessions {
    all: Mutex<HashMap<SecretDigest, Session>>,
    count_max: usize,
    per_admin_max: usize,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Expired,
    LoggedOut,
    PasswordChanged,
    Removed,
    TooMany,
}

impl End {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::LoggedOut => "logged_out",
            Self::PasswordChanged => "password_changed",
            Self::Removed => "removed",
            Self::TooMany => "session_limit",
        }
    }
}

/// One login of an admin.
struct Session {
    id: Box<str>,
    name: Arc<str>,
    role: AdminRole,
    created: Timestamp,
    seen: Timestamp,
    address: IpAddr,
    user_agent: Option<Box<str>>,
    /// Told of the end: live streams wait for it.
    end: watch::Sender<Option<End>>,
}

/// Who is logging in, and where.
pub(super) struct NewSession<'a> {
    pub(super) name: &'a str,
    pub(super) role: AdminRole,
    pub(super) address: IpAddr,
    pub(super) user_agent: Option<&'a str>,
}

/// The session that a request belongs to.
#[derive(Clone)]
pub(super) struct Current {
    pub(super) digest: SecretDigest,
    pub(super) name: Arc<str>,
    pub(super) role: AdminRole,
    /// When it ends unless it is used again.
    pub(super) ends: Timestamp,
    pub(super) end: watch::Receiver<Option<End>>,
}

/// A session as its admin sees it in the list.
pub(super) struct Listed {
    pub(super) id: Box<str>,
    pub(super) created: Timestamp,
    pub(super) seen: Timestamp,
    pub(super) address: IpAddr,
    pub(super) user_agent: Option<Box<str>>,
    pub(super) is_current: bool,
}

impl Session {
    fn ends(&self) -> Timestamp {
        self.created.plus_ms(ABSOLUTE_MS).min(self.seen.plus_ms(IDLE_MS))
    }

    /// Says so to whoever waits for it.
    fn end(&self, why: End) {
        self.end.send_replace(Some(why));
    }
}

impl Sessions {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            all: Mutex::default(),
            count_max: limits.admin_sessions.max(1),
            per_admin_max: limits.admin_sessions_per_admin.max(1),
        }
    }

    /// Begins a session; gives what its cookie says, and itself. Names the limit for which another had to end: one of the
    /// same admin, as long as there is one.
    pub(super) fn begin(
        &self,
        new: &NewSession<'_>,
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> (SecretString, Current, Option<Limit>) {
        let cookie = random::<32>(entropy);
        let digest = SecretDigest::of(&cookie);
        let user_agent =
            new.user_agent.map(|agent| agent[..agent.floor_char_boundary(USER_AGENT_BYTES_MAX)].into());
        let session = Session {
            id: random::<16>(entropy).into(),
            name: new.name.into(),
            role: new.role,
            created: now,
            seen: now,
            address: new.address,
            user_agent,
            end: watch::Sender::new(None),
        };
        let current = current(digest, &session);
        let mut all = self.all.lock();
        purge(&mut all, now);
        let own = all.values().filter(|other| other.name == session.name).count();
        let reached = if own >= self.per_admin_max {
            Some(Limit::AdminSessionsPerAdmin)
        } else {
            (all.len() >= self.count_max).then_some(Limit::AdminSessions)
        };
        if reached.is_some() {
            let candidates = all.iter().filter(|(_, other)| own == 0 || other.name == session.name);
            let surplus = candidates.min_by_key(|(_, other)| other.seen).map(|(digest, _)| *digest);
            if let Some(surplus) = surplus.and_then(|digest| all.remove(&digest)) {
                surplus.end(End::TooMany);
            }
        }
        all.insert(digest, session);
        (cookie.into(), current, reached)
    }

    /// The session of a cookie, which is used by that.
    pub(super) fn find(&self, cookie: &SecretString, now: Timestamp) -> Option<Current> {
        let digest = SecretDigest::of(cookie.expose_secret());
        let mut all = self.all.lock();
        purge(&mut all, now);
        let session = all.get_mut(&digest)?;
        // A clock that was put back makes no session older than it is.
        session.seen = session.seen.max(now);
        Some(current(digest, session))
    }

    /// Ends what is over by the time.
    pub(super) fn expire(&self, now: Timestamp) {
        purge(&mut self.all.lock(), now);
    }

    /// Ends a session. False: it has ended.
    pub(super) fn end(&self, digest: SecretDigest, why: End) -> bool {
        let session = self.all.lock().remove(&digest);
        session.inspect(|session| session.end(why)).is_some()
    }

    /// Ends a session of this admin by the id in the list. False: there is none.
    pub(super) fn end_by_id(&self, name: &str, id: &str) -> bool {
        let mut ended =
            self.end_if(End::LoggedOut, |_, session| *session.name == *name && *session.id == *id);
        ended.next().is_some()
    }

    /// Ends the sessions of an admin, but for one.
    pub(super) fn end_of(&self, name: &str, except: Option<SecretDigest>, why: End) -> usize {
        self.end_if(why, |digest, session| *session.name == *name && Some(*digest) != except).count()
    }

    /// The sessions of the admin of this one, newest first.
    pub(super) fn list(&self, of: &Current, now: Timestamp) -> Vec<Listed> {
        let mut all = self.all.lock();
        purge(&mut all, now);
        let own = all.iter().filter(|(_, session)| session.name == of.name);
        let mut listed: Vec<_> = own
            .map(|(digest, session)| Listed {
                id: session.id.clone(),
                created: session.created,
                seen: session.seen,
                address: session.address,
                user_agent: session.user_agent.clone(),
                is_current: *digest == of.digest,
            })
            .collect();
        listed.sort_by_key(|session| (std::cmp::Reverse(session.created), session.id.clone()));
        listed
    }

    fn end_if(
        &self,
        why: End,
        mut is_meant: impl FnMut(&SecretDigest, &Session) -> bool,
    ) -> impl Iterator<Item = Session> {
        let mut all = self.all.lock();
        let ended: Vec<_> = all.extract_if(|digest, session| is_meant(digest, session)).collect();
        drop(all);
        ended.into_iter().map(move |(_, session)| session).inspect(move |session| session.end(why))
    }
}

fn purge(all: &mut HashMap<SecretDigest, Session>, now: Timestamp) {
    all.retain(|_, session| {
        let is_over = session.ends() <= now;
        if is_over {
            session.end(End::Expired);
        }
        !is_over
    });
}

fn current(digest: SecretDigest, session: &Session) -> Current {
    Current {
        digest,
        name: session.name.clone(),
        role: session.role,
        ends: session.ends(),
        end: session.end.subscribe(),
    }
}

fn random<const N: usize>(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use roomkey_testkit::SeededEntropy;

    use super::*;

    const HOUR_MS: u64 = 3600 * 1000;

    fn new(name: &str) -> NewSession<'_> {
        NewSession { name, role: AdminRole::Admin, address: [192, 0, 2, 1].into(), user_agent: None }
    }

    fn at_most(admin_sessions: usize, admin_sessions_per_admin: usize) -> Sessions {
        Sessions::new(&Limits { admin_sessions, admin_sessions_per_admin, ..Limits::default() })
    }

    #[test]
    fn a_session_ends_when_it_is_not_used_and_in_any_case_after_half_a_day() {
        let (sessions, entropy) = (at_most(9, 9), SeededEntropy::new(1));
        let (cookie, current, _) = sessions.begin(&new("ada"), Timestamp(0), &entropy);
        let mut now_ms = 0;
        while now_ms + IDLE_MS - 1 < 12 * HOUR_MS {
            now_ms += IDLE_MS - 1;
            assert!(sessions.find(&cookie, Timestamp(now_ms)).is_some(), "{now_ms}");
        }
        assert_eq!(sessions.find(&cookie, Timestamp(now_ms)).unwrap().ends, Timestamp(12 * HOUR_MS));
        assert!(sessions.find(&cookie, Timestamp(12 * HOUR_MS)).is_none());
        assert_eq!(*current.end.borrow(), Some(End::Expired));
        let (cookie, _, _) = sessions.begin(&new("ada"), Timestamp(0), &entropy);
        assert!(sessions.find(&cookie, Timestamp(IDLE_MS)).is_none());
    }

    #[test]
    fn one_too_many_ends_the_one_that_was_not_used_for_longest() {
        let (sessions, entropy) = (at_most(2, 2), SeededEntropy::new(1));
        let (first, ..) = sessions.begin(&new("ada"), Timestamp(1), &entropy);
        let (second, second_seen, _) = sessions.begin(&new("bob"), Timestamp(2), &entropy);
        assert!(sessions.find(&first, Timestamp(3)).is_some());
        let (third, _, reached) = sessions.begin(&new("cyd"), Timestamp(4), &entropy);
        assert_eq!(reached, Some(Limit::AdminSessions));
        assert!(sessions.find(&second, Timestamp(5)).is_none());
        assert_eq!(*second_seen.end.borrow(), Some(End::TooMany));
        assert!(
            sessions.find(&first, Timestamp(5)).is_some() && sessions.find(&third, Timestamp(5)).is_some()
        );
    }

    #[test]
    fn who_logs_in_again_and_again_ends_only_own_sessions() {
        for (sessions, limit) in
            [(at_most(4, 3), Limit::AdminSessionsPerAdmin), (at_most(4, 9), Limit::AdminSessions)]
        {
            let entropy = SeededEntropy::new(1);
            let (ada, ..) = sessions.begin(&new("ada"), Timestamp(1), &entropy);
            let eves: Vec<_> =
                (2..9).map(|now| sessions.begin(&new("eve"), Timestamp(now), &entropy)).collect();
            let reached: Vec<_> = eves.iter().map(|(.., reached)| *reached).collect();
            assert_eq!(reached, [None, None, None, Some(limit), Some(limit), Some(limit), Some(limit)]);
            assert!(sessions.find(&ada, Timestamp(9)).is_some(), "{limit}");
            let left: Vec<_> =
                eves.iter().map(|(cookie, ..)| sessions.find(cookie, Timestamp(9)).is_some()).collect();
            assert_eq!(left, [false, false, false, false, true, true, true], "{limit}");
        }
    }

    #[test]
    fn sessions_of_others_stay() {
        let (sessions, entropy) = (at_most(9, 9), SeededEntropy::new(1));
        let (ada, ada_seen, _) = sessions.begin(&new("ada"), Timestamp(1), &entropy);
        let (bob, bob_seen, _) = sessions.begin(&new("bob"), Timestamp(1), &entropy);
        let id = sessions.list(&bob_seen, Timestamp(1))[0].id.clone();
        assert!(!sessions.end_by_id("ada", &id));
        assert_eq!(sessions.end_of("ada", None, End::Removed), 1);
        assert!(sessions.find(&ada, Timestamp(2)).is_none() && sessions.find(&bob, Timestamp(2)).is_some());
        assert_eq!((*ada_seen.end.borrow(), *bob_seen.end.borrow()), (Some(End::Removed), None));
        assert!(sessions.end_by_id("bob", &id));
    }
}
