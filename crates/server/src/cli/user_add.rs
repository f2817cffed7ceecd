use std::path::PathBuf;

use clap::Args;
use secrecy::ExposeSecret;
use serde_json::json;

use super::{ConfigArgs, Outcome, password_input};
use crate::{
    config::Environment,
    control::{self, commands::users},
};

#[derive(Args)]
pub(super) struct Add {
    #[command(flatten)]
    config: ConfigArgs,
    /// E-mail address to log in with
    #[arg(long)]
    email: String,
    /// Name to log in with and to show
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// File with the password [default: ask on a terminal, else the first line of standard input]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Add {
    /// Works while registration is closed, too.
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let config = self.config.load(environment)?;
        let password = password_input::read(self.password_file.as_deref())?;
        let account = control::ask(
            &config,
            users::Add {
                email: self.email.clone(),
                username: self.username.clone(),
                password: password.expose_secret().to_owned(),
            },
        )?;
        let text = if self.json {
            json!({ "id": account.id, "email": account.email, "username": account.username }).to_string()
        } else {
            account.id.to_string()
        };
        Ok(format!("{text}\n").into())
    }
}
