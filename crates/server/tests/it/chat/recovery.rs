use roomkey_testkit::{Client, eventually};
use serde_json::{Value, json};

use super::{channel, request};
use crate::product::TestProduct;

/// Who was removed while the connection was gone comes back, and gets nothing of the channel that came after.
#[test]
fn what_was_said_after_a_removal_is_not_recovered() {
    let product = TestProduct::start("[engine]\nrecovery = true\n");
    let (ada, bob) = (product.register("ada"), product.register("bob"));
    let (lost, kept) = (channel(&product, &ada, &[&bob]), channel(&product, &ada, &[&bob]));
    let mut client = Client::open(product.server().address());
    client.text(&format!("40{}", json!({ "token": bob.token })));
    let answer = client.receive_text();
    let answer: Value = serde_json::from_str(answer.strip_prefix("40").expect("is let in")).expect("JSON");
    let before = product.server().handle().connection_count();
    drop(client);
    eventually("the connection is gone", || product.server().handle().connection_count() < before);

    let say = |channel: &str, content: &str| {
        let path = format!("/api/channels/{channel}/messages");
        assert_eq!(request(&product, &ada, "POST", &path, &json!({ "content": content })).status, 201);
    };
    let member = format!("/api/channels/{lost}/members/{}", bob.user);
    assert_eq!(request(&product, &ada, "DELETE", &member, &Value::Null).status, 204);
    say(&lost, "he has gone");
    say(&kept, "he is still here");

    let mut client = Client::open(product.server().address());
    client.text(&format!("40{}", json!({ "token": bob.token, "pid": answer["pid"] })));
    let mut missed = Vec::new();
    let again = loop {
        let packet = client.receive_text();
        match packet.strip_prefix("40") {
            Some(answer) => break serde_json::from_str::<Value>(answer).expect("JSON"),
            None => missed.push(packet),
        }
    };
    assert_eq!(again["sid"], answer["sid"], "it was recovered");
    assert!(missed.iter().any(|packet| packet.contains("room:evicted")), "{missed:?}");
    assert!(missed.iter().any(|packet| packet.contains("he is still here")), "{missed:?}");
    assert!(!missed.iter().any(|packet| packet.contains("he has gone")), "{missed:?}");
}
