use clap::Args;
use serde_json::json;

use super::{
    ConfigArgs, Outcome,
    user_name::UserName,
    words::{count, printable},
};
use crate::{
    config::Environment,
    control::{self, commands::users},
};

#[derive(Args)]
pub(super) struct Block {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    user: UserName,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Unblock {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    user: UserName,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Block {
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let command = users::Block { user: self.user.named() };
        let ended = control::ask(&self.config.load(environment)?, command)?;
        let text = if self.json {
            json!({ "user": ended.user, "blocked": true, "socketsClosed": ended.sockets }).to_string()
        } else {
            format!("Blocked {}; {} closed.", printable(ended.user.as_str()), count(ended.sockets, "socket"))
        };
        Ok(format!("{text}\n").into())
    }
}

impl Unblock {
    /// Succeeds also where there was no block: what is wanted is so.
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let command = users::Unblock { user: self.user.named() };
        let unblocked = control::ask(&self.config.load(environment)?, command)?;
        let user = printable(unblocked.user.as_str());
        let text = if self.json {
            let (user, was_blocked) = (unblocked.user, unblocked.was_blocked);
            json!({ "user": user, "blocked": false, "wasBlocked": was_blocked }).to_string()
        } else if unblocked.was_blocked {
            format!("{user} may log in again.")
        } else {
            format!("{user} was not blocked.")
        };
        Ok(format!("{text}\n").into())
    }
}
