use expect_test::expect;
use roomkey_chat::ChatConfig;
use roomkey_model::{ChannelId, Role, Visibility};
use serde_json::Value;

use crate::support::{Client, World, identity, user_id};

const FORBIDDEN: &str = r#"{"error":"Not allowed","code":"FORBIDDEN","retry":"never"}"#;

/// Sends a message; gives its id.
async fn send(client: &Client<'_>, channel: &ChannelId, content: &str) -> String {
    let ack: Value = serde_json::from_str(&client.send(channel, content).await).expect("JSON");
    ack["data"]["id"].as_str().expect("is sent").to_owned()
}

async fn update(client: &Client<'_>, message: &str, content: &str) -> String {
    let args = format!(r#"[{{"messageId":"{message}","content":"{content}"}}]"#);
    client.ask("updateMessage", &args).await
}

async fn delete(client: &Client<'_>, message: &str) -> String {
    client.ask("deleteMessage", &format!(r#"[{{"messageId":"{message}"}}]"#)).await
}

#[tokio::test]
async fn an_edit_is_acknowledged_and_told_to_everyone() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Reader)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    let message = send(&ada, &channel, "helo").await;
    ada.heard();
    bob.heard();
    world.clock.advance_ms(1000);
    let ack = update(&ada, &message, "hello").await;
    expect![[r#"{"data":{"id":"01a1cfa1-0a00-7000-8000-000000000001","channelId":"01a1cfa1-0a00-7000-8000-000000000000","userId":"ada","content":"hello","seq":1,"createdAt":"2026-11-12T12:00:00.000Z","updatedAt":"2026-11-12T12:00:01.000Z","editedAt":"2026-11-12T12:00:01.000Z","deliveryStatus":"SENT","user":{"id":"ada","username":"Ada"}}}"#]].assert_eq(&ack);
    let edited = ack.strip_prefix(r#"{"data":"#).and_then(|rest| rest.strip_suffix('}')).expect("is data");
    for client in [&ada, &bob] {
        assert_eq!(client.heard(), [format!(r#"["message.updated",{edited}]"#)]);
    }
    assert_eq!(update(&ada, &message, "hello").await, ack, "a retry has the same answer");
    assert_eq!(bob.heard(), [""; 0], "and is not told again");
}

#[tokio::test]
async fn a_deleted_message_is_gone_but_for_its_place() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    let message = send(&bob, &channel, "a secret").await;
    send(&ada, &channel, "pardon?").await;
    ada.heard();
    bob.heard();
    let ack = delete(&bob, &message).await;
    expect![[r#"{"data":{"messageId":"01a1cfa1-0a00-7000-8000-000000000001","channelId":"01a1cfa1-0a00-7000-8000-000000000000","seq":1}}"#]].assert_eq(&ack);
    let told = ack.strip_prefix(r#"{"data":"#).and_then(|rest| rest.strip_suffix('}')).expect("is data");
    for client in [&ada, &bob] {
        assert_eq!(client.heard(), [format!(r#"["message.deleted",{told}]"#)]);
    }
    assert_eq!(delete(&bob, &message).await, ack, "a retry has the same answer");
    assert_eq!(ada.heard(), [""; 0], "and is not told again");
    let history = ada.ask("message:history", &format!(r#"[{{"channelId":"{channel}","limit":2}}]"#)).await;
    let history: Value = serde_json::from_str(&history).expect("JSON");
    let first = &history["data"]["messages"][0];
    assert_eq!((first["seq"].as_u64(), first["content"].as_str()), (Some(1), Some("")));
    assert_eq!(first["deletedAt"], "2026-11-12T12:00:00.000Z");
    assert!(history["data"]["messages"][1].get("deletedAt").is_none());
}

/// Nobody who may not do it can tell a message from one that never was.
#[tokio::test]
async fn what_is_not_ones_own_does_not_exist() {
    let world = World::new();
    let members = [("bob", Role::Member), ("mo", Role::Moderator), ("rita", Role::Reader)];
    let channel = world.channel(Visibility::Public, "ada", &members).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    let (mo, rita, eve) =
        (world.connect("mo").await, world.connect("rita").await, world.connect("eve").await);
    let message = send(&bob, &channel, "mine").await;
    for client in [&ada, &bob, &mo, &rita, &eve] {
        client.heard();
    }
    for client in [&ada, &mo, &rita, &eve] {
        assert_eq!(update(client, &message, "theirs").await, FORBIDDEN);
    }
    for client in [&rita, &eve] {
        assert_eq!(delete(client, &message).await, FORBIDDEN);
    }
    let unknown = "01a1cfa1-0a00-7000-8000-00000000ffff";
    assert_eq!(update(&bob, unknown, "x").await, FORBIDDEN);
    assert_eq!(delete(&ada, unknown).await, FORBIDDEN);
    for malformed in [r#""""#, "7", "null", r#"["x"]"#, r#""01a1cfa1""#] {
        let args = format!(r#"[{{"messageId":{malformed}}}]"#);
        assert!(bob.ask("deleteMessage", &args).await.contains("BAD_PAYLOAD"), "{malformed}");
    }
    assert!(update(&bob, &message, " ").await.contains("content: must not be blank"));
    for field in ["userId", "seq", "pinned"] {
        let args = format!(r#"[{{"messageId":"{message}","content":"x","{field}":1}}]"#);
        assert!(bob.ask("updateMessage", &args).await.contains("unknown field"), "{field}");
    }
    assert_eq!(ada.heard(), [""; 0], "nothing was told");
    assert!(delete(&mo, &message).await.starts_with(r#"{"data""#), "a moderator may");
    assert_eq!(update(&bob, &message, "back").await, FORBIDDEN, "what is deleted is gone");
    assert_eq!(delete(&eve, &message).await, FORBIDDEN);
}

#[tokio::test]
async fn who_has_left_a_channel_has_left_what_they_said_there() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    let message = send(&bob, &channel, "mine").await;
    let removed = world.chat.remove_member(&identity("ada"), &channel, &user_id("bob")).await;
    assert_eq!(removed, Ok(true));
    ada.heard();
    assert_eq!(update(&bob, &message, "changed").await, FORBIDDEN);
    assert_eq!(delete(&bob, &message).await, FORBIDDEN);
    assert_eq!(ada.heard(), [""; 0]);
}

#[tokio::test]
async fn a_message_can_be_edited_for_a_time() {
    let config = |edit_window_ms| ChatConfig { edit_window_ms, ..ChatConfig::default() };
    for (window, late) in [(Some(60_000), true), (None, false)] {
        let world = World::with_config(config(window));
        let channel = world.channel(Visibility::Private, "ada", &[]).await;
        let ada = world.connect("ada").await;
        let message = send(&ada, &channel, "1").await;
        world.clock.advance_ms(60_000);
        assert!(update(&ada, &message, "2").await.starts_with(r#"{"data""#), "the last moment counts");
        world.clock.advance_ms(1);
        ada.heard();
        assert_eq!(update(&ada, &message, "3").await == FORBIDDEN, late);
        assert_eq!(ada.heard().len(), usize::from(!late));
        let history = ada.ask("message:history", &format!(r#"[{{"channelId":"{channel}"}}]"#)).await;
        assert_eq!(history.contains(r#""content":"2""#), late);
        assert!(delete(&ada, &message).await.starts_with(r#"{"data""#), "a deletion has no time");
    }
}

#[tokio::test]
async fn what_one_socket_asks_of_a_message_happens_in_that_order() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[]).await;
    let ada = world.connect("ada").await;
    let message = send(&ada, &channel, "0").await;
    let args = |content: u32| format!(r#"[{{"messageId":"{message}","content":"{content}"}}]"#);
    let mut replies: Vec<_> = (1..=50).map(|number| ada.emit("updateMessage", &args(number)).ack()).collect();
    replies.reverse(); // polled in another order than asked
    let acks = futures_util::future::join_all(replies).await;
    assert!(acks.iter().all(|ack| ack.failure().is_none()));
    let history = ada.ask("message:history", &format!(r#"[{{"channelId":"{channel}"}}]"#)).await;
    assert!(history.contains(r#""content":"50""#), "{history}");
}
