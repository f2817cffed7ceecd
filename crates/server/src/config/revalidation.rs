//! `[auth.revalidation]`: a backend that is asked whether users are still to be served.

use std::time::Duration;

use serde::Deserialize;

use super::{error::ConfigError, place::Places, values::Secret};
use crate::{OutboundUrl, outbound::SigningSecret};

/// Whom to ask about the users of live sockets, for identity providers that tell nobody when they disable a user.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevalidationSection {
    /// Where the questions are posted, by `https:`.
    url: String,
    /// The secret that they are signed with, as webhooks are.
    pub(super) secret: Secret,
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
    pub(crate) secret: SigningSecret,
    pub(crate) interval: Duration,
}

const PATH: &str = "auth.revalidation";

fn interval_s() -> u64 {
    300
}

impl RevalidationSection {
    pub(super) fn read(&self, places: &Places) -> Result<RevalidationSetup, ConfigError> {
        let refuse =
            |key: &str, problem: String| ConfigError::new(places.setting(&format!("{PATH}.{key}")), problem);
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
            secret: SigningSecret::new(self.secret.expose())
                .map_err(|problem| refuse("secret", problem.to_string()))?,
            interval: Duration::from_secs(self.interval_s),
        })
    }
}
