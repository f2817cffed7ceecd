//! Puts one kind of load on a running server and prints what it cost.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use clap::Parser;
use roomkey_loadtest::{Scenario, Target};
use roomkey_model::Timestamp;

#[derive(Parser)]
#[command(name = "roomkey-loadtest", about, version)]
struct Arguments {
    #[command(flatten)]
    target: Target,
    /// Print one line of JSON instead of a table.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    scenario: Scenario,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(roomkey_loadtest::run(&arguments.scenario, &arguments.target, now()?))?;
    if arguments.json {
        println!("{}", report.to_json());
    } else {
        print!("{report}");
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the one place where this program reads the clock")]
fn now() -> Result<Timestamp> {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Timestamp(u64::try_from(since_epoch.as_millis())?))
}
