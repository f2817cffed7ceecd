//! `rust-client URL`: connects with `rust_socketio` over each transport and prints what it gets, a line for each.

use std::{
    sync::mpsc::{Receiver, Sender, channel},
    time::Duration,
};

use anyhow::{Context, Result};
use rust_socketio::{ClientBuilder, Event, Payload, TransportType};
use serde_json::json;

/// After that, what is awaited will not come.
const PATIENCE: Duration = Duration::from_secs(30);

fn main() -> Result<()> {
    let url = std::env::args().nth(1).context("usage: rust-client URL")?;
    for (name, transport) in [
        ("websocket", TransportType::Websocket),
        ("polling", TransportType::Polling),
        ("upgrade", TransportType::WebsocketUpgrade),
    ] {
        for namespace in ["/", "/custom"] {
            let outcome = talk(&url, transport.clone(), namespace);
            outcome.with_context(|| format!("over {name} in {namespace}"))?;
            println!("{name} {namespace} done");
        }
    }
    println!("refused: {}", refusal(&url)?);
    Ok(())
}

/// Auth, an event, an event with binary, an ack, and a long run of events in order.
fn talk(url: &str, transport: TransportType, namespace: &str) -> Result<()> {
    let (heard, hears) = channel();
    let (answered, answers) = channel();
    let client = ClientBuilder::new(url)
        .namespace(namespace)
        .transport_type(transport)
        .reconnect(false)
        .auth(json!({ "token": "abc" }))
        .on("auth", forward(&heard))
        .on("message-back", forward(&heard))
        .connect()?;
    expect(&hears, r#"Text([Object {"token": String("abc")}])"#)?;
    client.emit("message", vec![json!("caf\u{e9}"), json!({ "a": [null] })])?;
    expect(&hears, r#"Text([String("café"), Object {"a": Array [Null]}])"#)?;
    client.emit("message", vec![1_u8, 2, 255])?;
    expect(&hears, r#"Binary(b"\x01\x02\xff")"#)?;
    client.emit_with_ack("message-with-ack", vec![json!(1), json!("two")], PATIENCE, forward(&answered))?;
    expect(&answers, r#"Text([Array [Number(1), String("two")]])"#)?;
    for number in 0..100 {
        client.emit("message", json!(number))?;
    }
    for number in 0..100 {
        expect(&hears, &format!("Text([Number({number})])"))?;
    }
    client.disconnect()?;
    Ok(())
}

/// What a client hears that wants into a namespace which does not exist.
fn refusal(url: &str) -> Result<String> {
    let (heard, hears) = channel();
    let _client = ClientBuilder::new(url)
        .namespace("/nowhere")
        .transport_type(TransportType::Websocket)
        .reconnect(false)
        .on(Event::Error, forward(&heard))
        .connect()?;
    Ok(hears.recv_timeout(PATIENCE)?)
}

fn forward<C>(to: &Sender<String>) -> impl FnMut(Payload, C) + Send + 'static {
    let to = to.clone();
    move |payload, _| {
        // Whoever listened may have gone.
        _ = to.send(format!("{payload:?}"));
    }
}

fn expect(from: &Receiver<String>, expected: &str) -> Result<()> {
    let heard = from.recv_timeout(PATIENCE).with_context(|| format!("waiting for {expected}"))?;
    anyhow::ensure!(heard == expected, "got {heard}, not {expected}");
    Ok(())
}
