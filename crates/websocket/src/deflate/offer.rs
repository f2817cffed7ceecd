/// A `Sec-WebSocket-Extensions` header that is no list of extensions: RFC 6455 (section 9.1) wants the handshake to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Sec-WebSocket-Extensions is malformed")]
pub struct MalformedOffer;

/// The `Sec-WebSocket-Extensions` of the answer, for the values of the request's header lines; `None` if no offer can be
/// accepted.
///
/// The first offer that can be accepted is. One that cannot is declined, whatever is wrong with it: a parameter that is
/// unknown or came twice, a value that is none, a window smaller than the 32 KiB that are always used. Without
/// context takeover on either side, as the answer demands, the client's window needs no limit.
pub fn negotiate<'a>(
    headers: impl IntoIterator<Item = &'a str>,
) -> Result<Option<&'static str>, MalformedOffer> {
    let mut accepted = None;
    for header in headers {
        let mut rest = Rest(header);
        loop {
            // Elements of a list may be empty (RFC 9110 section 5.6.1).
            while rest.skip(b',') {}
            if rest.0.is_empty() {
                break;
            }
            let answer = extension(&mut rest)?;
            accepted = accepted.or(answer);
            if !rest.0.is_empty() && !rest.skip(b',') {
                return Err(MalformedOffer);
            }
        }
    }
    Ok(accepted)
}

/// Reads one extension with its parameters; the answer to it, if it can be accepted.
fn extension(rest: &mut Rest<'_>) -> Result<Option<&'static str>, MalformedOffer> {
    let mut is_acceptable = rest.token()? == "permessage-deflate";
    let mut offer = Offer::default();
    while rest.skip(b';') {
        let parameter = rest.token()?;
        let value = if rest.skip(b'=') { Some(rest.value()?) } else { None };
        // What is declined is still read: the next offer is behind it.
        is_acceptable = is_acceptable && offer.add(parameter, value);
    }
    Ok(is_acceptable.then(|| offer.answer()))
}

/// The parameters of an offer (RFC 7692 section 7.1).
#[derive(Default)]
struct Offer {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: bool,
    client_max_window_bits: bool,
}

impl Offer {
    /// Takes a parameter down; false if the offer is to be declined for it.
    fn add(&mut self, name: &str, value: Option<&str>) -> bool {
        let (seen, is_fine) = match name {
            "server_no_context_takeover" => (&mut self.server_no_context_takeover, value.is_none()),
            "client_no_context_takeover" => (&mut self.client_no_context_takeover, value.is_none()),
            "server_max_window_bits" => (&mut self.server_max_window_bits, value == Some("15")),
            "client_max_window_bits" => (&mut self.client_max_window_bits, value.is_none_or(is_window_bits)),
            _ => return false,
        };
        !std::mem::replace(seen, true) && is_fine
    }

    fn answer(&self) -> &'static str {
        if self.server_max_window_bits {
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             server_max_window_bits=15"
        } else {
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
        }
    }
}

fn is_window_bits(value: &str) -> bool {
    matches!(value, "8" | "9" | "10" | "11" | "12" | "13" | "14" | "15")
}

/// What is still to be read of a header; each byte of it is looked at a fixed number of times.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn skip_space(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    /// Skips this byte and the space around it; whether it was there.
    fn skip(&mut self, byte: u8) -> bool {
        self.skip_space();
        let Some(rest) = self.0.strip_prefix(char::from(byte)) else { return false };
        self.0 = rest;
        self.skip_space();
        true
    }

    fn token(&mut self) -> Result<&'a str, MalformedOffer> {
        let len = self.0.bytes().position(|byte| !is_token_byte(byte)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(len);
        self.0 = rest;
        if token.is_empty() { Err(MalformedOffer) } else { Ok(token) }
    }

    /// A token, perhaps in quotes. Escapes in it are not undone: no value that is accepted needs one.
    fn value(&mut self) -> Result<&'a str, MalformedOffer> {
        let Some(quoted) = self.0.strip_prefix('"') else { return self.token() };
        let mut is_escaped = false;
        for (at, byte) in quoted.bytes().enumerate() {
            match byte {
                b'"' if !is_escaped && at > 0 => {
                    self.0 = &quoted[at + 1..];
                    return Ok(&quoted[..at]);
                }
                b'\\' if !is_escaped => is_escaped = true,
                _ if is_token_byte(byte) => is_escaped = false,
                _ => return Err(MalformedOffer),
            }
        }
        Err(MalformedOffer)
    }
}

/// RFC 9110 section 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLAIN: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    #[track_caller]
    fn check(header: &str, expected: Result<Option<&str>, MalformedOffer>) {
        assert_eq!(negotiate([header]), expected, "{header}");
    }

    #[test]
    fn offers_that_clients_make() {
        for header in [
            "permessage-deflate",
            "permessage-deflate; client_max_window_bits",
            "permessage-deflate;client_max_window_bits=15",
            "permessage-deflate; client_max_window_bits=\"10\"",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            "x-webkit-deflate-frame, permessage-deflate; client_max_window_bits",
            " ,, permessage-deflate ,",
        ] {
            check(header, Ok(Some(PLAIN)));
        }
        check(
            "permessage-deflate; server_max_window_bits=15",
            Ok(Some(&format!("{PLAIN}; server_max_window_bits=15"))),
        );
    }

    #[test]
    fn what_cannot_be_accepted_is_declined() {
        for offer in [
            "permessage-deflate; server_max_window_bits=14",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=015",
            "permessage-deflate; client_max_window_bits=7",
            "permessage-deflate; client_max_window_bits=16",
            "permessage-deflate; client_max_window_bits=08",
            "permessage-deflate; client_max_window_bits; client_max_window_bits",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
            "permessage-deflate; mux",
            "permessage-deflate; client_max_window_bits=\"1\\5\"",
            "PERMESSAGE-DEFLATE; constructor",
            "permessage-bzip2",
            "constructor",
            "__proto__; toString=__proto__",
        ] {
            check(offer, Ok(None));
            check(&format!("{offer}, permessage-deflate"), Ok(Some(PLAIN)));
        }
        assert_eq!(negotiate([]), Ok(None));
        assert_eq!(negotiate(["", " , "]), Ok(None));
        assert_eq!(
            negotiate(["permessage-deflate; server_max_window_bits=9", "permessage-deflate"]),
            Ok(Some(PLAIN))
        );
    }

    #[test]
    fn what_is_no_list_is_malformed() {
        for header in [
            ";",
            "permessage-deflate;",
            "permessage-deflate; =1",
            "permessage-deflate client_max_window_bits",
            "permessage-deflate; client_max_window_bits=",
            "permessage-deflate; client_max_window_bits=\"\"",
            "permessage-deflate; client_max_window_bits=\"1",
            "permessage-deflate; client_max_window_bits=\"1 \"",
            "permessage-deflate; a=\"\\",
            "permessage-deflate, é",
            "a/b",
        ] {
            check(header, Err(MalformedOffer));
        }
        assert_eq!(negotiate(["permessage-deflate", "a b"]), Err(MalformedOffer));
    }

    #[test]
    fn a_long_header_is_read_in_one_pass() {
        check(&format!("a{}, permessage-deflate", " ".repeat(3500)), Ok(Some(PLAIN)));
        check(&format!("b{}x", " ".repeat(3500)), Err(MalformedOffer));
        check(&format!("permessage-deflate{}", "; client_max_window_bits".repeat(1000)), Ok(None));
        check(&format!("{}permessage-deflate", "constructor,".repeat(1000)), Ok(Some(PLAIN)));
    }

    proptest! {
        #[test]
        fn any_header_is_answered(header in "(permessage-deflate|[a-z_]{0,4}|client_max_window_bits|[;,= \"\\\\]){0,12}") {
            if let Ok(Some(answer)) = negotiate([header.as_str()]) {
                prop_assert!(header.contains("permessage-deflate") && answer.starts_with(PLAIN));
            }
        }
    }
}
