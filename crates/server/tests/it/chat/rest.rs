use serde_json::{Value, json};

use super::{channel, next, request};
use crate::product::TestProduct;

#[test]
fn messages_over_rest_are_told_to_sockets() {
    let product = TestProduct::start("");
    let (ada, bob, eve) = (product.register("ada"), product.register("bob"), product.register("eve"));
    let channel = channel(&product, &ada, &[&bob]);
    let mut socket = product.connect(&bob.token);
    let path = format!("/api/channels/{channel}/messages");
    let sent = request(&product, &ada, "POST", &path, &json!({ "content": "helo", "clientId": "c1" }));
    assert_eq!(sent.status, 201);
    assert_eq!(next(&mut socket, "message.created"), sent.json["message"]);
    let retry = request(&product, &ada, "POST", &path, &json!({ "content": "helo", "clientId": "c1" }));
    assert_eq!((retry.status, &retry.json), (201, &sent.json), "a retry is the same message");

    let message = format!("/api/messages/{}", sent.json["message"]["id"].as_str().expect("an id"));
    let edited = request(&product, &ada, "PATCH", &message, &json!({ "content": "hello" }));
    assert_eq!(next(&mut socket, "message.updated"), edited.json["message"]);
    assert_eq!(edited.json["message"]["content"], "hello");

    for (method, body) in [("PATCH", json!({ "content": "theirs" })), ("DELETE", Value::Null)] {
        assert_eq!(request(&product, &bob, method, &message, &body).refusal(), (403, "FORBIDDEN"));
        let unknown = "/api/messages/01a1cfa1-0a00-7000-8000-000000000000";
        assert_eq!(request(&product, &bob, method, unknown, &body).refusal(), (403, "FORBIDDEN"));
        assert_eq!(request(&product, &bob, method, "/api/messages/x", &body).refusal(), (403, "FORBIDDEN"));
    }
    assert_eq!(
        request(&product, &eve, "POST", &path, &json!({ "content": "x" })).refusal(),
        (403, "FORBIDDEN")
    );
    let stamped = json!({ "content": "x", "userId": "bob" });
    assert_eq!(request(&product, &ada, "POST", &path, &stamped).refusal(), (422, "BAD_PAYLOAD"));

    assert_eq!(request(&product, &ada, "DELETE", &message, &Value::Null).status, 204);
    let deleted = next(&mut socket, "message.deleted");
    assert_eq!((&deleted["seq"], &deleted["channelId"]), (&json!(1), &json!(channel)));
    let history = product.get(&path, &bob.token).json;
    assert_eq!(history["messages"][0]["content"], "");
    assert!(history["messages"][0]["deletedAt"].is_string());
}

#[test]
fn channels_over_rest_are_changed_joined_and_left() {
    let product = TestProduct::start("");
    let (ada, bob, eve) = (product.register("ada"), product.register("bob"), product.register("eve"));
    let channel = channel(&product, &ada, &[]);
    let path = format!("/api/channels/{channel}");
    let mut socket = product.connect(&bob.token);
    let join = format!("{path}/join");
    assert_eq!(request(&product, &bob, "POST", &join, &Value::Null).refusal(), (403, "FORBIDDEN"));
    let public = json!({ "visibility": "public", "name": "Docks" });
    assert_eq!(request(&product, &bob, "PATCH", &path, &public).refusal(), (403, "FORBIDDEN"));
    let changed = request(&product, &ada, "PATCH", &path, &public);
    assert_eq!((changed.status, &changed.json["channel"]["name"]), (200, &json!("Docks")));
    assert_eq!(
        request(&product, &ada, "PATCH", &path, &json!({ "isAdmin": true })).refusal(),
        (422, "BAD_PAYLOAD")
    );

    let joined = request(&product, &bob, "POST", &join, &Value::Null);
    assert_eq!((joined.status, &joined.json["channel"]["role"]), (200, &json!("member")));
    assert_eq!(next(&mut socket, "roomJoined"), format!("channel:{channel}"));
    let archived = request(&product, &ada, "PATCH", &path, &json!({ "archived": true }));
    assert!(archived.json["channel"]["archivedAt"].is_string());
    let send = format!("{path}/messages");
    let refused = request(&product, &bob, "POST", &send, &json!({ "content": "x" }));
    assert_eq!(refused.refusal(), (409, "CHANNEL_ARCHIVED"));

    assert_eq!(request(&product, &bob, "POST", &format!("{path}/leave"), &Value::Null).status, 204);
    assert_eq!(next(&mut socket, "room:evicted")["room"], format!("channel:{channel}"));
    let last = request(&product, &ada, "POST", &format!("{path}/leave"), &Value::Null);
    assert_eq!(last.refusal(), (409, "LAST_OWNER"));

    request(&product, &ada, "POST", &format!("{path}/members"), &json!({ "userId": eve.user }));
    let member = format!("{path}/members/{}", eve.user);
    assert_eq!(request(&product, &bob, "DELETE", &member, &Value::Null).refusal(), (403, "FORBIDDEN"));
    assert_eq!(request(&product, &ada, "DELETE", &member, &Value::Null).status, 204);
    let members = product.get(&format!("{path}/members"), &ada.token).json;
    assert_eq!(members["members"].as_array().map(Vec::len), Some(1));
}

#[test]
fn invites_over_rest() {
    let product = TestProduct::start("");
    let (ada, bob, eve) = (product.register("ada"), product.register("bob"), product.register("eve"));
    let channel = channel(&product, &ada, &[]);
    let create = format!("/api/channels/{channel}/invites");
    assert_eq!(request(&product, &eve, "POST", &create, &Value::Null).refusal(), (403, "FORBIDDEN"));
    let invite = request(&product, &ada, "POST", &create, &Value::Null);
    assert_eq!(invite.status, 201);
    let accept = format!("/api/invites/{}", invite.json["invite"].as_str().expect("a text"));
    let joined = request(&product, &bob, "POST", &accept, &Value::Null);
    assert_eq!((joined.status, &joined.json["channel"]["id"]), (200, &json!(channel)));
    assert_eq!(request(&product, &eve, "POST", &accept, &Value::Null).refusal(), (403, "FORBIDDEN"));
    let short =
        request(&product, &ada, "POST", &create, &json!({ "expiresInS": 5, "uses": 2, "role": "reader" }));
    let accept = format!("/api/invites/{}", short.json["invite"].as_str().expect("a text"));
    product.clock.advance_secs(5);
    assert_eq!(request(&product, &eve, "POST", &accept, &Value::Null).refusal(), (403, "FORBIDDEN"));
}

/// There is one rate for a user, whichever way the messages come.
#[test]
fn messages_over_rest_have_the_rate_of_events() {
    let product = TestProduct::start("[limits]\nevents_per_user_per_s = 1\nevents_per_user_burst = 3\n");
    let ada = product.register("ada");
    let channel = channel(&product, &ada, &[]);
    let path = format!("/api/channels/{channel}/messages");
    let answers: Vec<_> =
        (0..5).map(|_| request(&product, &ada, "POST", &path, &json!({ "content": "x" }))).collect();
    let refused = answers.iter().find(|answer| answer.status != 201).expect("five are too many");
    assert_eq!(refused.refusal(), (429, "RATE_LIMITED"));
    assert!(refused.response.header("retry-after").is_some());
}

/// What is told to a whole room, or reads much, is not cheaper than a message.
#[test]
fn channels_over_rest_have_the_rate_of_events() {
    let product = TestProduct::start("[limits]\nevents_per_user_per_s = 1\nevents_per_user_burst = 3\n");
    let ada = product.register("ada");
    let id = channel(&product, &ada, &[]);
    let path = format!("/api/channels/{id}");
    let message = "/api/messages/01a1cfa1-0a00-7000-8000-000000000000/status";
    let requests = [
        ("GET", "/api/channels".to_owned(), Value::Null),
        ("POST", "/api/channels".to_owned(), json!({ "name": "den" })),
        ("PATCH", path.clone(), json!({ "name": "lair" })),
        ("POST", format!("{path}/join"), Value::Null),
        ("POST", format!("{path}/leave"), Value::Null),
        ("GET", format!("{path}/members"), Value::Null),
        ("POST", format!("{path}/members"), json!({ "userId": "bob" })),
        ("DELETE", format!("{path}/members/bob"), Value::Null),
        ("GET", format!("{path}/messages"), Value::Null),
        ("POST", format!("{path}/invites"), Value::Null),
        ("POST", "/api/invites/x".to_owned(), Value::Null),
        ("GET", "/api/offline".to_owned(), Value::Null),
        ("GET", format!("{path}/offline"), Value::Null),
        ("GET", message.to_owned(), Value::Null),
    ];
    for (method, path, body) in requests {
        let mut answers = (0..9).map(|_| request(&product, &ada, method, &path, &body).status);
        assert!(answers.any(|status| status == 429), "{method} {path}");
    }
}

#[test]
fn which_user_names_there_are_is_for_those_who_add_them() {
    let product = TestProduct::start("");
    let (ada, bob) = (product.register("ada"), product.register("bob"));
    let path = format!("/api/channels/{}/members", channel(&product, &ada, &[]));
    for name in ["ada", "nobody"] {
        let body = json!({ "username": name });
        assert_eq!(request(&product, &bob, "POST", &path, &body).refusal(), (403, "FORBIDDEN"), "{name}");
        let nowhere = request(&product, &bob, "POST", "/api/channels/x/members", &body);
        assert_eq!(nowhere.refusal(), (403, "FORBIDDEN"), "{name}");
    }
    let unknown = request(&product, &ada, "POST", &path, &json!({ "username": "nobody" }));
    assert_eq!(unknown.refusal(), (404, "NOT_FOUND"));
}
