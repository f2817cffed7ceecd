use roomkey_model::Timestamp;
use serde_json::Value;

use super::{Verifier, compact::Compact, peek};
use crate::{Identity, TokenError};

/// What a token says and what the verifier makes of it, for an operator who asks why it is refused.
///
/// Header and claims are shown unverified. Not for clients: to them every refusal looks the same.
pub struct Inspection {
    /// The header, if it is JSON.
    pub header: Option<Value>,
    /// The claims, if they are JSON.
    pub claims: Option<Value>,
    /// The name of the profile that the token's `iss` selects.
    pub profile: Option<String>,
    /// The result of [`Verifier::verify`].
    pub verdict: Result<Identity, TokenError>,
}

impl Verifier {
    /// Looks at a token as far as it can be read.
    pub fn inspect(&self, token: &str, now: Timestamp) -> Inspection {
        let compact = Compact::split(token).ok();
        let header = compact.as_ref().and_then(|compact| compact.header().ok());
        let payload = compact.as_ref().and_then(|compact| compact.payload().ok());
        let issuer = payload.as_ref().and_then(|payload| peek::issuer(payload).ok());
        let profile = issuer.and_then(|issuer| self.profile(issuer.as_deref()).ok());
        let json = |bytes: Option<Vec<u8>>| serde_json::from_slice(&bytes?).ok();
        Inspection {
            header: json(header),
            claims: json(payload),
            profile: profile.map(|profile| profile.rules.name.clone()),
            verdict: self.verify(token, now),
        }
    }
}
