//! Events and acks, both ways, with and without binary data.

use std::time::Duration;

use roomkey::{AckError, Args, Binary, Event, Failure, Json, Limits, Namespace, Socket};
use roomkey_testkit::{Client, Polling, Received};
use serde_json::{Value, json};

use crate::support::{config, config_with, namespace, start, start_with};

#[test]
fn what_a_handler_returns_is_the_ack() {
    let main = Namespace::open()
        .on("none", async |_: Socket, (): ()| ())
        .on("text", async |_: Socket, (): ()| "text")
        .on("value", async |_: Socket, (value,): (Value,)| Json(json!({ "got": value })))
        .on("several", async |_: Socket, (a, b): (u32, String)| Args((b, a)))
        .on("bytes", async |_: Socket, (bytes,): (Binary,)| bytes)
        .on("failure", async |_: Socket, (): ()| Err::<(), _>(Failure::forbidden()));
    let server = start_with(config(), main);
    let mut client = Client::connect(server.address());
    client.call("420[\"none\"]", "430[]");
    client.call("421[\"text\"]", "431[\"text\"]");
    client.call("422[\"value\",[1,null]]", r#"432[{"got":[1,null]}]"#);
    client.call("423[\"several\",7,\"x\"]", r#"433["x",7]"#);
    client.call("424[\"failure\"]", r#"434[{"error":"Not allowed","code":"FORBIDDEN","retry":"never"}]"#);
    client.text(r#"451-5["bytes",{"_placeholder":true,"num":0}]"#);
    client.binary(&[0, 255]);
    client.expect(r#"461-5[{"_placeholder":true,"num":0}]"#);
    assert_eq!(client.receive(), Received::Binary(vec![0, 255]));
    client.text("42[\"text\"]");
    client.call("429007199254740991[\"none\"]", "439007199254740991[]");
}

#[test]
fn arguments_of_another_shape_are_refused() {
    let main = Namespace::open().on("add", async |_: Socket, (a, b): (u32, u32)| a + b);
    let server = start_with(config(), main);
    let mut client = Client::connect(server.address());
    client.call("420[\"add\",1,2]", "430[3]");
    for args in ["", ",1", ",1,2,3", ",1,\"2\"", ",-1,2", ",{\"a\":1},2"] {
        client.text(&format!("421[\"add\"{args}]"));
        let answer = client.receive_text();
        assert!(answer.contains(r#""code":"BAD_PAYLOAD""#), "{args}: {answer}");
    }
}

/// Handlers start in order, and each runs up to where it first waits; acks come when they are done.
#[test]
fn events_are_handled_in_order() {
    let main = Namespace::open()
        .on("slow", async |socket: Socket, (ms,): (u64,)| {
            socket.emit("begun", &(ms,)).expect("a number");
            tokio::time::sleep(Duration::from_millis(ms)).await;
            ms
        })
        .on("quick", async |_: Socket, (): ()| "quick");
    let server = start_with(config(), main);
    let mut client = Client::connect(server.address());
    client.text("420[\"slow\",300]");
    client.text("421[\"slow\",1]");
    client.text("422[\"quick\"]");
    client.expect(r#"42["begun",300]"#);
    client.expect(r#"42["begun",1]"#);
    client.expect("432[\"quick\"]");
    client.expect("431[1]");
    client.expect("430[300]");
}

fn asking() -> Namespace {
    Namespace::open().on("ask me", async |socket: Socket, (ms,): (u64,)| {
        match socket.emit_with_ack("question", &("?",), Duration::from_millis(ms)).await {
            Ok(answer) => answer.json().to_owned(),
            Err(error) => error.to_string(),
        }
    })
}

#[test]
fn the_server_asks_and_the_client_answers() {
    let server = start_with(config(), asking());
    let mut client = Client::connect(server.address());
    client.text("427[\"ask me\",60000]");
    client.expect(r#"420["question","?"]"#);
    client.text("431[\"to nothing\"]");
    client.text("430[\"yes\",2]");
    client.text("430[\"again\"]");
    client.expect(r#"437["[\"yes\",2]"]"#);
    client.text("428[\"ask me\",1]");
    client.expect(r#"421["question","?"]"#);
    client.expect(r#"438["the client did not answer in time"]"#);
    client.text("431[\"late\"]");
    client.text("429[\"ask me\",60000]");
    client.expect(r#"422["question","?"]"#);
    client.text(r#"461-2[{"_placeholder":true,"num":0}]"#);
    client.binary(&[1]);
    client.expect(r#"439["[{\"_placeholder\":true,\"num\":0}]"]"#);

    let mut polling = Polling::connect(server.address());
    polling.post("427[\"ask me\",60000]");
    assert_eq!(polling.poll(), r#"420["question","?"]"#);
    polling.post("430[]");
    assert_eq!(polling.poll(), r#"437["[]"]"#);
}

#[test]
fn acks_that_are_owed_have_a_limit_and_end_with_the_socket() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let main = Namespace::open().on("go", move |socket: Socket, (): ()| {
        let sender = sender.clone();
        async move {
            let ask = || socket.emit_with_ack("question", &(), Duration::from_secs(3600));
            let outcome = tokio::join!(ask(), ask(), ask());
            sender.send(outcome).expect("the test waits");
        }
    });
    let server = start_with(config_with(Limits { acks_pending_per_socket: 2, ..Limits::default() }), main);
    let mut client = Client::connect(server.address());
    client.text("42[\"go\"]");
    client.expect(r#"420["question"]"#);
    client.expect(r#"421["question"]"#);
    client.text("430[]");
    client.text("41");
    let (first, second, third) = receiver.recv_timeout(roomkey_testkit::PATIENCE).expect("an outcome");
    assert!(first.is_ok());
    assert!(matches!(second, Err(AckError::Disconnected)), "{second:?}");
    assert!(matches!(third, Err(AckError::TooMany)), "{third:?}");
}

#[test]
fn reserved_names_are_not_sent() {
    let main = Namespace::open()
        .on("try", async |socket: Socket, (name,): (String,)| socket.emit(&name, &()).is_ok());
    let server = start_with(config(), main);
    let mut client = Client::connect(server.address());
    for name in ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"] {
        client.call(&format!("420[\"try\",\"{name}\"]"), "430[false]");
    }
}

#[test]
fn numbers_are_event_names_too() {
    let main = Namespace::open().on_any(async |event: Event| Some(Json(event.name.to_string())));
    let server = start_with(config(), main);
    let mut client = Client::connect(server.address());
    client.call("420[1]", "430[\"1\"]");
    client.call("420[\"\"]", "430[\"\"]");
}

#[test]
fn large_and_odd_text_comes_back_as_it_was() {
    let server = start(config());
    let mut client = Client::connect(server.address());
    for text in ["\\ud800", "\u{2028}", "é😀", "\\u0000", &"x".repeat(300_000)] {
        client.call(&format!("420[\"echo\",\"{text}\"]"), &format!("430[\"{text}\"]"));
    }
    client.text(r#"452-0["echo",{"b":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]"#);
    client.binary(&[]);
    client.binary(&vec![7; 200_000]);
    client.expect(r#"462-0[{"b":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]"#);
    assert_eq!(client.receive(), Received::Binary(vec![]));
    assert_eq!(client.receive(), Received::Binary(vec![7; 200_000]));
}

#[test]
fn a_pipeline_of_events_is_answered_in_order() {
    let server = start_with(config(), namespace(Namespace::open()));
    let mut client = Client::connect(server.address());
    let mut bytes = Vec::new();
    for id in 0..2000 {
        let event = format!("42{id}[\"echo\"]");
        bytes
            .extend(roomkey_testkit::WebSocketClient::frame(roomkey_testkit::Opcode::Text, event.as_bytes()));
    }
    client.send(bytes);
    for id in 0..2000 {
        client.expect(&format!("43{id}[]"));
    }
}
