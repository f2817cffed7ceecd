use std::fmt;

use serde::de;

/// A setting that cannot be used, where it was given, and what is wrong with it. Never its value, which may be a
/// secret.
#[derive(Debug)]
pub(crate) struct ConfigError {
    /// `roomkey.toml:7: auth.jwt_secret`, `JWT_SECRET`, `--listen`; `None` until it is known.
    setting: Option<String>,
    problem: String,
}

impl ConfigError {
    pub(crate) fn new(setting: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { setting: Some(setting.into()), problem: problem.into() }
    }

    /// An error in a value whose place the caller knows.
    pub(super) fn unplaced(problem: impl Into<String>) -> Self {
        Self { setting: None, problem: problem.into() }
    }

    /// Says where, unless something further inside has said so.
    pub(super) fn at(self, setting: impl FnOnce() -> String) -> Self {
        Self { setting: self.setting.or_else(|| Some(setting())), ..self }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(setting) = &self.setting {
            write!(f, "{setting}: ")?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for ConfigError {}

impl From<roomkey_auth::ConfigError> for ConfigError {
    fn from(error: roomkey_auth::ConfigError) -> Self {
        Self::new(error.setting, error.problem)
    }
}

/// Serde's own messages repeat the value; these do not.
impl de::Error for ConfigError {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Self::unplaced(problem.to_string())
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::unplaced(format!("must be {expected}"))
    }

    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self::unplaced("is out of range")
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::unplaced(format!("must be one of {}", quoted(expected.iter().copied())))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::unplaced(format!("needs the key `{field}`"))
    }
}

/// `a`, `b`, `c`, for a message.
pub(super) fn quoted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
