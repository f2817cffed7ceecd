use expect_test::expect;
use roomkey_chat::{ChannelView, NewChannel};
use roomkey_model::{ChannelId, ErrorCode};
use roomkey_store::{Role, Visibility};

use crate::support::{World, identity, user_id};

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("plain data")
}

#[tokio::test]
async fn a_channel_and_its_lists() {
    let world = World::new();
    let (ada, bob) = (identity("ada"), identity("bob"));
    let new: NewChannel = serde_json::from_str(r#"{"name":"Harbour"}"#).expect("a payload");
    let channel = world.chat.create_channel(&ada, new).await.expect("is created");
    expect![[r#"{"id":"01a1cfa1-0a00-7000-8000-000000000000","name":"Harbour","visibility":"private","createdBy":"ada","createdAt":"2026-11-12T12:00:00.000Z","lastSeq":0,"role":"owner"}"#]]
    .assert_eq(&json(&ChannelView::from(&channel)));
    let id = channel.channel.channel;
    world.add("ada", &id, "bob", Role::Reader).await.expect("is added");
    let public = world.channel(Visibility::Public, "eve", &[]).await;

    let channels = world.chat.channels(&bob, None, None).await.expect("readable");
    expect![[r#"{"channels":[{"id":"01a1cfa1-0a00-7000-8000-000000000000","name":"Harbour","visibility":"private","createdBy":"ada","createdAt":"2026-11-12T12:00:00.000Z","lastSeq":0,"role":"reader"}]}"#]]
    .assert_eq(&json(&channels));
    let channels = world.chat.public_channels(&bob, None, None).await.expect("readable");
    expect![[r#"{"channels":[{"id":"01a1cfa1-0a00-7000-8000-000000000001","name":"harbour","visibility":"public","createdBy":"eve","createdAt":"2026-11-12T12:00:00.000Z","lastSeq":0}]}"#]]
    .assert_eq(&json(&channels));
    let members = world.chat.members(&bob, &id, None, None).await.expect("a reader may");
    expect![[r#"{"members":[{"user":{"id":"ada","username":"Ada"},"role":"owner","joinedAt":"2026-11-12T12:00:00.000Z"},{"user":{"id":"bob","username":"bob"},"role":"reader","joinedAt":"2026-11-12T12:00:00.000Z"}]}"#]]
    .assert_eq(&json(&members));
    assert!(world.chat.members(&identity("eve"), &id, None, None).await.is_err());
    assert!(world.chat.members(&bob, &public, None, None).await.is_ok(), "public is public");
}

#[tokio::test]
async fn a_channel_needs_a_name() {
    let world = World::new();
    for (name, message) in [
        (" ".to_owned(), "name: must not be blank"),
        ("x".repeat(257), "name: must be at most 256 bytes long"),
    ] {
        let new = NewChannel { name, visibility: Visibility::Public };
        let refused = world.chat.create_channel(&identity("ada"), new).await.expect_err("is refused");
        assert_eq!(refused.message, message);
    }
}

/// What a channel is called has nothing to do with what its room is called.
#[tokio::test]
async fn a_name_is_only_a_name() {
    let world = World::new();
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    for name in ["user:bob", "channel:*", "sys:all", "room:lobby", "bob"] {
        let created = ada.ask("channel:create", &format!(r#"[{{"name":"{name}"}}]"#)).await;
        let created: serde_json::Value = serde_json::from_str(&created).expect("JSON");
        let id = ChannelId::new(created["data"]["id"].as_str().expect("an id")).expect("a good name");
        assert_eq!(id.as_str().len(), 36, "made by the server");
        ada.send(&id, "hello").await;
    }
    assert_eq!(bob.heard(), [""; 0]);
    let chosen = r#"[{"name":"x","id":"user:bob"}]"#;
    assert!(ada.ask("channel:create", chosen).await.contains("unknown field"));
}

#[tokio::test]
async fn nobody_gives_or_takes_more_than_they_have() {
    let roles = [None, Some(Role::Reader), Some(Role::Member), Some(Role::Moderator), Some(Role::Owner)];
    let world = World::new();
    for actor in roles {
        for target in roles {
            for new in roles {
                let mut members = Vec::new();
                members.extend(actor.map(|role| ("actor", role)));
                members.extend(target.map(|role| ("target", role)));
                let channel = world.channel(Visibility::Public, "founder", &members).await;
                let allowed = apply(&world, &channel, new).await;
                let expected = match actor {
                    Some(Role::Owner) => true,
                    Some(Role::Moderator) => target < Some(Role::Moderator) && new <= Some(Role::Moderator),
                    _ => false,
                };
                assert_eq!(allowed, expected, "{actor:?} makes {target:?} {new:?}");
            }
        }
    }
}

async fn apply(world: &World, channel: &ChannelId, new: Option<Role>) -> bool {
    let (actor, target) = (identity("actor"), user_id("target"));
    match new {
        Some(role) => world.chat.add_member(&actor, channel, &target, role).await.is_ok(),
        None => world.chat.remove_member(&actor, channel, &target).await.is_ok(),
    }
}

#[tokio::test]
async fn everyone_may_leave() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[("rita", Role::Reader)]).await;
    let leave = async |user| world.chat.remove_member(&identity(user), &channel, &user_id(user)).await;
    assert_eq!(leave("rita").await, Ok(true));
    assert!(leave("rita").await.is_err(), "who is not in cannot tell whether there is such a channel");
    world.add("ada", &channel, "olga", Role::Owner).await.expect("is added");
    assert_eq!(leave("ada").await, Ok(true));
    let last = leave("olga").await.expect_err("who would be left?");
    assert_eq!(last.code, ErrorCode::LastOwner);
}
