use std::fmt::Write;

use clap::Args;
use roomkey_model::{Clock, Timestamp};
use serde_json::{Value, json};

use super::{ConfigArgs, Outcome, words};
use crate::{
    SystemClock,
    config::Environment,
    control::{self, commands::keys},
    key_ring::KeyInfo,
};

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Rotate {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    config: ConfigArgs,
    /// The key, as `keys list` names it
    #[arg(value_name = "KID", allow_hyphen_values = true)]
    kid: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let keys = control::ask(&self.config.load(environment)?, keys::List {})?;
        if self.json {
            let keys: Vec<_> = keys.iter().map(in_json).collect();
            return Ok(format!("{}\n", json!({ "keys": keys })).into());
        }
        let now = SystemClock.now();
        let mut text = String::new();
        for key in keys {
            writeln!(text, "{}", in_words(&key, now))?;
        }
        Ok(text.into())
    }
}

impl Rotate {
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let rotation = control::ask(&self.config.load(environment)?, keys::Rotate {})?;
        if self.json {
            let retired = rotation.retired.as_ref().map(in_json);
            return Ok(
                format!("{}\n", json!({ "active": in_json(&rotation.active), "retired": retired })).into()
            );
        }
        let now = SystemClock.now();
        let mut text = String::new();
        for key in [Some(rotation.active), rotation.retired].into_iter().flatten() {
            writeln!(text, "{}", in_words(&key, now))?;
        }
        Ok(text.into())
    }
}

impl Revoke {
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let command = keys::Revoke { kid: self.kid.clone() };
        let answer = control::ask(&self.config.load(environment)?, command)?;
        if self.json {
            let (revoked, active) = (&answer.revoked, in_json(&answer.active));
            let json = json!({ "revoked": revoked, "active": active, "socketsClosed": answer.sockets });
            return Ok(format!("{json}\n").into());
        }
        let closed = words::count(answer.sockets, "socket");
        let text = format!("Revoked {}; {closed} closed.\n", answer.revoked);
        Ok((text + &in_words(&answer.active, SystemClock.now()) + "\n").into())
    }
}

fn in_words(key: &KeyInfo, now: Timestamp) -> String {
    let created = key.created.map_or("at an unknown time".to_owned(), |at| words::in_time(at, now));
    let state = match key.verifies_until {
        None => "signs".to_owned(),
        Some(until) => format!("retired, verifies until {}", words::in_time(until, now)),
    };
    format!("{}  {state}; made {created}", key.kid)
}

fn in_json(key: &KeyInfo) -> Value {
    let time = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339);
    json!({
        "kid": key.kid,
        "active": key.active,
        "createdAt": time(key.created),
        "retiredAt": time(key.retired),
        "verifiesUntil": time(key.verifies_until),
    })
}
