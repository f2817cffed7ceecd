//! Owners, changes of channels, and invites.

use futures_util::future::join_all;
use roomkey_model::{Limit, Timestamp};
use roomkey_store::{ChannelChange, Committed, Invite, Role, Standing, StoreError, Visibility};

use crate::support::{Fixture, anyone, backends, id, profile, user};

fn invite(number: u8, inviter: &str, uses: u32) -> Invite {
    Invite {
        digest: [number; 32],
        channel: id("den"),
        inviter: user(inviter),
        user: None,
        role: Role::Reader,
        uses,
        ends: Timestamp(100),
    }
}

async fn create(fixture: &Fixture, invite: Invite) -> Result<(), StoreError> {
    fixture.store.create_invite(invite, 3, Timestamp(10), anyone()).await
}

async fn take(fixture: &Fixture, number: u8, who: &str, now: u64) -> Result<Role, StoreError> {
    let permit = Box::new(|standing: Standing| standing.channel == id("den"));
    let joined = fixture.store.use_invite([number; 32], &user(who), Timestamp(now), permit).await?;
    assert_eq!(joined.channel.channel, id("den"));
    Ok(joined.role)
}

#[tokio::test]
async fn an_invite_is_used_as_often_as_it_says() {
    for fixture in backends() {
        fixture.channel("den", &["ada"]).await;
        create(&fixture, invite(1, "ada", 2)).await.expect("is kept");
        assert_eq!(take(&fixture, 9, "bob", 20).await, Err(StoreError::NotFound));
        assert_eq!(take(&fixture, 1, "bob", 20).await, Ok(Role::Reader));
        assert_eq!(take(&fixture, 1, "bob", 20).await, Ok(Role::Reader), "a retry does not use it up");
        assert_eq!(take(&fixture, 1, "ada", 20).await, Ok(Role::Owner), "nor does who is in already");
        assert_eq!(take(&fixture, 1, "eve", 20).await, Ok(Role::Reader));
        assert_eq!(take(&fixture, 1, "fred", 20).await, Err(StoreError::NotFound));
        let added = |who, members| Committed::MemberAdded {
            channel: id("den"),
            user: user(who),
            role: Role::Reader,
            before: None,
            members,
        };
        assert_eq!(fixture.committed.lock().expect("no panic")[1..], [added("bob", 2), added("eve", 3)]);
    }
}

#[tokio::test]
async fn many_who_use_one_invite_at_once_are_one() {
    for fixture in backends() {
        fixture.channel("den", &["ada"]).await;
        create(&fixture, invite(1, "ada", 1)).await.expect("is kept");
        let users: Vec<_> = (0..20).map(|number| format!("u{number}")).collect();
        let outcomes = join_all(users.iter().map(|who| take(&fixture, 1, who, 20))).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert_eq!(fixture.committed.lock().expect("no panic").len(), 2);
    }
}

#[tokio::test]
async fn an_invite_is_for_whom_and_until_when_it_says() {
    for fixture in backends() {
        fixture.channel("den", &["ada"]).await;
        let for_bob = Invite { user: Some(user("bob")), ..invite(1, "ada", 1) };
        create(&fixture, for_bob).await.expect("is kept");
        assert_eq!(take(&fixture, 1, "eve", 20).await, Err(StoreError::NotFound));
        assert_eq!(take(&fixture, 1, "bob", 100).await, Err(StoreError::NotFound), "it is over");
        let denied = fixture.store.use_invite([1; 32], &user("bob"), Timestamp(99), Box::new(|_| false));
        assert_eq!(denied.await, Err(StoreError::Denied));
        assert_eq!(take(&fixture, 1, "bob", 99).await, Ok(Role::Reader));
        let refused = fixture.store.create_invite(invite(2, "bob", 1), 3, Timestamp(10), Box::new(|_| false));
        assert_eq!(refused.await, Err(StoreError::Denied));
    }
}

#[tokio::test]
async fn a_channel_has_so_many_invites_and_forgets_those_that_are_over() {
    for fixture in backends() {
        fixture.channel("den", &["ada"]).await;
        for number in 1..=3 {
            create(&fixture, invite(number, "ada", 1)).await.expect("is kept");
        }
        let full = Err(StoreError::Limit { limit: Limit::InvitesPerChannel });
        assert_eq!(create(&fixture, invite(4, "ada", 1)).await, full);
        let later = Invite { ends: Timestamp(200), ..invite(4, "ada", 1) };
        assert_eq!(fixture.store.create_invite(later, 3, Timestamp(100), anyone()).await, Ok(()));
    }
}

#[tokio::test]
async fn who_has_gone_or_become_less_invites_nobody() {
    for fixture in backends() {
        fixture.channel("den", &["ada", "bob", "fred"]).await;
        let yes = || Box::new(|_: Standing, _: Option<Role>| true);
        let (den, ada) = (id("den"), user("ada"));
        let role = |who, role| fixture.store.add_member(&den, &ada, &user(who), role, Timestamp(1), yes());
        assert_eq!(role("bob", Role::Moderator).await, Ok(Some(Role::Member)));
        create(&fixture, invite(1, "bob", 9)).await.expect("is kept");
        create(&fixture, invite(2, "fred", 9)).await.expect("is kept");
        assert_eq!(take(&fixture, 1, "u1", 20).await, Ok(Role::Reader));
        assert_eq!(role("bob", Role::Owner).await, Ok(Some(Role::Moderator)));
        assert_eq!(take(&fixture, 1, "u2", 20).await, Ok(Role::Reader), "who became more still does");
        assert_eq!(role("bob", Role::Member).await, Ok(Some(Role::Owner)));
        assert_eq!(take(&fixture, 1, "u3", 20).await, Err(StoreError::NotFound));
        let left = fixture.store.remove_member(&den, &user("fred"), &user("fred"), yes()).await;
        assert_eq!(left, Ok(true));
        assert_eq!(take(&fixture, 2, "u3", 20).await, Err(StoreError::NotFound));
    }
}

#[tokio::test]
async fn a_channel_always_has_an_owner() {
    for fixture in backends() {
        fixture.channel("den", &["ada", "bob"]).await;
        let yes = || Box::new(|_: Standing, _: Option<Role>| true);
        let (den, ada, bob) = (id("den"), user("ada"), user("bob"));
        fixture.committed.lock().expect("no panic").clear();
        let leave = |who| fixture.store.remove_member(&den, who, who, yes());
        let role = |who, role| fixture.store.add_member(&den, &ada, who, role, Timestamp(1), yes());
        assert_eq!(leave(&ada).await, Err(StoreError::LastOwner));
        assert_eq!(role(&ada, Role::Moderator).await, Err(StoreError::LastOwner));
        assert_eq!(role(&ada, Role::Owner).await, Ok(Some(Role::Owner)));
        assert_eq!(*fixture.committed.lock().expect("no panic"), [], "nothing has changed");
        assert_eq!(role(&bob, Role::Owner).await, Ok(Some(Role::Member)));
        let changed = Committed::MemberAdded {
            channel: den.clone(),
            user: bob.clone(),
            role: Role::Owner,
            before: Some(Role::Member),
            members: 2,
        };
        assert_eq!(*fixture.committed.lock().expect("no panic"), [changed]);
        assert_eq!(leave(&ada).await, Ok(true));
        assert_eq!(leave(&bob).await, Err(StoreError::LastOwner));
    }
}

/// As one is whose only owner was erased.
#[tokio::test]
async fn a_channel_without_an_owner_can_be_left() {
    let fixture = Fixture::sqlite();
    fixture.channel("den", &["ada", "bob", "cid"]).await;
    let other = rusqlite::Connection::open(&fixture.path).expect("another program may open it");
    other.execute("UPDATE members SET role = 'member'", []).expect("is changed");
    let yes = || Box::new(|_: Standing, _: Option<Role>| true);
    let (den, bob) = (id("den"), user("bob"));
    let role = |role| fixture.store.add_member(&den, &bob, &user("cid"), role, Timestamp(1), yes());
    assert_eq!(role(Role::Reader).await, Ok(Some(Role::Member)));
    assert_eq!(fixture.store.remove_member(&den, &bob, &bob, yes()).await, Ok(true));
    assert_eq!(role(Role::Owner).await, Ok(Some(Role::Reader)));
}

#[tokio::test]
async fn a_channel_is_changed_by_who_may_and_told_if_it_is() {
    for fixture in backends() {
        fixture.channel("den", &["ada"]).await;
        fixture.store.arrive(profile("eve"), Timestamp(1)).await.expect("arrives");
        fixture.committed.lock().expect("no panic").clear();
        let update = |change, yes: bool| {
            fixture.store.update_channel(
                &id("den"),
                &user("eve"),
                change,
                Timestamp(9),
                Box::new(move |_| yes),
            )
        };
        let change = ChannelChange {
            name: Some("Attic".to_owned()),
            visibility: Some(Visibility::Public),
            ..ChannelChange::default()
        };
        assert_eq!(update(change.clone(), false).await, Err(StoreError::Denied));
        let changed = update(change.clone(), true).await.expect("is changed");
        assert_eq!((changed.name.as_str(), changed.visibility), ("Attic", Visibility::Public));
        assert_eq!(update(change, true).await, Ok(changed.clone()));
        assert_eq!(update(ChannelChange::default(), true).await, Ok(changed.clone()));
        assert_eq!(
            *fixture.committed.lock().expect("no panic"),
            [Committed::ChannelUpdated(changed.clone())]
        );
        assert_eq!(fixture.store.channel(&id("den")).await, Ok(Some(changed.clone())));
        assert_eq!(fixture.store.public_channels(None, 9).await, Ok(vec![changed]));
        let nowhere = fixture.store.update_channel(
            &id("nowhere"),
            &user("ada"),
            ChannelChange::default(),
            Timestamp(9),
            anyone(),
        );
        assert_eq!(nowhere.await, Err(StoreError::NotFound));
    }
}
