use std::path::PathBuf;

use clap::Args;
use secrecy::ExposeSecret;
use serde_json::json;

use super::{ConfigArgs, Outcome, password_input, words::printable};
use crate::{
    config::Environment,
    control::{self, commands::admins},
};

#[derive(Args)]
pub(super) struct Passwd {
    #[command(flatten)]
    config: ConfigArgs,
    /// Name of the admin
    #[arg(value_name = "NAME")]
    name: String,
    /// File with the new password [default: ask on a terminal, else the first line of standard input]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Passwd {
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let config = self.config.load(environment)?;
        let password = password_input::read(self.password_file.as_deref())?;
        let password = password.expose_secret().to_owned();
        control::ask(&config, admins::Passwd { name: self.name.clone(), password })?;
        let text = match self.json {
            true => json!({ "name": self.name }).to_string(),
            false => format!("{} has a new password, and was logged out.", printable(&self.name)),
        };
        Ok(format!("{text}\n").into())
    }
}
