//! Roomkey and its peers under the same loads, one after the other in rounds.
//!
//! Machines have fast and slow phases, so only figures of one interleaved run can be compared, and medians are
//! taken over the rounds. Every server runs on core 0 and the load on core 1; every figure has a fresh server.

mod server;
mod table;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{install, run, workspace};
use server::Server;
use table::Table;

const HELP: &str = "\
cargo xtask bench [FLAGS]

  --rounds N        how often each figure is measured (default 5)
  --quick           a tenth of the load: shows that it works, measures little
  --loads A,B       only these loads, by the names in the table
  --servers A,B     only these servers, by the names in the table

Wants two idle cores. Prints one table per load, in Markdown.
";

/// A load by name: the scenario of `roomkey-loadtest` at full size, and at a tenth.
struct Load {
    name: &'static str,
    full: &'static str,
    quick: &'static str,
}

const LOADS: &[Load] = &[
    Load {
        name: "broadcast-1k",
        full: "broadcast --sockets 1000 --deliveries 1000000",
        quick: "broadcast --sockets 1000 --deliveries 100000",
    },
    Load {
        name: "broadcast-5k",
        full: "broadcast --sockets 5000 --deliveries 1000000",
        quick: "broadcast --sockets 2000 --deliveries 100000",
    },
    Load {
        name: "broadcast-1k-8-in-flight",
        full: "broadcast --sockets 1000 --in-flight 8 --deliveries 3000000",
        quick: "broadcast --sockets 1000 --in-flight 8 --deliveries 300000",
    },
    Load {
        name: "broadcast-1k-64-in-flight",
        full: "broadcast --sockets 1000 --in-flight 64 --deliveries 6000000",
        quick: "broadcast --sockets 1000 --in-flight 64 --deliveries 600000",
    },
    // The frame of a chat message has as many bytes as this.
    Load {
        name: "broadcast-1k-long",
        full: "broadcast --sockets 1000 --frame-bytes 360 --in-flight 8 --deliveries 3000000",
        quick: "broadcast --sockets 1000 --frame-bytes 360 --in-flight 8 --deliveries 300000",
    },
    Load {
        name: "broadcast-durable",
        full: "broadcast --durable --sockets 1000 --frame-bytes 50 --in-flight 8 --deliveries 3000000",
        quick: "broadcast --durable --sockets 1000 --frame-bytes 50 --in-flight 8 --deliveries 300000",
    },
    Load { name: "catch-up", full: "catch-up --clients 1000", quick: "catch-up --clients 100" },
    Load { name: "connect", full: "connect --connects 8000", quick: "connect --connects 1000" },
    Load { name: "echo", full: "echo --events 400000", quick: "echo --events 40000" },
    Load { name: "idle-10k", full: "idle --sockets 9500", quick: "idle --sockets 1000 --settle-s 1" },
    Load {
        name: "send",
        full: "send --sockets 50 --messages 50000",
        quick: "send --sockets 50 --messages 5000",
    },
];

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let Some(options) = Options::parse(arguments)? else {
        print!("{HELP}");
        return Ok(());
    };
    build()?;
    let mut tables: Vec<Table> = options.loads.iter().map(|load| Table::new(load.name)).collect();
    for round in 1..=options.rounds {
        for (load, table) in options.loads.iter().zip(&mut tables) {
            for server in options.servers.iter().filter(|server| server.offers(load.name)) {
                println!("round {round}: {} on {}", load.name, server.name);
                let figures = measure(server, if options.quick { load.quick } else { load.full })?;
                table.add(server.name, &figures)?;
            }
        }
    }
    for table in tables {
        println!("\n{table}");
    }
    Ok(())
}

/// One figure set: a fresh server, one load, the server stopped.
fn measure(server: &Server, scenario: &str) -> Result<Value> {
    let running = server.start()?;
    let mut load = server::pinned(1, workspace::target().join("release/roomkey-loadtest"));
    load.args(["--json", "--secret", server::SECRET, "--address", &running.address])
        .args(["--pid", &running.pid().to_string()])
        .args(scenario.split(' '));
    let output = load.output().context("cannot run roomkey-loadtest")?;
    ensure!(
        output.status.success(),
        "{scenario} on {}: {}",
        server.name,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Builds the servers and the load, with all optimizations.
fn build() -> Result<()> {
    const PEERS: &str = "cargo build --release --locked --manifest-path bench/peers/Cargo.toml";
    run::run_in("", "cargo build --release --locked --package roomkey --bin roomkey --example bench_server")?;
    run::run_in("", "cargo build --release --locked --package roomkey-loadtest")?;
    run::run_in("", &format!("{PEERS} --target-dir bench/peers/target"))?;
    run::run_in("", &format!("{PEERS} --target-dir bench/peers/target/mimalloc --features mimalloc"))?;
    install::debian_packages(&[("node", "nodejs"), ("npm", "npm")])?;
    install::npm_packages("bench/peers/node")
}

struct Options {
    rounds: u32,
    quick: bool,
    loads: Vec<&'static Load>,
    servers: Vec<&'static Server>,
}

impl Options {
    /// `None` if help was asked for.
    fn parse(arguments: &[String]) -> Result<Option<Self>> {
        let mut options = Self {
            rounds: 5,
            quick: false,
            loads: LOADS.iter().collect(),
            servers: server::ALL.iter().collect(),
        };
        let mut arguments = arguments.iter();
        while let Some(flag) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{flag} needs a value"));
            match flag.as_str() {
                "--help" | "-h" => return Ok(None),
                "--loads" => retain(&mut options.loads, value()?, |load| load.name)?,
                "--quick" => options.quick = true,
                "--rounds" => options.rounds = value()?.parse().context("--rounds needs a number")?,
                "--servers" => retain(&mut options.servers, value()?, |server| server.name)?,
                unknown => anyhow::bail!("unknown flag `{unknown}`\n\n{HELP}"),
            }
        }
        Ok(Some(options))
    }
}

/// Keeps those that are named in a list with commas; an unknown name is an error.
fn retain<T>(all: &mut Vec<&'static T>, names: &str, name_of: fn(&T) -> &'static str) -> Result<()> {
    for name in names.split(',') {
        ensure!(all.iter().any(|one| name_of(one) == name), "there is no `{name}`");
    }
    all.retain(|one| names.split(',').any(|name| name_of(one) == name));
    Ok(())
}
