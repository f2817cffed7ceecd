use std::sync::Arc;

use serde_json::Value;

use super::claims::Claims;
use crate::{InvalidReason, IssuerProfile};

/// Bytes a subject may have.
pub(crate) const SUBJECT_BYTES_MAX: usize = 255;

/// The subject as signed: compared byte by byte from here on, never folded, trimmed or normalized.
///
/// The first of the profile's claims that is there decides, also when it is not usable.
pub(super) fn subject(profile: &IssuerProfile, claims: &Claims) -> Result<Arc<str>, InvalidReason> {
    let found = profile.subject_claims.iter().find_map(|path| claims.find(path));
    let subject: Arc<str> = match found.ok_or(InvalidReason::SubjectMissing)? {
        Value::String(text) => text.as_str().into(),
        Value::Number(number) if profile.numeric_subjects && !number.is_f64() => number.to_string().into(),
        _ => return Err(InvalidReason::SubjectMalformed),
    };
    if subject.trim().is_empty() || subject.len() > SUBJECT_BYTES_MAX || subject.chars().any(char::is_control)
    {
        return Err(InvalidReason::SubjectMalformed);
    }
    Ok(subject)
}
