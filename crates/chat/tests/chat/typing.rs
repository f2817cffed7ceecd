use roomkey_chat::ChatConfig;
use roomkey_model::{ChannelId, Limits};
use roomkey_store::{Role, Visibility};

use crate::support::{Client, World, identity, user_id};

const FORBIDDEN: &str = r#"{"error":"Not allowed","code":"FORBIDDEN","retry":"never"}"#;

async fn world(members: &[(&str, Role)]) -> (World, ChannelId) {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", members).await;
    (world, channel)
}

async fn ask(client: &Client<'_>, event: &str, channel: &ChannelId) -> String {
    client.ask(event, &format!(r#"[{{"channelId":"{channel}"}}]"#)).await
}

/// Who is typing, as the updates say that have come since the last call: `+ada`, `-ada`.
fn updates(client: &Client<'_>) -> Vec<String> {
    let update = |event: &String| {
        let event: serde_json::Value = serde_json::from_str(event).expect("JSON");
        (event[0] == "typing.update").then(|| {
            let sign = if event[1]["isTyping"] == true { '+' } else { '-' };
            format!("{sign}{}", event[1]["userId"].as_str().expect("a user"))
        })
    };
    client.heard().iter().filter_map(update).collect()
}

#[tokio::test]
async fn typing_is_told_to_the_others_in_the_channel() {
    let (world, channel) = world(&[("bob", Role::Member)]).await;
    let (ada, tab, bob, eve) = (
        world.connect("ada").await,
        world.connect("ada").await,
        world.connect("bob").await,
        world.connect("eve").await,
    );
    let indicator = |is_typing| {
        format!(
            r#"{{"userId":"ada","channelId":"{channel}","isTyping":{is_typing},"timestamp":"2026-11-12T12:00:00.000Z"}}"#
        )
    };
    assert_eq!(ask(&ada, "typing", &channel).await, format!(r#"{{"data":{}}}"#, indicator(true)));
    assert_eq!(bob.heard(), [format!(r#"["typing.update",{}]"#, indicator(true))]);
    assert_eq!(
        ask(&bob, "typing:get", &channel).await,
        format!(r#"{{"data":{{"typing":[{}]}}}}"#, indicator(true))
    );
    assert_eq!(ask(&ada, "typing:get", &channel).await, r#"{"data":{"typing":[]}}"#, "but for the caller");
    assert_eq!(ask(&ada, "typing:stop", &channel).await, format!(r#"{{"data":{}}}"#, indicator(false)));
    assert_eq!(bob.heard(), [format!(r#"["typing.update",{}]"#, indicator(false))]);
    assert_eq!(ask(&bob, "typing:get", &channel).await, r#"{"data":{"typing":[]}}"#);
    assert_eq!([ada.heard(), tab.heard(), eve.heard()].concat(), [""; 0]);
}

#[tokio::test]
async fn typing_is_over_after_five_seconds() {
    let (world, channel) = world(&[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    ask(&ada, "typing", &channel).await;
    world.pass_ms(4_999).await;
    assert_eq!(updates(&bob), ["+ada"]);
    world.pass_ms(1).await;
    assert_eq!(updates(&bob), ["-ada"]);
    assert_eq!(ask(&bob, "typing:get", &channel).await, r#"{"data":{"typing":[]}}"#);
    ask(&ada, "typing", &channel).await;
    assert_eq!(updates(&bob), [""; 0], "told again after a pause");
    world.pass_ms(500).await;
    assert_eq!(updates(&bob), ["+ada"]);
}

#[tokio::test]
async fn who_goes_on_typing_is_told_from_time_to_time() {
    let (world, channel) = world(&[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    for _ in 0..20 {
        ask(&ada, "typing", &channel).await;
        world.pass_ms(500).await;
    }
    assert_eq!(updates(&bob), ["+ada", "+ada", "+ada", "+ada", "+ada"], "every 2.5 s");
    world.pass_ms(4_500).await;
    assert_eq!(updates(&bob), ["-ada"]);
}

#[tokio::test]
async fn to_and_fro_is_told_at_a_bounded_rate() {
    let (world, channel) = world(&[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    for _ in 0..100 {
        ask(&ada, "typing", &channel).await;
        ask(&ada, "typing:stop", &channel).await;
    }
    assert_eq!(updates(&bob), ["+ada", "-ada"]);
    ask(&ada, "typing", &channel).await;
    world.pass_ms(499).await;
    assert_eq!(updates(&bob), [""; 0]);
    world.pass_ms(1).await;
    assert_eq!(updates(&bob), ["+ada"]);
}

#[tokio::test]
async fn a_message_ends_typing_and_what_is_typed_later_is_of_the_next_one() {
    let (world, channel) = world(&[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    ask(&ada, "typing", &channel).await;
    ada.send(&channel, "here it is").await;
    assert_eq!(updates(&bob), ["+ada", "-ada"]);
    world.pass_ms(500).await;

    let sent = ada.emit("sendMessage", &format!(r#"[{{"channelId":"{channel}","content":"one"}}]"#));
    world.clock.advance_ms(1);
    let typing = ada.emit("typing", &format!(r#"[{{"channelId":"{channel}"}}]"#));
    assert!(sent.ack().await.failure().is_none() && typing.ack().await.failure().is_none());
    assert_eq!(updates(&bob), ["+ada"]);
}

#[tokio::test]
async fn whatever_comes_later_takes_typing_back() {
    let (world, channel) = world(&[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    let args = format!(r#"[{{"channelId":"{channel}"}}]"#);
    let typing = ada.emit("typing", &args);
    let stopped = ada.emit("typing:stop", &args);
    assert!(typing.ack().await.json().contains(r#""isTyping":false"#));
    assert!(stopped.ack().await.failure().is_none());

    let typing = bob.emit("typing", &args);
    let removed = world.chat.remove_member(&identity("ada"), &channel, &user_id("bob")).await;
    assert_eq!(removed, Ok(true));
    assert!(typing.ack().await.json().contains(r#""isTyping":false"#), "whose permission was read before");
    assert_eq!([updates(&ada), updates(&bob)].concat(), [""; 0]);
    drop(ada.emit("typing", &args)); // whose connection ended meanwhile
    world.pass_ms(0).await;
    assert_eq!(ask(&ada, "typing:get", &channel).await, r#"{"data":{"typing":[]}}"#);
}

#[tokio::test]
async fn typing_ends_with_the_socket_the_room_and_the_membership() {
    let (world, channel) = world(&[("bob", Role::Member), ("cy", Role::Member), ("dan", Role::Member)]).await;
    let (ada, bob, tab) =
        (world.connect("ada").await, world.connect("bob").await, world.connect("bob").await);
    let (cy, dan) = (world.connect("cy").await, world.connect("dan").await);
    for client in [&bob, &cy, &dan] {
        ask(client, "typing", &channel).await;
    }
    assert_eq!(updates(&ada), ["+bob", "+cy", "+dan"]);
    tab.disconnect();
    assert_eq!(updates(&ada), [""; 0], "he types in another tab");
    bob.disconnect();
    cy.ask("leaveRoom", &format!(r#"["channel:{channel}"]"#)).await;
    world.chat.remove_member(&identity("ada"), &channel, &user_id("dan")).await.expect("is removed");
    assert_eq!(updates(&ada), ["-bob", "-cy", "-dan"]);
}

#[tokio::test]
async fn only_who_may_send_may_type_and_only_who_may_read_sees_it() {
    let (world, channel) = world(&[("bob", Role::Reader)]).await;
    let (ada, bob, eve) =
        (world.connect("ada").await, world.connect("bob").await, world.connect("eve").await);
    ask(&ada, "typing", &channel).await;
    let nowhere = ChannelId::new("nowhere").expect("a good name");
    for event in ["typing", "typing:stop", "typing:get"] {
        assert_eq!(ask(&eve, event, &channel).await, FORBIDDEN, "{event}");
        assert_eq!(ask(&eve, event, &nowhere).await, FORBIDDEN, "{event}");
        for malformed in ["[]", "[null]", r#"["c1"]"#, r#"[{"channelId":""}]"#, r#"[{"channelId":["c1"]}]"#] {
            assert!(eve.ask(event, malformed).await.contains("BAD_PAYLOAD"), "{event} {malformed}");
        }
        let spoofed = format!(r#"[{{"channelId":"{channel}","userId":"bob"}}]"#);
        assert!(ada.ask(event, &spoofed).await.contains("BAD_PAYLOAD"), "{event}");
    }
    assert_eq!(ask(&bob, "typing", &channel).await, FORBIDDEN);
    assert!(ask(&bob, "typing:get", &channel).await.contains(r#""userId":"ada""#));
    assert_eq!(updates(&bob), ["+ada"]);
    assert_eq!([ada.heard(), eve.heard()].concat(), [""; 0]);
}

#[tokio::test]
async fn a_few_are_shown_of_many_who_type() {
    let limits = Limits { typing_users_per_channel: 2, ..Limits::default() };
    let world = World::with_config(ChatConfig { limits, ..ChatConfig::default() });
    let members = [("bob", Role::Member), ("cy", Role::Member), ("dan", Role::Member)];
    let channel = world.channel(Visibility::Private, "ada", &members).await;
    let (ada, bob, cy, dan) = (
        world.connect("ada").await,
        world.connect("bob").await,
        world.connect("cy").await,
        world.connect("dan").await,
    );
    ask(&bob, "typing", &channel).await;
    ask(&cy, "typing", &channel).await;
    assert_eq!(
        ask(&dan, "typing", &channel).await,
        r#"{"error":"Too many are typing in this channel","code":"LIMIT_EXCEEDED","retry":"never"}"#
    );
    assert!(ask(&cy, "typing", &channel).await.contains(r#""isTyping":true"#), "who is shown may go on");
    ask(&bob, "typing:stop", &channel).await;
    ask(&dan, "typing", &channel).await;
    assert_eq!(updates(&ada), ["+bob", "+cy", "-bob", "+dan"]);
}

#[tokio::test]
async fn nobody_types_where_nothing_can_be_sent() {
    let (world, channel) = world(&[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    ada.ask("channel:update", &format!(r#"[{{"channelId":"{channel}","archived":true}}]"#)).await;
    assert_eq!(
        ask(&bob, "typing", &channel).await,
        r#"{"error":"The channel is archived","code":"CHANNEL_ARCHIVED","retry":"never"}"#
    );
    assert_eq!(updates(&ada), [""; 0]);
}
