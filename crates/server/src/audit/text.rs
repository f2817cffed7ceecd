//! Text that others chose, written so that a record stays one line of JSON and harms no terminal.

use std::fmt::Write;

/// Bytes of one field that are kept.
pub(super) const FIELD_BYTES_MAX: usize = 320;

/// Appends `,"name":"value"`, with the value escaped and cut to a length.
pub(super) fn field(line: &mut String, name: &str, value: &str) {
    let kept = &value[..value.floor_char_boundary(FIELD_BYTES_MAX)];
    let _ = write!(line, ",\"{name}\":\"");
    escape(line, kept);
    if kept.len() < value.len() {
        line.push('…');
    }
    line.push('"');
}

/// The text with what is not seen, or moves what is, written out, and cut to a length: for who reads it on a page.
pub(super) fn shown(value: &str) -> String {
    let kept = &value[..value.floor_char_boundary(FIELD_BYTES_MAX)];
    let mut text = String::with_capacity(kept.len());
    for character in kept.chars() {
        match is_unsafe(character) {
            true => text.extend(character.escape_unicode()),
            false => text.push(character),
        }
    }
    if kept.len() < value.len() {
        text.push('…');
    }
    text
}

/// Appends `,"name":number`.
pub(super) fn number(line: &mut String, name: &str, value: u64) {
    let _ = write!(line, ",\"{name}\":{value}");
}

fn escape(line: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            _ if is_unsafe(character) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(line, "\\u{unit:04x}");
                }
            }
            _ => line.push(character),
        }
    }
}

/// What moves a cursor, ends a line somewhere, is not seen, or reorders what is read. JSON itself asks only for the
/// first 32 characters.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn written(value: &str) -> String {
        let mut line = String::from("{\"a\":1");
        field(&mut line, "b", value);
        line + "}"
    }

    #[test]
    fn nothing_breaks_out_of_its_field() {
        let cases = [
            ("alice", "alice"),
            ("a\"}\n{\"event\":\"x", r#"a\"}\u000a{\"event\":\"x"#),
            ("\r\n\u{1b}[2K\u{9b}1m\u{7f}", r"\u000d\u000a\u001b[2K\u009b1m\u007f"),
            ("\\", r"\\"),
            ("a\u{2028}b\u{202e}c\u{200b}", r"a\u2028b\u202ec\u200b"),
            ("\u{e0041}", r"\udb40\udc41"),
            ("${jndi:ldap://x} {} %s %n", "${jndi:ldap://x} {} %s %n"),
            ("Zoë 日本", "Zoë 日本"),
        ];
        for (value, escaped) in cases {
            assert_eq!(written(value), format!("{{\"a\":1,\"b\":\"{escaped}\"}}"), "{value:?}");
        }
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let line = written(&"é".repeat(FIELD_BYTES_MAX));
        assert_eq!(line, format!("{{\"a\":1,\"b\":\"{}…\"}}", "é".repeat(FIELD_BYTES_MAX / 2)));
    }

    proptest! {
        #[test]
        fn a_json_parser_reads_what_was_written(value in "\\PC{0,40}|[\\x00-\\x1f\"\\\\a\u{7f}-\u{a0}\u{2020}-\u{2070}]{0,40}") {
            let line = written(&value);
            prop_assert!(!line.contains(is_unsafe), "{line:?}");
            let read: Value = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(read["b"].as_str(), Some(&*value));
        }
    }
}
