//! What an e-mail address and a user name may look like. Both are kept as they were given.

use roomkey_model::Failure;

/// Accepts what could be delivered to; only a letter to it could tell whether it is.
pub(super) fn check_email(email: &str) -> Result<(), Failure> {
    let refuse = |problem| Err(Failure::bad_payload(problem));
    if email.len() > EMAIL_BYTES_MAX {
        return refuse("The e-mail address is too long");
    }
    if email.chars().any(|character| character.is_whitespace() || is_unprintable(character)) {
        return refuse("The e-mail address contains a character that cannot be in one");
    }
    match email.split_once('@') {
        Some((local_part, domain))
            if !local_part.is_empty() && !domain.is_empty() && !domain.contains('@') && domain.is_ascii() =>
        {
            Ok(())
        }
        _ => refuse("The e-mail address must be of the form name@domain"),
    }
}

/// Accepts names that can be told apart from e-mail addresses, and that show all they consist of.
pub(super) fn check_username(username: &str) -> Result<(), Failure> {
    let allowed = |character: char| {
        (character.is_alphanumeric() && !is_unprintable(character)) || matches!(character, '.' | '_' | '-')
    };
    if !(1..=USERNAME_CHARACTERS_MAX).contains(&username.chars().count()) {
        return Err(Failure::bad_payload("The user name must have 1 to 32 characters"));
    }
    if !username.chars().all(allowed) {
        return Err(Failure::bad_payload("The user name may have letters, digits, `.`, `_` and `-` only"));
    }
    Ok(())
}

/// RFC 5321 allows 256 for a path, and the angle brackets are two of them.
const EMAIL_BYTES_MAX: usize = 254;
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
        let longest = format!("{}@example.com", "x".repeat(242));
        for good in ["ada@example.com", "a@b", "o'hara+x@example.com", "użytkownik@example.com", &longest] {
            assert_eq!(check_email(good), Ok(()), "{good:?}");
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
            &format!("x{longest}"),
        ] {
            assert!(check_email(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn user_names() {
        for good in ["a", "ada.lovelace_1815-", "Жанна", "李", &"é".repeat(32)] {
            assert_eq!(check_username(good), Ok(()), "{good:?}");
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
            &"é".repeat(33),
        ] {
            assert!(check_username(bad).is_err(), "{bad:?}");
        }
    }
}
