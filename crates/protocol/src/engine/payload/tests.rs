use std::borrow::Cow;

use super::*;
use crate::ParseError;

fn check(body: &str, expected: &[Result<Packet<'_>, ParseError>]) {
    assert_eq!(decode(body, 3).collect::<Vec<_>>(), expected, "{body:?}");
}

#[test]
fn examples() {
    check(
        "42[\"a\"]\u{1e}bAQID",
        &[Ok(Packet::Message("2[\"a\"]")), Ok(Packet::Binary(Cow::Borrowed(&[1, 2, 3])))],
    );
    check("3", &[Ok(Packet::Pong(""))]);
    check("6\u{1e}1", &[Ok(Packet::Noop), Ok(Packet::Close)]);
}

#[test]
fn packets_before_a_bad_one_are_given() {
    check("", &[Err(ParseError::EmptyPacket)]);
    check("\u{1e}", &[Err(ParseError::EmptyPacket)]);
    check("6\u{1e}", &[Ok(Packet::Noop), Err(ParseError::EmptyPacket)]);
    check("6\u{1e}x\u{1e}6", &[Ok(Packet::Noop), Err(ParseError::PacketType)]);
    check("6\u{1e}\u{1e}6", &[Ok(Packet::Noop), Err(ParseError::EmptyPacket)]);
}

#[test]
fn too_many_packets() {
    let noop = || Ok(Packet::Noop);
    check("6\u{1e}6\u{1e}6", &[noop(), noop(), noop()]);
    check(&"6\u{1e}".repeat(500_000), &[noop(), noop(), noop(), Err(ParseError::PacketsTooMany)]);
    check(&"\u{1e}".repeat(1_000_000), &[Err(ParseError::EmptyPacket)]);
}

const V3: Format = Format::V3 { base64: false };

#[track_caller]
fn check_v3(body: &Body, expected: &[Result<Packet<'_>, ParseError>]) {
    assert_eq!(V3.decode(body, 3).collect::<Vec<_>>(), expected, "{body:?}");
}

fn text(body: &str) -> Body {
    Body::Text(body.to_owned())
}

#[test]
fn counted_packets() {
    let hello = || Ok(Packet::Message("hello"));
    let bytes = || Ok(Packet::Binary(Cow::Borrowed(&[1, 2, 3, 4])));
    check_v3(&text("6:4hello"), &[hello()]);
    check_v3(&text("6:4hello10:b4AQIDBA==1:2"), &[hello(), bytes(), Ok(Packet::Ping(""))]);
    // Lengths are in UTF-16 units, in which an emoji is two.
    check_v3(&text("3:4\u{1f600}2:4é"), &[Ok(Packet::Message("\u{1f600}")), Ok(Packet::Message("é"))]);
    check_v3(&text("4:4\u{1e}:x"), &[Ok(Packet::Message("\u{1e}:x"))]);
    let binary = b"\x00\x06\xff4hello\x01\x05\xff\x04\x01\x02\x03\x04";
    check_v3(&Body::Binary(binary.to_vec()), &[hello(), bytes()]);
    let lengths_in_bytes = b"\x00\x03\xff4\xc3\xa9\x00\x00\x01\xff2";
    check_v3(&Body::Binary(lengths_in_bytes.to_vec()), &[Ok(Packet::Message("é")), Ok(Packet::Ping(""))]);
}

#[test]
fn bad_counts() {
    let refused = || [Err(ParseError::Payload)];
    let bodies = ["", ":", "4hello", "2", "-1:2", "+1:2", " 1:2", "1 :2", "2:2", "1:\u{1f600}"];
    for body in bodies {
        check_v3(&text(body), &refused());
    }
    check_v3(&text("99999999999999999999:2"), &refused());
    check_v3(&text(&format!("{}1:2", "0".repeat(1_000_000))), &refused());
    check_v3(&text("0:"), &[Err(ParseError::EmptyPacket)]);
    check_v3(&text("1:21:"), &[Ok(Packet::Ping("")), Err(ParseError::Payload)]);
    check_v3(&text("1:x1:2"), &[Err(ParseError::PacketType)]);
    for body in [
        &b""[..],
        b"\x00",
        b"\x00\xff",
        b"\x00\x01",
        b"\x00\x01\xff",
        b"\x02\x01\xff2",
        b"\x00\x01\x0a\xff2",
        b"\x00\x01\xff\xff",
        b"\x01\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\xff\x04",
        b"6:4hello",
    ] {
        check_v3(&Body::Binary(body.to_vec()), &refused());
    }
    check_v3(&Body::Binary(b"\x01\x00\xff".to_vec()), &[Err(ParseError::EmptyPacket)]);
    assert!(Format::V4.decode(&Body::Binary(Vec::new()), 3).all(|packet| packet.is_err()));
    let ping = || Ok(Packet::Ping(""));
    check_v3(&text(&"1:2".repeat(300_000)), &[ping(), ping(), ping(), Err(ParseError::PacketsTooMany)]);
}

#[test]
fn responses_of_revision_3() {
    let encode = |base64, packets: &[&str]| Format::V3 { base64 }.encode(packets.iter().copied());
    assert_eq!(encode(false, &[]), None);
    assert_eq!(encode(false, &["4é\u{1f600}", "2"]), Some(text("4:4é\u{1f600}1:2")));
    assert_eq!(encode(true, &["4hello", "bAQIDBA=="]), Some(text("6:4hello10:b4AQIDBA==")));
    let binary = b"\x00\x06\xff4hello\x01\x05\xff\x04\x01\x02\x03\x04";
    assert_eq!(encode(false, &["4hello", "bAQIDBA=="]), Some(Body::Binary(binary.to_vec())));
}

#[test]
fn a_response() {
    let mut encoder = Encoder::new();
    assert!(encoder.is_empty());
    encoder.push_text("40{\"sid\":\"x\"}");
    encoder.push(&Packet::Binary(Cow::Borrowed(&[1, 2, 3, 4])));
    for _ in 2..PACKETS_PER_RESPONSE_MAX {
        assert!(!encoder.is_full());
        encoder.push(&Packet::Noop);
    }
    assert!(encoder.is_full());
    let body = encoder.finish();
    assert!(body.starts_with("40{\"sid\":\"x\"}\u{1e}bAQIDBA==\u{1e}6\u{1e}6"), "{body}");
    assert_eq!(decode(&body, 100).filter(Result::is_ok).count(), 16);
}
