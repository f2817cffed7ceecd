//! What is revoked stays so.

use roomkey_model::{Revocation, RevocationReason, RevocationTarget, SessionId, Timestamp, TokenId, UserId};
use roomkey_store::{Committed, RevocationStore, SqliteConfig, SqliteStore, StoreError};

use crate::support::Fixture;

fn user(id: &str) -> RevocationTarget {
    RevocationTarget::User(UserId::new(id).expect("a good name"))
}

fn token(id: &str) -> RevocationTarget {
    RevocationTarget::Token { issuer: "roomkey".into(), token: TokenId::new(id).expect("a good name") }
}

fn revocation(target: RevocationTarget, issued_before: Option<u64>, until: Option<u64>) -> Revocation {
    Revocation {
        target,
        issued_before: issued_before.map(Timestamp),
        revoked_at: Timestamp(50),
        until: until.map(Timestamp),
        reason: RevocationReason::Revoked,
    }
}

fn told(fixture: &Fixture) -> Vec<Committed> {
    std::mem::take(&mut *fixture.committed.lock().expect("no panic"))
}

#[tokio::test]
async fn every_kind_survives_a_restart() {
    let fixture = Fixture::sqlite();
    let session = SessionId::new("s").expect("a good name");
    let all = vec![
        revocation(
            RevocationTarget::Key { issuer: "https://idp.example/".into(), key_id: "kid".into() },
            None,
            None,
        ),
        revocation(RevocationTarget::Session { issuer: "roomkey".into(), session }, None, Some(200)),
        revocation(token("t"), None, Some(u64::MAX / 4)),
        revocation(user("a:b"), Some(40), Some(300)),
    ];
    fixture.store.revoke(all.clone()).await.expect("stores");
    assert_eq!(told(&fixture), all.iter().cloned().map(Committed::Revoked).collect::<Vec<_>>());
    fixture.store.close().await;
    let again = SqliteStore::open(&fixture.path, &SqliteConfig::default(), Box::new(|_| ())).expect("opens");
    assert_eq!(again.revocations().await, Ok(all));
}

/// The sink is told what holds in all, so that whoever applies it needs to know nothing else.
#[tokio::test]
async fn what_was_revoked_before_stays_revoked() {
    let fixture = Fixture::sqlite();
    let store = &fixture.store;
    store.revoke(vec![revocation(user("ada"), Some(100), Some(500))]).await.expect("stores");
    store.revoke(vec![revocation(user("ada"), Some(90), Some(900))]).await.expect("stores");
    let both = revocation(user("ada"), Some(100), Some(900));
    assert_eq!(told(&fixture).last(), Some(&Committed::Revoked(both.clone())));
    assert_eq!(store.revocations().await, Ok(vec![both]));
}

#[tokio::test]
async fn a_block_ends_with_a_cut_off() {
    let fixture = Fixture::sqlite();
    let store = &fixture.store;
    let cut_off = revocation(user("ada"), Some(70), Some(900));
    assert_eq!(store.unblock(cut_off.clone()).await, Ok(false), "nobody is blocked");
    store.revoke(vec![revocation(user("ada"), Some(60), Some(900))]).await.expect("stores");
    assert_eq!(store.unblock(cut_off.clone()).await, Ok(false), "a cut-off is no block");
    store.revoke(vec![revocation(user("ada"), None, None)]).await.expect("stores");
    told(&fixture);
    assert_eq!(store.unblock(cut_off.clone()).await, Ok(true));
    assert_eq!(told(&fixture), [Committed::Unblocked(cut_off.clone())]);
    assert_eq!(store.revocations().await, Ok(vec![cut_off]));
}

#[tokio::test]
async fn what_is_over_is_forgotten_a_part_at_a_time() {
    let fixture = Fixture::sqlite();
    let store = &fixture.store;
    let all = (0..10).map(|index| revocation(token(&format!("t{index}")), None, Some(100 + index)));
    store.revoke(all.chain([revocation(token("for ever"), None, None)]).collect()).await.expect("stores");
    assert_eq!(store.purge_revocations(Timestamp(106), 4).await, Ok(4));
    assert_eq!(store.purge_revocations(Timestamp(106), 4).await, Ok(3));
    assert_eq!(store.purge_revocations(Timestamp(106), 4).await, Ok(0));
    assert_eq!(store.revocations().await.map(|left| left.len()), Ok(4));
}

/// Nothing is said to be revoked that is not on the disk.
#[tokio::test]
async fn a_full_disk_revokes_nothing() {
    let config = SqliteConfig { database_bytes: Some(256 * 1024), ..SqliteConfig::default() };
    let fixture = Fixture::with_config(&config);
    let store = &fixture.store;
    let mut stored = 0;
    let error = loop {
        let many = (0..100).map(|index| revocation(token(&format!("{:->200}{index}", stored)), None, None));
        match store.revoke(many.collect()).await {
            Ok(()) => stored += 100,
            Err(error) => break error,
        }
    };
    assert_eq!(error, StoreError::DiskFull);
    assert_eq!(told(&fixture).len(), stored);
    assert_eq!(store.revocations().await.map(|all| all.len()), Ok(stored));
}
