use base64::{Engine, prelude::BASE64_STANDARD};
use zeroize::Zeroizing;

/// The bytes of the one PEM block (RFC 7468) in `text`, and its label.
///
/// White space around the block and line breaks of any kind inside are fine; a second block is not, because
/// one of the two would be silently left out.
pub(super) fn decode(text: &str) -> Result<(&str, Zeroizing<Vec<u8>>), &'static str> {
    const NOT_PEM: &str = "is not one PEM block";
    let rest = text.trim().strip_prefix("-----BEGIN ").ok_or(NOT_PEM)?;
    let (label, rest) = rest.split_once("-----").ok_or(NOT_PEM)?;
    let (body, end) = rest.split_once("-----END ").ok_or(NOT_PEM)?;
    if end.strip_suffix("-----") != Some(label) {
        return Err(NOT_PEM);
    }
    let body: Zeroizing<String> = Zeroizing::new(body.split_ascii_whitespace().collect());
    let bytes = BASE64_STANDARD.decode(body.as_bytes()).map_err(|_| "is a PEM block that is not base64")?;
    Ok((label, Zeroizing::new(bytes)))
}

/// A PEM block with lines of 64 characters.
pub(super) fn encode(label: &str, bytes: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(BASE64_STANDARD.encode(bytes));
    let mut text = Zeroizing::new(String::with_capacity(body.len() * 66 / 64 + 2 * label.len() + 40));
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    for (index, character) in body.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_reads_back() {
        let bytes: Vec<u8> = (0..100).collect();
        let text = encode("PUBLIC KEY", &bytes);
        assert!(text.lines().all(|line| line.len() <= 64));
        for text in [text.as_str(), &text.replace('\n', "\r\n"), &format!("\n  {}  \n", text.trim())] {
            let (label, decoded) = decode(text).expect("a PEM block");
            assert_eq!((label, &**decoded), ("PUBLIC KEY", &bytes[..]));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let block = "-----BEGIN A-----\nAAAA\n-----END A-----";
        assert!(decode(block).is_ok());
        for bad in [
            "",
            "AAAA",
            "-----BEGIN A-----",
            "-----BEGIN A-----\nAAAA\n-----END B-----",
            "-----BEGIN A-----\nAA!A\n-----END A-----",
            "-----BEGIN A-----\nAAA\n-----END A-----",
            &format!("{block}\n{block}"),
            &format!("x{block}"),
        ] {
            assert!(decode(bad).is_err(), "{bad:?}");
        }
    }
}
