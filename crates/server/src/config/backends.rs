//! `[[webhooks]]` and `[[handlers]]`: backends that are told and asked.

use std::time::Duration;

use serde::Deserialize;

use super::{error::ConfigError, place::Places, values::Secret};
use crate::{
    OutboundUrl,
    backends::EventPatterns,
    outbound::{InvalidUrl, SigningSecret},
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
    pub(super) secret: Secret,
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
    pub(super) secret: Secret,
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
    pub(crate) secret: SigningSecret,
    pub(crate) events: EventPatterns,
    pub(crate) time_max: Duration,
    pub(crate) attempts_max: u32,
}

/// Who is asked.
pub(crate) struct HandlerSetup {
    pub(crate) url: OutboundUrl,
    pub(crate) secret: SigningSecret,
    pub(crate) events: EventPatterns,
    pub(crate) time_max: Duration,
}

impl BackendsSetup {
    pub(super) fn read(
        webhooks: &[WebhookSection],
        handlers: &[HandlerSection],
        places: &Places,
    ) -> Result<Self, ConfigError> {
        let mut setup = Self::default();
        for (index, section) in webhooks.iter().enumerate() {
            let webhook = section.read(&|key, problem| refusal(places, "webhooks", index, key, problem))?;
            if setup.webhooks.iter().any(|other| other.name == webhook.name) {
                let problem = "another webhook is called so: give one of them a name".to_owned();
                return Err(refusal(places, "webhooks", index, "name", problem));
            }
            setup.webhooks.push(webhook);
        }
        for (index, section) in handlers.iter().enumerate() {
            let refuse = |key: &str, problem| refusal(places, "handlers", index, key, problem);
            setup.handlers.push(section.read(&refuse)?);
        }
        Ok(setup)
    }
}

fn refusal(places: &Places, section: &str, index: usize, key: &str, problem: String) -> ConfigError {
    ConfigError::new(places.setting(&format!("{section}[{index}].{key}")), problem)
}

/// Makes an error about a key of the section.
type Refuse<'a> = &'a dyn Fn(&str, String) -> ConfigError;

impl WebhookSection {
    fn read(&self, refuse: Refuse<'_>) -> Result<WebhookSetup, ConfigError> {
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
            secret: secret(&self.secret, refuse)?,
            events: events(&self.events, refuse)?,
            time_max: time(self.timeout_ms, refuse)?,
            attempts_max: self.attempts,
        })
    }
}

impl HandlerSection {
    fn read(&self, refuse: Refuse<'_>) -> Result<HandlerSetup, ConfigError> {
        Ok(HandlerSetup {
            url: url(&self.url, self.allow_private, refuse)?,
            secret: secret(&self.secret, refuse)?,
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

fn secret(secret: &Secret, refuse: Refuse<'_>) -> Result<SigningSecret, ConfigError> {
    SigningSecret::new(secret.expose()).map_err(|problem| refuse("secret", problem.to_string()))
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
