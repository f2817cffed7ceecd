use std::collections::HashSet;

use roomkey_model::UserId;

use super::{AuthJsProfile, ClaimPath, IssuerProfile};
use crate::{Algorithm, ConfigError, VerifyingKey};

/// Secrets that one profile may have: each is tried on a token without `kid`.
const SECRETS_MAX: usize = 4;

/// Bytes that a user prefix may have, so that the longest subject still fits behind it.
const USER_PREFIX_BYTES_MAX: usize = UserId::BYTES_MAX - crate::verify::SUBJECT_BYTES_MAX;

/// Checks each profile, then that no token and no user id could belong to two.
pub(crate) fn check(profiles: &[IssuerProfile], sessions: &[AuthJsProfile]) -> Result<(), ConfigError> {
    let rules: Vec<_> = sessions.iter().map(AuthJsProfile::rules).collect();
    let all = || profiles.iter().chain(&rules);
    if all().next().is_none() {
        return Err(ConfigError::new("issuers", "at least one issuer is needed"));
    }
    all().try_for_each(check_rules)?;
    profiles.iter().try_for_each(check_keys)?;
    sessions.iter().try_for_each(check_secrets)?;
    let refuse = |problem| Err(ConfigError::new("issuers", problem));
    if has_duplicates(all().map(|profile| profile.name.as_str())) {
        return refuse("two issuers have the same name");
    }
    // The name stands for the issuer where there is no `iss`, so the two share one space.
    if has_duplicates(all().map(|profile| profile.issuer.exact().unwrap_or(&profile.name))) {
        return refuse("two issuers have the same `iss`");
    }
    if profiles.iter().filter(|profile| profile.issuer.takes_absent()).count() > 1 {
        return refuse("only one issuer may accept tokens without `iss`");
    }
    if has_duplicates(all().map(|profile| profile.user_prefix.as_str())) {
        return refuse("every issuer needs a user prefix of its own; one may be empty");
    }
    if has_duplicates(sessions.iter().map(AuthJsProfile::cookie)) {
        return refuse("two issuers have their sessions in the same cookie");
    }
    if sessions.iter().filter(|session| session.accept_as_token).count() > 1 {
        return refuse("only one issuer may have encrypted tokens outside of its cookie");
    }
    Ok(())
}

fn require(name: &str, condition: bool, setting: &str, problem: &str) -> Result<(), ConfigError> {
    if condition { Ok(()) } else { Err(ConfigError::new(format!("issuers.{name}.{setting}"), problem)) }
}

fn check_secrets(session: &AuthJsProfile) -> Result<(), ConfigError> {
    let require = |condition, setting, problem| require(&session.name, condition, setting, problem);
    require(session.secret_count > 0, "secrets", "at least one secret is needed")?;
    require(session.secret_count <= SECRETS_MAX, "secrets", "at most 4 secrets can be in rotation")?;
    require(!is_blank(&session.cookie), "cookie", "must not be blank")
}

fn check_keys(profile: &IssuerProfile) -> Result<(), ConfigError> {
    let require = |condition, setting, problem| require(&profile.name, condition, setting, problem);
    let has_remote = profile.remote_keys.is_some();
    require(has_remote || !profile.keys.is_empty(), "keys", "at least one key is needed")?;
    require(
        !has_remote || profile.algorithms.iter().any(|algorithm| !algorithm.is_symmetric()),
        "algorithms",
        "the keys that an issuer publishes are public ones: name an algorithm for them",
    )?;
    require(
        profile.keys.iter().all(|key| profile.algorithms.contains(&key.algorithm())),
        "algorithms",
        "a key is configured for an algorithm that is not in this list",
    )?;
    let is_symmetric = |algorithm: &Algorithm| algorithm.is_symmetric();
    require(
        profile.algorithms.iter().any(is_symmetric)
            == profile.keys.iter().any(|key| is_symmetric(&key.algorithm())),
        "algorithms",
        "an algorithm with a secret is in this list, but there is no secret for it",
    )?;
    let secrets = profile.keys.iter().filter(|key| key.algorithm().is_symmetric());
    require(secrets.count() <= SECRETS_MAX, "keys", "at most 4 secrets can be in rotation")?;
    let narrowed = !(profile.audiences.is_empty()
        && profile.authorized_parties.is_empty()
        && profile.required_claims.is_empty());
    let is_public = |key: &VerifyingKey| !key.algorithm().is_symmetric();
    require(
        narrowed || !(has_remote || profile.keys.iter().any(is_public)),
        "audiences",
        "an issuer with public keys serves others too: name an audience, an authorized party or a required claim",
    )
}

fn check_rules(profile: &IssuerProfile) -> Result<(), ConfigError> {
    let require = |condition, setting, problem| require(&profile.name, condition, setting, problem);
    require(!is_blank(&profile.name), "name", "must not be blank")?;
    require(!profile.issuer.exact().is_some_and(is_blank), "issuer", "must not be blank")?;
    require(!profile.subject_claims.is_empty(), "subject_claims", "at least one claim is needed")?;
    require(
        !profile.roles_claim.as_ref().map(ClaimPath::top_level).is_some_and(is_user_controlled),
        "roles_claim",
        "users can change this claim themselves",
    )?;
    require(profile.leeway_ms <= IssuerProfile::LEEWAY_MS_MAX, "leeway", "must be at most 60 s")?;
    require(
        profile.user_prefix.len() <= USER_PREFIX_BYTES_MAX
            && !profile.user_prefix.chars().any(char::is_control),
        "user_prefix",
        "must be at most 65 bytes without control characters",
    )
}

fn has_duplicates<'a>(mut values: impl Iterator<Item = &'a str>) -> bool {
    let mut seen = HashSet::new();
    !values.all(|value| seen.insert(value))
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// Supabase's and Auth0's user-editable metadata: whoever writes it does not decide on roles.
fn is_user_controlled(claim: &str) -> bool {
    matches!(claim, "user_metadata" | "unsafe_metadata" | "raw_user_meta_data")
}
