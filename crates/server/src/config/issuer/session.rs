//! Applications whose sessions are encrypted by Auth.js or NextAuth.

use roomkey_auth::{AuthJsProfile, AuthJsVersion, ClaimPath, SecretStrength};

use super::{Issuer, Preset, paths, to_ms};
use crate::config::{error::ConfigError, place::Places, secrets};

impl Issuer {
    /// The profile of sessions, where this is about such.
    pub(super) fn session(
        &self,
        path: &str,
        places: &Places,
        strength: SecretStrength,
    ) -> Result<AuthJsProfile, ConfigError> {
        let version = match self.preset {
            Some(Preset::Nextauth) => AuthJsVersion::V4,
            _ => AuthJsVersion::V5,
        };
        let cookie = self.cookie.as_deref().unwrap_or(version.cookie(true));
        let mut profile = AuthJsProfile::new(&self.name, version, cookie);
        for (index, secret) in self.secrets.iter().enumerate() {
            let setting = places.setting(&format!("{path}.secrets[{index}]"));
            let mut add = |strength| profile.add_secret(&setting, secret.expose().as_bytes(), strength);
            add(strength)
                .map_err(|error| secrets::with_hint(error, add(SecretStrength::AllowWeak).is_ok()))?;
        }
        profile.accept_as_token = self.accept_as_token;
        if let Some(claims) = paths(self.subject_claims.as_deref()) {
            profile.subject_claims = claims;
        }
        if let Some(claims) = paths(self.name_claims.as_deref()) {
            profile.name_claims = claims;
        }
        if let Some(claim) = &self.email_claim {
            profile.email_claim = Some(ClaimPath::new(claim));
        }
        profile.roles_claim = self.roles_claim.as_ref().map(ClaimPath::new);
        profile.leeway_ms = self.leeway_s.map_or(profile.leeway_ms, to_ms);
        profile.lifetime_max_ms = self.lifetime_max_ms(profile.lifetime_max_ms);
        profile.user_prefix = self.user_prefix();
        Ok(profile)
    }
}
