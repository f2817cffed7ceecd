use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};

use crate::{run, workspace};

/// What every client's token is signed with.
pub(super) const SECRET: &str = "perf-secret-perf-secret-perf-secret-32";

/// A server that can be measured. All but `roomkey serve` offer the same three events.
pub(super) struct Server {
    pub(super) name: &'static str,
    /// The program, below the target folder or (for the peers) the root, and its arguments.
    command: &'static str,
}

pub(super) const ALL: &[Server] = &[
    Server { name: "roomkey", command: "release/examples/bench_server 0 1" },
    Server { name: "socketioxide", command: "bench/peers/target/release/peer-socketioxide 0 1" },
    Server {
        name: "socketioxide, current-thread",
        command: "bench/peers/target/release/peer-socketioxide 0 1 current-thread",
    },
    Server {
        name: "socketioxide, mimalloc",
        command: "bench/peers/target/mimalloc/release/peer-socketioxide 0 1",
    },
    Server { name: "node socket.io", command: "node bench/peers/node/server.mjs 0 1" },
    Server {
        name: "node socket.io, better-sqlite3",
        command: "node bench/peers/node/durable.mjs --data-dir",
    },
    Server { name: "roomkey serve", command: "release/roomkey serve --listen 127.0.0.1:0 --data-dir" },
];

impl Server {
    /// Durable messages are what the whole product adds, and a peer has them in its simplest form; the bare servers have
    /// the rest.
    pub(super) fn offers(&self, load: &str) -> bool {
        match load {
            "send" => self.command.ends_with("--data-dir"),
            "catch-up" | "broadcast-durable" => self.name == "roomkey serve",
            _ => !self.command.ends_with("--data-dir"),
        }
    }

    /// Starts it on core 0 and waits until it says where it listens.
    pub(super) fn start(&self) -> Result<Running> {
        let mut words = self.command.split(' ');
        let program = words.next().context("no program")?;
        let program = match program.strip_prefix("release/") {
            Some(_) => workspace::target().join(program),
            None => program.into(),
        };
        let data = workspace::target().join("bench-data");
        let mut command = pinned(0, program);
        command.args(words).env("JWT_SECRET", SECRET).stdout(Stdio::piped());
        // One client does what many do elsewhere.
        for rate in ["EVENTS_PER_SOCKET_PER_S", "EVENTS_PER_USER_PER_S", "HANDSHAKES_PER_ADDRESS_PER_S"] {
            command.env(format!("ROOMKEY__LIMITS__{rate}"), "0");
        }
        if self.command.ends_with("--data-dir") {
            std::fs::remove_dir_all(&data).ok();
            command.arg(&data);
        }
        let child = command.spawn().with_context(|| format!("cannot run {}", self.command))?;
        let mut running = Running { child, address: String::new() };
        let stdout = running.child.stdout.take().context("stdout is piped")?;
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let address = lines.find_map(|line| address_in(&line));
        running.address = address.with_context(|| format!("{} does not say where it listens", self.name))?;
        // Whatever else it prints must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(running)
    }
}

/// The host and port in a line.
fn address_in(line: &str) -> Option<String> {
    const HOST: &str = "127.0.0.1:";
    let (_, port) = line.split_once(HOST)?;
    Some(HOST.chars().chain(port.chars().take_while(char::is_ascii_digit)).collect())
}

/// A server under load; killed when dropped.
pub(super) struct Running {
    child: Child,
    pub(super) address: String,
}

impl Running {
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A command on one core, with as many file descriptors as the machine allows. The process keeps its id.
pub(super) fn pinned(core: u32, program: impl AsRef<Path>) -> Command {
    let mut command = run::command("sh");
    command.args(["-c", r#"ulimit -n "$(ulimit -Hn)"; exec taskset -c "$@""#, "sh", &core.to_string()]);
    command.arg(program.as_ref());
    command
}
