//! Payloads of revision 3, whose packets have their lengths in front.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};

use super::Body;
use crate::ParseError;

/// Digits that the length of a packet may have; a body is not that long.
const DIGITS_MAX: usize = 10;

/// The first packet of a text, `<length>:<packet>`, and what follows. The length is in UTF-16 units, as JavaScript
/// counts.
pub(super) fn split_text(text: &str) -> Result<(&str, &str), ParseError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let length: usize = text[..digits.min(DIGITS_MAX)].parse().map_err(|_| ParseError::Payload)?;
    let packets = text[digits..].strip_prefix(':').ok_or(ParseError::Payload)?;
    let mut units = 0;
    let mut end = 0;
    for character in packets.chars() {
        if units >= length {
            break;
        }
        units += character.len_utf16();
        end += character.len_utf8();
    }
    if units == length && digits <= DIGITS_MAX { Ok(packets.split_at(end)) } else { Err(ParseError::Payload) }
}

/// A packet of a binary payload.
pub(super) enum Piece<'a> {
    Text(&'a str),
    /// As in a binary frame: with the type in front.
    Binary(&'a [u8]),
}

/// The first packet of a binary payload, and what follows: a byte for the kind, a byte for each digit of the length
/// in bytes, 255, the packet.
pub(super) fn split_binary(body: &[u8]) -> Result<(Piece<'_>, &[u8]), ParseError> {
    let (kind, rest) = body.split_first().ok_or(ParseError::Payload)?;
    let digits = rest.iter().take_while(|digit| **digit <= 9).count();
    if !(1..=DIGITS_MAX).contains(&digits) || rest.get(digits) != Some(&255) {
        return Err(ParseError::Payload);
    }
    let length = rest[..digits].iter().fold(0, |length: usize, digit| length * 10 + usize::from(*digit));
    let (packet, rest) = rest[digits + 1..].split_at_checked(length).ok_or(ParseError::Payload)?;
    let piece = match kind {
        0 => Piece::Text(str::from_utf8(packet).map_err(|_| ParseError::Payload)?),
        1 => Piece::Binary(packet),
        _ => return Err(ParseError::Payload),
    };
    Ok((piece, rest))
}

/// Writes packets, which are in the form of revision 4: binary data as base64 behind a `b`.
pub(super) fn encode<'a>(packets: impl Iterator<Item = &'a str> + Clone, base64: bool) -> Body {
    let is_binary = !base64 && packets.clone().any(|packet| packet.starts_with('b'));
    if is_binary { Body::Binary(encode_binary(packets)) } else { Body::Text(encode_text(packets)) }
}

fn encode_text<'a>(packets: impl Iterator<Item = &'a str>) -> String {
    let mut body = String::new();
    for packet in packets {
        let (prefix, packet) = packet.strip_prefix('b').map_or(("", packet), |data| ("b4", data));
        let length = prefix.len() + packet.chars().map(char::len_utf16).sum::<usize>();
        write!(body, "{length}:{prefix}{packet}").expect("a string");
    }
    body
}

fn encode_binary<'a>(packets: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let mut body = Vec::new();
    let mut push = |kind, packet: &[u8]| {
        body.push(kind);
        body.extend(packet.len().to_string().bytes().map(|digit| digit - b'0'));
        body.push(255);
        body.extend_from_slice(packet);
    };
    for packet in packets {
        match packet.strip_prefix('b').and_then(|data| STANDARD.decode(data).ok()) {
            Some(bytes) => push(1, &[&[4], &bytes[..]].concat()),
            None => push(0, packet.as_bytes()),
        }
    }
    body
}
