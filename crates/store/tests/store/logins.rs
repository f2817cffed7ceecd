//! Failed logins, and where accounts were logged in to: the contract of every backend.

use crate::support::{Fixture, HASH, account, backends, user};
use roomkey_model::{SessionId, Timestamp};
use roomkey_store::{LoginFailures, RefreshFamily, Session};

fn failures(account: u8, paid_until: u64) -> LoginFailures {
    let (paid_until, blocked_until) = (Timestamp(paid_until), Timestamp(paid_until / 2));
    LoginFailures { account: [account; 16], paid_until, blocked_until }
}

#[tokio::test]
async fn failed_logins_are_kept_until_they_are_forgiven() {
    for Fixture { store, .. } in backends() {
        store.note_login_failures(failures(1, 100)).await.expect("stored");
        store.note_login_failures(failures(2, 300)).await.expect("stored");
        store.note_login_failures(failures(1, 200)).await.expect("stored");
        assert_eq!(
            store.login_failures(Timestamp(0), 10).await,
            Ok(vec![failures(2, 300), failures(1, 200)])
        );
        assert_eq!(store.login_failures(Timestamp(0), 1).await, Ok(vec![failures(2, 300)]));
        assert_eq!(store.login_failures(Timestamp(200), 10).await, Ok(vec![failures(2, 300)]));
        assert_eq!(store.forget_login_failures(Timestamp(199), 10).await, Ok(0));
        assert_eq!(store.forget_login_failures(Timestamp(200), 10).await, Ok(1));
        assert_eq!(store.login_failures(Timestamp(0), 10).await, Ok(vec![failures(2, 300)]));
    }
}

#[tokio::test]
async fn past_logins_say_who_was_where_the_latest_first() {
    for Fixture { store, .. } in backends() {
        store.create_account(account("ada", "ada@example.com", Some("ada"))).await.expect("a new account");
        for (name, address, seen) in
            [("one", Some("192.0.2.1"), 100), ("two", Some("2001:db8::1"), 200), ("three", None, 300)]
        {
            let session = Session {
                session: SessionId::new(name).expect("a good name"),
                user: user("ada"),
                user_agent: None,
                address: address.map(str::to_owned),
                created: Timestamp(50),
                seen: Timestamp(seen),
                ends: Timestamp(1000),
                idle_ends: Timestamp(1000),
                ended: None,
            };
            let family = RefreshFamily { tag_key: [0; 32], current: [1; 32] };
            store.create_session(session, family, HASH).await.expect("a new session");
        }
        let past = store.past_logins(Timestamp(100), 10).await.expect("read");
        let past: Vec<_> = past.iter().map(|login| (&*login.email, &*login.address, login.seen.0)).collect();
        let email = "ada@example.com";
        assert_eq!(past, [(email, "2001:db8::1", 200), (email, "192.0.2.1", 100)]);
        assert_eq!(store.past_logins(Timestamp(101), 10).await.expect("read").len(), 1);
        assert_eq!(store.past_logins(Timestamp(0), 1).await.expect("read").len(), 1);
    }
}
