//! A server that a test-suite of the Socket.IO protocol can be pointed at: `protocol_server --port 3000`.
//!
//! Serves the namespaces `/` and `/custom`, and no other. Whoever connects is sent `auth` with the payload that they
//! connected with; `message` comes back as `message-back`, and `message-with-ack` as its own ack, with all arguments.
//! `ask` asks the client `question` with its arguments, and its ack is what the client answers.

#[path = "support/flags.rs"]
mod flags;

use std::time::Duration;

use clap::Parser;
use roomkey::{Event, Namespace, ServerBuilder, Socket};
use serde_json::Value;

/// Time for a client to answer.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> anyhow::Result<()> {
    let config = flags::Flags::parse().config();
    let builder = ServerBuilder::new(config).namespace("/", echo()).namespace("/custom", echo());
    let server = builder.bind()?;
    println!("listening on {}", server.local_addr());
    server.run(std::future::pending())?;
    Ok(())
}

fn echo() -> Namespace {
    Namespace::open()
        .on_connect(async |socket: Socket| {
            let auth = socket.auth().unwrap_or("{}");
            socket.emit_raw("auth", &format!("[{auth}]"), Vec::new()).expect("an array");
        })
        .on("ask", async |socket: Socket, args: Vec<Value>| {
            let answer = socket.emit_with_ack("question", &args, PATIENCE).await;
            answer.map_err(|error| error.to_string())
        })
        .on_any(async |event: Event| match &*event.name {
            "message" => {
                let attachments = event.args.attachments().to_vec();
                event.socket.emit_raw("message-back", event.args.json(), attachments).expect("an array");
                None
            }
            "message-with-ack" => Some(event.args),
            _ => None,
        })
}
