use proptest::prelude::*;

use super::*;
use crate::{Decoder, Message, Role, encode_masked};

const BYTES_MAX: usize = 1000;

/// A masked frame whose first byte is given.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_masked(Opcode::Text, payload, [1, 2, 3, 4], &mut out);
    out[0] = first;
    out
}

/// The messages, or the error, of these bytes when they come in pieces of this length.
fn decode(bytes: &[u8], piece_len: usize) -> String {
    let mut decoder = Decoder::new(Role::Server, BYTES_MAX, 16).with_deflate();
    let mut log = String::new();
    for piece in bytes.chunks(piece_len) {
        let mut piece = piece.to_vec();
        let mut input = piece.as_mut_slice();
        loop {
            match decoder.next(&mut input) {
                Ok(None) => break,
                Ok(Some(message)) => log.push_str(&format!("{message:?}\n")),
                Err(error) => return format!("{log}{error:?} {}\n", error.close_code()),
            }
        }
    }
    assert!(!decoder.has_partial(), "the message is not complete");
    log
}

#[track_caller]
fn check(frames: &[Vec<u8>], expected: &str) {
    let bytes = frames.concat();
    for piece_len in [bytes.len(), 1, 2, 3, 5] {
        assert_eq!(decode(&bytes, piece_len), expected, "in pieces of {piece_len}");
    }
}

/// RFC 7692 section 7.2.3.
#[test]
fn examples_of_the_rfc() {
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    check(&[frame(0xc1, &hello)], "Text(\"Hello\")\n");
    check(&[frame(0x41, &hello[..3]), frame(0x80, &hello[3..])], "Text(\"Hello\")\n");
    // Stored without compression; ended with a last block; in two blocks; nothing at all.
    let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
    check(&[frame(0xc1, &stored)], "Text(\"Hello\")\n");
    let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    check(&[frame(0xc1, &last)], "Text(\"Hello\")\n");
    let blocks = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
    check(&[frame(0xc1, &blocks)], "Text(\"Hello\")\n");
    check(&[frame(0xc1, &[0x00])], "Text(\"\")\n");
    // A second "Hello" that needs the window of the first message, which nobody keeps.
    check(
        &[frame(0xc1, &hello), frame(0xc1, &[0xf2, 0x00, 0x11, 0x00, 0x00])],
        "Text(\"Hello\")\nInvalidDeflate 1007\n",
    );
}

#[test]
fn compressed_and_plain_messages_may_alternate() {
    let text = "abc".repeat(100);
    let compressed = compress(text.as_bytes()).expect("it gets shorter");
    check(
        &[frame(0x81, b"plain"), frame(0xc1, &compressed), frame(0xc2, &compressed), frame(0x82, &[7])],
        &format!("Text(\"plain\")\nText({text:?})\nBinary({:?})\nBinary([7])\n", text.as_bytes()),
    );
}

#[test]
fn control_frames_may_stand_between_compressed_fragments() {
    let text = "abc".repeat(100);
    let compressed = compress(text.as_bytes()).expect("it gets shorter");
    let (a, b) = compressed.split_at(compressed.len() / 2);
    check(
        &[frame(0x41, a), frame(0x89, b"?"), frame(0x00, b""), frame(0x8a, b""), frame(0x80, b)],
        &format!("Ping([63])\nPong([])\nText({text:?})\n"),
    );
}

#[test]
fn only_the_first_frame_of_a_data_message_says_that_it_is_compressed() {
    for first in [0xc8, 0xc9, 0xca, 0xc0, 0x40, 0xa1, 0x91, 0xe1, 0xd1] {
        check(&[frame(first, b"")], "ReservedBits 1002\n");
    }
    check(&[frame(0x41, &[0xf2]), frame(0xc0, b"")], "ReservedBits 1002\n");
    check(&[frame(0x01, b"a"), frame(0xc0, b"")], "ReservedBits 1002\n");
    check(&[frame(0x41, &[0xf2]), frame(0xc1, b"")], "ContinuationExpected 1002\n");
}

#[test]
fn what_is_not_deflate_is_refused() {
    for bad in [
        &b""[..],
        // A block of the reserved kind, half a block, a stored block whose length is wrong.
        b"\xff\xff",
        b"\xf2\x48\xcd",
        b"\0\x05\0\0\0Hello",
        // More behind the end.
        b"\xf3\x48\xcd\xc9\xc9\x07\0\0\0",
        b"\xf3\x48\xcd\xc9\xc9\x07\0\x01",
    ] {
        check(&[frame(0xc1, bad)], "InvalidDeflate 1007\n");
        check(&[frame(0x41, bad), frame(0x80, b"")], "InvalidDeflate 1007\n");
    }
}

#[test]
fn text_is_checked_after_inflation() {
    let bad = compress(&b"\xff".repeat(100)).expect("it gets shorter");
    check(&[frame(0xc1, &bad)], "InvalidUtf8 1007\n");
    check(&[frame(0x41, &bad[..2]), frame(0x80, &bad[2..])], "InvalidUtf8 1007\n");
    check(&[frame(0xc2, &bad)], &format!("Binary({:?})\n", [0xff; 100]));
    // Its compressed bytes are no text, and need not be.
    let good = compress("é".repeat(100).as_bytes()).expect("it gets shorter");
    assert!(std::str::from_utf8(&good).is_err());
    check(&[frame(0xc1, &good)], &format!("Text({:?})\n", "é".repeat(100)));
}

#[test]
fn a_message_may_be_as_long_as_the_limit() {
    let at_limit = compress(&[b'a'; BYTES_MAX]).expect("it gets shorter");
    check(&[frame(0xc1, &at_limit)], &format!("Text({:?})\n", "a".repeat(BYTES_MAX)));
    for len in [BYTES_MAX + 1, BYTES_MAX * 1000] {
        let bomb = compress(&vec![b'a'; len]).expect("it gets shorter");
        check(&[frame(0xc1, &bomb[..bomb.len().min(BYTES_MAX)])], "MessageTooBig 1009\n");
    }
    // What is compressed has the same limit, though a header alone may declare it.
    check(&[frame(0xc1, &[0; BYTES_MAX + 1])], "MessageTooBig 1009\n");
    check(&[frame(0x41, &[0; 600]), frame(0x80, &[0; 401])], "MessageTooBig 1009\n");
}

/// Counted, not timed: a bomb is given up with one byte too many inflated, whatever it holds.
#[test]
fn a_bomb_is_not_inflated() {
    let bomb = compress(&vec![0; 10_000_000]).expect("it gets shorter");
    let mut decompressor = DecompressorOxide::default();
    let mut inflater = Inflater::new(&mut decompressor, 5000);
    assert_eq!(inflater.take(&bomb), Err(ProtocolError::MessageTooBig));
    assert_eq!((inflater.len, inflater.out.len()), (5001, 5001));
    // Blocks without content cost what they are long, and become nothing.
    let empty = [0, 0, 0, 0xff, 0xff].repeat(10_000);
    let mut inflater = Inflater::new(&mut decompressor, 5000);
    assert_eq!(inflater.take(&empty), Ok(None));
    assert_eq!(inflater.len, 0);
}

/// The memory that one message is inflated to is no window for the next, and less so for another peer's.
#[test]
fn nothing_of_another_message_can_be_referred_to() {
    let secret = compress("secret".repeat(100).as_bytes()).expect("it gets shorter");
    // A literal `H`, and then a match that begins before it.
    let thief = [0xf2, 0x00, 0x11, 0x00, 0x00];
    assert!(inflate(&secret, BYTES_MAX).is_ok());
    assert_eq!(inflate(&thief, BYTES_MAX), Err(ProtocolError::InvalidDeflate));
}

#[test]
fn what_would_not_get_shorter_is_sent_as_it_is() {
    assert_eq!(compress(b""), None);
    assert_eq!(compress(b"a"), None);
    let noise: Vec<u8> = (0..2000_u32).map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut out = Vec::new();
    assert_eq!(encode(Opcode::Binary, &noise, &mut out), compress(&noise).is_some());
    out.clear();
    assert!(!encode(Opcode::Text, b"short", &mut out));
    assert_eq!(out, b"\x81\x05short");
    out.clear();
    assert!(encode(Opcode::Text, &[b'a'; 200], &mut out));
    assert_eq!((out[0], usize::from(out[1])), (0xc1, out.len() - 2));
}

proptest! {
    #[test]
    fn what_is_compressed_comes_back_however_it_is_cut(
        words in prop::collection::vec("[a-f]{1,3}|\\PC{0,3}", 0..300),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        piece_len in 1_usize..500,
    ) {
        let text: String = words.concat().chars().scan(0, |len, c| {
            *len += c.len_utf8();
            (*len <= BYTES_MAX).then_some(c)
        }).collect();
        let Some(compressed) = compress(text.as_bytes()) else { return Ok(()) };
        prop_assert!(compressed.len() < text.len());
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(compressed.len() + 1)).collect();
        cuts.sort_unstable();
        let (mut bytes, mut start) = (Vec::new(), 0);
        for (index, end) in cuts.iter().copied().chain([compressed.len()]).enumerate() {
            let opcode = if index == 0 { 0x41 } else { 0x00 };
            let fin = if index == cuts.len() { 0x80 } else { 0x00 };
            bytes.extend(frame(opcode | fin, &compressed[start..end]));
            start = end;
        }
        prop_assert_eq!(decode(&bytes, piece_len), format!("{:?}\n", Message::Text(&text)));
    }

    #[test]
    fn any_bytes_are_inflated_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400), max in 0_usize..2000) {
        if let Ok(inflated) = inflate(&bytes, max) {
            prop_assert!(inflated.len() <= max);
        }
    }

    /// The inflater is shared: what a bad message leaves behind must not reach the next.
    #[test]
    fn a_bad_message_spoils_no_other(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let compressed = compress(&[b'x'; 500]).expect("it gets shorter");
        drop(inflate(&bytes, 100));
        prop_assert_eq!(inflate(&compressed, 500), Ok(vec![b'x'; 500]));
        drop(compress(&bytes));
        prop_assert_eq!(compress(&[b'x'; 500]), Some(compressed));
    }
}
