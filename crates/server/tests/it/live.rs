//! Who is typing and who is here, over real connections that end in every way.

use roomkey_testkit::Client;
use serde_json::{Value, json};

use crate::product::{Call, Login, TestProduct};

const COMMITS: &str = "roomkey_commit_changes_sum";

fn channel_of(product: &TestProduct, owner: &Login, member: &Login) -> String {
    let post = |path: &str, body: &Value| {
        product.send("POST", path, &Call::json(body).token(&owner.token)).json["channel"]["id"].clone()
    };
    let channel = post("/api/channels", &json!({ "name": "harbour", "visibility": "private" }));
    let channel = channel.as_str().expect("an id").to_owned();
    let member = json!({ "userId": member.user, "role": "member" });
    post(&format!("/api/channels/{channel}/members"), &member);
    channel
}

/// The next event of this name.
#[track_caller]
fn next(client: &mut Client, name: &str) -> Value {
    loop {
        let packet = client.receive_text();
        let event = packet.strip_prefix("42").and_then(|event| serde_json::from_str::<Value>(event).ok());
        if let Some(event) = event.filter(|event| event[0] == name) {
            return event[1].clone();
        }
    }
}

#[track_caller]
fn ask(client: &mut Client, event: &str, payload: &Value) -> Value {
    client.text(&format!("421{}", json!([event, payload])));
    loop {
        if let Some(ack) = client.receive_text().strip_prefix("431") {
            return serde_json::from_str::<Value>(ack).expect("JSON")[0]["data"].clone();
        }
    }
}

#[test]
fn typing_ends_with_the_time_the_message_and_the_connection() {
    let product = TestProduct::start("");
    let (ada, bob) = (product.register("ada"), product.register("bob"));
    let channel = channel_of(&product, &ada, &bob);
    let (mut her, mut his) = (product.connect(&ada.token), product.connect(&bob.token));
    let is_typing = |client: &mut Client| {
        let update = next(client, "typing.update");
        assert_eq!((&update["userId"], &update["channelId"]), (&json!(bob.user), &json!(channel)));
        update["isTyping"] == true
    };
    let types = |his: &mut Client, her: &mut Client| {
        product.clock.advance_secs(1);
        ask(his, "typing", &json!({ "channelId": channel }));
        assert!(is_typing(her));
    };
    types(&mut his, &mut her);
    product.clock.advance_secs(5);
    assert!(!is_typing(&mut her), "the time is over");
    types(&mut his, &mut her);
    let commits =
        || product.server().metrics().lines().find(|line| line.starts_with(COMMITS)).map(str::to_owned);
    let before = commits();
    ask(&mut his, "sendMessage", &json!({ "channelId": channel, "content": "hello" }));
    assert!(before.is_some() && commits() != before, "the commit is counted before the ack");
    assert!(!is_typing(&mut her), "it is sent");
    types(&mut his, &mut her);
    his.shut_down();
    assert!(!is_typing(&mut her), "the connection is gone");
    assert_eq!(ask(&mut her, "typing:get", &json!({ "channelId": channel })), json!({ "typing": [] }));
}

#[test]
fn a_user_is_here_from_the_first_connection_to_the_last_and_was_seen_then() {
    let mut product = TestProduct::start("");
    let (ada, bob) = (product.register("ada"), product.register("bob"));
    let channel = channel_of(&product, &ada, &bob);
    let (mut her, mut listener) = (product.connect(&ada.token), product.connect(&ada.token));
    let (mut tab, mut phone) = (product.connect(&bob.token), product.connect(&bob.token));
    let here = json!({ "userId": bob.user, "online": true, "lastSeen": null });
    assert_eq!(next(&mut listener, "presence.update"), here);
    tab.shut_down();
    phone.text("41");
    phone.shut_down();
    let mut away = Value::Null;
    roomkey_testkit::eventually("he is away, some seconds after his last connection", || {
        product.clock.advance_secs(1);
        let presence = ask(&mut her, "presence:get", &json!({ "channelId": channel }));
        let users = presence["presence"].as_array().expect("a list").clone();
        away = users.into_iter().find(|one| one["userId"] == json!(bob.user)).expect("a member");
        away["online"] == false
    });
    assert_eq!(next(&mut listener, "presence.update"), away);
    product.restart();
    let mut her = product.connect(&ada.token);
    let seen = ask(&mut her, "presence:get", &json!({ "userIds": [bob.user, "nobody"] }));
    assert_eq!(seen, json!({ "presence": [away] }));
}

#[test]
fn who_is_refused_was_never_here() {
    let product = TestProduct::start("");
    let (ada, bob) = (product.register("ada"), product.register("bob"));
    let channel = channel_of(&product, &ada, &bob);
    product.connecting("", "", &json!({ "token": format!("{}x", bob.token) }));
    let mut her = product.connect(&ada.token);
    let presence = ask(&mut her, "presence:get", &json!({ "channelId": channel }));
    let online: Vec<_> = presence["presence"].as_array().expect("a list").iter().collect();
    let of =
        |user: &str| online.iter().find(|one| one["userId"] == user).expect("a member")["online"].clone();
    assert_eq!((of(&ada.user), of(&bob.user)), (json!(true), json!(false)));
}
