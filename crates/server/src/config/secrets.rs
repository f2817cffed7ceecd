use roomkey_auth::{Algorithm, HmacSecret, SecretStrength};

use super::{error::ConfigError, values::Secret};

/// The key of a configured secret. A refused weak one is told what would let it pass.
pub(super) fn read(
    setting: &str,
    algorithm: Algorithm,
    secret: &Secret,
    strength: SecretStrength,
) -> Result<HmacSecret, ConfigError> {
    let read = |strength| HmacSecret::new(setting, algorithm, secret.expose().as_bytes(), strength);
    read(strength).map_err(|error| match read(SecretStrength::AllowWeak) {
        Ok(_) => ConfigError::new(error.setting, format!("{}; {ALLOW_WEAK}", error.problem)),
        Err(_) => error.into(),
    })
}

const ALLOW_WEAK: &str = "make a new one with `roomkey secret generate`, or, while you migrate, allow it with \
    `auth.allow_weak_secret = true` (ROOMKEY__AUTH__ALLOW_WEAK_SECRET=true)";
