use std::{
    fmt::{self, Write},
    io::{self, Read},
};

use anyhow::Context as _;
use clap::Args;
use roomkey_auth::{Identity, Inspection, TokenError};
use roomkey_model::{Clock, Timestamp};
use serde_json::{Value, json};

use super::{
    ConfigArgs, Outcome,
    words::{in_time, printable},
};
use crate::{
    SystemClock,
    config::{AuthSetup, Environment, MissingKey},
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
    /// Asks the same verifier that the server would. Succeeds if it accepts the token.
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let config = self.config.load(environment)?;
        let auth = AuthSetup::new(&config, MissingKey::Refuse)?;
        let token = self.token()?;
        let now = SystemClock.now();
        let inspection = auth.verifier.inspect(token.trim(), now);
        let is_success = inspection.verdict.is_ok();
        let mut text = String::new();
        if self.json {
            writeln!(text, "{}", in_json(inspection))?;
        } else {
            in_words(&inspection, now, &mut text)?;
        }
        Ok(Outcome { text, is_success })
    }

    fn token(&self) -> anyhow::Result<String> {
        match self.token.as_deref() {
            Some(token) if token != "-" => Ok(token.to_owned()),
            _ => {
                let mut text = String::new();
                let mut input = io::stdin().take(INPUT_BYTES_MAX);
                input.read_to_string(&mut text).context("cannot read the token from standard input")?;
                Ok(text)
            }
        }
    }
}

fn in_words(inspection: &Inspection, now: Timestamp, text: &mut String) -> fmt::Result {
    match &inspection.verdict {
        Ok(_) => writeln!(text, "The server accepts this token.")?,
        Err(error) => {
            writeln!(text, "The server refuses this token: {error}. Clients see {}.", error.code().as_str())?;
        }
    }
    let mut line = |name: &str, value: &str| writeln!(text, "  {name:<8} {}", printable(value));
    if inspection.claims.is_some() {
        line("issuer", inspection.profile.as_deref().unwrap_or("none that is configured"))?;
    }
    if let Ok(identity) = &inspection.verdict {
        line("user", identity.user.as_str())?;
        let optional = [
            ("name", identity.name.as_deref()),
            ("email", identity.email.as_deref()),
            ("session", identity.session.as_ref().map(|session| session.as_str())),
            ("token", Some(identity.token.as_str())),
        ];
        for (name, value) in optional {
            value.map_or(Ok(()), |value| line(name, value))?;
        }
        if !identity.roles.is_empty() {
            line("roles", &identity.roles.join(", "))?;
        }
    }
    for (name, claim) in [("issued", "iat"), ("from", "nbf"), ("until", "exp")] {
        let seconds = inspection.claims.as_ref().and_then(|claims| claims.get(claim)?.as_u64());
        if let Some(seconds) = seconds.filter(|seconds| *seconds < END_OF_TIME_S) {
            line(name, &in_time(Timestamp::from_secs(seconds), now))?;
        }
    }
    for (name, json) in [("header", &inspection.header), ("claims", &inspection.claims)] {
        line(name, &json.as_ref().map_or("not readable".to_owned(), Value::to_string))?;
    }
    Ok(())
}

/// The year 10000. Later times are claimed by nobody who means them.
const END_OF_TIME_S: u64 = 253_402_300_800;

fn in_json(inspection: Inspection) -> Value {
    let mut value = match &inspection.verdict {
        Ok(identity) => accepted(identity),
        Err(error) => refused(error),
    };
    value["profile"] = inspection.profile.into();
    value["header"] = inspection.header.unwrap_or_default();
    value["claims"] = inspection.claims.unwrap_or_default();
    value
}

fn accepted(identity: &Identity) -> Value {
    json!({
        "accepted": true,
        "issuer": &*identity.issuer,
        "subject": &*identity.subject,
        "user": identity.user,
        "session": identity.session,
        "token": identity.token,
        "name": identity.name.as_deref(),
        "email": identity.email.as_deref(),
        "roles": identity.roles.iter().map(AsRef::as_ref).collect::<Vec<&str>>(),
        "issuedAt": identity.issued_at.map(Timestamp::to_rfc3339),
        "expiresAt": identity.expires_at.map(Timestamp::to_rfc3339),
    })
}

fn refused(error: &TokenError) -> Value {
    json!({ "accepted": false, "code": error.code(), "reason": error.to_string() })
}
