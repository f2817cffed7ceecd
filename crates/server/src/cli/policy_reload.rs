use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::{ConfigArgs, Outcome, words::count};
use crate::{
    config::Environment,
    control::{self, commands::policy},
};

#[derive(Args)]
pub(super) struct Reload {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Reload {
    /// Reads the configuration here, so that what is wrong with it is said here and changes nothing.
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let config = self.config.load(environment)?;
        let reload = policy::Reload { policy: config.policy.clone() };
        let reloaded = control::ask_running(&config, &reload)?
            .context("no server runs; one that starts reads the rules anyway")?;
        let text = if self.json {
            json!({ "rules": reloaded.rules, "evicted": reloaded.evicted }).to_string()
        } else {
            let rules = count(reloaded.rules, "rule");
            format!(
                "In force: {rules} of the configuration. Sockets left {}.",
                count(reloaded.evicted, "room")
            )
        };
        Ok(format!("{text}\n").into())
    }
}
