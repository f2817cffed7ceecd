//! `[[webhooks]]` and `[[handlers]]`: backends that are told and asked.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;

use super::{error::ConfigError, place::Places, signing::Signing, values::Secret};
use crate::{
    OutboundUrl,
    backends::EventPatterns,
    outbound::{InvalidUrl, SigningSecrets},
};

/// An endpoint that is told what happened.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookSection {
    /// What the endpoint is called, in the log and in the store; its URL where it is not said. What waits for it waits
    /// under this name.
    #[serde(default)]
    name: Option<String>,
    /// Where it is posted to, by `https:`.
    url: String,
    /// The secret that requests are signed with: `whsec_` and base64, or any long text.
    #[serde(default)]
    secret: Option<Secret>,
    /// Several that all of them are signed with, while one is exchanged for another.
    #[serde(default)]
    secrets: Option<Vec<Secret>>,
    /// A file that holds them, each on a line of its own.
    #[serde(default)]
    secret_file: Option<PathBuf>,
    /// Which events: names, or beginnings with a `*` behind them. Without it all.
    #[serde(default = "all")]
    events: Vec<String>,
    /// Time for the endpoint to answer.
    #[serde(default = "webhook_timeout_ms")]
    timeout_ms: u64,
    /// Attempts after which one is given up. The waits between them double from a second to an hour.
    #[serde(default = "attempts")]
    attempts: u32,
    /// Whether `url` may be on this machine or in a private network, by `http:`, too.
    #[serde(default)]
    allow_private: bool,
}

/// A backend that answers events of clients.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandlerSection {
    /// Which events: names, or beginnings with a `*` behind them. Events of the chat are the chat's.
    events: Vec<String>,
    /// Where they are posted to, by `https:`.
    url: String,
    /// The secret that requests are signed with: `whsec_` and base64, or any long text.
    #[serde(default)]
    secret: Option<Secret>,
    /// Several that all of them are signed with, while one is exchanged for another.
    #[serde(default)]
    secrets: Option<Vec<Secret>>,
    /// A file that holds them, each on a line of its own.
    #[serde(default)]
    secret_file: Option<PathBuf>,
    /// Time for the backend to answer.
    #[serde(default = "handler_timeout_ms")]
    timeout_ms: u64,
    /// Whether `url` may be on this machine or in a private network, by `http:`, too.
    #[serde(default)]
    allow_private: bool,
}

fn all() -> Vec<String> {
    vec!["*".to_owned()]
}

fn webhook_timeout_ms() -> u64 {
    15_000
}

fn handler_timeout_ms() -> u64 {
    5_000
}

fn attempts() -> u32 {
    40
}

/// What both kinds of sections come to.
#[derive(Default)]
pub(crate) struct BackendsSetup {
    pub(crate) webhooks: Vec<WebhookSetup>,
    pub(crate) handlers: Vec<HandlerSetup>,
}

/// Who is told.
pub(crate) struct WebhookSetup {
    pub(crate) name: String,
    pub(crate) url: OutboundUrl,
    pub(crate) secrets: SigningSecrets,
    pub(crate) events: EventPatterns,
    pub(crate) time_max: Duration,
    pub(crate) attempts_max: u32,
}

/// Who is asked.
pub(crate) struct HandlerSetup {
    pub(crate) url: OutboundUrl,
    pub(crate) secrets: SigningSecrets,
    pub(crate) events: EventPatterns,
    pub(crate) time_max: Duration,
}

impl BackendsSetup {
    pub(super) fn read(
        webhooks: &[WebhookSection],
        handlers: &[HandlerSection],
        places: &Places,
        warnings: &mut Vec<String>,
    ) -> Result<Self, ConfigError> {
        let mut setup = Self::default();
        for (index, section) in webhooks.iter().enumerate() {
            let refuse = |key: &str, problem| refusal(places, "webhooks", index, key, problem);
            let webhook = section.read(&refuse, warnings)?;
            if setup.webhooks.iter().any(|other| other.name == webhook.name) {
                let problem = "another webhook is called so: give one of them a name".to_owned();
                return Err(refusal(places, "webhooks", index, "name", problem));
            }
            setup.webhooks.push(webhook);
        }
        for (index, section) in handlers.iter().enumerate() {
            let refuse = |key: &str, problem| refusal(places, "handlers", index, key, problem);
            setup.handlers.push(section.read(&refuse, warnings)?);
        }
        Ok(setup)
    }
}

fn refusal(places: &Places, section: &str, index: usize, key: &str, problem: String) -> ConfigError {
    let dot = if key.is_empty() { "" } else { "." };
    ConfigError::new(places.setting(&format!("{section}[{index}]{dot}{key}")), problem)
}

/// Makes an error about a key of the section.
type Refuse<'a> = &'a dyn Fn(&str, String) -> ConfigError;

impl WebhookSection {
    /// Whether a secret stands in the section itself.
    pub(super) fn has_secret(&self) -> bool {
        self.secret.is_some() || self.secrets.is_some()
    }

    fn read(&self, refuse: Refuse<'_>, warnings: &mut Vec<String>) -> Result<WebhookSetup, ConfigError> {
        let url = url(&self.url, self.allow_private, refuse)?;
        let name = self.name.clone().unwrap_or_else(|| self.url.clone());
        if name.trim().is_empty() {
            return Err(refuse("name", "must not be blank".to_owned()));
        }
        if self.attempts == 0 {
            return Err(refuse("attempts", "must be at least 1".to_owned()));
        }
        Ok(WebhookSetup {
            name,
            url,
            secrets: Signing {
                secret: self.secret.as_ref(),
                secrets: self.secrets.as_deref(),
                secret_file: self.secret_file.as_ref(),
            }
            .read(refuse, warnings)?,
            events: events(&self.events, refuse)?,
            time_max: time(self.timeout_ms, refuse)?,
            attempts_max: self.attempts,
        })
    }
}

impl HandlerSection {
    /// Whether a secret stands in the section itself.
    pub(super) fn has_secret(&self) -> bool {
        self.secret.is_some() || self.secrets.is_some()
    }

    fn read(&self, refuse: Refuse<'_>, warnings: &mut Vec<String>) -> Result<HandlerSetup, ConfigError> {
        Ok(HandlerSetup {
            url: url(&self.url, self.allow_private, refuse)?,
            secrets: Signing {
                secret: self.secret.as_ref(),
                secrets: self.secrets.as_deref(),
                secret_file: self.secret_file.as_ref(),
            }
            .read(refuse, warnings)?,
            events: events(&self.events, refuse)?,
            time_max: time(self.timeout_ms, refuse)?,
        })
    }
}

fn url(text: &str, allow_private: bool, refuse: Refuse<'_>) -> Result<OutboundUrl, ConfigError> {
    let url =
        if allow_private { OutboundUrl::on_private_network(text) } else { OutboundUrl::new(text, false) };
    url.map_err(|problem: InvalidUrl| refuse("url", problem.to_string()))
}

fn events(patterns: &[String], refuse: Refuse<'_>) -> Result<EventPatterns, ConfigError> {
    EventPatterns::new(patterns).map_err(|problem| refuse("events", problem.to_string()))
}

fn time(ms: u64, refuse: Refuse<'_>) -> Result<Duration, ConfigError> {
    if ms == 0 {
        return Err(refuse("timeout_ms", "must be at least 1".to_owned()));
    }
    Ok(Duration::from_millis(ms))
}
