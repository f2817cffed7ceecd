use roomkey_auth::{Algorithm, ConfigError as AuthError, HmacSecret, SecretStrength};

use super::{error::ConfigError, values::Secret};

/// The key of a configured secret. A refused weak one is told what would let it pass.
pub(super) fn read(
    setting: &str,
    algorithm: Algorithm,
    secret: &Secret,
    strength: SecretStrength,
) -> Result<HmacSecret, ConfigError> {
    let read = |strength| HmacSecret::new(setting, algorithm, secret.expose().as_bytes(), strength);
    read(strength).map_err(|error| with_hint(error, read(SecretStrength::AllowWeak).is_ok()))
}

/// The error of a secret that may only be too weak.
pub(super) fn with_hint(error: AuthError, is_only_weak: bool) -> ConfigError {
    if is_only_weak {
        ConfigError::new(error.setting, format!("{}; {ALLOW_WEAK}", error.problem))
    } else {
        error.into()
    }
}

const ALLOW_WEAK: &str = "make a new one with `roomkey secret generate`, or, while you migrate, allow it with \
    `auth.allow_weak_secret = true` (ROOMKEY__AUTH__ALLOW_WEAK_SECRET=true)";
