use std::{collections::BTreeMap, thread};

use serde_json::{Value, json};

use super::{channel, next, request};
use crate::product::{Login, TestProduct};

const SENDERS: usize = 8;
const SENT_BY_EACH: usize = 40;
const SENT_OVER_REST: usize = 20;

/// However many send at once, on whichever threads and by whatever way: everybody sees a channel in one order, which is
/// that of its numbers, with no gap.
#[test]
fn every_socket_sees_a_channel_in_one_order() {
    let product = TestProduct::start("");
    let logins: Vec<Login> = (0..SENDERS).map(|number| product.register(&format!("u{number}"))).collect();
    let channel = channel(&product, &logins[0], &logins[1..].iter().collect::<Vec<_>>());
    let seen = thread::scope(|scope| {
        let sockets: Vec<_> = logins.iter().map(|login| product.connect(&login.token)).collect();
        let readers: Vec<_> = sockets
            .into_iter()
            .zip(0..)
            .map(|(mut socket, sender)| {
                let channel = &channel;
                scope.spawn(move || {
                    for number in 0..SENT_BY_EACH {
                        let message =
                            json!({ "channelId": channel, "content": format!("{sender}:{number}") });
                        socket.text(&format!("42{}", json!(["sendMessage", message])));
                    }
                    let all = SENDERS * SENT_BY_EACH + SENT_OVER_REST;
                    (0..all)
                        .map(|_| next(&mut socket, "message.created"))
                        .map(|message| brief(&message))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let path = format!("/api/channels/{channel}/messages");
        for number in 0..SENT_OVER_REST {
            let body = json!({ "content": format!("{SENDERS}:{number}") });
            assert_eq!(request(&product, &logins[1], "POST", &path, &body).status, 201);
        }
        readers.into_iter().map(|reader| reader.join().expect("no panic")).collect::<Vec<_>>()
    });
    let seqs: Vec<u64> = seen[0].iter().map(|(seq, _)| *seq).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>(), "no gap, in order, each once");
    assert!(seen.iter().all(|one| *one == seen[0]), "all have seen the same");
    let mut newest = BTreeMap::new();
    for (_, content) in &seen[0] {
        let (sender, number) = content.split_once(':').expect("of this test");
        let number: usize = number.parse().expect("a number");
        assert_eq!(
            newest.insert(sender, number).map_or(0, |before| before + 1),
            number,
            "as {sender} sent them"
        );
    }
}

fn brief(message: &Value) -> (u64, String) {
    let content = message["content"].as_str().expect("a text").to_owned();
    (message["seq"].as_u64().expect("a number"), content)
}
