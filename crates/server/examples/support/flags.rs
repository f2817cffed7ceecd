//! The command line of the servers that protocol test-suites are pointed at.

use std::time::Duration;

use clap::Parser;
use roomkey::{Limits, OriginPolicy, Recovery, ServerConfig};

/// Listens on 127.0.0.1 and prints the address.
#[derive(Parser)]
#[command(disable_version_flag = true)]
pub(crate) struct Flags {
    /// Where to listen; 0 is any free port.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// Time from a pong to the next ping, in ms.
    #[arg(long, default_value_t = 25_000)]
    ping_interval: u64,
    /// Time in which a ping must be answered, in ms.
    #[arg(long, default_value_t = 20_000)]
    ping_timeout: u64,
    /// Time in which a namespace must be joined, in ms.
    #[arg(long, default_value_t = 45_000)]
    connect_timeout: u64,
    /// The largest message, in bytes.
    #[arg(long, default_value_t = 1_000_000)]
    max_payload: usize,
    /// Threads that serve, one for each core if not given.
    #[arg(long)]
    threads: Option<usize>,
    /// Serve clients of Engine.IO v3, too.
    #[arg(long)]
    allow_eio3: bool,
    /// Let clients write their packets as msgpack.
    #[arg(long)]
    msgpack: bool,
    /// Let clients recover what they missed.
    #[arg(long)]
    recovery: bool,
}

impl Flags {
    /// The server that the flags describe, open to every page.
    pub(crate) fn config(&self) -> ServerConfig {
        let limits = Limits::default().without_rates();
        let config = ServerConfig::default();
        ServerConfig {
            address: ([127, 0, 0, 1], self.port).into(),
            threads: self.threads.unwrap_or(config.threads),
            origins: OriginPolicy::any(),
            allow_eio3: self.allow_eio3,
            msgpack: self.msgpack,
            recovery: self.recovery.then(Recovery::default),
            ping_interval: Duration::from_millis(self.ping_interval),
            ping_timeout: Duration::from_millis(self.ping_timeout),
            limits: Limits {
                auth_deadline_ms: self.connect_timeout,
                message_bytes: self.max_payload,
                pre_auth_bytes: limits.pre_auth_bytes.min(self.max_payload),
                ..limits
            },
            ..config
        }
    }
}
