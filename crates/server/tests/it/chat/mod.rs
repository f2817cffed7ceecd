//! The chat of the product, over sockets on several threads and over REST.

mod order;
mod recovery;
mod rest;

use roomkey_testkit::Client;
use serde_json::{Value, json};

use crate::product::{Answer, Call, Login, TestProduct};

/// Sends a request with a token and, unless it is null, a body.
#[track_caller]
fn request(product: &TestProduct, login: &Login, method: &str, path: &str, body: &Value) -> Answer {
    let call = if body.is_null() { Call::default() } else { Call::json(body) };
    product.send(method, path, &call.token(&login.token))
}

/// Creates a channel of this user with these members; gives its id.
#[track_caller]
fn channel(product: &TestProduct, owner: &Login, members: &[&Login]) -> String {
    let created = request(product, owner, "POST", "/api/channels", &json!({ "name": "den" }));
    let id = created.json["channel"]["id"].as_str().expect("is created").to_owned();
    for member in members {
        let path = format!("/api/channels/{id}/members");
        let added = request(product, owner, "POST", &path, &json!({ "userId": member.user }));
        assert_eq!(added.status, 201);
    }
    id
}

/// The next event of this name: its argument.
#[track_caller]
fn next(client: &mut Client, event: &str) -> Value {
    loop {
        let packet = client.receive_text();
        let Some(json) = packet.strip_prefix("42") else { continue };
        let mut json: Value = serde_json::from_str(json).expect("an event");
        if json[0] == event {
            return json[1].take();
        }
    }
}
