use std::fmt::Write;

use clap::Args;
use serde_json::{Value, json};

use super::{ConfigArgs, Outcome};
use crate::{
    config::Environment,
    control::{
        self,
        commands::admins::{self, Admin},
    },
};

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
        let listed = control::ask(&self.config.load(environment)?, admins::List {})?;
        if self.json {
            let admins: Vec<_> = listed.admins.iter().map(in_json).collect();
            return Ok(format!("{}\n", json!({ "admins": admins, "page": listed.page })).into());
        }
        let mut text = String::new();
        for Admin { name, role, seen, .. } in &listed.admins {
            let seen = seen.map_or_else(|| "never logged in".to_owned(), |seen| format!("last login {seen}"));
            writeln!(text, "{name}  {}  {seen}", role.as_str())?;
        }
        Ok(text.into())
    }
}

fn in_json(admin: &Admin) -> Value {
    json!({
        "name": admin.name,
        "role": admin.role,
        "createdAt": admin.created.to_rfc3339(),
        "lastLoginAt": admin.seen.map(roomkey_model::Timestamp::to_rfc3339),
    })
}
