use serde_json::Value;

use super::claims::Claims;
use crate::{InvalidReason, IssuerProfile};

const AUDIENCES_MAX: usize = 64;

/// Whether the token was made by this issuer, for us, for this purpose, and for whoever holds it.
pub(super) fn check(profile: &IssuerProfile, claims: &Claims) -> Result<(), InvalidReason> {
    issuer(profile, claims)?;
    audience(profile, claims)?;
    authorized_party(profile, claims)?;
    let is_as_required = |required: &crate::RequiredClaim| {
        claims.find(&required.path).and_then(Value::as_str) == Some(required.value.as_str())
    };
    let is_as_expected =
        |expected: &crate::RequiredClaim| claims.find(&expected.path).is_none() || is_as_required(expected);
    if !profile.required_claims.iter().all(is_as_required)
        || !profile.expected_claims.iter().all(is_as_expected)
    {
        return Err(InvalidReason::RequiredClaim);
    }
    let is_id_token = ["nonce", "at_hash", "c_hash"].iter().any(|name| claims.get(name).is_some());
    if is_id_token && !profile.accept_id_tokens {
        return Err(InvalidReason::IdToken);
    }
    if claims.get("cnf").is_some() {
        return Err(InvalidReason::Bound);
    }
    Ok(())
}

/// Again, now that the claim is signed and parsed strictly; the first look only chose the profile.
fn issuer(profile: &IssuerProfile, claims: &Claims) -> Result<(), InvalidReason> {
    let is_ours = match claims.text("iss")? {
        Some(issuer) => profile.issuer.exact() == Some(issuer),
        None => profile.issuer.takes_absent(),
    };
    if is_ours { Ok(()) } else { Err(InvalidReason::IssuerUnknown) }
}

/// Text or an array of texts (RFC 7519 section 4.1.3); malformed is refused even where nobody asks.
fn audience(profile: &IssuerProfile, claims: &Claims) -> Result<(), InvalidReason> {
    const MALFORMED: InvalidReason = InvalidReason::ClaimMalformed("aud");
    let audiences: Vec<&str> = match claims.get("aud") {
        None if profile.audiences.is_empty() || !profile.require_audience => return Ok(()),
        None => return Err(InvalidReason::Audience),
        Some(Value::String(audience)) => vec![audience],
        Some(Value::Array(items)) if items.len() <= AUDIENCES_MAX => {
            items.iter().map(Value::as_str).collect::<Option<_>>().ok_or(MALFORMED)?
        }
        Some(_) => return Err(MALFORMED),
    };
    let is_ours = |audience: &&str| profile.audiences.iter().any(|ours| ours == audience);
    if profile.audiences.is_empty() || audiences.iter().any(is_ours) {
        Ok(())
    } else {
        Err(InvalidReason::Audience)
    }
}

fn authorized_party(profile: &IssuerProfile, claims: &Claims) -> Result<(), InvalidReason> {
    let parties = [claims.text("azp")?, claims.text("client_id")?];
    if profile.authorized_parties.is_empty() {
        return Ok(());
    }
    let mut named = parties.into_iter().flatten().peekable();
    let is_known = |party: &str| profile.authorized_parties.iter().any(|known| known == party);
    if named.peek().is_some() && named.all(is_known) { Ok(()) } else { Err(InvalidReason::AuthorizedParty) }
}
