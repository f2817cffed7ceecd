//! A server that a test-suite of the Socket.IO protocol can be pointed at: `protocol_server --port 3000`.
//!
//! Serves the namespaces `/` and `/custom`, and no other. Whoever connects is sent `auth` with the payload that they
//! connected with; `message` comes back as `message-back`, and `message-with-ack` as its own ack, with all arguments.

#[path = "support/flags.rs"]
mod flags;

use clap::Parser;
use roomkey::{Event, Namespace, ServerBuilder, Socket};

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
