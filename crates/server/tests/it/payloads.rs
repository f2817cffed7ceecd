//! Payloads that are large, wide or made to be slow: they cost what their bytes cost.

use std::fmt::Write;

use roomkey::{Json, Limits, Namespace, Socket};
use roomkey_testkit::{Client, PATIENCE, Polling, eventually};
use serde_json::Value;

use crate::{
    contained::contained,
    support::{config, config_with, namespace, start_with},
};

/// An object of as many names as fit into a message, and one of names that many hash functions take for the same.
fn wide_objects() -> [String; 2] {
    let (mut wide, mut alike) = (String::from("{"), String::from("{"));
    for index in 0..70_000 {
        write!(wide, "\"{index}\":0,").expect("a string");
        // The pairs `Aa` and `BB` have one hash where it is a polynomial of 31.
        let name: String = (0..17).map(|bit| if index >> bit & 1 == 0 { "Aa" } else { "BB" }).collect();
        if alike.len() < 900_000 {
            write!(alike, "\"{name}\":0,").expect("a string");
        }
    }
    [wide, alike].map(|object| format!("{}}}", object.trim_end_matches(',')))
}

/// Passed on untouched, and read into a tree by a handler that asks for one.
#[test]
fn wide_objects_are_read_and_passed_on() {
    let main = namespace(Namespace::open()).on("count", async |_: Socket, (value,): (Value,)| {
        value.as_object().map_or(0, serde_json::Map::len) as u64
    });
    let server = start_with(config(), main);
    contained(&server, || {
        let mut client = Client::connect(server.address());
        for object in wide_objects() {
            client.call(&format!("420[\"echo\",{object}]"), &format!("430[{object}]"));
            let names = object.matches(':').count();
            client.call(&format!("421[\"count\",{object}]"), &format!("431[{names}]"));
        }
    });
}

/// An ack is a message like any other: it has a limit, and below it it reaches the one who waits for it.
#[test]
fn acks_may_be_as_long_as_events_and_no_longer() {
    let main = namespace(Namespace::open()).on("ask", async |socket: Socket, (): ()| {
        let answer = socket.emit_with_ack("question", &(), PATIENCE).await;
        Json(answer.map(|answer| answer.json().len()).unwrap_or_default())
    });
    let server = start_with(config_with(Limits { message_bytes: 50_000, ..Limits::default() }), main);
    contained(&server, || {
        let ack = |id: u32, len: usize| format!("43{id}[\"{}\"]", "x".repeat(len - 7));
        let mut client = Client::connect(server.address());
        client.call("429[\"ask\"]", r#"420["question"]"#);
        client.call(&ack(0, 50_000), &format!("439[{}]", 50_000 - 3));
        client.call("429[\"ask\"]", r#"421["question"]"#);
        client.text(&ack(1, 50_001));
        assert_eq!(client.closed(), Some(1009));

        let mut polling = Polling::connect(server.address());
        polling.post("429[\"ask\"]");
        assert_eq!(polling.poll(), r#"420["question"]"#);
        assert_eq!(polling.try_post(&ack(0, 50_001)).brief(), (413, ""));
        eventually("the session is gone", || polling.is_gone());
    });
}
