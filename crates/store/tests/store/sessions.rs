//! Logins and their refresh tokens: the contract of every backend.

use std::sync::Arc;

use crate::support::{Fixture, HASH, account, backends, user};
use proptest::{collection::vec, prelude::*};
use roomkey_model::{Revocation, RevocationReason, RevocationTarget, SessionId, Timestamp};
use roomkey_store::{
    Committed, RefreshFamily, Rotated, Rotation, Session, SessionStore, SqliteConfig, SqliteStore, Store,
    StoreError,
};

const ENDS: u64 = 1_000_000;
const IDLE: u64 = 1000;
const GRACE: u64 = 100;

fn sid(name: &str) -> SessionId {
    SessionId::new(name).expect("a good name")
}

fn session(name: &str, of: &str, created: u64) -> Session {
    Session {
        session: sid(name),
        user: user(of),
        user_agent: Some("a browser".to_owned()),
        address: Some("192.0.2.1".to_owned()),
        created: Timestamp(created),
        seen: Timestamp(created),
        ends: Timestamp(ENDS),
        idle_ends: Timestamp(created + IDLE),
        ended: None,
    }
}

/// The token that may be used first is number 0.
fn family() -> RefreshFamily {
    RefreshFamily { tag_key: [255; 32], current: token(0) }
}

fn token(number: u8) -> [u8; 32] {
    [number; 32]
}

fn revocation(session: &str, now: u64) -> Revocation {
    Revocation {
        target: RevocationTarget::Session { issuer: Arc::from("roomkey"), session: sid(session) },
        issued_before: None,
        revoked_at: Timestamp(now),
        until: Some(Timestamp(now + 600)),
        reason: RevocationReason::RefreshReused,
    }
}

/// Presents a token at a time. What it is made from is its number, too.
fn rotation(session: &str, presented: u8, successor: u8, now: u64) -> Rotation {
    Rotation {
        session: sid(session),
        presented: token(presented),
        successor: (token(successor), token(successor)),
        retry_since: Timestamp(now.saturating_sub(GRACE)),
        now: Timestamp(now),
        idle_ends: Timestamp(now + IDLE),
        address: None,
        revocation: revocation(session, now),
    }
}

async fn with_session(store: &Arc<dyn Store>) {
    store.create_account(account("u1", "ada@example.org", None)).await.expect("is new");
    store.create_session(session("s1", "u1", 0), family(), HASH).await.expect("is new");
}

#[tokio::test]
async fn a_session_ends_once() {
    for Fixture { store, committed, .. } in backends() {
        store.create_account(account("u1", "ada@example.org", None)).await.expect("is new");
        let (old, new) = (session("s1", "u1", 10), session("s2", "u1", 20));
        for one in [&old, &new] {
            store.create_session(one.clone(), family(), HASH).await.expect("is new");
        }
        let now = Timestamp(25);
        assert_eq!(store.sessions_of(&user("u1"), now, 9).await, Ok(vec![new.clone(), old.clone()]));
        assert_eq!(store.sessions_of(&user("u1"), now, 1).await, Ok(vec![new.clone()]));
        store.touch_session(&old.session, Timestamp(30)).await.expect("is there");
        store.touch_session(&old.session, Timestamp(29)).await.expect("time does not go back");
        let end =
            |of: &str, now| store.end_session(&sid("s1"), &user(of), Timestamp(now), revocation("s1", now));
        assert_eq!(end("u2", 40).await, Ok(false), "somebody else's");
        assert_eq!(end("u1", 40).await, Ok(true));
        assert_eq!(end("u1", 50).await, Ok(false));
        assert_eq!(*committed.lock().expect("no panic"), [Committed::Revoked(revocation("s1", 40))]);
        assert_eq!(store.revocations().await, Ok(vec![revocation("s1", 40)]));
        let ended = Session { seen: Timestamp(30), ended: Some(Timestamp(40)), ..old.clone() };
        assert_eq!(store.session(&old.session).await, Ok(Some(ended)));
        assert_eq!(store.sessions_of(&user("u1"), now, 9).await, Ok(vec![new]));
        assert_eq!(
            store.create_session(old, family(), HASH).await,
            Err(StoreError::Conflict { field: "id" })
        );
        let nobodys = session("s3", "nobody", 1);
        assert_eq!(store.create_session(nobodys, family(), HASH).await, Err(StoreError::NotFound));
    }
}

#[tokio::test]
async fn sessions_that_are_over_are_not_listed_and_then_forgotten() {
    for Fixture { store, .. } in backends() {
        with_session(&store).await;
        let listed =
            async |now| store.sessions_of(&user("u1"), Timestamp(now), 9).await.expect("readable").len();
        assert_eq!((listed(IDLE - 1).await, listed(IDLE).await), (1, 0));
        assert_eq!(store.forget_sessions(Timestamp(IDLE)).await, Ok(0));
        assert_eq!(store.forget_sessions(Timestamp(IDLE + 1)).await, Ok(1));
        assert_eq!(store.session(&sid("s1")).await, Ok(None));
    }
}

#[tokio::test]
async fn the_sessions_of_a_user_up_to_a_time_end_with_their_revocations() {
    for Fixture { store, .. } in backends() {
        with_session(&store).await;
        store.create_account(account("u2", "bob@example.org", None)).await.expect("is new");
        for (name, of, created) in [("s2", "u1", 3), ("s3", "u1", 2), ("t1", "u2", 1)] {
            store.create_session(session(name, of, created), family(), HASH).await.expect("is new");
        }
        let end = |began_by: u64, now: u64| {
            let revoke = move |sessions: &[SessionId]| {
                sessions.iter().map(|session| revocation(session.as_str(), now)).collect()
            };
            store.end_sessions_of(&user("u1"), Some(Timestamp(began_by)), Timestamp(now), Box::new(revoke))
        };
        assert_eq!(end(2, 5).await, Ok(2));
        assert_eq!(store.revocations().await, Ok(vec![revocation("s1", 5), revocation("s3", 5)]));
        let left = store.sessions_of(&user("u1"), Timestamp(6), 9).await.expect("readable");
        assert_eq!(left, [session("s2", "u1", 3)]);
        assert_eq!(store.sessions_of(&user("u2"), Timestamp(6), 9).await.expect("readable").len(), 1);
        assert_eq!(end(7, 7).await, Ok(1), "those that had ended stay as they are");
    }
}

#[tokio::test]
async fn a_password_changes_once_and_ends_what_it_should() {
    for Fixture { store, .. } in backends() {
        with_session(&store).await;
        store.create_session(session("s2", "u1", 0), family(), HASH).await.expect("is new");
        let change = |old: &str, new: &str| {
            let revoke = |sessions: &[SessionId]| {
                sessions.iter().map(|session| revocation(session.as_str(), 5)).collect()
            };
            let (user, except) = (user("u1"), sid("s2"));
            store.change_password(&user, old, new.to_owned(), Some(&except), Timestamp(5), Box::new(revoke))
        };
        let wrong = change("another hash", "new").await;
        assert_eq!(wrong, Err(StoreError::Conflict { field: "password" }));
        assert_eq!(store.sessions_of(&user("u1"), Timestamp(6), 9).await.expect("readable").len(), 2);
        // Also one that began before the clock was put back.
        store.create_session(session("s3", "u1", 50), family(), HASH).await.expect("is new");
        assert_eq!(change(HASH, "new").await, Ok(2));
        // A login that was on its way with the password of before.
        let late = store.create_session(session("s4", "u1", 4), family(), HASH).await;
        assert_eq!(late, Err(StoreError::Denied));
        store.create_session(session("s4", "u1", 6), family(), "new").await.expect("knows the new one");
        let account = store.account(&user("u1")).await.expect("readable").expect("is there");
        assert_eq!(account.password_hash, "new");
        assert_eq!(store.revocations().await, Ok(vec![revocation("s1", 5), revocation("s3", 5)]));
        store.rehash_password(&user("u1"), "new", "newer".to_owned()).await.expect("is as it was");
        assert!(store.rehash_password(&user("u1"), "new", "newest".to_owned()).await.is_err());
    }
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_once() {
    for Fixture { store, committed, .. } in backends() {
        with_session(&store).await;
        assert_eq!(store.refresh_tag_key(&sid("s1")).await, Ok(Some([255; 32])));
        assert_eq!(store.refresh_tag_key(&sid("s2")).await, Ok(None));
        let exchanged = Session {
            seen: Timestamp(10),
            idle_ends: Timestamp(10 + IDLE),
            address: Some("198.51.100.1".to_owned()),
            ..session("s1", "u1", 0)
        };
        let moved = Rotation { address: exchanged.address.clone(), ..rotation("s1", 0, 1, 10) };
        assert_eq!(store.rotate(moved).await, Ok(Rotated::Exchanged(exchanged.clone())));
        assert_eq!(store.session(&sid("s1")).await, Ok(Some(exchanged.clone())));
        let retry = store.rotate(rotation("s1", 0, 2, 10 + GRACE)).await;
        assert_eq!(
            retry,
            Ok(Rotated::Retried(exchanged.clone(), token(1))),
            "the same successor, from its salt"
        );
        assert!(committed.lock().expect("no panic").is_empty());
        let late = store.rotate(rotation("s1", 0, 2, 10 + GRACE + 1)).await;
        assert_eq!(late, Ok(Rotated::Reused(exchanged)));
        assert_eq!(store.revocations().await, Ok(vec![revocation("s1", 10 + GRACE + 1)]));
        for presented in [0, 1] {
            assert_eq!(store.rotate(rotation("s1", presented, 3, 120)).await, Ok(Rotated::Ended));
        }
    }
}

#[tokio::test]
async fn of_many_at_once_one_exchanges_and_all_have_the_same_successor() {
    for Fixture { store, .. } in backends() {
        with_session(&store).await;
        let requests = (1..=100).map(|successor| store.rotate(rotation("s1", 0, successor, 10)));
        let outcomes = futures_util::future::join_all(requests).await;
        assert!(matches!(outcomes[0], Ok(Rotated::Exchanged(_))), "{:?}", outcomes[0]);
        for outcome in &outcomes[1..] {
            assert!(matches!(outcome, Ok(Rotated::Retried(_, salt)) if *salt == token(1)), "{outcome:?}");
        }
    }
}

#[tokio::test]
async fn a_session_that_was_not_used_for_long_or_is_old_is_not_continued() {
    for Fixture { store, .. } in backends() {
        with_session(&store).await;
        assert_eq!(store.rotate(rotation("s1", 0, 1, IDLE)).await, Ok(Rotated::Expired));
        assert!(matches!(store.rotate(rotation("s1", 0, 1, IDLE - 1)).await, Ok(Rotated::Exchanged(_))));
        let old = Session { idle_ends: Timestamp(ENDS * 2), ..session("s2", "u1", 0) };
        store.create_session(old, family(), HASH).await.expect("is new");
        assert_eq!(store.rotate(rotation("s2", 0, 1, ENDS)).await, Ok(Rotated::Expired));
        assert_eq!(store.rotate(rotation("s3", 0, 1, 1)).await, Ok(Rotated::Unknown));
        assert_eq!(store.revocations().await, Ok(vec![]), "to come late is no theft");
    }
}

#[tokio::test]
async fn an_exchange_survives_a_restart_and_may_be_asked_for_again() {
    let fixture = Fixture::sqlite();
    with_session(&fixture.store).await;
    assert!(matches!(fixture.store.rotate(rotation("s1", 0, 1, 10)).await, Ok(Rotated::Exchanged(_))));
    // The answer is lost: the process ends here.
    fixture.store.close().await;
    let store = SqliteStore::open(&fixture.path, &SqliteConfig::default(), Box::new(|_| ())).expect("opens");
    let retry = store.rotate(rotation("s1", 0, 2, 20)).await;
    assert!(matches!(retry, Ok(Rotated::Retried(_, salt)) if salt == token(1)), "{retry:?}");
    assert!(matches!(store.rotate(rotation("s1", 1, 2, 30)).await, Ok(Rotated::Exchanged(_))));
}

/// What a family is, in a few lines.
struct Model {
    current: u8,
    exchanged: Option<u64>,
    idle_ends: u64,
    ended: bool,
}

impl Model {
    fn present(&mut self, presented: u8, now: u64) -> &'static str {
        if self.ended {
            return "Ended";
        }
        if now >= self.idle_ends {
            return "Expired";
        }
        if presented == self.current {
            (self.current, self.exchanged, self.idle_ends) = (self.current + 1, Some(now), now + IDLE);
            return "Exchanged";
        }
        if presented + 1 == self.current && self.exchanged.is_some_and(|at| now - at <= GRACE) {
            return "Retried";
        }
        self.ended = true;
        "Reused"
    }
}

/// Whatever tokens of a family are presented, in whatever order, the store does what the model does.
#[test]
fn a_family_does_what_its_model_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let fixture = Fixture::sqlite();
    let store = &fixture.store;
    runtime.block_on(with_session(store));
    let number = std::sync::atomic::AtomicU64::new(0);
    let steps =
        vec((0..3_u8, prop_oneof![0..=GRACE / 2, GRACE..=GRACE + 1, Just(IDLE - 1), Just(IDLE)]), 1..12);
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(steps in steps)| {
        let name = format!("m{}", number.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let create = store.create_session(session(&name, "u1", 0), family(), HASH);
        runtime.block_on(create).expect("is new");
        let mut model = Model { current: 0, exchanged: None, idle_ends: IDLE, ended: false };
        let mut now = 0;
        for (back, wait) in steps {
            now += wait;
            let presented = model.current.saturating_sub(back);
            let successor = model.current + 1;
            let outcome = runtime.block_on(store.rotate(rotation(&name, presented, successor, now)));
            let expected = model.present(presented, now);
            prop_assert_eq!(format!("{:?}", outcome.expect("writable")), expected);
        }
    });
}
