use roomkey_model::Timestamp;
use serde_json::Value;

use super::{Verifier, compact::Compact, peek};
use crate::{Identity, TokenError, jwe::Sealed};

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
        if Sealed::is_one(token) { self.inspect_sealed(token, now) } else { self.inspect_signed(token, now) }
    }

    fn inspect_signed(&self, token: &str, now: Timestamp) -> Inspection {
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

    /// By the profile that can open the token, as if it were in the cookie of that one.
    fn inspect_sealed(&self, token: &str, now: Timestamp) -> Inspection {
        let opened = self.sessions.iter().find_map(|session| Some((session, session.open(token).ok()?)));
        let only = if let [session] = &self.sessions[..] { Some(session) } else { None };
        let session = opened.as_ref().map(|(session, _)| *session).or(only);
        Inspection {
            header: Sealed::header(token).and_then(|header| serde_json::from_slice(&header).ok()),
            claims: opened.as_ref().and_then(|(_, (claims, _))| serde_json::from_slice(claims).ok()),
            profile: session.map(|session| session.auth_js.name.clone()),
            verdict: session.map_or_else(|| self.verify(token, now), |session| session.verify(token, now)),
        }
    }
}
