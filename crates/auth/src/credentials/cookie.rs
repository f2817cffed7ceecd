use crate::TokenError;

const COOKIES_MAX: usize = 256;

/// Bytes of all cookies, where one holds a token.
const COOKIE_BYTES_MAX: usize = 16 * 1024;

/// The value of the cookie `name` in the values of the `Cookie` header lines (RFC 6265 section 5.4).
///
/// The name is compared byte by byte and the value is taken as it is. Two cookies of this name are
/// [`TokenError::Ambiguous`]: whoever can set a cookie for a parent domain can add one.
pub fn find<'a>(headers: &[&'a str], name: &str) -> Result<Option<&'a str>, TokenError> {
    let mut found = None;
    for pair in pairs(headers, COOKIE_BYTES_MAX)? {
        let (pair_name, value) = pair?;
        if pair_name == name && found.replace(value).is_some() {
            return Err(TokenError::Ambiguous);
        }
    }
    Ok(found)
}

/// Name and value of each cookie, as long as there are not too many.
pub(super) fn pairs<'h, 'a>(
    headers: &'h [&'a str],
    bytes_max: usize,
) -> Result<impl Iterator<Item = Result<(&'a str, &'a str), TokenError>> + use<'h, 'a>, TokenError> {
    if headers.iter().map(|header| header.len()).sum::<usize>() > bytes_max {
        return Err(TokenError::BadPayload("The cookies are too long"));
    }
    let texts = headers.iter().flat_map(|header| header.split(';')).enumerate();
    Ok(texts.filter_map(|(index, pair)| {
        if index >= COOKIES_MAX {
            return Some(Err(TokenError::BadPayload("There are too many cookies")));
        }
        pair.trim_matches([' ', '\t']).split_once('=').map(Ok)
    }))
}
