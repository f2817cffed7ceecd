use std::borrow::Cow;

use bytes::Bytes;

use crate::socket::json::{self, Tokens};

/// Bytes that attachments may take beyond being written once: a client may name one of its attachments many times.
const REPEATED_BYTES_MAX: usize = 1_000_000;

/// What must be known of an array or an object where it begins.
#[derive(Clone, Copy, Default)]
struct Outline {
    len: u32,
    /// The attachment that it stands for.
    attachment: Option<u32>,
}

/// Appends a JSON text that was checked before. Where there are attachments, placeholders become binary data; those
/// that would repeat too much become nil.
pub(super) fn transcode(json: &str, attachments: &[Bytes], out: &mut Vec<u8>) {
    let mut bytes_left = attachments.iter().map(Bytes::len).sum::<usize>() + REPEATED_BYTES_MAX;
    let mut outlines = outlines(json, attachments.len()).into_iter();
    let mut tokens = Tokens { rest: json };
    while let Some(token) = tokens.next() {
        match token {
            "{" | "[" => match outlines.next().unwrap_or_default() {
                Outline { attachment: Some(num), .. } => {
                    let attachment = &attachments[num as usize];
                    match bytes_left.checked_sub(attachment.len()) {
                        Some(left) => {
                            bytes_left = left;
                            binary(attachment, out);
                        }
                        None => out.push(0xc0),
                    }
                    let inside = skip(&mut tokens);
                    outlines.by_ref().take(inside).for_each(drop);
                }
                Outline { len, .. } if token == "{" => map(len as usize, out),
                Outline { len, .. } => header(len as usize, 0x90, 15, [None, Some(0xdc), Some(0xdd)], out),
            },
            "}" | "]" | "," | ":" => {}
            "null" => out.push(0xc0),
            "false" => out.push(0xc2),
            "true" => out.push(0xc3),
            _ => match token.strip_prefix('"') {
                Some(quoted) => string(&unescape(quoted.strip_suffix('"').unwrap_or(quoted)), out),
                None => number(token, out),
            },
        }
    }
}

fn outlines(json: &str, attachments: usize) -> Vec<Outline> {
    let mut outlines = Vec::new();
    for container in json::containers(json) {
        if outlines.len() <= container.index {
            outlines.resize(container.index + 1, Outline::default());
        }
        let attachment = container.placeholder().flatten().filter(|num| *num < attachments);
        outlines[container.index] = Outline {
            len: u32::try_from(container.len).unwrap_or(u32::MAX),
            attachment: attachment.and_then(|num| u32::try_from(num).ok()),
        };
    }
    outlines
}

/// Passes over what is left of an object; how many arrays and objects are in it.
fn skip(tokens: &mut Tokens<'_>) -> usize {
    let (mut depth, mut inside) = (1_usize, 0);
    for token in tokens {
        match token {
            "{" | "[" => (depth, inside) = (depth + 1, inside + 1),
            "}" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    inside
}

pub(super) fn map(len: usize, out: &mut Vec<u8>) {
    header(len, 0x80, 15, [None, Some(0xde), Some(0xdf)], out);
}

pub(super) fn string(text: &str, out: &mut Vec<u8>) {
    header(text.len(), 0xa0, 31, [Some(0xd9), Some(0xda), Some(0xdb)], out);
    out.extend_from_slice(text.as_bytes());
}

fn binary(bytes: &[u8], out: &mut Vec<u8>) {
    let marker = [0xc4, 0xc5, 0xc6];
    sized(bytes.len(), marker.map(Some), out);
    out.extend_from_slice(bytes);
}

/// The marker of something with a length: one byte up to `short_max`, else a marker for 8, 16 or 32 bits.
fn header(len: usize, short: u8, short_max: u8, markers: [Option<u8>; 3], out: &mut Vec<u8>) {
    match u8::try_from(len) {
        Ok(len) if len <= short_max => out.push(short | len),
        _ => sized(len, markers, out),
    }
}

fn sized(len: usize, [bits8, bits16, bits32]: [Option<u8>; 3], out: &mut Vec<u8>) {
    if let (Some(marker), Ok(len)) = (bits8, u8::try_from(len)) {
        out.extend_from_slice(&[marker, len]);
    } else if let (Some(marker), Ok(len)) = (bits16, u16::try_from(len)) {
        out.push(marker);
        out.extend_from_slice(&len.to_be_bytes());
    } else {
        // No message is that long that its length would not fit.
        out.extend(bits32);
        out.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
    }
}

pub(super) fn unsigned(number: u64, out: &mut Vec<u8>) {
    match number {
        0..=0x7f => out.push(number.to_be_bytes()[7]),
        0x80..=0xff => out.extend_from_slice(&[0xcc, number.to_be_bytes()[7]]),
        0x100..=0xffff => marked(0xcd, &number.to_be_bytes()[6..], out),
        0x1_0000..=0xffff_ffff => marked(0xce, &number.to_be_bytes()[4..], out),
        _ => marked(0xcf, &number.to_be_bytes(), out),
    }
}

fn negative(number: i64, out: &mut Vec<u8>) {
    let bytes = number.to_be_bytes();
    match number {
        -0x20.. => out.push(bytes[7]),
        -0x80.. => marked(0xd0, &bytes[7..], out),
        -0x8000.. => marked(0xd1, &bytes[6..], out),
        -0x8000_0000.. => marked(0xd2, &bytes[4..], out),
        _ => marked(0xd3, &bytes, out),
    }
}

fn marked(marker: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(marker);
    out.extend_from_slice(bytes);
}

/// An integer where it is written as one and fits, else a float as JavaScript would read it.
fn number(json: &str, out: &mut Vec<u8>) {
    if let Ok(number) = json.parse() {
        unsigned(number, out);
    } else if let Ok(number @ ..0) = json.parse() {
        negative(number, out);
    } else {
        marked(0xcb, &json.parse().unwrap_or(f64::NAN).to_be_bytes(), out);
    }
}

/// What is between the quotes of a JSON string. Half a surrogate pair, which msgpack cannot hold, is replaced.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut units = Vec::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            units.extend_from_slice(character.encode_utf16(&mut [0; 2]));
            continue;
        }
        let escaped = characters.next().unwrap_or(char::REPLACEMENT_CHARACTER);
        units.push(match escaped {
            'b' => 0x08,
            't' => 0x09,
            'n' => 0x0a,
            'f' => 0x0c,
            'r' => 0x0d,
            'u' => {
                let (digits, rest) = characters.as_str().split_at_checked(4).unwrap_or_default();
                characters = rest.chars();
                u16::from_str_radix(digits, 16).unwrap_or(0xfffd)
            }
            other => u16::try_from(u32::from(other)).unwrap_or(0xfffd),
        });
    }
    Cow::Owned(String::from_utf16_lossy(&units))
}
