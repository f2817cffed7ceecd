use std::fmt;

use super::{BYTES_MAX, guesses};

const CHARACTERS_MIN: usize = 8;

/// Why a new password is not accepted. The text is for the person who chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordProblem {
    /// One of the passwords that everybody tries first.
    Common,
    /// It is, or contains, the user's name or e-mail address.
    Personal,
    /// Over [`BYTES_MAX`] bytes.
    TooLong,
    /// Under 8 characters.
    TooShort,
}

impl fmt::Display for PasswordProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Common => f.write_str("The password is one of the most common ones"),
            Self::Personal => f.write_str("The password contains your name or e-mail address"),
            Self::TooLong => write!(f, "The password has more than {BYTES_MAX} bytes"),
            Self::TooShort => write!(f, "The password has fewer than {CHARACTERS_MIN} characters"),
        }
    }
}

impl std::error::Error for PasswordProblem {}

/// Whether a new password may be used: by length, not by kinds of characters (NIST SP 800-63B, ASVS 6.2.5), and
/// exactly as typed.
pub fn check(password: &str, username: Option<&str>, email: Option<&str>) -> Result<(), PasswordProblem> {
    if password.len() > BYTES_MAX {
        return Err(PasswordProblem::TooLong);
    }
    if password.chars().count() < CHARACTERS_MIN {
        return Err(PasswordProblem::TooShort);
    }
    let folded = password.to_lowercase();
    if guesses::contains(&folded) {
        return Err(PasswordProblem::Common);
    }
    let local_part = email.and_then(|email| email.rsplit_once('@')).map(|(local_part, _)| local_part);
    let is_part = |name: &str| {
        let name = name.to_lowercase();
        name == folded || (name.chars().count() >= NAME_CHARACTERS_MIN && folded.contains(&name))
    };
    if [username, email, local_part].into_iter().flatten().any(is_part) {
        return Err(PasswordProblem::Personal);
    }
    Ok(())
}

/// A shorter name, such as `al`, is in many good passwords by chance.
const NAME_CHARACTERS_MIN: usize = 4;
