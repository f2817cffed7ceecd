use crate::TokenError;

const COOKIE_BYTES_MAX: usize = 16 * 1024;
const COOKIES_MAX: usize = 256;

/// The value of the cookie `name` in the values of the `Cookie` header lines (RFC 6265 section 5.4).
///
/// The name is compared byte by byte and the value is taken as it is. Two cookies of this name are
/// [`TokenError::Ambiguous`]: whoever can set a cookie for a parent domain can add one.
pub fn find<'a>(headers: &[&'a str], name: &str) -> Result<Option<&'a str>, TokenError> {
    if headers.iter().map(|header| header.len()).sum::<usize>() > COOKIE_BYTES_MAX {
        return Err(TokenError::BadPayload("The cookies are too long"));
    }
    let mut found = None;
    for (index, pair) in headers.iter().flat_map(|header| header.split(';')).enumerate() {
        if index >= COOKIES_MAX {
            return Err(TokenError::BadPayload("There are too many cookies"));
        }
        if let Some((pair_name, value)) = pair.trim_matches([' ', '\t']).split_once('=')
            && pair_name == name
            && found.replace(value).is_some()
        {
            return Err(TokenError::Ambiguous);
        }
    }
    Ok(found)
}
