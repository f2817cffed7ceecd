//! What has arrived and what was read: who may say so, who is told, and what messages say of it.

use futures_util::future::join_all;
use roomkey_chat::ChatConfig;
use roomkey_model::{ChannelId, Limits, Role, Visibility};
use serde_json::{Value, json};

use crate::support::{Client, World};

const FORBIDDEN: &str = r#"{"error":"Not allowed","code":"FORBIDDEN","retry":"never"}"#;

/// Sends a message; gives its id.
pub(crate) async fn sent(client: &Client<'_>, channel: &ChannelId, content: &str) -> String {
    let ack: Value = serde_json::from_str(&client.send(channel, content).await).expect("JSON");
    ack["data"]["id"].as_str().expect("is sent").to_owned()
}

pub(crate) async fn data(client: &Client<'_>, event: &str, payload: Value) -> Value {
    let ack: Value =
        serde_json::from_str(&client.ask(event, &json!([payload]).to_string()).await).expect("JSON");
    assert_eq!(ack["error"], Value::Null, "{event}");
    ack["data"].clone()
}

async fn refused(client: &Client<'_>, event: &str, message: &str) {
    assert_eq!(client.ask(event, &json!([{ "messageId": message }]).to_string()).await, FORBIDDEN, "{event}");
}

/// The statuses that a client is told of: of whom, of which message, and what.
fn told(client: &Client<'_>) -> Vec<(String, u64, String)> {
    let status = |event: &String| {
        let event: Value = serde_json::from_str(event).expect("JSON");
        (event[0] == "message.status").then(|| {
            let text = |name: &str| event[1][name].as_str().expect("text").to_owned();
            (text("recipientId"), event[1]["seq"].as_u64().expect("a number"), text("status"))
        })
    };
    client.heard().iter().filter_map(status).collect()
}

fn status(who: &str, seq: u64, status: &str) -> (String, u64, String) {
    (who.to_owned(), seq, status.to_owned())
}

#[tokio::test]
async fn the_sender_is_told_on_every_socket_and_nobody_else() {
    let world = World::new();
    let members = [("bob", Role::Reader), ("eve", Role::Member)];
    let channel = world.channel(Visibility::Private, "ada", &members).await;
    let (ada, tab, bob, eve) = (
        world.connect("ada").await,
        world.connect("ada").await,
        world.connect("bob").await,
        world.connect("eve").await,
    );
    let message = sent(&ada, &channel, "hello").await;
    for client in [&ada, &tab, &bob, &eve] {
        client.heard();
    }
    let marked = data(&bob, "message:delivered", json!({ "messageId": message })).await;
    assert_eq!(marked, json!({ "channelId": channel, "deliveredSeq": 1, "seenSeq": 0 }));
    let event = json!(["message.status", {
        "messageId": message, "channelId": channel, "seq": 1, "recipientId": "bob", "status": "DELIVERED",
        "timestamp": "2026-11-12T12:00:00.000Z",
    }]);
    for client in [&ada, &tab] {
        let heard = client.heard();
        assert_eq!(heard.len(), 1);
        assert_eq!(serde_json::from_str::<Value>(&heard[0]).expect("JSON"), event);
    }
    data(&bob, "message:seen", json!({ "messageId": message })).await;
    for client in [&ada, &tab] {
        assert_eq!(told(client), [status("bob", 1, "READ")]);
    }
    assert_eq!(bob.heard(), [""; 0]);
    assert_eq!(eve.heard(), [""; 0]);
    // The sender's own receipts are news to nobody.
    data(&ada, "message:seen", json!({ "messageId": message })).await;
    for client in [&ada, &tab, &bob, &eve] {
        assert_eq!(client.heard(), [""; 0]);
    }
}

#[tokio::test]
async fn receipts_that_say_nothing_new_are_told_to_nobody() {
    let world = World::new();
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    let first = sent(&ada, &channel, "one").await;
    let second = sent(&ada, &channel, "two").await;
    ada.heard();
    let receipt = json!([{ "messageId": second }]).to_string();
    let flood = join_all((0..1000).map(|_| bob.emit("message:seen", &receipt).ack())).await;
    assert!(flood.iter().all(|ack| ack.failure().is_none()));
    for event in ["message:delivered", "message:seen"] {
        let marked = data(&bob, event, json!({ "messageId": first })).await;
        assert_eq!(marked, json!({ "channelId": channel, "deliveredSeq": 2, "seenSeq": 2 }), "never back");
    }
    assert_eq!(told(&ada), [status("bob", 2, "READ")], "once, the newest");
}

#[tokio::test]
async fn only_members_of_the_channel_say_or_learn_anything() {
    let world = World::new();
    let private = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let public = world.channel(Visibility::Public, "ada", &[]).await;
    let (ada, bob, eve) =
        (world.connect("ada").await, world.connect("bob").await, world.connect("eve").await);
    let unknown = "01a1cfa1-0a00-7000-8000-0000000fffff";
    let messages = [sent(&ada, &private, "x").await, sent(&ada, &public, "x").await, unknown.to_owned()];
    for message in &messages {
        for event in ["message:delivered", "message:seen", "message:getStatus"] {
            refused(&eve, event, message).await;
        }
    }
    for channel in [private.as_str(), public.as_str(), "nowhere"] {
        let args = json!([{ "channelId": channel }]).to_string();
        assert_eq!(eve.ask("message:getOffline", &args).await, FORBIDDEN);
    }
    assert_eq!(told(&ada), []);

    world
        .chat
        .remove_member(&ada.caller.identity, &private, &crate::support::user_id("bob"))
        .await
        .expect("goes");
    for event in ["message:delivered", "message:seen", "message:getStatus"] {
        refused(&bob, event, &messages[0]).await;
    }
    assert_eq!(told(&ada), []);
}

#[tokio::test]
async fn for_whom_a_receipt_is_only_the_token_says() {
    let world = World::new();
    let channel =
        world.channel(Visibility::Private, "ada", &[("bob", Role::Member), ("eve", Role::Member)]).await;
    let (ada, eve) = (world.connect("ada").await, world.connect("eve").await);
    let message = sent(&ada, &channel, "x").await;
    for payload in [
        json!([{ "messageId": message, "userId": "bob" }]),
        json!([{ "messageId": message, "recipientId": "bob" }]),
        json!([{ "messageId": [message] }]),
        json!([{ "messageId": message.to_uppercase() + "A" }]),
        json!([{ "messageId": null }]),
        json!([message]),
        json!([]),
    ] {
        for event in ["message:delivered", "message:seen", "message:getStatus"] {
            let ack = eve.ask(event, &payload.to_string()).await;
            assert!(ack.contains(r#""code":"BAD_PAYLOAD""#), "{event} {payload} {ack}");
        }
    }
    assert_eq!(told(&ada), []);
}

#[tokio::test]
async fn a_status_tells_of_each_recipient_in_pages() {
    let world = World::new();
    let members = [("bob", Role::Member), ("eve", Role::Reader), ("zoe", Role::Member)];
    let channel = world.channel(Visibility::Private, "ada", &members).await;
    let (ada, bob, eve, zoe) = (
        world.connect("ada").await,
        world.connect("bob").await,
        world.connect("eve").await,
        world.connect("zoe").await,
    );
    let message = sent(&ada, &channel, "x").await;
    let one = json!({ "messageId": message });
    data(&bob, "message:seen", one.clone()).await;
    data(&eve, "message:delivered", one.clone()).await;
    let recipient = |who, status| {
        json!({
            "messageId": message, "recipientId": who, "status": status,
            "timestamp": "2026-11-12T12:00:00.000Z",
        })
    };
    assert_eq!(
        data(&ada, "message:getStatus", one.clone()).await,
        json!({
            "messageId": message, "status": "SENT", "recipients": 3, "delivered": 2, "read": 1,
            "statuses": [recipient("bob", "READ"), recipient("eve", "DELIVERED"), recipient("zoe", "SENT")],
        })
    );
    let page =
        data(&zoe, "message:getStatus", json!({ "messageId": message, "after": "bob", "limit": 1 })).await;
    assert_eq!(page["statuses"], json!([recipient("eve", "DELIVERED")]));
    assert_eq!(page["recipients"], 3);

    let overall = async || data(&ada, "message:getStatus", one.clone()).await["status"].clone();
    data(&zoe, "message:delivered", one.clone()).await;
    assert_eq!(overall().await, "DELIVERED");
    data(&zoe, "message:seen", one.clone()).await;
    data(&eve, "message:seen", one.clone()).await;
    assert_eq!(overall().await, "READ");

    let alone = world.channel(Visibility::Private, "ada", &[]).await;
    let message = sent(&ada, &alone, "x").await;
    let status = data(&ada, "message:getStatus", json!({ "messageId": message })).await;
    assert_eq!((&status["status"], &status["recipients"]), (&json!("SENT"), &json!(0)), "to nobody");
}

#[tokio::test]
async fn messages_say_what_became_of_them_to_who_reads_them() {
    let world = World::new();
    let members = [("bob", Role::Member), ("eve", Role::Member)];
    let channel = world.channel(Visibility::Public, "ada", &members).await;
    let (ada, bob, eve, tourist) = (
        world.connect("ada").await,
        world.connect("bob").await,
        world.connect("eve").await,
        world.connect("tom").await,
    );
    let first = json!({ "messageId": sent(&ada, &channel, "one").await });
    let second = json!({ "messageId": sent(&bob, &channel, "two").await });
    let statuses = async |client: &Client<'_>| {
        let page = data(client, "message:history", json!({ "channelId": channel })).await;
        let messages = page["messages"].as_array().expect("a list").clone();
        let statuses = messages.iter().map(|one| one["deliveryStatus"].as_str().expect("text").to_owned());
        statuses.collect::<Vec<_>>()
    };
    data(&bob, "message:delivered", second.clone()).await;
    data(&eve, "message:seen", first.clone()).await;
    assert_eq!(statuses(&ada).await, ["DELIVERED", "SENT"], "all have the first, the second is not hers");
    assert_eq!(statuses(&bob).await, ["DELIVERED", "SENT"], "he has the first, not all have the second");
    assert_eq!(statuses(&eve).await, ["READ", "SENT"]);
    assert_eq!(statuses(&tourist).await, ["SENT", "SENT"], "nothing about others");
    for client in [&ada, &bob, &eve] {
        data(client, "message:seen", second.clone()).await;
    }
    assert_eq!(statuses(&ada).await, ["READ", "READ"]);
    assert_eq!(statuses(&bob).await, ["READ", "READ"]);
}

#[tokio::test]
async fn in_a_large_channel_nobody_is_told() {
    let limits = Limits { receipt_members: 2, ..Limits::default() };
    let world = World::with_config(ChatConfig { limits, ..ChatConfig::default() });
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let (ada, bob) = (world.connect("ada").await, world.connect("bob").await);
    data(&bob, "message:seen", json!({ "messageId": sent(&ada, &channel, "x").await })).await;
    assert_eq!(told(&ada), [status("bob", 1, "READ")]);
    world.add("ada", &channel, "eve", Role::Member).await.expect("is added");
    let message = json!({ "messageId": sent(&ada, &channel, "y").await });
    data(&bob, "message:seen", message.clone()).await;
    assert_eq!(told(&ada), []);
    let status = data(&ada, "message:getStatus", message).await;
    assert_eq!(status["read"], 1, "but who asks is told");
}

#[tokio::test]
async fn what_was_said_before_joining_has_no_receipts_where_it_does_not_exist() {
    for history_since_join in [false, true] {
        let world = World::with_config(ChatConfig { history_since_join, ..ChatConfig::default() });
        let channel = world.channel(Visibility::Private, "ada", &[]).await;
        let ada = world.connect("ada").await;
        let before = sent(&ada, &channel, "before").await;
        world.add("ada", &channel, "bob", Role::Member).await.expect("is added");
        let bob = world.connect("bob").await;
        let after = sent(&ada, &channel, "after").await;
        for event in ["message:delivered", "message:seen", "message:getStatus"] {
            match history_since_join {
                true => refused(&bob, event, &before).await,
                false => drop(data(&bob, event, json!({ "messageId": before })).await),
            }
        }
        assert_eq!(told(&ada), [], "it was not for him");
        let said = data(&ada, "message:getStatus", json!({ "messageId": before })).await;
        assert_eq!(said["recipients"], 0);
        data(&bob, "message:seen", json!({ "messageId": after })).await;
        assert_eq!(told(&ada), [status("bob", 2, "READ")]);
    }
}
