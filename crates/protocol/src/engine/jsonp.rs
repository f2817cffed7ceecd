//! Long-polling by script elements, for browsers that cannot do better: a part of revision 3.

use crate::{ParseError, engine::query};

/// The script that hands a payload to the page; `index` is what its request has as `j`.
pub fn encode(index: u32, payload: &str) -> String {
    let literal = serde_json::to_string(payload).expect("text always serializes");
    // Line ends in JavaScript of old, though not in JSON.
    let literal = literal.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    format!("___eio[{index}]({literal});")
}

/// The payload in the body of a form. Newlines come as `\n`, because a form would change them, and the two characters
/// `\n` with one more backslash.
pub fn decode(body: &str) -> Result<String, ParseError> {
    let (_, data) = query::pairs(body).find(|(name, _)| name == "d").ok_or(ParseError::Payload)?;
    let mut payload = String::with_capacity(data.len());
    let mut rest = &*data;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        payload.push_str(before);
        rest = if let Some(after) = escape.strip_prefix("\\\\n") {
            payload.push_str("\\n");
            after
        } else if let Some(after) = escape.strip_prefix("\\n") {
            payload.push('\n');
            after
        } else {
            payload.push('\\');
            &escape[1..]
        };
    }
    payload.push_str(rest);
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts() {
        for (payload, script) in [
            ("1:6", r#"___eio[7]("1:6");"#),
            (r#"9:42["m",1]"#, r#"___eio[7]("9:42[\"m\",1]");"#),
            ("\u{2028}\u{2029}\\\n</script>", r#"___eio[7]("\u2028\u2029\\\n</script>");"#),
        ] {
            assert_eq!(encode(7, payload), script);
        }
    }

    #[test]
    fn forms() {
        for (body, payload) in [
            ("d=1%3A6", "1:6"),
            ("x=y&d=9%3A42%5B%22a+b%22%5D", "9:42[\"a b\"]"),
            ("d=", ""),
            (r"d=a\nb", "a\nb"),
            (r"d=a\\nb", r"a\nb"),
            (r"d=a\\\nb", r"a\\nb"),
            (r"d=\\\x\", r"\\\x\"),
            (r"d=%5Cn", "\n"),
        ] {
            assert_eq!(decode(body).as_deref(), Ok(payload), "{body}");
        }
        for body in ["", "1:6", "D=1", "dd=1"] {
            assert_eq!(decode(body), Err(ParseError::Payload), "{body}");
        }
    }
}
