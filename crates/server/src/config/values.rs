//! Types of settings that cannot hold a wrong value.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{InvalidNetwork, Network, Origin};

/// A secret. Its `Debug` does not show it.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
pub(crate) struct Secret(SecretString);

impl Secret {
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

/// Whose pages may connect.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub(crate) enum Origins {
    /// Everybody's, without their cookies.
    Any,
    /// These only.
    Listed(Vec<Origin>),
}

impl Default for Origins {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl TryFrom<Vec<String>> for Origins {
    type Error = String;

    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        if texts == ["*"] {
            return Ok(Self::Any);
        }
        if texts.iter().any(|text| text == "*") {
            return Err("`*` must be alone: it already allows every origin".to_owned());
        }
        let origin = |text: &String| Origin::parse(text).map_err(|problem| format!("`{text}` {problem}"));
        texts.iter().map(origin).collect::<Result<_, _>>().map(Self::Listed)
    }
}

/// Where browsers find a page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct PageOrigin(pub(crate) Origin);

impl TryFrom<String> for PageOrigin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Origin::parse(&text).map(Self).map_err(|problem| format!("`{text}` {problem}"))
    }
}

/// Addresses, and networks of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub(crate) struct Networks(pub(crate) Vec<Network>);

impl TryFrom<Vec<String>> for Networks {
    type Error = String;

    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        let network =
            |text: &String| text.parse().map_err(|problem: InvalidNetwork| format!("`{text}` {problem}"));
        texts.iter().map(network).collect::<Result<_, _>>().map(Self)
    }
}

/// A way to talk Engine.IO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Transport {
    Polling,
    Websocket,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    #[default]
    Auto,
    Human,
    Json,
}

/// What the log has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogLevel {
    Off,
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Which tokens an issuer's are, by the `typ` of their header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TokenKind {
    AccessToken,
    AccessTokenOrJwt,
    Jwt,
}
