//! Rules of the configuration, as sockets notice them.

use std::sync::Arc;

use futures_util::FutureExt;
use roomkey_auth::{
    Identity, KeptClaims, Scopes,
    policy::{ActionName, Effect, Policy, Rule},
};
use roomkey_chat::{Access, ChatConfig};
use roomkey_model::{ChannelId, Membership, Role, Visibility};

use crate::support::{World, identity};

fn world(rules: Vec<Rule>) -> World {
    let access = Arc::new(Access::new(Policy::new(rules, &[])));
    World::with_config(ChatConfig { access, ..ChatConfig::default() })
}

fn allow(name: &str, actions: &[ActionName], rooms: &str) -> Rule {
    Rule { rooms: Some(rooms.parse().expect("a pattern")), ..rule(name, Effect::Allow, actions) }
}

fn rule(name: &str, effect: Effect, actions: &[ActionName]) -> Rule {
    Rule { actions: actions.to_vec(), ..Rule::new(name, effect) }
}

fn with_roles(user: &str, roles: &[&str]) -> Arc<Identity> {
    let roles = roles.iter().map(|role| Arc::from(*role)).collect();
    Arc::new(Identity { roles, ..(*identity(user)).clone() })
}

fn of_org(user: &str, org: &str) -> Arc<Identity> {
    let claims = KeptClaims::new(vec![("org".into(), vec![org.to_owned()])]);
    Arc::new(Identity { claims, ..(*identity(user)).clone() })
}

fn with_scopes(user: &str, read: bool, write: bool) -> Arc<Identity> {
    Arc::new(Identity { scopes: Scopes { read, write }, ..(*identity(user)).clone() })
}

const FORBIDDEN: &str = r#"{"error":"Not allowed","code":"FORBIDDEN","retry":"never"}"#;

/// Guests do not hear.
fn deaf_guests() -> Rule {
    Rule { roles: vec!["guest".to_owned()], ..rule("deaf-guests", Effect::Deny, &[ActionName::Read]) }
}

#[tokio::test]
async fn nobody_is_in_a_free_room_without_a_rule() {
    let world = World::new();
    let ada = world.connect("ada").await;
    assert_eq!(ada.ask("joinRoom", r#"["room:lobby"]"#).await, FORBIDDEN);
    assert!(ada.heard().is_empty());
}

#[tokio::test]
async fn free_rooms_are_whose_rules_say() {
    let world = world(vec![
        allow("lobby", &[ActionName::Join], "room:lobby"),
        allow("tenants", &[ActionName::Join], "room:{claim.org}:*"),
    ]);
    let ada = world.connect_as(of_org("ada", "acme")).await;
    let bob = world.connect_as(of_org("bob", "beta")).await;
    for (room, of_ada, of_bob) in [
        ("room:lobby", true, true),
        ("room:acme:x", true, false),
        ("room:beta:x", false, true),
        ("room:acme:", true, false),
        ("room:acme", false, false),
        ("room:ACME:x", false, false),
        ("room:acme\u{200b}:x", false, false),
        ("room:\u{430}cme:x", false, false),
        ("room:{claim.org}:x", false, false),
        ("room:*", false, false),
        ("room:lobby ", false, false),
    ] {
        let joined = format!(r#"{{"data":"{room}"}}"#);
        for (client, may) in [(&ada, of_ada), (&bob, of_bob)] {
            let expected = if may { &joined } else { FORBIDDEN };
            assert_eq!(client.ask("joinRoom", &format!(r#"["{room}"]"#)).await, *expected, "{room}");
            let told = if may { vec![format!(r#"["roomJoined","{room}"]"#)] } else { vec![] };
            assert_eq!(client.heard(), told, "{room}");
        }
    }
    assert_eq!(ada.ask("leaveRoom", r#"["room:lobby"]"#).await, r#"{"data":"room:lobby"}"#);
}

#[tokio::test]
async fn a_rule_is_about_a_channel_whatever_clients_call_it() {
    let world = World::new();
    let channel = world.channel(Visibility::Public, "ada", &[]).await;
    let closed = Rule {
        rooms: Some(format!("channel:{channel}").parse().expect("a pattern")),
        ..rule("closed", Effect::Deny, &[ActionName::Join])
    };
    let bob = world.connect("bob").await;
    world.govern(Policy::new(vec![closed], &[])).await;
    for name in [format!("channel:{channel}"), channel.to_string()] {
        assert_eq!(bob.ask("joinRoom", &format!(r#"["{name}"]"#)).await, FORBIDDEN, "{name}");
    }
    world.govern(Policy::default()).await;
    assert!(bob.ask("joinRoom", &format!(r#"["{channel}"]"#)).await.contains("data"));
}

#[tokio::test]
async fn what_may_not_be_read_is_not_heard() {
    let world = world(vec![deaf_guests()]);
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let ada = world.connect("ada").await;
    // One socket of the same user may, the other may not.
    let guest = world.connect_as(with_roles("bob", &["guest"])).await;
    let bob = world.connect_as(with_roles("bob", &["staff"])).await;
    ada.send(&channel, "one").await;
    assert_eq!((guest.contents(), bob.contents()), (vec![], vec!["one".to_owned()]));
    // Not by being added while connected, nor by asking.
    let other = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    assert_eq!(guest.ask("joinRoom", &format!(r#"["{other}"]"#)).await, FORBIDDEN);
    ada.send(&other, "two").await;
    assert_eq!((guest.contents(), bob.contents()), (vec![], vec!["two".to_owned()]));
    let history = format!(r#"[{{"channelId":"{channel}"}}]"#);
    assert_eq!(guest.ask("message:history", &history).await, FORBIDDEN);
}

#[tokio::test]
async fn a_role_that_is_lost_takes_its_rooms_with_it() {
    let staff_only =
        Rule { roles: vec!["staff".to_owned()], ..allow("staff", &[ActionName::Join], "room:staff") };
    let world = world(vec![staff_only, deaf_guests()]);
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let ada = world.connect("ada").await;
    let mut bob = world.connect_as(with_roles("bob", &["staff"])).await;
    bob.ask("joinRoom", r#"["room:staff"]"#).await;
    bob.heard();
    world.renew(&mut bob, with_roles("bob", &["guest"])).await;
    let mut told = bob.heard();
    told.sort();
    let evicted = |room: &str| format!(r#"["room:evicted",{{"room":"{room}"}}]"#);
    assert_eq!(told, [evicted(&format!("channel:{channel}")), evicted("room:staff")]);
    ada.send(&channel, "one").await;
    assert!(bob.contents().is_empty());
    assert_eq!(bob.ask("joinRoom", r#"["room:staff"]"#).await, FORBIDDEN);
    // The personal room stays: it is how the user is told things.
    world.renew(&mut bob, with_roles("bob", &["staff"])).await;
    assert!(bob.heard().is_empty());
    assert!(bob.ask("joinRoom", &format!(r#"["{channel}"]"#)).await.contains("data"));
}

#[tokio::test]
async fn other_rules_are_in_force_at_once() {
    let world = world(vec![allow("lobby", &[ActionName::Join], "room:lobby")]);
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    bob.ask("joinRoom", r#"["room:lobby"]"#).await;
    bob.heard();
    let quiet = Rule {
        membership: vec![Membership::Member(Role::Member)],
        ..rule("quiet", Effect::Deny, &[ActionName::Send, ActionName::Read])
    };
    world.govern(Policy::new(vec![quiet], &[])).await;
    assert_eq!(bob.send(&channel, "one").await, FORBIDDEN);
    assert_eq!(bob.heard().len(), 2, "two evictions");
    assert!(ada.send(&channel, "two").await.contains("data"));
    assert!(bob.contents().is_empty());
    // As a moderator, the same user hears it again.
    world.add("ada", &channel, "bob", Role::Moderator).await.expect("is promoted");
    ada.send(&channel, "three").await;
    assert_eq!(bob.contents(), ["three"]);
    world.add("ada", &channel, "bob", Role::Member).await.expect("is demoted");
    ada.send(&channel, "four").await;
    assert!(bob.contents().is_empty());
}

#[tokio::test]
async fn a_token_for_reading_sends_nothing() {
    let world = World::new();
    let channel = world.channel(Visibility::Public, "ada", &[("bob", Role::Owner)]).await;
    let ada = world.connect("ada").await;
    let bob = world.connect_as(with_scopes("bob", true, false)).await;
    ada.send(&channel, "one").await;
    assert_eq!(bob.contents(), ["one"]);
    assert_eq!(bob.send(&channel, "two").await, FORBIDDEN);
    assert!(ada.contents().iter().all(|content| content == "one"));
    let history = bob.ask("message:history", &format!(r#"[{{"channelId":"{channel}"}}]"#)).await;
    assert!(history.contains("one") && !history.contains("two"));
    // Nor does one for writing hear.
    let eve = world.connect_as(with_scopes("bob", false, true)).await;
    ada.send(&channel, "three").await;
    assert!(eve.contents().is_empty());
    assert!(eve.send(&channel, "four").await.contains("data"));
}

#[tokio::test]
async fn a_rule_can_make_managers_of_people_who_are_no_members() {
    let staff = Rule {
        roles: vec!["staff".to_owned()],
        ..allow("staff", &[ActionName::Manage, ActionName::Read], "channel:*")
    };
    let world = world(vec![staff]);
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Moderator)]).await;
    let remove = async |actor: Arc<Identity>, user: &str, channel: &ChannelId| {
        world.chat.remove_member(&actor, channel, &crate::support::user_id(user)).await.is_ok()
    };
    assert!(!remove(with_roles("eve", &["guest"]), "bob", &channel).await);
    assert!(!remove(identity("bob"), "ada", &channel).await, "a moderator is less than an owner");
    assert!(remove(with_roles("eve", &["staff"]), "bob", &channel).await);
}

#[tokio::test]
async fn public_channels_that_may_not_be_read_are_not_listed() {
    let world = World::new();
    world.channel(Visibility::Public, "ada", &[]).await;
    let listed = async |user: &str| {
        let page = world.chat.public_channels(&identity(user), None, None).await.expect("a page");
        page.0.len()
    };
    assert_eq!(listed("bob").await, 1);
    world.govern(Policy::new(Vec::new(), &["public-channels".to_owned()])).await;
    assert_eq!(listed("bob").await, 0);
}

#[tokio::test]
async fn who_may_not_hear_a_channel_is_not_in_it_for_a_moment() {
    let world = world(vec![deaf_guests()]);
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let ada = world.connect("ada").await;
    let guest = world.socket_of(with_roles("bob", &["guest"]));
    {
        let mut welcome = std::pin::pin!(world.chat.connected(&guest.caller));
        while welcome.as_mut().now_or_never().is_none() {
            ada.send(&channel, "now").await;
            assert!(guest.contents().is_empty());
        }
    }
    for event in ["joinRoom", "channel:join"] {
        let args = match event {
            "joinRoom" => format!(r#"["{channel}"]"#),
            _ => format!(r#"[{{"channelId":"{channel}"}}]"#),
        };
        let reply = guest.emit(event, &args);
        let mut ack = std::pin::pin!(reply.ack());
        while ack.as_mut().now_or_never().is_none_or(|ack| ack.json() != FORBIDDEN) {
            ada.send(&channel, "now").await;
        }
        assert!(guest.contents().is_empty(), "{event}");
    }
}

#[tokio::test]
async fn free_rooms_are_joined_and_left_in_the_order_of_the_events() {
    let world = world(vec![allow("lobby", &[ActionName::Join], "room:lobby")]);
    let channel = world.channel(Visibility::Public, "ada", &[]).await;
    let bob = world.connect("bob").await;
    // The first waits for the store, and those behind it for the first.
    let slow = bob.emit("joinRoom", &format!(r#"["{channel}"]"#));
    let leave = bob.emit("leaveRoom", r#"["room:lobby"]"#);
    let join = bob.emit("joinRoom", r#"["room:lobby"]"#);
    futures_util::future::join3(slow.ack(), leave.ack(), join.ack()).await;
    world.govern(Policy::default()).await;
    assert!(bob.heard().contains(&r#"["room:evicted",{"room":"room:lobby"}]"#.to_owned()));
}

#[tokio::test]
async fn what_may_not_be_heard_is_neither_listed_nor_counted_nor_gives_presence() {
    let world = world(vec![deaf_guests()]);
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let ada = world.connect("ada").await;
    ada.send(&channel, "one").await;
    let asked = [
        ("message:getOfflineCount", "[{}]", r#"{"data":{"total":0,"unread":0,"channels":[]}}"#),
        ("channel:list", r#"[{"scope":"mine"}]"#, r#"{"data":{"channels":[]}}"#),
        ("presence:get", r#"[{"userIds":["ada"]}]"#, r#"{"data":{"presence":[]}}"#),
    ];
    for deaf in [with_roles("bob", &["guest"]), with_scopes("bob", false, true)] {
        let deaf = world.connect_as(deaf).await;
        for (event, args, nothing) in asked {
            assert_eq!(deaf.ask(event, args).await, nothing, "{event}");
        }
    }
    let bob = world.connect("bob").await;
    for (event, args, nothing) in asked {
        assert_ne!(bob.ask(event, args).await, nothing, "{event}");
    }
}
