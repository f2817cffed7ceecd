//! Polling payloads of both revisions: bounded, an error is the last item, and what was read is written the same way.

use roomkey_protocol::{
    ParseError,
    engine::{
        Packet,
        payload::{self, Body, Format},
    },
};

/// Pieces of payloads.
pub const DICTIONARY: &[&[u8]] = &[
    b"\x1e",
    b"0{}",
    b"1",
    b"2probe",
    b"3",
    b"42[\"a\"]",
    b"5",
    b"6",
    b"b",
    b"AQIDBA==",
    b"\xc3\xa9",
    b"\xf0\x9f\x98\x80",
    b"1:2",
    b"6:4hello",
    b"10:b4AQIDBA==",
    b"\x00\x06\xff4hello",
    b"\x01\x05\xff\x04\x01\x02\x03\x04",
    b"\x00\x01\xff2",
];

const PACKETS_MAX: usize = 64;

/// Decodes a body in every way there is, and again what it was encoded to.
pub fn run(data: &[u8]) {
    let old = Format::V3 { base64: false };
    check(&Body::Binary(data.to_vec()), old);
    let Ok(body) = str::from_utf8(data) else { return };
    let body = Body::Text(body.to_owned());
    check(&body, old);
    check(&body, Format::V3 { base64: true });
    check(&body, Format::V4);
}

fn check(body: &Body, format: Format) {
    let items: Vec<_> = format.decode(body, PACKETS_MAX).collect();
    assert!(!items.is_empty() && items.len() <= PACKETS_MAX + 1);
    let packets: Vec<&Packet<'_>> = items.iter().map_while(|item| item.as_ref().ok()).collect();
    assert!(packets.len() + 1 >= items.len(), "nothing comes after an error");
    let texts: Vec<_> = packets.iter().map(|packet| text(packet)).collect();
    let Some(again) = format.encode(texts.iter().map(String::as_str)) else { return };
    let decoded: Vec<_> =
        format.decode(&again, PACKETS_MAX).collect::<Result<_, _>>().expect("our own payload");
    assert!(packets.into_iter().eq(decoded.iter()));
    if let (Body::Text(body), Body::Text(again), Format::V4) = (body, &again, format) {
        assert!(again.len() <= body.len(), "nothing is added");
        assert!(payload::decode(body, 1).nth(1).is_none_or(|next| next == Err(ParseError::PacketsTooMany)));
    }
}

fn text(packet: &Packet<'_>) -> String {
    let mut text = String::new();
    packet.encode(&mut text);
    text
}
