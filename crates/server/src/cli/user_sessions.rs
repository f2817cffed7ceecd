use std::fmt::Write;

use clap::Args;
use roomkey_model::Clock;
use serde_json::json;

use super::{
    ConfigArgs, Outcome,
    user_name::UserName,
    words::{count, in_time, printable},
};
use crate::{
    SystemClock,
    config::Environment,
    control::{self, commands::users},
};

#[derive(Args)]
pub(super) struct Sessions {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    user: UserName,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Logout {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    user: UserName,
    /// Only this session, as `user sessions` names it
    #[arg(long, value_name = "SID", allow_hyphen_values = true)]
    session: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Sessions {
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let command = users::Sessions { user: self.user.named() };
        let sessions = control::ask(&self.config.load(environment)?, command)?;
        if self.json {
            let sessions = sessions.iter().map(|session| {
                json!({
                    "id": session.id,
                    "userAgent": session.user_agent,
                    "createdAt": session.created.to_rfc3339(),
                    "lastSeenAt": session.seen.to_rfc3339(),
                })
            });
            return Ok(format!("{}\n", json!({ "sessions": sessions.collect::<Vec<_>>() })).into());
        }
        let now = SystemClock.now();
        let mut text = String::new();
        for session in sessions {
            let client = printable(session.user_agent.as_deref().unwrap_or("a nameless client"));
            let (created, seen) = (in_time(session.created, now), in_time(session.seen, now));
            writeln!(text, "{}  begun {created}, last used {seen}; {client}", session.id)?;
        }
        Ok(text.into())
    }
}

impl Logout {
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let command = users::Logout { user: self.user.named(), session: self.session.clone() };
        let ended = control::ask(&self.config.load(environment)?, command)?;
        let text = if self.json {
            json!({ "user": ended.user, "socketsClosed": ended.sockets }).to_string()
        } else {
            format!(
                "Logged {} out; {} closed.",
                printable(ended.user.as_str()),
                count(ended.sockets, "socket")
            )
        };
        Ok(format!("{text}\n").into())
    }
}
