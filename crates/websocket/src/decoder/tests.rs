use std::fmt::Write;

use proptest::prelude::*;

use crate::{Decoder, Message, Opcode, ProtocolError, Role, encode, encode_masked};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A masked frame whose first byte is given, so that it may be wrong.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_masked(Opcode::Text, payload, KEY, &mut out);
    out[0] = first;
    out
}

/// Feeds the pieces to one decoder; a line per message, the last may be the error.
fn decode(decoder: &mut Decoder, pieces: impl IntoIterator<Item = Vec<u8>>) -> String {
    let mut log = String::new();
    for mut piece in pieces {
        let mut input = piece.as_mut_slice();
        loop {
            match decoder.next(&mut input) {
                Ok(None) => break,
                Ok(Some(message)) => writeln!(log, "{message:?}").expect("a string"),
                Err(error) => {
                    writeln!(log, "{error:?} {}", error.close_code()).expect("a string");
                    return log;
                }
            }
        }
        assert!(input.is_empty(), "all input is taken");
    }
    log
}

fn server() -> Decoder {
    Decoder::new(Role::Server, 1000, 4)
}

/// The outcome must not depend on how the bytes were cut into reads.
#[track_caller]
fn check(bytes: &[u8], expected: &str) {
    assert_eq!(decode(&mut server(), [bytes.to_vec()]), expected, "in one piece");
    let bytewise = bytes.iter().map(|byte| vec![*byte]);
    assert_eq!(decode(&mut server(), bytewise), expected, "byte by byte");
    for cut in 0..bytes.len() {
        let (a, b) = bytes.split_at(cut);
        assert_eq!(decode(&mut server(), [a.to_vec(), b.to_vec()]), expected, "cut at {cut}");
    }
}

#[test]
fn whole_messages() {
    check(&frame(0x81, b"Hello"), "Text(\"Hello\")\n");
    check(&frame(0x81, b""), "Text(\"\")\n");
    check(&frame(0x82, &[1, 2, 3]), "Binary([1, 2, 3])\n");
    check(&frame(0x89, b"?"), "Ping([63])\n");
    check(&frame(0x8a, b"!"), "Pong([33])\n");
    check(&frame(0x89, &[7; 125]), &format!("Ping({:?})\n", [7; 125]));
    check(&frame(0x82, &[7; 126]), &format!("Binary({:?})\n", [7; 126]));
    check(&frame(0x81, &[b'a'; 1000]), &format!("Text({:?})\n", "a".repeat(1000)));
    check(
        &[frame(0x81, b"a"), frame(0x82, b""), frame(0x81, b"b")].concat(),
        "Text(\"a\")\nBinary([])\nText(\"b\")\n",
    );
}

#[test]
fn fragments_and_what_may_stand_between_them() {
    let euro = "€".as_bytes();
    check(
        &[
            frame(0x01, &euro[..1]),
            frame(0x89, b"1"),
            frame(0x00, &euro[1..2]),
            frame(0x8a, b""),
            frame(0x00, b""),
            frame(0x89, b"23"),
            frame(0x80, &euro[2..]),
            frame(0x81, b"next"),
        ]
        .concat(),
        "Ping([49])\nPong([])\nPing([50, 51])\nText(\"€\")\nText(\"next\")\n",
    );
    check(&[frame(0x02, b""), frame(0x80, b"")].concat(), "Binary([])\n");
    check(&[frame(0x02, b"\xff"), frame(0x00, b"\xfe"), frame(0x80, b"")].concat(), "Binary([255, 254])\n");
}

#[test]
fn close_frames() {
    check(&frame(0x88, b""), "Close(None)\n");
    check(&frame(0x88, &[0x03, 0xe8]), "Close(Some(CloseFrame { code: 1000, reason: \"\" }))\n");
    check(&frame(0x88, b"\x0f\xa0bye"), "Close(Some(CloseFrame { code: 4000, reason: \"bye\" }))\n");
    check(&[frame(0x88, b""), frame(0x81, b"late"), frame(0xf7, b"worse")].concat(), "Close(None)\n");
    check(&[frame(0x01, b"half"), frame(0x88, b"")].concat(), "Close(None)\n");
    check(&frame(0x88, &[3]), "CloseBody 1002\n");
    check(&frame(0x88, b"\x03\xe8\xff"), "InvalidUtf8 1007\n");
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        check(&frame(0x88, &code.to_be_bytes()), "CloseCode 1002\n");
    }
}

#[test]
fn broken_frames() {
    check(b"\x81\x05Hello", "MaskMissing 1002\n");
    for first in [0xc1, 0xa1, 0x91, 0xf1, 0xc8, 0xc0] {
        check(&frame(first, b""), "ReservedBits 1002\n");
    }
    for opcode in [3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf] {
        check(&frame(0x80 | opcode, b""), "ReservedOpcode 1002\n");
    }
    for opcode in [8, 9, 0xa] {
        check(&frame(opcode, b""), "ControlFragmented 1002\n");
        check(&frame(0x80 | opcode, &[0; 126]), "ControlTooLong 1002\n");
    }
    check(&frame(0x80, b"x"), "ContinuationUnexpected 1002\n");
    check(&frame(0x00, b"x"), "ContinuationUnexpected 1002\n");
    check(&[frame(0x01, b"x"), frame(0x81, b"y")].concat(), "ContinuationExpected 1002\n");
    check(&[frame(0x01, b"x"), frame(0x02, b"y")].concat(), "ContinuationExpected 1002\n");
    check(b"\x82\xfe\x00\x7d\0\0\0\0", "LengthNotMinimal 1002\n");
    check(b"\x82\xff\0\0\0\0\0\0\xff\xff\0\0\0\0", "LengthNotMinimal 1002\n");
    check(&[frame(0x81, b"good"), frame(0xff, b"")].concat(), "Text(\"good\")\nReservedBits 1002\n");
}

#[test]
fn bad_text() {
    for bad in [&b"\xff"[..], b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"ok\xe2\x82"] {
        check(&frame(0x81, bad), "InvalidUtf8 1007\n");
        check(&[frame(0x01, b"ok"), frame(0x80, bad)].concat(), "InvalidUtf8 1007\n");
    }
    // Seen at once where it can be: the frame and the message are still incomplete.
    let mut begun = frame(0x01, b"\xff rest");
    begun.truncate(7);
    check(&begun, "InvalidUtf8 1007\n");
    // Each fragment is good alone, the text is not.
    check(&[frame(0x01, b"\xe2\x82"), frame(0x80, b"a")].concat(), "InvalidUtf8 1007\n");
}

#[test]
fn limits_are_checked_by_the_header_alone() {
    for len in [1001_u64, 1 << 32, 1 << 63, u64::MAX] {
        let header = if let Ok(len) = u16::try_from(len) {
            [&b"\x82\xfe"[..], &len.to_be_bytes(), &KEY].concat()
        } else {
            [&b"\x82\xff"[..], &len.to_be_bytes(), &KEY].concat()
        };
        check(&header, "MessageTooBig 1009\n");
        check(&[frame(0x01, b"first"), [&[0x80], &header[1..]].concat()].concat(), "MessageTooBig 1009\n");
    }
    check(&[frame(0x02, &[0; 600]), frame(0x00, &[0; 401])].concat(), "MessageTooBig 1009\n");

    let four = [frame(0x02, b""), frame(0, b""), frame(0, b"")].concat();
    check(&[&four[..], &frame(0x80, b"")].concat(), "Binary([])\n");
    check(&[&four[..], &frame(0, b""), &frame(0x80, b"")].concat(), "FragmentsTooMany 1009\n");
}

#[test]
fn a_lower_limit_can_be_raised() {
    let mut decoder = Decoder::new(Role::Server, 4, 4);
    assert_eq!(decode(&mut decoder, [frame(0x82, &[0; 4])]), "Binary([0, 0, 0, 0])\n");
    decoder.set_message_bytes_max(5);
    assert_eq!(decode(&mut decoder, [frame(0x82, &[0; 5])]), "Binary([0, 0, 0, 0, 0])\n");
    assert_eq!(decode(&mut decoder, [frame(0x82, &[0; 6])]), "MessageTooBig 1009\n");
}

#[test]
fn the_client_side_refuses_masks() {
    let mut bytes = Vec::new();
    encode(Opcode::Text, b"Hello", &mut bytes);
    let mut client = Decoder::new(Role::Client, 1000, 4);
    assert_eq!(decode(&mut client, [bytes]), "Text(\"Hello\")\n");
    assert_eq!(decode(&mut client, [frame(0x81, b"Hello")]), "MaskUnexpected 1002\n");
}

#[test]
fn an_idle_decoder_owns_nothing() {
    assert!(size_of::<Decoder>() <= 32);
    let bytes = [frame(0x01, b"a"), frame(0x89, b"b"), frame(0x80, b"c")].concat();
    let mut decoder = server();
    for (index, byte) in bytes.iter().enumerate() {
        assert_eq!(decoder.has_partial(), index > 0);
        decode(&mut decoder, [vec![*byte]]);
    }
    assert!(!decoder.has_partial());
    assert!(decoder.partial.is_none());
}

#[test]
fn a_message_that_is_lent_is_not_partial() {
    let mut decoder = server();
    decode(&mut decoder, [frame(0x01, b"a")]);
    let mut last = frame(0x80, b"b");
    let mut input = last.as_mut_slice();
    assert_eq!(decoder.next(&mut input), Ok(Some(Message::Text("ab"))));
    assert!(!decoder.has_partial());
}

#[test]
fn a_declared_length_reserves_nothing() {
    let mut decoder = Decoder::new(Role::Server, 1 << 40, 4);
    let mut header = [&b"\x82\xff"[..], &(1_u64 << 40).to_be_bytes(), &KEY, b"0123456789"].concat();
    assert_eq!(decoder.next(&mut header.as_mut_slice()), Ok(None));
    let gathered = decoder.partial.and_then(|partial| partial.message).expect("ten bytes");
    assert!(gathered.bytes.capacity() < 64);
}

/// Counted, not timed: however text is cut, at most three bytes are ever looked at again, and the buffer is moved a
/// few times only.
#[test]
fn the_cost_is_linear_in_the_bytes() {
    const BYTES: usize = 120_000;
    let text = "aé€😀€".repeat(BYTES / 13 + 1);
    for fragment_len in [1, 2, 3, 13, 1000] {
        let mut decoder = Decoder::new(Role::Server, BYTES, u32::MAX);
        let (mut moves, mut capacity) = (0, 0);
        for (index, fragment) in text.as_bytes()[..BYTES].chunks(fragment_len).enumerate() {
            let first = if index == 0 { 0x01 } else { 0x00 };
            assert_eq!(decode(&mut decoder, [frame(first, fragment)]), "");
            let message = decoder.partial.as_ref().and_then(|partial| partial.message.as_ref());
            let message = message.expect("a message has begun");
            assert!(message.bytes.len() - message.utf8_len <= 3);
            moves += usize::from(message.bytes.capacity() != capacity);
            capacity = message.bytes.capacity();
        }
        assert!(moves <= 20, "moved {moves} times");
    }
}

#[derive(Clone, Debug)]
enum Sent {
    Text(String, Vec<usize>),
    Binary(Vec<u8>, Vec<usize>),
    Ping(Vec<u8>),
}

fn sent() -> impl Strategy<Value = Sent> {
    let cuts = || prop::collection::vec(0_usize..400, 0..3);
    prop_oneof![
        (".{0,80}", cuts()).prop_map(|(text, cuts)| Sent::Text(text, cuts)),
        (prop::collection::vec(any::<u8>(), 0..300), cuts())
            .prop_map(|(bytes, cuts)| Sent::Binary(bytes, cuts)),
        prop::collection::vec(any::<u8>(), 0..=125).prop_map(Sent::Ping),
    ]
}

/// The frames of a message that is cut at these places, a ping after each but the last.
fn frames(opcode: Opcode, payload: &[u8], cuts: &[usize], out: &mut Vec<u8>) {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (payload.len() + 1)).collect();
    cuts.sort_unstable();
    let mut start = 0;
    for (index, end) in cuts.iter().copied().chain([payload.len()]).enumerate() {
        let opcode = if index == 0 { opcode } else { Opcode::Continuation };
        let fin = if index == cuts.len() { 0x80 } else { 0 };
        out.extend(frame(fin | opcode as u8, &payload[start..end]));
        if fin == 0 {
            out.extend(frame(0x89, b"between"));
        }
        start = end;
    }
}

proptest! {
    #[test]
    fn any_cut_of_the_bytes_gives_the_same_messages(
        messages in prop::collection::vec(sent(), 0..6),
        reads in prop::collection::vec(1_usize..200, 1..50),
    ) {
        let (mut bytes, mut expected) = (Vec::new(), String::new());
        for message in &messages {
            let (cuts, line) = match message {
                Sent::Text(text, cuts) => {
                    frames(Opcode::Text, text.as_bytes(), cuts, &mut bytes);
                    (cuts.len(), format!("{:?}\n", Message::Text(text)))
                }
                Sent::Binary(payload, cuts) => {
                    frames(Opcode::Binary, payload, cuts, &mut bytes);
                    (cuts.len(), format!("{:?}\n", Message::Binary(payload)))
                }
                Sent::Ping(payload) => {
                    frames(Opcode::Ping, payload, &[], &mut bytes);
                    (0, format!("{:?}\n", Message::Ping(payload)))
                }
            };
            expected.push_str(&format!("{:?}\n", Message::Ping(b"between")).repeat(cuts));
            expected.push_str(&line);
        }

        let mut pieces = Vec::new();
        let mut reads = reads.into_iter().cycle();
        while !bytes.is_empty() {
            let len = reads.next().expect("endless").min(bytes.len());
            pieces.push(bytes.drain(..len).collect());
        }
        let mut decoder = server();
        prop_assert_eq!(decode(&mut decoder, pieces), expected);
        prop_assert!(!decoder.has_partial());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), cut in 0_usize..300) {
        let (a, b) = bytes.split_at(cut.min(bytes.len()));
        let whole = decode(&mut server(), [bytes.clone()]);
        prop_assert_eq!(decode(&mut server(), [a.to_vec(), b.to_vec()]), whole);
    }
}

#[test]
fn errors_say_what_was_wrong() {
    assert_eq!(ProtocolError::MaskMissing.to_string(), "a client's frame is not masked");
}
