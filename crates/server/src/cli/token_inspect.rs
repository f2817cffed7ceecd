use std::{
    fmt::{self, Write},
    io::{self, Read},
    sync::Arc,
};

use anyhow::Context as _;
use clap::Args;
use roomkey_model::{Clock, Timestamp};
use serde_json::Value;

use super::{
    ConfigArgs, Outcome,
    words::{in_time, printable},
};
use crate::{
    KeySets, SystemClock,
    config::{AuthSetup, Config, Environment, MissingKey},
    control::{
        self,
        commands::tokens::{self, Report},
    },
    revocation::{LiveTokens, Revoker},
};

/// Bytes that are read from standard input: more than any token has.
const INPUT_BYTES_MAX: u64 = 64 * 1024;

#[derive(Args)]
pub(super) struct Inspect {
    #[command(flatten)]
    config: ConfigArgs,
    /// The token; without it, or with `-`, it is read from standard input
    token: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Inspect {
    /// Asks the running server, or the same verifier that it would have. Succeeds if the token is accepted.
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let config = self.config.load(environment)?;
        let command = tokens::Inspect { token: read(self.token.as_deref())? };
        let report = match control::ask_running(&config, &command)? {
            Some(report) => report,
            None => inspect(&config, &command.token)?,
        };
        let mut text = String::new();
        if self.json {
            writeln!(text, "{}", serde_json::to_string(&report)?)?;
        } else {
            in_words(&report, SystemClock.now(), &mut text)?;
        }
        Ok(Outcome { text, is_success: report.accepted })
    }
}

/// The token from the arguments, or from standard input, where other users of the machine cannot see it.
pub(super) fn read(argument: Option<&str>) -> anyhow::Result<String> {
    let token = match argument {
        Some(token) if token != "-" => token.to_owned(),
        _ => {
            let mut text = String::new();
            let mut input = io::stdin().take(INPUT_BYTES_MAX);
            input.read_to_string(&mut text).context("cannot read the token from standard input")?;
            text
        }
    };
    Ok(token.trim().to_owned())
}

/// Without a server, and without making anything that is not there.
fn inspect(config: &Config, token: &str) -> anyhow::Result<Report> {
    let auth = AuthSetup::new(config, MissingKey::Refuse)?;
    let clock = Arc::new(SystemClock);
    let (live_tokens, _) = LiveTokens::new();
    let live_tokens = Arc::new(live_tokens);
    let store = config.database_path().exists().then(|| control::open_store(config)).transpose()?;
    if !auth.key_sets.is_empty() {
        auth.authentication.set_key_sets(KeySets::start(auth.key_sets, clock.clone())?);
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        auth.authentication.fetch_keys(token, clock.now()).await;
        let Some(store) = store else { return Ok(()) };
        let revoker = Revoker::new(store.clone(), live_tokens.clone(), auth.verifier.clone(), clock.clone());
        let loaded = revoker.load().await;
        store.close().await;
        loaded
    })?;
    Ok(Report::new(token, &auth.verifier, &live_tokens, clock.now()))
}

fn in_words(report: &Report, now: Timestamp, text: &mut String) -> fmt::Result {
    match (&report.reason, &report.code) {
        (Some(reason), Some(code)) => {
            writeln!(text, "The server refuses this token: {reason}. Clients see {code}.")?;
        }
        _ => writeln!(text, "The server accepts this token.")?,
    }
    let mut line = |name: &str, value: &str| writeln!(text, "  {name:<8} {}", printable(value));
    if report.claims.is_some() {
        line("issuer", report.profile.as_deref().unwrap_or("none that is configured"))?;
    }
    if let Some(speaker) = &report.speaker {
        line("user", &speaker.user)?;
        let optional = [
            ("name", speaker.name.as_deref()),
            ("email", speaker.email.as_deref()),
            ("session", speaker.session.as_deref()),
            ("token", Some(speaker.token.as_str())),
            ("key", speaker.key.as_deref()),
        ];
        for (name, value) in optional {
            value.map_or(Ok(()), |value| line(name, value))?;
        }
        if !speaker.roles.is_empty() {
            line("roles", &speaker.roles.join(", "))?;
        }
    }
    for (name, claim) in [("issued", "iat"), ("from", "nbf"), ("until", "exp")] {
        let seconds = report.claims.as_ref().and_then(|claims| claims.get(claim)?.as_u64());
        if let Some(seconds) = seconds.filter(|seconds| *seconds < END_OF_TIME_S) {
            line(name, &in_time(Timestamp::from_secs(seconds), now))?;
        }
    }
    for (name, json) in [("header", &report.header), ("claims", &report.claims)] {
        line(name, &json.as_ref().map_or("not readable".to_owned(), Value::to_string))?;
    }
    Ok(())
}

/// The year 10000. Later times are claimed by nobody who means them.
const END_OF_TIME_S: u64 = 253_402_300_800;
