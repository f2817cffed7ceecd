use std::fmt::Write;

use clap::Args;
use serde_json::{Value, json};

use super::{ConfigArgs, Outcome, words::printable};
use crate::{
    config::Environment,
    control::{
        self,
        commands::users::{self, User},
    },
};

/// Users that are asked for at a time.
const PAGE: usize = 1000;

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let config = self.config.load(environment)?;
        let mut users: Vec<User> = Vec::new();
        loop {
            let after = users.last().map(|user| user.id.clone());
            let page = control::ask(&config, users::List { after, limit: PAGE })?;
            let is_last = page.len() < PAGE;
            users.extend(page);
            if is_last {
                break;
            }
        }
        if self.json {
            let users: Vec<_> = users.iter().map(in_json).collect();
            return Ok(format!("{}\n", json!({ "users": users })).into());
        }
        let mut text = String::new();
        for user in users {
            let name =
                user.username.as_deref().map_or(String::new(), |name| format!("  {}", printable(name)));
            let blocked = if user.is_blocked { "  blocked" } else { "" };
            writeln!(text, "{}  {}{name}{blocked}", user.id, printable(&user.email))?;
        }
        Ok(text.into())
    }
}

pub(super) fn in_json(user: &User) -> Value {
    json!({
        "id": user.id,
        "email": user.email,
        "username": user.username,
        "createdAt": user.created.to_rfc3339(),
        "blocked": user.is_blocked,
    })
}
