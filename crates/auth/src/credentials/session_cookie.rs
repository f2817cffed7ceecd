use std::borrow::Cow;

use super::cookie::pairs;
use crate::{InvalidReason, TokenError, Verifier};

/// Pieces that a session may be in. A browser stores 4 KiB in each.
const PIECES_MAX: usize = 8;

/// Bytes of all cookies, where some hold a session: its own and as much again.
const COOKIE_BYTES_MAX: usize = 2 * Verifier::SESSION_BYTES_MAX;

/// The session that Auth.js keeps in the cookie `name`, or, where that would be too long for one, in pieces in `name.0`,
/// `name.1` and so on.
///
/// The numbers say the order of the pieces, whatever the order of the cookies is. A piece that is missing, one too
/// many, or a whole beside pieces is no session; two cookies of one name are [`TokenError::Ambiguous`].
pub fn find<'a>(headers: &[&'a str], name: &str) -> Result<Option<Cow<'a, str>>, TokenError> {
    let mut whole = None;
    let mut pieces = [None; PIECES_MAX];
    for pair in pairs(headers, COOKIE_BYTES_MAX)? {
        let (pair_name, value) = pair?;
        let place = match pair_name.strip_prefix(name) {
            Some("") => &mut whole,
            Some(suffix) => match piece_number(suffix) {
                None => continue,
                Some(number) => pieces.get_mut(number).ok_or(InvalidReason::CookiePieces)?,
            },
            None => continue,
        };
        if place.replace(value).is_some() {
            return Err(TokenError::Ambiguous);
        }
    }
    let count = pieces.iter().flatten().count();
    match whole {
        Some(whole) if count == 0 => Ok(Some(Cow::Borrowed(whole))),
        None if count == 0 => Ok(None),
        None if pieces[..count].iter().all(Option::is_some) => joined(&pieces[..count]).map(Some),
        _ => Err(InvalidReason::CookiePieces.into()),
    }
}

/// The number behind `.`, as Auth.js writes it; one that it does not write is too high. `None` for another cookie,
/// whose name only begins alike.
fn piece_number(suffix: &str) -> Option<usize> {
    let digits = suffix.strip_prefix('.')?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let is_canonical = digits == "0" || !digits.starts_with('0');
    Some(digits.parse().ok().filter(|_| is_canonical).unwrap_or(usize::MAX))
}

fn joined<'a>(pieces: &[Option<&'a str>]) -> Result<Cow<'a, str>, TokenError> {
    let pieces = || pieces.iter().copied().flatten();
    if pieces().map(str::len).sum::<usize>() > Verifier::SESSION_BYTES_MAX {
        return Err(InvalidReason::TokenTooLong.into());
    }
    Ok(Cow::Owned(pieces().collect()))
}
