//! Polling payloads: bounded, an error is the last item, and what was read is written the same way.

use roomkey_protocol::engine::{Packet, payload};

/// Pieces of payloads.
pub const DICTIONARY: &[&[u8]] =
    &[b"\x1e", b"0{}", b"1", b"2probe", b"3", b"42[\"a\"]", b"5", b"6", b"b", b"AQIDBA==", b"\xc3\xa9"];

const PACKETS_MAX: usize = 64;

/// Decodes a body, and again what it was encoded to.
pub fn run(data: &[u8]) {
    let Ok(body) = str::from_utf8(data) else { return };
    let items: Vec<_> = payload::decode(body, PACKETS_MAX).collect();
    assert!(!items.is_empty() && items.len() <= PACKETS_MAX + 1);
    let packets: Vec<&Packet<'_>> = items.iter().map_while(|item| item.as_ref().ok()).collect();
    assert!(packets.len() + 1 >= items.len(), "nothing comes after an error");
    if packets.is_empty() {
        return;
    }
    let mut encoder = payload::Encoder::new();
    for packet in &packets {
        encoder.push(packet);
    }
    let again = encoder.finish();
    assert!(again.len() <= body.len(), "nothing is added");
    let decoded: Vec<_> =
        payload::decode(&again, PACKETS_MAX).collect::<Result<_, _>>().expect("our own payload");
    assert!(packets.into_iter().eq(decoded.iter()));
}
