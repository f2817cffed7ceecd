use expect_test::{Expect, expect};
use futures_util::future::join_all;
use roomkey_chat::ChatConfig;
use roomkey_model::Limits;
use roomkey_store::{Role, Visibility};

use crate::support::World;

#[tokio::test]
async fn a_message_is_acknowledged_and_told_to_everyone() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let (ada, bob, eve) =
        (world.connect("ada").await, world.connect("bob").await, world.connect("eve").await);
    let tab = world.connect("ada").await;
    let args = format!(r#"[{{"channelId":"{channel}","content":"Ahoy ⚓","clientId":"c1"}}]"#);
    let ack = ada.ask("sendMessage", &args).await;
    expect![[r#"{"data":{"id":"01a1cfa1-0a00-7000-8000-000000000001","channelId":"01a1cfa1-0a00-7000-8000-000000000000","userId":"ada","content":"Ahoy ⚓","seq":1,"clientId":"c1","createdAt":"2026-11-12T12:00:00.000Z","updatedAt":"2026-11-12T12:00:00.000Z","editedAt":null,"deliveryStatus":"SENT","user":{"id":"ada","username":"Ada"}}}"#]].assert_eq(&ack);
    let message = ack.strip_prefix(r#"{"data":"#).and_then(|rest| rest.strip_suffix('}')).expect("is data");
    for client in [&ada, &bob, &tab] {
        assert_eq!(client.heard(), [format!(r#"["message.created",{message}]"#)]);
    }
    assert_eq!(eve.heard(), [""; 0]);

    assert_eq!(ada.ask("sendMessage", &args).await, ack, "a retry has the same answer");
    assert_eq!(bob.heard(), [""; 0], "and is not told again");
}

#[tokio::test]
async fn everyone_hears_the_same_order() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    let numbers: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    let sent = numbers.iter().enumerate().map(|(index, number)| {
        let sender = if index % 3 == 0 { &ada } else { &bob };
        let args = format!(r#"[{{"channelId":"{channel}","content":"{number}"}}]"#);
        sender.emit("sendMessage", &args).ack() // in this order, although awaited all at once
    });
    let acks = join_all(sent).await;
    assert!(acks.iter().all(|ack| ack.failure().is_none()));
    assert_eq!(ada.contents(), numbers);
    assert_eq!(bob.contents(), numbers);
}

#[tokio::test]
async fn who_may_not_send_is_told_the_same_whatever_the_reason() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[("rita", Role::Reader)]).await;
    let public = world.channel(Visibility::Public, "ada", &[]).await;
    let (ada, rita, eve) =
        (world.connect("ada").await, world.connect("rita").await, world.connect("eve").await);
    let forbidden = r#"{"error":"Not allowed","code":"FORBIDDEN","retry":"never"}"#;
    for (who, channel) in
        [(&eve, channel.as_str()), (&eve, public.as_str()), (&eve, "nowhere"), (&rita, channel.as_str())]
    {
        let args = format!(r#"[{{"channelId":"{channel}","content":"hello?"}}]"#);
        assert_eq!(who.ask("sendMessage", &args).await, forbidden);
    }
    assert_eq!(ada.heard(), [""; 0]);
    ada.send(&channel, "first").await;
    assert!(rita.heard()[0].contains(r#""seq":1"#), "what was refused left no gap");
}

#[tokio::test]
async fn a_wrong_payload_is_named() {
    let world = World::new();
    world.channel(Visibility::Private, "ada", &[]).await;
    let ada = world.connect("ada").await;
    let check = async |event: &str, args: &str, expected: Expect| {
        let ack = ada.emit(event, args).ack().await;
        let failure = ack.failure().expect("is refused");
        assert_eq!(failure.code.as_str(), "BAD_PAYLOAD");
        expected.assert_eq(&failure.message);
    };
    let send = async |args: &str, expected: Expect| check("sendMessage", args, expected).await;
    send("[]", expect!["The event takes exactly one argument"]).await;
    send(r#"[{},{}]"#, expect!["The event takes exactly one argument"]).await;
    send("[null]", expect!["The payload must be an object"]).await;
    send(r#"["text"]"#, expect!["The payload must be an object"]).await;
    send(r#"[["c1","text",null]]"#, expect!["The payload must be an object"]).await;
    send("[{}]", expect!["missing field `channelId`"]).await;
    send(r#"[{"channelId":"c1"}]"#, expect!["missing field `content`"]).await;
    send(
        r#"[{"channelId":"c1","content":5}]"#,
        expect!["content: invalid type: integer `5`, expected a string"],
    )
    .await;
    send(
        r#"[{"channelId":["c1"],"content":"x"}]"#,
        expect!["channelId: invalid type: sequence, expected a string"],
    )
    .await;
    send(r#"[{"channelId":" ","content":"x"}]"#, expect!["channelId: must not be blank"]).await;
    send(r#"[{"channelId":"c1","content":" \n"}]"#, expect!["content: must not be blank"]).await;
    send(r#"[{"channelId":"c1","content":"x","clientId":""}]"#, expect!["clientId: must not be blank"]).await;
    send(
        r#"[{"channelId":"c1","content":"x","userId":"bob"}]"#,
        expect!["userId: unknown field `userId`, expected one of `channelId`, `content`, `clientId`"],
    )
    .await;
    for flag in ["volatile", "local", "except", "compress", "to", "role", "metadata"] {
        let args = format!(r#"[{{"channelId":"c1","content":"x","{flag}":true}}]"#);
        assert!(ada.ask("sendMessage", &args).await.contains("unknown field"), "{flag}");
    }
    send(r#"[{"channelId":"c1","content":"x","content":"y"}]"#, expect!["duplicate field `content`"]).await;
    let history = async |args: &str, expected: Expect| check("message:history", args, expected).await;
    history(
        r#"[{"channelId":"c1","before":-1}]"#,
        expect!["before: invalid value: integer `-1`, expected u64"],
    )
    .await;
    history(
        r#"[{"channelId":"c1","before":1,"after":2}]"#,
        expect!["before, after: only one of them can be given"],
    )
    .await;
    history(r#"[{"channelId":"c1","limit":101}]"#, expect!["limit: must be from 1 to 100"]).await;
    history(r#"[{"channelId":"c1","limit":0}]"#, expect!["limit: must be from 1 to 100"]).await;
}

#[tokio::test]
async fn the_content_has_a_limit() {
    let limits = Limits { message_content_bytes: 6, ..Limits::default() };
    let world = World::with_config(ChatConfig { limits, ..ChatConfig::default() });
    let channel = world.channel(Visibility::Private, "ada", &[]).await;
    let ada = world.connect("ada").await;
    assert!(ada.send(&channel, "ÄÖÜ").await.starts_with(r#"{"data""#));
    expect![[r#"{"error":"content: must be at most 6 bytes long","code":"BAD_PAYLOAD","retry":"never"}"#]]
        .assert_eq(&ada.send(&channel, "ÄÖÜ!").await);
    assert_eq!(ada.contents(), ["ÄÖÜ"]);
}

#[tokio::test]
async fn history_comes_in_pages_oldest_first() {
    let world = World::new();
    let channel = world.channel(Visibility::Public, "ada", &[]).await;
    let secret = world.channel(Visibility::Private, "ada", &[]).await;
    let (ada, eve) = (world.connect("ada").await, world.connect("eve").await);
    for content in ["1", "2", "3", "4"] {
        ada.send(&channel, content).await;
    }
    let contents = async |page: &str| {
        let ack = eve.ask("message:history", &format!(r#"[{{"channelId":"{channel}"{page}}}]"#)).await;
        let ack: serde_json::Value = serde_json::from_str(&ack).expect("JSON");
        let messages = ack["data"]["messages"].as_array().expect("a list").clone();
        messages
            .iter()
            .map(|message| message["content"].as_str().expect("a text").to_owned())
            .collect::<String>()
    };
    assert_eq!(contents("").await, "1234", "a visitor may read a public channel");
    assert_eq!(contents(r#","limit":2"#).await, "34");
    assert_eq!(contents(r#","before":3,"limit":1"#).await, "2");
    assert_eq!(contents(r#","after":1,"limit":2"#).await, "23");
    assert_eq!(contents(r#","after":4"#).await, "");
    for channel in [secret.as_str(), "nowhere"] {
        let ack = eve.ask("message:history", &format!(r#"[{{"channelId":"{channel}"}}]"#)).await;
        assert_eq!(ack, r#"{"error":"Not allowed","code":"FORBIDDEN","retry":"never"}"#);
    }
}

#[tokio::test]
async fn a_store_that_is_gone_is_no_fault_of_the_client() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[]).await;
    let ada = world.connect("ada").await;
    world.store.close().await;
    let unavailable = expect![[
        r#"{"error":"Temporarily unavailable","code":"UNAVAILABLE","retry":"after","retryAfterMs":1000}"#
    ]];
    unavailable.assert_eq(&ada.send(&channel, "hello?").await);
    unavailable.assert_eq(&ada.ask("joinRoom", &format!(r#"["{channel}"]"#)).await);
    assert!(world.chat.connected(&world.socket("bob").caller).await.is_err());
}

#[tokio::test]
async fn an_event_that_does_not_exist() {
    let world = World::new();
    let ada = world.connect("ada").await;
    let of_the_server = [
        "auth:expired",
        "auth:expiring",
        "auth:revoked",
        "channel.updated",
        "connect_error",
        "error",
        "member.added",
        "member.removed",
        "message.created",
        "message.deleted",
        "message.status",
        "message.updated",
        "notification",
        "presence.update",
        "room:evicted",
        "roomJoined",
        "typing.update",
    ];
    for event in ["", "sendmessage", "admin:broadcast"].into_iter().chain(of_the_server) {
        assert!(world.chat.handle(&ada.caller, event, "[]").is_none(), "{event}");
    }
}
