use std::io::Write;

use bytes::Bytes;

use super::reader::{Reader, Token};
use crate::{ParseError, socket::utf8};

/// How deeply arrays and maps may be nested.
const DEPTH_MAX: usize = 64;

/// Writes one value, which [`Reader::skip`] has passed, as `JSON.stringify` would; binary data becomes placeholders.
pub(super) fn transcode(
    value: &[u8],
    attachments_max: usize,
    bytes_max: usize,
) -> Result<(Box<str>, Vec<Bytes>), ParseError> {
    let mut reader = Reader::new(value);
    let mut json = Vec::with_capacity(value.len());
    let (mut attachments, mut attached_bytes) = (Vec::new(), 0);
    let mut open: Vec<Container> = Vec::new();
    while !reader.is_at_end() || !open.is_empty() {
        check_size(json.len() + attached_bytes, bytes_max)?;
        let beginning = json.len();
        if let Some(container) = open.last_mut() {
            if container.missing == 0 {
                json.push(if container.is_map { b'}' } else { b']' });
                open.pop();
                continue;
            }
            container.missing -= 1;
            if !container.is_empty {
                json.push(b',');
            }
            if container.is_map {
                write_key(reader.next()?, &mut json)?;
            }
        }
        let token = reader.next()?;
        match (token, open.last_mut()) {
            // The entry is left out, with its key.
            (Token::Undefined, Some(container)) if container.is_map => {
                json.truncate(beginning);
                continue;
            }
            (_, Some(container)) => container.is_empty = false,
            (_, None) => {}
        }
        match token {
            Token::Array(missing) | Token::Map(missing) => {
                if open.len() == DEPTH_MAX {
                    return Err(ParseError::JsonTooDeep);
                }
                let is_map = matches!(token, Token::Map(_));
                json.push(if is_map { b'{' } else { b'[' });
                open.push(Container { is_map, missing, is_empty: true });
            }
            Token::Binary(bytes) => {
                if attachments.len() == attachments_max {
                    return Err(ParseError::AttachmentsCount);
                }
                attached_bytes += bytes.len();
                write!(json, r#"{{"_placeholder":true,"num":{}}}"#, attachments.len()).expect("memory");
                attachments.push(Bytes::copy_from_slice(bytes));
            }
            scalar => write_scalar(scalar, &mut json),
        }
    }
    check_size(json.len() + attached_bytes, bytes_max)?;
    Ok((utf8(json).into(), attachments))
}

fn check_size(bytes: usize, bytes_max: usize) -> Result<(), ParseError> {
    if bytes > bytes_max { Err(ParseError::AttachmentsTooBig) } else { Ok(()) }
}

/// An array or a map whose end has not come yet.
struct Container {
    is_map: bool,
    missing: usize,
    is_empty: bool,
}

fn write_key(key: Token<'_>, json: &mut Vec<u8>) -> Result<(), ParseError> {
    match key {
        Token::String(_) => write_scalar(key, json),
        Token::Signed(_) | Token::Unsigned(_) => {
            json.push(b'"');
            write_scalar(key, json);
            json.push(b'"');
        }
        _ => return Err(ParseError::Msgpack),
    }
    json.push(b':');
    Ok(())
}

fn write_scalar(scalar: Token<'_>, json: &mut Vec<u8>) {
    let written = match scalar {
        Token::Bool(value) => write!(json, "{value}"),
        Token::Signed(number) => write!(json, "{number}"),
        Token::Unsigned(number) => write!(json, "{number}"),
        Token::Float(number) => match scalar.integer() {
            Some(integer) => write!(json, "{integer}"),
            // Infinities and the like become null.
            None => serde_json::to_writer(&mut *json, &number).map_err(Into::into),
        },
        Token::String(text) => serde_json::to_writer(&mut *json, text).map_err(Into::into),
        Token::Date(ms) => write_date(ms, json),
        Token::Nil | Token::Undefined | Token::Binary(_) | Token::Array(_) | Token::Map(_) => {
            json.write_all(b"null")
        }
    };
    written.expect("a vector takes everything");
}

/// As JavaScript's `toJSON` does: ISO 8601 in UTC, with years of six digits where four do not suffice, and null
/// where it knows no date.
fn write_date(ms: i64, json: &mut Vec<u8>) -> std::io::Result<()> {
    const MS_MAX: i64 = 8_640_000_000_000_000;
    const MS_PER_DAY: i64 = 86_400_000;
    if !(-MS_MAX..=MS_MAX).contains(&ms) {
        return json.write_all(b"null");
    }
    let (year, month, day) = civil(ms.div_euclid(MS_PER_DAY));
    let ms = ms.rem_euclid(MS_PER_DAY);
    let (hour, minute, second, ms) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
    match year {
        0..=9999 => write!(json, "\"{year:04}")?,
        _ => write!(json, "\"{year:+07}")?,
    }
    write!(json, "-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z\"")
}

/// Year, month and day of a day counted from 1970, in the Gregorian calendar of all times.
fn civil(day: i64) -> (i64, i64, i64) {
    // Counted from 1 March of the year 0, so that leap days are the last of a year; 400 years have 146 097 days.
    let day = day + 719_468;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_javascript_writes_them() {
        for (ms, expected) in [
            (0, "\"1970-01-01T00:00:00.000Z\""),
            (-1, "\"1969-12-31T23:59:59.999Z\""),
            (951_782_400_000, "\"2000-02-29T00:00:00.000Z\""),
            (1_795_167_498_970, "\"2026-11-20T09:38:18.970Z\""),
            (253_402_300_799_999, "\"9999-12-31T23:59:59.999Z\""),
            (253_402_300_800_000, "\"+010000-01-01T00:00:00.000Z\""),
            (-62_167_219_200_000, "\"0000-01-01T00:00:00.000Z\""),
            (-62_167_219_200_001, "\"-000001-12-31T23:59:59.999Z\""),
            (8_640_000_000_000_000, "\"+275760-09-13T00:00:00.000Z\""),
            (-8_640_000_000_000_000, "\"-271821-04-20T00:00:00.000Z\""),
            (8_640_000_000_000_001, "null"),
            (i64::MIN, "null"),
        ] {
            let mut json = Vec::new();
            write_date(ms, &mut json).expect("memory");
            assert_eq!(String::from_utf8_lossy(&json), expected, "{ms}");
        }
    }
}
