use roomkey_chat::ChatConfig;
use roomkey_model::Limits;
use roomkey_store::{Role, Visibility};

use crate::support::{Client, World, identity, user_id};

const FORBIDDEN: &str = r#"{"error":"Not allowed","code":"FORBIDDEN","retry":"never"}"#;

/// Who came and went, as the updates say that have come since the last call: `+ada`, `-ada`.
fn updates(client: &Client<'_>) -> Vec<String> {
    let update = |event: &String| {
        let event: serde_json::Value = serde_json::from_str(event).expect("JSON");
        (event[0] == "presence.update").then(|| {
            let sign = if event[1]["online"] == true { '+' } else { '-' };
            format!("{sign}{}", event[1]["userId"].as_str().expect("a user"))
        })
    };
    client.heard().iter().filter_map(update).collect()
}

async fn presence(client: &Client<'_>, users: &[&str]) -> String {
    let users = serde_json::to_string(users).expect("text");
    let ack = client.ask("presence:get", &format!(r#"[{{"userIds":{users}}}]"#)).await;
    let list = ack.strip_prefix(r#"{"data":{"presence":"#).and_then(|rest| rest.strip_suffix("}}"));
    list.unwrap_or_else(|| panic!("{ack}")).to_owned()
}

#[tokio::test]
async fn the_first_socket_in_and_the_last_one_out_are_told() {
    let world = World::new();
    world.channel(Visibility::Private, "ada", &[("bob", Role::Reader)]).await;
    world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let ada = world.connect("ada").await;
    world.pass_ms(0).await;
    let (bob, phone) = (world.connect("bob").await, world.connect("bob").await);
    world.pass_ms(0).await;
    assert_eq!(ada.heard(), [r#"["presence.update",{"userId":"bob","online":true,"lastSeen":null}]"#]);
    world.clock.advance_ms(10_000);
    bob.disconnect();
    world.pass_ms(10_000).await;
    assert_eq!(ada.heard(), [""; 0], "one is left");
    phone.disconnect();
    phone.disconnect();
    world.pass_ms(4_999).await;
    assert_eq!(ada.heard(), [""; 0], "not yet");
    assert_eq!(presence(&ada, &["bob"]).await, r#"[{"userId":"bob","online":true,"lastSeen":null}]"#);
    world.pass_ms(1).await;
    let gone = r#"{"userId":"bob","online":false,"lastSeen":"2026-11-12T12:00:20.000Z"}"#;
    assert_eq!(ada.heard(), [format!(r#"["presence.update",{gone}]"#)]);
    assert_eq!(presence(&ada, &["bob"]).await, format!("[{gone}]"));
}

/// The store answers before it knows of the departure, and the answer is looked at after everybody was told.
#[tokio::test]
async fn who_goes_while_it_is_asked_was_seen_then() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    world.pass_ms(0).await;
    world.clock.advance_ms(10_000);
    bob.disconnect();
    let questions = [r#"[{"userIds":["bob"]}]"#.to_owned(), format!(r#"[{{"channelId":"{channel}"}}]"#)];
    let answers = questions.map(|question| ada.emit("presence:get", &question));
    assert_eq!(presence(&ada, &["bob"]).await, r#"[{"userId":"bob","online":true,"lastSeen":null}]"#);
    world.pass_ms(5_000).await;
    let gone = r#"{"userId":"bob","online":false,"lastSeen":"2026-11-12T12:00:10.000Z"}"#;
    assert_eq!(ada.heard().last().expect("is told"), &format!(r#"["presence.update",{gone}]"#));
    for answer in answers {
        let answer = answer.ack().await.json().to_owned();
        assert!(answer.contains(gone), "{answer}");
    }
}

#[tokio::test]
async fn to_reload_a_page_is_not_to_go() {
    let world = World::new();
    world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let (ada, mut bob) = (world.connect("ada").await, world.connect("bob").await);
    world.pass_ms(0).await;
    assert_eq!(updates(&ada), ["+bob"]);
    for _ in 0..5 {
        bob.disconnect();
        world.pass_ms(3_000).await;
        bob = world.connect("bob").await;
        world.pass_ms(3_000).await;
    }
    assert_eq!(updates(&ada), [""; 0]);
    bob.disconnect();
    world.pass_ms(2_000).await;
    world.connect("bob").await.disconnect();
    world.pass_ms(4_999).await;
    assert_eq!(updates(&ada), [""; 0], "the last departure counts");
    world.pass_ms(1).await;
    assert_eq!(updates(&ada), ["-bob"]);
}

#[tokio::test]
async fn a_socket_that_is_not_let_in_was_never_here() {
    let world = World::new();
    world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    world.pass_ms(0).await;
    assert_eq!(updates(&ada), ["+bob"]);
    let refused = world.socket("bob");
    world.chat.connected(&refused.caller).await.expect("is welcome");
    refused.disconnect();
    world.pass_ms(5_000).await;
    assert_eq!(updates(&ada), [""; 0], "his other socket is here");
    bob.disconnect();
    world.pass_ms(5_000).await;
    assert_eq!(updates(&ada), ["-bob"]);
}

#[tokio::test]
async fn who_shares_no_channel_neither_hears_nor_sees() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let public = world.channel(Visibility::Public, "ada", &[]).await;
    let eve = world.connect("eve").await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    world.pass_ms(0).await;
    assert_eq!(eve.heard(), [""; 0]);
    assert_eq!(
        presence(&eve, &["ada", "bob", "eve", "nobody"]).await,
        r#"[{"userId":"eve","online":true,"lastSeen":null}]"#
    );
    for channel in [channel.as_str(), public.as_str(), "nowhere"] {
        let ack = eve.ask("presence:get", &format!(r#"[{{"channelId":"{channel}"}}]"#)).await;
        assert_eq!(ack, FORBIDDEN, "{channel}");
    }
    let ack = bob.ask("presence:get", &format!(r#"[{{"channelId":"{channel}"}}]"#)).await;
    assert_eq!(
        ack,
        r#"{"data":{"presence":[{"userId":"ada","online":true,"lastSeen":null},{"userId":"bob","online":true,"lastSeen":null}]}}"#
    );
    ada.heard();
    world.chat.remove_member(&identity("ada"), &channel, &user_id("bob")).await.expect("is removed");
    bob.disconnect();
    world.pass_ms(5_000).await;
    assert_eq!(updates(&ada), [""; 0], "he was removed before");
    assert_eq!(presence(&ada, &["bob"]).await, "[]");
}

#[tokio::test]
async fn a_user_of_any_name_is_an_entry_like_others() {
    let world = World::new();
    let names = ["__proto__", "constructor", "toString"];
    world.channel(Visibility::Private, "ada", &names.map(|name| (name, Role::Member))).await;
    let ada = world.connect("ada").await;
    let _others = [world.connect(names[0]).await, world.connect(names[1]).await];
    world.pass_ms(0).await;
    assert_eq!(updates(&ada), ["+__proto__", "+constructor"]);
    assert_eq!(
        presence(&ada, &names).await,
        r#"[{"userId":"__proto__","online":true,"lastSeen":null},{"userId":"constructor","online":true,"lastSeen":null},{"userId":"toString","online":false,"lastSeen":null}]"#
    );
}

#[tokio::test]
async fn nobody_is_told_in_a_large_channel() {
    let limits = Limits { presence_members: 3, page_entries: 3, ..Limits::default() };
    let world = World::with_config(ChatConfig { limits, ..ChatConfig::default() });
    let members = [("bob", Role::Member), ("cy", Role::Member), ("dan", Role::Member)];
    let large = world.channel(Visibility::Private, "ada", &members).await;
    world.channel(Visibility::Private, "ada", &members[..2]).await;
    let (ada, dan) = (world.connect("ada").await, world.connect("dan").await);
    world.pass_ms(0).await;
    let bob = world.connect("bob").await;
    world.pass_ms(0).await;
    assert_eq!((updates(&ada), updates(&dan)), (vec!["+bob".to_owned()], Vec::new()));
    let ack = bob.ask("presence:get", &format!(r#"[{{"channelId":"{large}"}}]"#)).await;
    assert_eq!(
        ack,
        r#"{"error":"The limit presence_members is reached","code":"LIMIT_EXCEEDED","retry":"never"}"#
    );
    assert_eq!(presence(&bob, &["dan"]).await, r#"[{"userId":"dan","online":true,"lastSeen":null}]"#);
    let ack = bob.ask("presence:get", r#"[{"userIds":["a","b","c","d"]}]"#).await;
    assert_eq!(ack, r#"{"error":"userIds: must be at most 3","code":"BAD_PAYLOAD","retry":"never"}"#);
    world.chat.remove_member(&identity("ada"), &large, &user_id("cy")).await.expect("is removed");
    let cy = world.connect("cy").await;
    world.pass_ms(0).await;
    assert_eq!((updates(&ada), updates(&dan)), (vec!["+cy".to_owned()], Vec::new()));
    cy.disconnect();
    bob.disconnect();
    world.pass_ms(5_000).await;
    assert_eq!(updates(&dan), ["-bob"], "the channel is small enough now");
}

#[tokio::test]
async fn a_question_is_about_users_or_a_channel() {
    let world = World::new();
    let ada = world.connect("ada").await;
    for malformed in [
        "[]",
        "[{}]",
        r#"[{"userIds":["bob"],"channelId":"c1"}]"#,
        r#"[{"userIds":"bob"}]"#,
        r#"[{"userIds":[""]}]"#,
        r#"[{"userIds":[7]}]"#,
        r#"[{"channelId":["c1"]}]"#,
        r#"[{"userIds":[],"online":true}]"#,
    ] {
        let ack = ada.ask("presence:get", malformed).await;
        assert!(ack.contains("BAD_PAYLOAD"), "{malformed}: {ack}");
    }
    assert_eq!(presence(&ada, &[]).await, "[]");
}

#[tokio::test]
async fn many_who_come_at_once_are_told_in_turns_and_each_once() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[]).await;
    let ada = world.connect("ada").await;
    world.pass_ms(0).await;
    let names: Vec<_> = (0..300).map(|index| format!("user-{index}")).collect();
    let mut clients = Vec::new();
    for name in &names {
        clients.push(world.connect(name).await);
    }
    for name in &names[..99] {
        world.add("ada", &channel, name, Role::Member).await.expect("is added");
    }
    ada.heard();
    let mut heard = Vec::new();
    for _ in 0..2 {
        world.pass_ms(0).await;
        heard.extend(updates(&ada));
    }
    let expected: Vec<_> = names[..99].iter().map(|name| format!("+{name}")).collect();
    assert_eq!(heard, expected);
    for client in &clients {
        client.disconnect();
    }
    world.pass_ms(5_000).await;
    assert_eq!(updates(&ada).len(), 99);
    world.pass_ms(0).await;
    assert_eq!(updates(&ada), [""; 0]);
}

#[tokio::test]
async fn who_is_here_when_the_server_stops_was_seen_then() {
    let world = World::new();
    world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    world.pass_ms(60_000).await;
    bob.disconnect();
    world.clock.advance_ms(2_000);
    world.chat.stop().await.expect("the store works");
    assert_eq!(
        presence(&ada, &["ada", "bob"]).await,
        r#"[{"userId":"ada","online":false,"lastSeen":"2026-11-12T12:01:02.000Z"},{"userId":"bob","online":false,"lastSeen":"2026-11-12T12:01:00.000Z"}]"#
    );
}
