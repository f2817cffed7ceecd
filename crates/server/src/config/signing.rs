//! What requests to backends are signed with, in whichever way it is said.

use std::{fs, path::PathBuf};

use super::{error::ConfigError, private_file, values::Secret};
use crate::outbound::SigningSecrets;

/// Secrets that sign one request at most.
const SECRETS_MAX: usize = 4;

/// The settings of a section that say what its requests are signed with: exactly one of them is there.
pub(super) struct Signing<'a> {
    pub(super) secret: Option<&'a Secret>,
    pub(super) secrets: Option<&'a [Secret]>,
    pub(super) secret_file: Option<&'a PathBuf>,
}

impl Signing<'_> {
    /// Reads the secrets, from their file where they are in one. `refuse` makes an error about a key of the section.
    pub(super) fn read(
        &self,
        refuse: impl Fn(&str, String) -> ConfigError,
        warnings: &mut Vec<String>,
    ) -> Result<SigningSecrets, ConfigError> {
        let mut read = SigningSecrets::none();
        let mut add =
            |key: &str, text: &str| read.add(text).map_err(|problem| refuse(key, problem.to_string()));
        match (self.secret, self.secrets, self.secret_file) {
            (Some(secret), None, None) => add("secret", secret.expose())?,
            (None, Some(secrets), None) => {
                check_count("secrets", secrets.len(), &refuse)?;
                for (index, secret) in secrets.iter().enumerate() {
                    add(&format!("secrets[{index}]"), secret.expose())?;
                }
            }
            (None, None, Some(file)) => {
                let text = fs::read_to_string(file).map_err(|error| {
                    refuse("secret_file", format!("cannot read {}: {error}", file.display()))
                })?;
                warnings.extend(private_file::exposure(file));
                let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
                check_count("secret_file", lines.len(), &refuse)?;
                lines.into_iter().try_for_each(|line| add("secret_file", line))?;
            }
            _ => return Err(refuse("", "must have one of `secret`, `secrets` and `secret_file`".to_owned())),
        }
        Ok(read)
    }
}

fn check_count(
    key: &str,
    count: usize,
    refuse: impl Fn(&str, String) -> ConfigError,
) -> Result<(), ConfigError> {
    match count {
        1..=SECRETS_MAX => Ok(()),
        _ => Err(refuse(key, format!("must have 1 to {SECRETS_MAX} secrets"))),
    }
}
