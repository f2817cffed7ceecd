/// A part of the configuration that cannot be used: the server must not start.
///
/// Names the setting and what is wrong with it, never the value: the value may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct ConfigError {
    /// The setting, as the operator wrote it: `JWT_SECRET`, `issuers.clerk.keys`, ...
    pub setting: String,
    /// What is wrong, in words.
    pub problem: String,
}

impl ConfigError {
    pub(crate) fn new(setting: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { setting: setting.into(), problem: problem.into() }
    }
}
