/// What the header's `typ` must be (RFC 8725 section 3.11): each kind of token has rules of its own, so that
/// a logout token or a DPoP proof of the same issuer is never taken for an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// `at+jwt` and nothing else (RFC 9068).
    AccessToken,
    /// `at+jwt`, `JWT`, or no `typ`.
    AccessTokenOrJwt,
    /// `JWT` or no `typ`, as most issuers have it.
    Jwt,
}

impl TokenType {
    /// Media types are compared without case, and `application/` may be left out (RFC 7515 section 4.1.9).
    pub(crate) fn accepts(self, header_typ: Option<&str>) -> bool {
        let Some(typ) = header_typ else {
            return self != Self::AccessToken;
        };
        let typ = typ.to_ascii_lowercase();
        match typ.strip_prefix("application/").unwrap_or(&typ) {
            "at+jwt" => self != Self::Jwt,
            "jwt" => self != Self::AccessToken,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_types_of_access_tokens() {
        let cases = [
            (None, [false, true, true]),
            (Some("JWT"), [false, true, true]),
            (Some("jwt"), [false, true, true]),
            (Some("at+jwt"), [true, true, false]),
            (Some("AT+JWT"), [true, true, false]),
            (Some("application/at+jwt"), [true, true, false]),
            (Some("logout+jwt"), [false; 3]),
            (Some("secevent+jwt"), [false; 3]),
            (Some("dpop+jwt"), [false; 3]),
            (Some("rt+jwt"), [false; 3]),
            (Some(""), [false; 3]),
            (Some("JWT "), [false; 3]),
        ];
        for (typ, expected) in cases {
            let rules = [TokenType::AccessToken, TokenType::AccessTokenOrJwt, TokenType::Jwt];
            assert_eq!(rules.map(|rule| rule.accepts(typ)), expected, "{typ:?}");
        }
    }
}
