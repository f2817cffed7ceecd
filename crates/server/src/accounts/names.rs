//! What an e-mail address and a user name may look like, and when two of them are one.
//!
//! Names are kept in Unicode's composed form (NFC), so that it makes no difference how a keyboard writes an accent. What
//! only looks like other characters (a full-width letter, a Greek one between Latin ones) is refused, never replaced: that
//! would be another name than the one that was given.

use roomkey_model::Failure;
use unicode_normalization::UnicodeNormalization;

/// The form in which names are stored and looked up.
pub(super) fn normalize(name: &str) -> String {
    name.nfc().collect()
}

/// The address to keep. Accepts what could be delivered to; only a letter to it could tell whether it is.
pub(super) fn email(email: &str) -> Result<String, Failure> {
    let refuse = |problem| Err(Failure::bad_payload(problem));
    if email.len() > EMAIL_BYTES_MAX {
        return refuse("The e-mail address is too long");
    }
    if email.chars().any(|character| character.is_whitespace() || is_unprintable(character)) {
        return refuse("The e-mail address contains a character that cannot be in one");
    }
    let email = normalize(email);
    let Some((local_part, domain)) = email.split_once('@') else {
        return refuse("The e-mail address must be of the form name@domain");
    };
    if local_part.is_empty() || local_part.len() > LOCAL_PART_BYTES_MAX || !is_domain(domain) {
        return refuse("The e-mail address must be of the form name@domain");
    }
    if !local_part.split('.').all(|part| !part.is_empty() && !part.contains(NOT_IN_LOCAL_PARTS)) {
        return refuse("The e-mail address contains a character that cannot be in one");
    }
    if is_deceptive(local_part) {
        return refuse("The e-mail address has characters that look like others");
    }
    Ok(email)
}

/// The name to keep: it can be told apart from e-mail addresses, and shows all it consists of.
pub(super) fn username(username: &str) -> Result<String, Failure> {
    let allowed = |character: char| {
        (character.is_alphanumeric() && !is_unprintable(character)) || matches!(character, '.' | '_' | '-')
    };
    let count = username.chars().take(USERNAME_CHARACTERS_MAX + 1).count();
    if !(1..=USERNAME_CHARACTERS_MAX).contains(&count) {
        return Err(Failure::bad_payload("The user name must have 1 to 32 characters"));
    }
    let username = normalize(username);
    if !username.chars().all(allowed) {
        return Err(Failure::bad_payload("The user name may have letters, digits, `.`, `_` and `-` only"));
    }
    if is_deceptive(&username) {
        return Err(Failure::bad_payload("The user name has characters that look like others"));
    }
    Ok(username)
}

/// A host name (RFC 1123) in its ASCII form; an international one is written `xn--...`.
fn is_domain(domain: &str) -> bool {
    domain.split('.').all(|label| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(allowed)
            && !label.starts_with('-')
            && !label.ends_with('-')
    })
}

/// Whether a name has characters that stand for others (compatibility forms, NFKC), or Latin letters beside those of an
/// alphabet that has letters of the same shape.
fn is_deceptive(name: &str) -> bool {
    let is_latin = |character: char| {
        character.is_alphabetic() && matches!(character, '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}')
    };
    let is_twin = |character: char| {
        matches!(
            character,
            '\u{370}'..='\u{58f}' // Greek, Cyrillic, Armenian
                | '\u{13a0}'..='\u{13ff}' // Cherokee
                | '\u{1c80}'..='\u{1c8f}' | '\u{2de0}'..='\u{2dff}' | '\u{a640}'..='\u{a69f}' // Cyrillic
                | '\u{1f00}'..='\u{1fff}' // Greek
                | '\u{2c80}'..='\u{2cff}' // Coptic
                | '\u{a4d0}'..='\u{a4ff}' // Lisu
        )
    };
    name.chars().ne(name.nfkc()) || name.chars().any(is_latin) && name.chars().any(is_twin)
}

/// RFC 5321 allows 256 for a path, and the angle brackets are two of them.
const EMAIL_BYTES_MAX: usize = 254;
/// RFC 5321, section 4.5.3.1.1.
const LOCAL_PART_BYTES_MAX: usize = 64;
/// What would have to be quoted (RFC 5321, section 4.1.2), which mail systems do not agree on.
const NOT_IN_LOCAL_PARTS: [char; 10] = ['"', '(', ')', ',', ':', ';', '<', '>', '[', ']'];
const USERNAME_CHARACTERS_MAX: usize = 32;

/// Control characters, and what takes no room on the screen: two names must not look the same.
fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
                | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_addresses() {
        let longest =
            format!("{}@{}.com", "x".repeat(64), ["y".repeat(61), "z".repeat(61), "w".repeat(61)].join("."));
        assert_eq!(longest.len(), 254);
        for good in [
            "ada@example.com",
            "a@b",
            "o'hara+x@example.com",
            "użytkownik@example.com",
            "пётр@example.com",
            "δοκιμή@example.com",
            "李@example.com",
            "a@xn--exmple-cua.com",
            "A.B@Example.COM",
            &longest,
        ] {
            assert_eq!(email(good).as_deref(), Ok(good), "{good:?}");
        }
        for bad in [
            "",
            "ada",
            "@",
            "@b",
            "a@",
            "a@b@c",
            " a@b",
            "a@b ",
            "a b@c",
            "a\n@b",
            "a\0@b",
            "a\u{200b}@b",
            "a@exаmple.com",
            "a＠b.com",
            "ａda@b.com",
            "ﬁnn@b.com",
            "а\u{301}da@b.com",
            "аda@b.com",
            "a@b.com.",
            "a@.b.com",
            "a@b..com",
            "a@-b.com",
            "a@b-.com",
            "a@[127.0.0.1]",
            "a@b_c.com",
            "a.@b.com",
            ".a@b.com",
            "a..b@b.com",
            "\"a\"@b.com",
            "a(comment)@b.com",
            "a,b@c.com",
            &format!("{}@b.com", "x".repeat(65)),
            &format!("x{longest}"),
        ] {
            assert!(email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn two_ways_to_write_an_accent_are_one_name() {
        assert_eq!(email("rene\u{301}@example.com"), email("ren\u{e9}@example.com"));
        assert_eq!(email("\u{212a}im@example.com"), email("Kim@example.com"), "the sign of Kelvin is a K");
        assert_eq!(username("rene\u{301}"), Ok("ren\u{e9}".to_owned()));
    }

    #[test]
    fn user_names() {
        for good in ["a", "ada.lovelace_1815-", "Жанна", "李", &"é".repeat(32)] {
            assert_eq!(username(good).as_deref(), Ok(good), "{good:?}");
        }
        for bad in [
            "",
            " ",
            "ada lovelace",
            "a@b",
            "a/b",
            "ada\u{200d}",
            "\u{3164}",
            "a\u{202e}b",
            "a\n",
            "<b>",
            "аda",
            "ａda",
            "ad\u{3b1}",
            &"é".repeat(33),
        ] {
            assert!(username(bad).is_err(), "{bad:?}");
        }
    }
}
