//! Channels by events: what is acknowledged, and what everybody is told.

use expect_test::expect;
use roomkey_chat::ChatConfig;
use roomkey_model::{ChannelId, Limits, Role, Visibility};
use serde_json::{Value, json};

use crate::support::{Client, World};

const FORBIDDEN: &str = r#"{"error":"Not allowed","code":"FORBIDDEN","retry":"never"}"#;

/// The data of an acknowledgement.
async fn ask(client: &Client<'_>, event: &str, payload: Value) -> Value {
    let ack = client.ask(event, &format!("[{payload}]")).await;
    let ack: Value = serde_json::from_str(&ack).expect("JSON");
    assert!(ack.get("error").is_none(), "{event} {payload}: {ack}");
    ack["data"].clone()
}

async fn refused(client: &Client<'_>, event: &str, payload: Value) -> String {
    let ack = client.ask(event, &format!("[{payload}]")).await;
    let ack: Value = serde_json::from_str(&ack).expect("JSON");
    ack["code"].as_str().unwrap_or_default().to_owned()
}

fn channel_id(channel: &Value) -> ChannelId {
    ChannelId::new(channel["id"].as_str().expect("an id")).expect("a good name")
}

#[tokio::test]
async fn a_channel_lives_by_events() {
    let world = World::new();
    let (ada, tab, bob) =
        (world.connect("ada").await, world.connect("ada").await, world.connect("bob").await);
    let channel = ask(&ada, "channel:create", json!({ "name": "Harbour" })).await;
    expect![[r#"{"createdAt":"2026-11-12T12:00:00.000Z","createdBy":"ada","id":"01a1cfa1-0a00-7000-8000-000000000000","lastSeq":0,"name":"Harbour","role":"owner","visibility":"private"}"#]].assert_eq(&channel.to_string());
    let id = channel_id(&channel);
    assert_eq!(
        tab.heard(),
        [format!(r#"["member.added",{{"channelId":"{id}","userId":"ada","role":"owner"}}]"#)]
    );
    ada.heard();

    let added = ask(&ada, "channel:addMember", json!({ "channelId": id, "userId": "bob" })).await;
    assert_eq!(added, json!({ "channelId": id, "userId": "bob", "role": "member" }));
    let member = |role| format!(r#"["member.added",{{"channelId":"{id}","userId":"bob","role":"{role}"}}]"#);
    assert_eq!(bob.heard(), [member("member"), format!(r#"["roomJoined","channel:{id}"]"#)]);
    assert_eq!(ada.heard(), [member("member")]);
    ask(&ada, "channel:addMember", json!({ "channelId": id, "userId": "bob", "role": "reader" })).await;
    assert_eq!(bob.heard(), [member("reader")], "another role is no new room");
    ask(&ada, "channel:addMember", json!({ "channelId": id, "userId": "bob", "role": "reader" })).await;
    assert_eq!(bob.heard(), [""; 0], "the same role is no news");
    ada.heard();

    let updated =
        ask(&ada, "channel:update", json!({ "channelId": id, "name": "Docks", "visibility": "public" }))
            .await;
    assert_eq!((&updated["name"], &updated["visibility"]), (&json!("Docks"), &json!("public")));
    let told: Value = serde_json::from_str(&bob.heard()[0]).expect("JSON");
    assert_eq!(told, json!(["channel.updated", updated]));
    assert_eq!(
        refused(&bob, "channel:update", json!({ "channelId": id, "name": "Mine" })).await,
        "FORBIDDEN"
    );

    let members = ask(&bob, "channel:members", json!({ "channelId": id, "limit": 1 })).await;
    assert_eq!(members["members"][0]["user"]["id"], "ada");
    assert_eq!(members["members"].as_array().map(Vec::len), Some(1));
    let rest = ask(&bob, "channel:members", json!({ "channelId": id, "after": "ada" })).await;
    assert_eq!(rest["members"][0]["role"], "reader");

    assert_eq!(
        refused(&bob, "channel:removeMember", json!({ "channelId": id, "userId": "ada" })).await,
        "FORBIDDEN"
    );
    let left = ask(&bob, "channel:leave", json!({ "channelId": id })).await;
    assert_eq!(left, json!({ "channelId": id, "userId": "bob" }));
    assert_eq!(bob.heard(), [format!(r#"["room:evicted",{{"room":"channel:{id}"}}]"#)]);
    assert_eq!(
        ada.heard().last(),
        Some(&format!(r#"["member.removed",{{"channelId":"{id}","userId":"bob"}}]"#))
    );
    assert_eq!(refused(&ada, "channel:leave", json!({ "channelId": id })).await, "LAST_OWNER");
}

#[tokio::test]
async fn lists_of_channels_by_events() {
    let world = World::new();
    let mine = world.channel(Visibility::Public, "ada", &[]).await;
    let others = world.channel(Visibility::Public, "bob", &[]).await;
    world.channel(Visibility::Private, "bob", &[]).await;
    let ada = world.connect("ada").await;
    let list = async |payload: &str| {
        let ack: Value = serde_json::from_str(&ada.ask("channel:list", payload).await).expect("JSON");
        let channels = ack["data"]["channels"].as_array().expect("a list").clone();
        channels.iter().map(channel_id).collect::<Vec<_>>()
    };
    assert_eq!(list("[]").await, [mine.clone(), others.clone()]);
    assert_eq!(list("[{}]").await, [mine.clone(), others.clone()]);
    let only_mine = std::slice::from_ref(&mine);
    assert_eq!(list(r#"[{"scope":"mine"}]"#).await, only_mine);
    assert_eq!(list(r#"[{"scope":"public","limit":1}]"#).await, only_mine);
    assert_eq!(list(&format!(r#"[{{"scope":"public","after":"{mine}"}}]"#)).await, [others]);
    for wrong in
        [json!({ "after": mine }), json!({ "scope": "all" }), json!({ "limit": 0 }), json!({ "x": 1 })]
    {
        assert_eq!(refused(&ada, "channel:list", wrong).await, "BAD_PAYLOAD");
    }
}

#[tokio::test]
async fn who_joins_a_public_channel_hears_it_on_every_socket() {
    let world = World::new();
    let channel = world.channel(Visibility::Public, "ada", &[]).await;
    let private = world.channel(Visibility::Private, "ada", &[]).await;
    let (ada, bob, tab) =
        (world.connect("ada").await, world.connect("bob").await, world.connect("bob").await);
    let joined = ask(&bob, "channel:join", json!({ "channelId": channel })).await;
    assert_eq!((&joined["role"], channel_id(&joined)), (&json!("member"), channel.clone()));
    ada.send(&channel, "hello").await;
    for socket in [&bob, &tab] {
        let heard = socket.heard();
        assert!(heard.contains(&format!(r#"["roomJoined","channel:{channel}"]"#)), "{heard:?}");
        assert!(heard.last().is_some_and(|event| event.contains("hello")), "{heard:?}");
    }
    // Who has left the room, and not the channel, comes back.
    bob.ask("leaveRoom", &format!(r#"["{channel}"]"#)).await;
    ada.send(&channel, "unheard").await;
    ask(&bob, "channel:join", json!({ "channelId": channel })).await;
    ada.send(&channel, "heard").await;
    assert_eq!(bob.contents(), ["heard"]);
    assert_eq!(refused(&bob, "channel:join", json!({ "channelId": private })).await, "FORBIDDEN");
    assert_eq!(refused(&bob, "channel:join", json!({ "channelId": "nowhere" })).await, "FORBIDDEN");
    for wrong in [json!({}), json!({ "channelId": channel, "invite": "x" }), json!({ "invite": 1 })] {
        assert_eq!(refused(&bob, "channel:join", wrong).await, "BAD_PAYLOAD");
    }
}

#[tokio::test]
async fn an_invite_lets_in_whom_it_is_for() {
    let world = World::new();
    let channel =
        world.channel(Visibility::Private, "ada", &[("mo", Role::Moderator), ("bob", Role::Member)]).await;
    let (ada, mo, bob) = (world.connect("ada").await, world.connect("mo").await, world.connect("bob").await);
    let (eve, fred) = (world.connect("eve").await, world.connect("fred").await);
    let issued = ask(&mo, "channel:invite", json!({ "channelId": channel, "expiresInS": 60 })).await;
    assert_eq!(issued["expiresAt"], "2026-11-12T12:01:00.000Z");
    let invite = issued["invite"].as_str().expect("a text").to_owned();
    assert!(invite.starts_with("rki_") && invite.len() == 26, "{invite}");
    mo.heard();

    let join = |client, invite: &str| refused(client, "channel:join", json!({ "invite": invite }));
    assert_eq!(join(&eve, &(invite.clone() + "x")).await, "FORBIDDEN");
    assert_eq!(join(&eve, &invite.to_uppercase()).await, "FORBIDDEN");
    let joined = ask(&eve, "channel:join", json!({ "invite": invite })).await;
    assert_eq!((&joined["role"], channel_id(&joined)), (&json!("member"), channel.clone()));
    ada.send(&channel, "welcome").await;
    assert_eq!(eve.contents(), ["welcome"]);
    assert_eq!(join(&fred, &invite).await, "FORBIDDEN", "it is used up");
    assert_eq!(join(&eve, &invite).await, "FORBIDDEN", "and gone");

    let for_fred = json!({ "channelId": channel, "userId": "fred", "role": "reader", "uses": 9 });
    let for_fred = ask(&ada, "channel:invite", for_fred).await["invite"].clone();
    let for_fred = for_fred.as_str().expect("a text");
    let zoe = world.connect("zoe").await;
    assert_eq!(join(&zoe, for_fred).await, "FORBIDDEN", "it is for somebody else");
    world.clock.advance_ms(7 * 24 * 60 * 60 * 1000);
    assert_eq!(join(&fred, for_fred).await, "FORBIDDEN", "it is over");

    assert_eq!(refused(&bob, "channel:invite", json!({ "channelId": channel })).await, "FORBIDDEN");
    assert_eq!(refused(&zoe, "channel:invite", json!({ "channelId": channel })).await, "FORBIDDEN");
    let owner = json!({ "channelId": channel, "role": "owner" });
    assert_eq!(refused(&mo, "channel:invite", owner).await, "FORBIDDEN", "nobody gives more than they have");
    for wrong in [
        json!({ "uses": 0 }),
        json!({ "uses": 1001 }),
        json!({ "expiresInS": 0 }),
        json!({ "expiresInS": 2_592_001 }),
    ] {
        let mut payload = json!({ "channelId": channel });
        payload.as_object_mut().expect("an object").extend(wrong.as_object().expect("an object").clone());
        assert_eq!(refused(&mo, "channel:invite", payload).await, "BAD_PAYLOAD", "{wrong}");
    }
}

#[tokio::test]
async fn a_channel_has_so_many_invites() {
    let limits = Limits { invites_per_channel: 1, ..Limits::default() };
    let world = World::with_config(ChatConfig { limits, ..ChatConfig::default() });
    let channel = world.channel(Visibility::Private, "ada", &[]).await;
    let ada = world.connect("ada").await;
    ask(&ada, "channel:invite", json!({ "channelId": channel })).await;
    assert_eq!(refused(&ada, "channel:invite", json!({ "channelId": channel })).await, "LIMIT_EXCEEDED");
}

#[tokio::test]
async fn an_archived_channel_is_for_reading() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    bob.send(&channel, "one").await;
    bob.heard();
    let archived = ask(&ada, "channel:update", json!({ "channelId": channel, "archived": true })).await;
    assert_eq!(archived["archivedAt"], "2026-11-12T12:00:00.000Z");
    assert!(bob.heard()[0].starts_with(r#"["channel.updated""#));
    assert_eq!(
        bob.send(&channel, "two").await,
        r#"{"error":"The channel is archived","code":"CHANNEL_ARCHIVED","retry":"never"}"#
    );
    assert_eq!(bob.heard(), [""; 0]);
    let history = ask(&bob, "message:history", json!({ "channelId": channel })).await;
    assert_eq!(history["messages"][0]["content"], "one");
    let eve = world.connect("eve").await;
    assert_eq!(eve.send(&channel, "two").await, FORBIDDEN, "a stranger does not learn it");
    ask(&ada, "channel:update", json!({ "channelId": channel, "archived": false })).await;
    bob.send(&channel, "two").await;
    assert_eq!(ada.contents().last().map(String::as_str), Some("two"));
}

#[tokio::test]
async fn history_may_begin_where_one_came() {
    let config = ChatConfig { history_since_join: true, ..ChatConfig::default() };
    let world = World::with_config(config);
    let channel = world.channel(Visibility::Public, "ada", &[]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    ada.send(&channel, "before").await;
    assert_eq!(refused(&bob, "message:history", json!({ "channelId": channel })).await, "FORBIDDEN");
    ask(&bob, "channel:join", json!({ "channelId": channel })).await;
    ada.send(&channel, "after").await;
    let history = async |payload: Value| {
        let page = ask(&bob, "message:history", payload).await;
        let messages = page["messages"].as_array().expect("a list").clone();
        messages
            .iter()
            .map(|message| message["content"].as_str().expect("a text").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(history(json!({ "channelId": channel })).await, ["after"]);
    assert_eq!(history(json!({ "channelId": channel, "after": 0 })).await, ["after"]);
    assert_eq!(history(json!({ "channelId": channel, "before": 2 })).await, [""; 0]);
}

/// Where presence is not told, comings and goings of members are not, but to whom they are about.
#[tokio::test]
async fn large_channels_are_not_told_of_their_members() {
    let limits = Limits { presence_members: 3, ..Limits::default() };
    let world = World::with_config(ChatConfig { limits, ..ChatConfig::default() });
    let channel = world.channel(Visibility::Public, "ada", &[("bob", Role::Member)]).await;
    let (ada, cy, dan) = (world.connect("ada").await, world.connect("cy").await, world.connect("dan").await);
    let added = |user: &str, role: &str| {
        format!(r#"["member.added",{{"channelId":"{channel}","userId":"{user}","role":"{role}"}}]"#)
    };
    let joined = format!(r#"["roomJoined","channel:{channel}"]"#);
    world.add("ada", &channel, "cy", Role::Member).await.expect("is added");
    assert_eq!(ada.heard(), [added("cy", "member")], "the third is told");
    assert_eq!(cy.heard(), [added("cy", "member"), joined.clone()]);
    world.add("ada", &channel, "dan", Role::Member).await.expect("is added");
    assert_eq!(dan.heard(), [added("dan", "member"), joined], "he is told, and hears the channel");
    assert_eq!((ada.heard(), cy.heard()), (Vec::new(), Vec::new()));
    world.add("ada", &channel, "dan", Role::Moderator).await.expect("another role");
    for client in [&ada, &cy, &dan] {
        assert_eq!(client.heard(), [added("dan", "moderator")]);
    }
    world.add("ada", &channel, "eve", Role::Member).await.expect("is added");
    ask(&dan, "channel:leave", json!({ "channelId": channel })).await;
    assert_eq!(dan.heard(), [format!(r#"["room:evicted",{{"room":"channel:{channel}"}}]"#)]);
    assert_eq!(ada.heard(), [""; 0], "four are left");
    ask(&cy, "channel:leave", json!({ "channelId": channel })).await;
    let removed = format!(r#"["member.removed",{{"channelId":"{channel}","userId":"cy"}}]"#);
    assert_eq!(ada.heard(), [removed], "three are left");
}
