use clap::Args;
use serde_json::json;

use super::{ConfigArgs, Outcome, words::printable};
use crate::{
    config::Environment,
    control::{self, commands::admins},
};

#[derive(Args)]
pub(super) struct Remove {
    #[command(flatten)]
    config: ConfigArgs,
    /// Name of the admin
    #[arg(value_name = "NAME")]
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Remove {
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        control::ask(&self.config.load(environment)?, admins::Remove { name: self.name.clone() })?;
        let text = match self.json {
            true => json!({ "name": self.name, "removed": true }).to_string(),
            false => format!("{} is no admin any more, and was logged out.", printable(&self.name)),
        };
        Ok(format!("{text}\n").into())
    }
}
