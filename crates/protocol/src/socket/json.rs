//! Checks of JSON text that leave it as it is, so that it can be relayed without being written anew.
//!
//! Everything here is linear in the text and uses no recursion.

mod containers;

use serde_json::value::RawValue;

use crate::ParseError;

pub(crate) use containers::containers;

/// How deeply arrays and objects may be nested.
const DEPTH_MAX: usize = 256;

/// The type a payload must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Array,
    Object,
}

/// Checks that the text is one JSON value of this type, not too deep.
pub(crate) fn check(text: &str, shape: Shape) -> Result<(), ParseError> {
    let open = match shape {
        Shape::Array => '[',
        Shape::Object => '{',
    };
    if !text.starts_with(open) {
        return Err(ParseError::Json);
    }
    if is_too_deep(text) {
        return Err(ParseError::JsonTooDeep);
    }
    // A raw value is validated but not built.
    serde_json::from_str::<&RawValue>(text).map_err(|_| ParseError::Json)?;
    Ok(())
}

fn is_too_deep(text: &str) -> bool {
    if text.len() <= DEPTH_MAX || count_opening(text) <= DEPTH_MAX {
        return false;
    }
    let mut depth = 0_usize;
    Tokens { rest: text }.any(|token| {
        match token.as_bytes().first() {
            Some(b'[' | b'{') => depth += 1,
            Some(b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEPTH_MAX
    })
}

/// Counts the brackets that may open something, also those in strings: many bytes at once, so that hardly any payload
/// has to be walked through for its depth.
fn count_opening(text: &str) -> usize {
    const ASCII_CASE: u8 = 0x20; // the only difference between `[` and `{`
    let count_chunk = |chunk: &[u8]| {
        chunk.iter().fold(0_u8, |count, byte| count.wrapping_add(u8::from(byte | ASCII_CASE == b'{')))
    };
    text.as_bytes().chunks(usize::from(u8::MAX)).map(|chunk| usize::from(count_chunk(chunk))).sum()
}

/// Splits the array of an event, which [`check`] has passed, into the event's name and the array of its arguments.
pub(crate) fn split_event(array: &str) -> Result<(Box<str>, Box<str>), ParseError> {
    let mut tokens = Tokens { rest: array };
    let (Some("["), Some(first)) = (tokens.next(), tokens.next()) else { return Err(ParseError::EventName) };
    let name = event_name(first).ok_or(ParseError::EventName)?;
    let args = match tokens.next() {
        Some(",") => ["[", tokens.rest].concat().into(),
        _ => "[]".into(),
    };
    Ok((name, args))
}

/// The name of an event from its JSON: a string, or an integer in its decimal form.
fn event_name(json: &str) -> Option<Box<str>> {
    if let Some(name) = json.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        return match name.contains('\\') {
            true => serde_json::from_str(json).ok(),
            false => Some(name.into()),
        };
    }
    let digits = json.strip_prefix('-').unwrap_or(json);
    let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_integer.then(|| json.into())
}

/// Checks that every placeholder of a valid text points to one of the attachments; counts them.
pub(crate) fn check_placeholders(text: &str, attachments: usize) -> Result<usize, ParseError> {
    let mut count = 0;
    for num in containers(text).filter_map(|container| container.placeholder()) {
        num.filter(|num| *num < attachments).ok_or(ParseError::Placeholder)?;
        count += 1;
    }
    Ok(count)
}

/// Cuts JSON into punctuation, strings with their quotes, and other scalars. Text that is not JSON gives nonsense,
/// but always less text than before.
pub(crate) struct Tokens<'a> {
    pub(crate) rest: &'a str,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let len = match self.rest.as_bytes() {
            [] => return None,
            [b'{' | b'}' | b'[' | b']' | b',' | b':', ..] => 1,
            [b'"', string @ ..] => 1 + string_len(string),
            _ => self
                .rest
                .find(['{', '}', '[', ']', ',', ':', '"', ' ', '\t', '\n', '\r'])
                .unwrap_or(self.rest.len()),
        };
        let (token, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(token)
    }
}

/// Bytes up to the closing quote and with it, or all there are.
fn string_len(bytes: &[u8]) -> usize {
    let mut is_escaped = false;
    let end = bytes.iter().position(|byte| {
        let is_end = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(bytes.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// The rule as the reference parser has it, on a tree.
    fn count_placeholders(value: &Value, attachments: usize) -> Result<usize, ParseError> {
        let children: Vec<&Value> = match value {
            Value::Array(items) => items.iter().collect(),
            Value::Object(entries) => entries.values().collect(),
            _ => Vec::new(),
        };
        let mut count = 0;
        for child in children {
            count += count_placeholders(child, attachments)?;
        }
        if value.get("_placeholder") == Some(&Value::Bool(true)) {
            let num = value.get("num").and_then(Value::as_u64).and_then(|num| usize::try_from(num).ok());
            num.filter(|num| *num < attachments).ok_or(ParseError::Placeholder)?;
            count += 1;
        }
        Ok(count)
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(|value| json!(value)),
            (-2_i64..4).prop_map(|value| json!(value)),
            (-9_i8..9).prop_map(|value| json!(f64::from(value) / 2.0)),
            "_placeholder|num|[\\[\\]{},:\"\\\\a ]{0,6}".prop_map(Value::String),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            let entry = ("_placeholder|num|\"num|\\\\|[a-c]?", inner.clone());
            let placeholder = (inner.clone(), inner.clone())
                .prop_map(|(num, other)| json!({"a": other, "_placeholder": true, "num": num}));
            prop_oneof![
                prop::collection::vec(inner, 0..5).prop_map(Value::Array),
                prop::collection::vec(entry, 0..5)
                    .prop_map(|entries| Value::Object(entries.into_iter().collect())),
                placeholder,
            ]
        })
    }

    proptest! {
        #[test]
        fn placeholders_are_found_as_on_a_tree(value in value(), attachments in 1_usize..4) {
            let expected = count_placeholders(&value, attachments);
            prop_assert_eq!(check_placeholders(&value.to_string(), attachments), expected);
            let pretty = serde_json::to_string_pretty(&value).expect("plain data");
            prop_assert_eq!(check_placeholders(&pretty, attachments), expected);
        }

        #[test]
        fn an_event_is_split_as_on_a_tree(name in ".*", args in prop::collection::vec(value(), 0..4)) {
            let event: Vec<_> = std::iter::once(json!(name)).chain(args.clone()).collect();
            for text in [json!(event).to_string(), serde_json::to_string_pretty(&event).expect("plain data")] {
                let (name_read, args_read) = split_event(&text).expect("a name");
                prop_assert_eq!(&*name_read, name.as_str());
                prop_assert_eq!(serde_json::from_str::<Vec<Value>>(&args_read).expect("an array"), args.clone());
            }
        }

        #[test]
        fn any_text_is_taken_apart_to_its_end(text in "[\\[\\]{},:\"\\\\a1é \n]{0,40}") {
            let tokens: usize = Tokens { rest: &text }.map(str::len).sum();
            let spaces = text.bytes().filter(|byte| matches!(byte, b' ' | b'\n')).count();
            prop_assert!(tokens <= text.len() && tokens + spaces >= text.len());
        }
    }
}
