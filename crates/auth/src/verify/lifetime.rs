use roomkey_model::Timestamp;
use serde_json::Value;

use super::claims::Claims;
use crate::{InvalidReason, IssuerProfile};

/// When a token began and when it ends.
pub(super) struct Life {
    pub(super) issued_at: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
    /// `expires_at` and the leeway.
    pub(super) deadline: Option<Timestamp>,
}

impl Life {
    /// "On or after" `exp` a token is over (RFC 7519 section 4.1.4), here with the leeway.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline)
    }
}

/// Everything about time but the end itself, which is looked at last.
pub(super) fn check(profile: &IssuerProfile, claims: &Claims, now: Timestamp) -> Result<Life, InvalidReason> {
    let expires_at = instant(claims, "exp", f64::floor)?;
    let not_before = instant(claims, "nbf", f64::ceil)?;
    let issued_at = instant(claims, "iat", f64::floor)?;
    let logged_in_at =
        if profile.require_auth_time { instant(claims, "auth_time", f64::floor)? } else { None };
    let latest = now.plus_ms(profile.leeway_ms);

    if expires_at.is_none() && profile.require_exp {
        return Err(InvalidReason::ExpiryMissing);
    }
    if issued_at.is_none() && profile.require_iat {
        return Err(InvalidReason::IssuedAtMissing);
    }
    if profile.require_auth_time && logged_in_at.is_none_or(|at| at > latest) {
        return Err(InvalidReason::AuthTime);
    }
    if let (Some(begin), Some(end)) = (not_before, expires_at)
        && begin > end
    {
        return Err(InvalidReason::NeverValid);
    }
    if not_before.is_some_and(|begin| begin > latest) {
        return Err(InvalidReason::NotYetValid);
    }
    if issued_at.is_some_and(|issued_at| issued_at > latest) {
        return Err(InvalidReason::IssuedInFuture);
    }
    if let (Some(end), Some(max_ms)) = (expires_at, profile.lifetime_max_ms)
        && end > issued_at.unwrap_or(now).min(now).plus_ms(max_ms).plus_ms(profile.leeway_ms)
    {
        return Err(InvalidReason::LifetimeTooLong);
    }
    Ok(Life {
        issued_at: issued_at.map(|issued_at| to_the_millisecond(issued_at, claims)),
        expires_at,
        deadline: expires_at.map(|end| end.plus_ms(profile.leeway_ms)),
    })
}

/// A `NumericDate` (RFC 7519 section 2): seconds, perhaps with a fraction, not negative.
fn instant(
    claims: &Claims,
    name: &'static str,
    round: fn(f64) -> f64,
) -> Result<Option<Timestamp>, InvalidReason> {
    const MALFORMED: fn(&'static str) -> InvalidReason = InvalidReason::ClaimMalformed;
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let Value::Number(number) = value else {
        return Err(MALFORMED(name));
    };
    let secs = match (number.as_u64(), number.as_f64()) {
        (Some(secs), _) => secs,
        (None, Some(secs)) if secs >= 0.0 => saturating_u64(round(secs)),
        _ => return Err(MALFORMED(name)),
    };
    Ok(Some(Timestamp::from_secs(secs)))
}

#[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and the value is rounded already")]
fn saturating_u64(value: f64) -> u64 {
    value as u64
}

/// `iat` with the milliseconds of `iat_ms`, a claim of our own: "revoke all before now" must not meet the token
/// that is issued in the same second after it. Ignored where the two do not agree.
fn to_the_millisecond(issued_at: Timestamp, claims: &Claims) -> Timestamp {
    let precise = claims.get("iat_ms").and_then(Value::as_u64).map(Timestamp);
    precise.filter(|precise| precise.as_secs() == issued_at.as_secs()).unwrap_or(issued_at)
}
