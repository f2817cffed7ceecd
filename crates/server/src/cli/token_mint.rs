use anyhow::{Context as _, bail};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use clap::Args;
use roomkey_auth::Grant;
use roomkey_model::{Clock, Entropy, SessionId, UserId};
use secrecy::ExposeSecret;

use super::{ConfigArgs, Outcome};
use crate::{
    SystemClock, SystemEntropy,
    config::{AuthSetup, Environment, MissingKey},
};

#[derive(Args)]
pub(super) struct Mint {
    #[command(flatten)]
    config: ConfigArgs,
    /// Id of the user that the token speaks for
    #[arg(long, value_name = "ID")]
    user: String,
    /// Id of the login that it belongs to [default: a new one]
    #[arg(long, value_name = "SID")]
    session: Option<String>,
    /// Name to show
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// E-mail address to show
    #[arg(long)]
    email: Option<String>,
    /// Role on the whole server; may be given more than once
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Seconds that it is valid for [default: auth.access_token_lifetime_s]
    #[arg(long, value_name = "N")]
    lifetime_s: Option<u64>,
}

impl Mint {
    /// Prints the token and nothing else. What the server would refuse is not printed.
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let mut config = self.config.load(environment)?;
        let server = AuthSetup::new(&config, MissingKey::Refuse)?;
        config.auth.access_token_lifetime_s = self.lifetime_s.unwrap_or(config.auth.access_token_lifetime_s);
        let minter = AuthSetup::new(&config, MissingKey::Refuse)?;
        let issuer = minter.issuer.context("auth.builtin is off: there is no key to sign with")?;

        let user = UserId::new(self.user.as_str()).context("--user")?;
        let session = match &self.session {
            Some(session) => SessionId::new(session.as_str()).context("--session")?,
            None => new_session(&SystemEntropy),
        };
        let roles: Vec<&str> = self.roles.iter().map(String::as_str).collect();
        let grant = Grant {
            user: &user,
            session: &session,
            username: self.username.as_deref(),
            email: self.email.as_deref(),
            roles: &roles,
            session_ends_at: None,
        };
        let now = SystemClock.now();
        let signed = issuer.issue(&grant, now, &SystemEntropy);
        let token = signed.token.expose_secret();
        if let Err(error) = server.verifier.verify(token, now) {
            bail!("the server would refuse such a token: {error}");
        }
        Ok(format!("{token}\n").into())
    }
}

fn new_session(entropy: &dyn Entropy) -> SessionId {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    SessionId::new(BASE64_URL_SAFE_NO_PAD.encode(bytes)).expect("22 characters of base64url")
}
