use clap::Args;
use roomkey_model::Timestamp;
use serde_json::json;

use super::{ConfigArgs, Outcome, token_inspect, words};
use crate::{
    config::Environment,
    control::{self, Named, commands::tokens},
};

#[derive(Args)]
#[group(skip)]
pub(super) struct Revoke {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    target: Target,
    /// The issuer (`iss`) of the token, session or key [default: the built-in one]
    #[arg(long, value_name = "ISS", conflicts_with_all = ["token", "user"])]
    issuer: Option<String>,
    /// The user is given by id only, as tokens have it
    #[arg(long, conflicts_with_all = ["token", "jti", "sid", "kid"])]
    id: bool,
    /// Only what was issued by then, such as `2026-11-21T09:00:00Z` [default: now]
    #[arg(long, value_name = "TIME", conflicts_with_all = ["token", "jti", "sid", "kid"])]
    issued_before: Option<Timestamp>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Target {
    /// The token; with `-`, it is read from standard input
    token: Option<String>,
    /// The token with this id
    #[arg(long, allow_hyphen_values = true)]
    jti: Option<String>,
    /// All tokens of this session
    #[arg(long, allow_hyphen_values = true)]
    sid: Option<String>,
    /// All tokens of this user, by id, e-mail address or user name
    #[arg(long)]
    user: Option<String>,
    /// All tokens that this key has signed, for keys of other issuers; for our own there is `keys revoke`
    #[arg(long, allow_hyphen_values = true)]
    kid: Option<String>,
}

impl Revoke {
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let config = self.config.load(environment)?;
        let answer = control::ask(&config, self.command()?)?;
        let text = match self.json {
            true => json!({ "revoked": true, "socketsClosed": answer.sockets }).to_string(),
            false => format!("Revoked; {} closed.", words::count(answer.sockets, "socket")),
        };
        Ok(format!("{text}\n").into())
    }

    fn command(&self) -> anyhow::Result<tokens::Revoke> {
        let issuer = self.issuer.clone();
        let Target { token, jti, sid, user, kid } = &self.target;
        if let Some(jti) = jti.clone() {
            return Ok(tokens::Revoke::TokenId { issuer, jti });
        }
        if let Some(sid) = sid.clone() {
            return Ok(tokens::Revoke::Session { issuer, sid });
        }
        if let Some(kid) = kid.clone() {
            return Ok(tokens::Revoke::Key { issuer, kid });
        }
        if let Some(name) = user.clone() {
            let user = Named { name, is_id: self.id };
            return Ok(tokens::Revoke::User { user, issued_before: self.issued_before });
        }
        token_inspect::read(token.as_deref()).map(tokens::Revoke::Token)
    }
}
