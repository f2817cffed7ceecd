//! `[auth.revalidation]`: a backend that is asked whether users are still to be served.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use super::{error::ConfigError, place::Places, signing::Signing, values::Secret};
use crate::{OutboundUrl, outbound::SigningSecrets};

/// Whom to ask about the users of live sockets, for identity providers that tell nobody when they disable a user.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevalidationSection {
    /// Where the questions are posted, by `https:`.
    url: String,
    /// The secret that they are signed with, as webhooks are.
    #[serde(default)]
    secret: Option<Secret>,
    /// Several that all of them are signed with, while one is exchanged for another.
    #[serde(default)]
    secrets: Option<Vec<Secret>>,
    /// A file that holds them, each on a line of its own.
    #[serde(default)]
    secret_file: Option<PathBuf>,
    /// How long after one round the next begins.
    #[serde(default = "interval_s")]
    interval_s: u64,
    /// Whether `url` may be on this machine or in a private network, by `http:`, too.
    #[serde(default)]
    allow_private: bool,
}

/// What a section comes to.
pub(crate) struct RevalidationSetup {
    pub(crate) url: OutboundUrl,
    pub(crate) secrets: SigningSecrets,
    pub(crate) interval: Duration,
}

const PATH: &str = "auth.revalidation";

fn interval_s() -> u64 {
    300
}

impl RevalidationSection {
    /// Whether a secret stands in the section itself.
    pub(super) fn has_secret(&self) -> bool {
        self.secret.is_some() || self.secrets.is_some()
    }

    pub(super) fn read(
        &self,
        places: &Places,
        warnings: &mut Vec<String>,
    ) -> Result<RevalidationSetup, ConfigError> {
        let refuse = |key: &str, problem: String| {
            let dot = if key.is_empty() { "" } else { "." };
            ConfigError::new(places.setting(&format!("{PATH}{dot}{key}")), problem)
        };
        let parse = if self.allow_private {
            OutboundUrl::on_private_network
        } else {
            |url: &str| OutboundUrl::new(url, false)
        };
        if self.interval_s == 0 {
            return Err(refuse("interval_s", "must not be 0".to_owned()));
        }
        Ok(RevalidationSetup {
            url: parse(&self.url).map_err(|problem| refuse("url", problem.to_string()))?,
            secrets: Signing {
                secret: self.secret.as_ref(),
                secrets: self.secrets.as_deref(),
                secret_file: self.secret_file.as_ref(),
            }
            .read(refuse, warnings)?,
            interval: Duration::from_secs(self.interval_s),
        })
    }
}
