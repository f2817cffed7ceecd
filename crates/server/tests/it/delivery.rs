//! Receipts and what waits, over HTTP beside the sockets, and over a restart.

use serde_json::{Value, json};

use crate::product::{Call, TestProduct};

const OPEN: &str = "[limits]\nevents_per_socket_per_s = 0";

/// Reads events until one of this name comes; gives its argument.
fn next(client: &mut roomkey_testkit::Client, event: &str) -> Value {
    loop {
        let packet = client.receive_text();
        let event_start = format!("42[\"{event}\",");
        if packet.starts_with(&event_start) {
            let arguments: Value = serde_json::from_str(&packet[2..]).expect("JSON");
            return arguments[1].clone();
        }
    }
}

#[test]
fn receipts_over_http_are_told_over_sockets_and_survive_a_restart() {
    let mut product = TestProduct::start(OPEN);
    let (ada, bob, eve) = (product.register("ada"), product.register("bob"), product.register("eve"));
    let post = |product: &TestProduct, path: &str, token: &str| {
        product.send("POST", path, &Call::default().token(token))
    };
    let channel =
        product.send("POST", "/api/channels", &Call::json(&json!({ "name": "den" })).token(&ada.token));
    let channel = channel.json["channel"]["id"].as_str().expect("an id").to_owned();
    let member = Call::json(&json!({ "userId": bob.user })).token(&ada.token);
    assert_eq!(product.send("POST", &format!("/api/channels/{channel}/members"), &member).status, 201);

    let mut client = product.connect(&ada.token);
    let mut messages = Vec::new();
    for content in ["one", "two", "three"] {
        client.text(&format!("42{}", json!(["sendMessage", { "channelId": channel, "content": content }])));
        messages.push(next(&mut client, "message.created")["id"].as_str().expect("an id").to_owned());
    }
    let waiting = |product: &TestProduct| {
        let waiting = product.get("/api/offline", &bob.token).json;
        (waiting["total"].as_u64(), waiting["unread"].as_u64())
    };
    assert_eq!(waiting(&product), (Some(3), Some(3)));
    let path = |message: usize, what: &str| format!("/api/messages/{}/{what}", messages[message]);
    for (token, status) in [(&eve.token, 403), (&String::new(), 401)] {
        for message in [path(0, "seen"), path(0, "delivered"), "/api/messages/nothing/seen".to_owned()] {
            assert_eq!(post(&product, &message, token).status, status, "{message}");
        }
        assert_eq!(product.get(&path(0, "status"), token).status, status);
        assert_eq!(product.get(&format!("/api/channels/{channel}/offline"), token).status, status);
    }

    let marked = post(&product, &path(1, "delivered"), &bob.token);
    assert_eq!(marked.json, json!({ "channelId": channel, "deliveredSeq": 2, "seenSeq": 0 }));
    let told = next(&mut client, "message.status");
    assert_eq!((&told["messageId"], &told["status"]), (&json!(messages[1]), &json!("DELIVERED")));
    assert_eq!((&told["recipientId"], &told["seq"]), (&json!(bob.user), &json!(2)));
    post(&product, &path(0, "seen"), &bob.token);
    assert_eq!(next(&mut client, "message.status")["status"], "READ");

    drop(client);
    product.restart();
    assert_eq!(waiting(&product), (Some(1), Some(2)));
    let page = product.get(&format!("/api/channels/{channel}/offline?limit=1"), &bob.token).json;
    assert_eq!((&page["messages"][0]["content"], &page["more"]), (&json!("three"), &json!(false)));
    let statuses = |message| product.get(&path(message, "status"), &ada.token).json["status"].clone();
    assert_eq!([statuses(0), statuses(1), statuses(2)], ["READ", "DELIVERED", "SENT"]);
    let history = product.get(&format!("/api/channels/{channel}/messages"), &ada.token).json;
    assert_eq!(history["messages"][0]["deliveryStatus"], "READ");
    assert_eq!(product.get(&format!("{}?limit=0", path(0, "status")), &ada.token).status, 422);
    assert_eq!(product.get(&format!("{}?who=bob", path(0, "status")), &ada.token).status, 422);
}

/// JSON writes each of these bytes as six: all of the messages at once are more than may wait for a connection when others
/// come behind.
#[test]
fn pages_of_long_messages_arrive_while_others_are_sent() {
    const MESSAGES: u64 = 40;
    let limits =
        "[limits]\nevents_per_socket_per_s = 0\nevents_per_user_per_s = 0\nmessage_content_bytes = 65536";
    let product = TestProduct::start(limits);
    let (ada, bob) = (product.register("ada"), product.register("bob"));
    let new = Call::json(&json!({ "name": "den" })).token(&ada.token);
    let channel = product.send("POST", "/api/channels", &new).json["channel"]["id"].clone();
    let member = Call::json(&json!({ "userId": bob.user })).token(&ada.token);
    let members = format!("/api/channels/{}/members", channel.as_str().expect("an id"));
    assert_eq!(product.send("POST", &members, &member).status, 201);
    let mut sender = product.connect(&ada.token);
    let mut send = |content: &str| {
        sender.text(&format!("420{}", json!(["sendMessage", { "channelId": channel, "content": content }])));
        while !sender.receive_text().starts_with("430") {}
    };
    (0..MESSAGES).for_each(|_| send(&"\u{1}".repeat(65_536)));

    let mut client = product.connect(&bob.token);
    let mut ask = |event: &str, payload: Value, meanwhile: &mut dyn FnMut()| {
        client.text(&format!("421{}", json!([event, payload])));
        meanwhile();
        loop {
            // What is live comes in between.
            if let Some(answer) = client.receive_text().strip_prefix("431") {
                return serde_json::from_str::<Value>(answer).expect("JSON")[0]["data"].clone();
            }
        }
    };
    let (mut seqs, mut more) = (Vec::new(), true);
    while more {
        let is_first = seqs.is_empty();
        let mut meanwhile = || (0..if is_first { 20 } else { 0 }).for_each(|_| send("short"));
        let page = ask("message:getOffline", json!({ "channelId": channel }), &mut meanwhile);
        let messages = page["messages"].as_array().expect("a list");
        seqs.extend(messages.iter().map(|message| message["seq"].as_u64().expect("a number")));
        more = page["more"] == true;
        let newest = messages.last().expect("is not empty");
        ask("message:delivered", json!({ "messageId": newest["id"] }), &mut || {});
    }
    assert_eq!(seqs, (1..=MESSAGES + 20).collect::<Vec<_>>());
}
