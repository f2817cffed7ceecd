use clap::{Args, ValueEnum};
use roomkey_auth::SecretDigest;
use roomkey_model::Entropy;
use serde_json::json;

use super::{Outcome, secret_generate::random};

#[derive(Args)]
pub(super) struct ApiKey {
    /// What the audit log calls the key
    #[arg(value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    name: String,
    /// What it may be used for; may be given more than once
    #[arg(long = "scope", value_name = "SCOPE", default_value = "revoke")]
    scopes: Vec<Scope>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// As in the configuration.
#[derive(Clone, Copy, ValueEnum)]
enum Scope {
    /// To act in channels for the users
    Channels,
    /// To emit events to rooms and users
    Emit,
    /// To ask what users may do
    Policy,
    /// To revoke tokens, sessions, users and signing keys
    Revoke,
    /// To block users, and to see and end their sessions
    Users,
    /// To see which webhooks were given up, and to have them sent again
    Webhooks,
}

/// For programs that look for leaked secrets.
const PREFIX: &str = "rk_";

impl ApiKey {
    /// Prints the key, which is kept nowhere, and what the configuration knows it by.
    pub(super) fn run(&self, entropy: &dyn Entropy) -> Outcome {
        let key = PREFIX.to_owned() + &random(entropy, 32);
        let digest = SecretDigest::of(&key).to_hex();
        let scopes: Vec<_> = self.scopes.iter().map(|scope| scope.as_str()).collect();
        if self.json {
            let json = json!({ "name": self.name, "key": key, "scopes": scopes, "keySha256": digest });
            return format!("{json}\n").into();
        }
        // A string of TOML is one of JSON, for what a name may have.
        let (name, scopes) = (json!(self.name), json!(scopes));
        format!(
            "{key}\n\n\
            # The key above is for the backend, and is not shown again. This is for roomkey.toml:\n\
            [[auth.api_keys]]\n\
            name = {name}\n\
            scopes = {scopes}\n\
            key_sha256 = \"{digest}\"\n"
        )
        .into()
    }
}

impl Scope {
    fn as_str(self) -> &'static str {
        match self {
            Self::Channels => "channels",
            Self::Emit => "emit",
            Self::Policy => "policy",
            Self::Revoke => "revoke",
            Self::Users => "users",
            Self::Webhooks => "webhooks",
        }
    }
}
