//! Compressed WebSocket messages: what is inflated is bounded and does not depend on how the bytes were cut, what is
//! compressed comes back, and any header of offers is answered.

use roomkey_websocket::{Opcode, Role, deflate, encode_masked};

use crate::websocket_frames::{MESSAGE_BYTES_MAX, Outcome, decoder, read};

/// Pieces of frames, of deflate and of offers.
pub const DICTIONARY: &[&[u8]] = &[
    b"\xc1\x87\0\0\0\0\xf2\x48\xcd\xc9\xc9\x07\0",
    b"\x41\x83\0\0\0\0\xf2\x48\xcd",
    b"\x80\x84\0\0\0\0\xc9\xc9\x07\0",
    b"\xc2\x81\0\0\0\0\0",
    b"\x89\x80\0\0\0\0",
    b"\0\0\xff\xff",
    b"\x01\0\0\xff\xff",
    b"\x03\0",
    b"\xed\xc1\x01\x0d",
    b"permessage-deflate",
    b"; client_max_window_bits",
    b"; server_max_window_bits=\"15\"",
    b", constructor",
];

/// The first byte says how the rest is cut.
pub fn run(data: &[u8]) {
    let Some((&cut, bytes)) = data.split_first() else { return };
    let cut = usize::from(cut).max(1);
    check_frames(bytes, cut);
    check_payload(bytes, cut);
    check_round_trip(bytes);
    if let Some(answer) =
        std::str::from_utf8(bytes).ok().and_then(|text| deflate::negotiate([text]).ok().flatten())
    {
        assert!(
            answer.starts_with("permessage-deflate; server_no_context_takeover; client_no_context_takeover")
        );
    }
}

fn check_frames(bytes: &[u8], cut: usize) {
    let whole = read(decoder(Role::Server).with_deflate(), bytes, bytes.len().max(1));
    assert_eq!(whole, read(decoder(Role::Server).with_deflate(), bytes, cut));
    for outcome in &whole {
        if let Outcome::Data(_, payload) = outcome {
            assert!(payload.len() <= MESSAGE_BYTES_MAX);
        }
    }
}

/// As the payload of one compressed message, in one frame and in two.
fn check_payload(bytes: &[u8], cut: usize) {
    let frame = |first: u8, payload: &[u8]| {
        let mut frame = Vec::new();
        encode_masked(Opcode::Binary, payload, [1, 2, 3, 4], &mut frame);
        frame[0] = first;
        frame
    };
    let (a, b) = bytes.split_at(cut.min(bytes.len()));
    let whole = frame(0xc2, bytes);
    let fragments = [frame(0x42, a), frame(0x80, b)].concat();
    let read = |bytes: &[u8]| read(decoder(Role::Server).with_deflate(), bytes, bytes.len());
    let outcome = read(&whole);
    assert_eq!(outcome.len(), 1);
    assert_eq!(outcome, read(&fragments));
}

fn check_round_trip(bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(MESSAGE_BYTES_MAX)];
    let mut frame = Vec::new();
    let is_compressed = deflate::encode(Opcode::Binary, bytes, &mut frame);
    assert_eq!(is_compressed, frame[0] == 0xc2);
    assert!(frame.len() <= roomkey_websocket::header(Opcode::Binary, bytes.len()).len() + bytes.len());
    let outcome = read(decoder(Role::Client).with_deflate(), &frame, frame.len());
    assert_eq!(outcome, [Outcome::Data(Opcode::Binary, bytes.to_vec())]);
}
