//! A server that a test-suite of the Engine.IO protocol can be pointed at: `engine_server --port 3000`.
//!
//! Sends every message back as it came, text and bytes, on the path `/engine.io/`.

#[path = "support/flags.rs"]
mod flags;

use clap::Parser;
use roomkey::{ServerBuilder, ServerConfig, engine::Engine};

fn main() -> anyhow::Result<()> {
    let config = ServerConfig { path: "/engine.io/".to_owned(), ..flags::Flags::parse().config() };
    let echo = Engine::new().on_message(|socket, message| socket.send(message));
    let server = ServerBuilder::new(config).engine(echo).bind()?;
    println!("listening on {}", server.local_addr());
    server.run(std::future::pending())?;
    Ok(())
}
