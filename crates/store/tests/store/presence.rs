//! What every backend must do about who was here when: part of the contract.

use roomkey_model::{Limit, Role, Timestamp};
use roomkey_store::{Committed, LastSeen, PresenceChange, StoreError};

use crate::support::{Fixture, all, anyone, backends, id, profile, user};

fn change(name: &str, online: bool, at: u64) -> PresenceChange {
    PresenceChange { user: user(name), online, at: Timestamp(at) }
}

fn last_seen(name: &str, at: Option<u64>) -> LastSeen {
    LastSeen { user: user(name), at: at.map(Timestamp) }
}

#[tokio::test]
async fn a_change_is_committed_with_the_small_channels_that_are_to_hear_of_it() {
    for fixture in backends() {
        fixture.channel("alone", &["ada"]).await;
        fixture.channel("pair", &["ada", "bob"]).await;
        fixture.channel("trio", &["ada", "bob", "cy"]).await;
        fixture.channel("others", &["bob", "cy"]).await;
        let tell = async |change: PresenceChange, channels: &[&str]| {
            fixture.committed.lock().expect("no panic").clear();
            fixture.store.record_presence(vec![change.clone()], 2).await.expect("is recorded");
            let channels = channels.iter().map(|name| id(name)).collect();
            let told = std::mem::take(&mut *fixture.committed.lock().expect("no panic"));
            assert_eq!(told, [Committed::PresenceChanged { change, channels }]);
        };
        tell(change("ada", true, 10), &["pair"]).await;
        let removed = fixture.store.remove_member(&id("trio"), &user("ada"), &user("cy"), allow()).await;
        assert_eq!(removed, Ok(true));
        tell(change("ada", false, 20), &["pair", "trio"]).await;
        let add = |role| {
            fixture.store.add_member(&id("trio"), &user("ada"), &user("cy"), role, Timestamp(30), allow())
        };
        add(Role::Reader).await.expect("is added");
        add(Role::Member).await.expect("is changed");
        tell(change("ada", true, 40), &["pair"]).await;
        tell(change("nobody", true, 50), &[]).await;
    }
}

fn allow() -> roomkey_store::MemberPermit {
    Box::new(|_, _| true)
}

#[tokio::test]
async fn who_shares_a_channel_sees_when_somebody_was_here() {
    for fixture in backends() {
        let Fixture { store, .. } = &fixture;
        fixture.channel("pair", &["ada", "bob"]).await;
        fixture.channel("others", &["bob", "cy"]).await;
        store.arrive(profile("eve"), Timestamp(1)).await.expect("arrives");
        let changes = vec![change("bob", true, 10), change("bob", false, 30), change("cy", true, 20)];
        store.record_presence(changes, 100).await.expect("is recorded");
        store.record_presence(vec![change("bob", true, 5)], 100).await.expect("is recorded");
        let users = || ["eve", "cy", "nobody", "bob", "ada"].map(user).to_vec();
        let seen = async |reader| store.last_seen_of(&user(reader), users(), all()).await.expect("readable");
        assert_eq!(seen("ada").await, [last_seen("bob", Some(30)), last_seen("ada", None)]);
        let not_pair = Box::new(|channel: &_, _| *channel != id("pair"));
        let seen_by_ada = store.last_seen_of(&user("ada"), users(), not_pair).await;
        assert_eq!(seen_by_ada, Ok(vec![last_seen("ada", None)]), "not through what is not heard");
        assert_eq!(seen("eve").await, [last_seen("eve", None)]);
        assert_eq!(seen("nobody").await, []);
        let of =
            async |members_max| store.last_seen_in(&id("others"), &user("bob"), members_max, anyone()).await;
        assert_eq!(of(2).await, Ok(vec![last_seen("bob", Some(30)), last_seen("cy", Some(20))]));
        assert_eq!(of(1).await, Err(StoreError::Limit { limit: Limit::PresenceMembers }));
        let denied = store.last_seen_in(&id("others"), &user("ada"), 9, Box::new(|_| false)).await;
        assert_eq!(denied, Err(StoreError::Denied));
        let nowhere = store.last_seen_in(&id("nowhere"), &user("ada"), 9, anyone()).await;
        assert_eq!(nowhere, Err(StoreError::NotFound));
    }
}
