//! WebSocket frames: the messages do not depend on how the bytes were cut into reads, and read the same when they are
//! sent again.

use roomkey_websocket::{Decoder, Message, Opcode, ProtocolError, Role, encode, encode_masked};

/// Pieces of frames.
pub const DICTIONARY: &[&[u8]] = &[
    b"\x81\x85\0\0\0\0Hello",
    b"\x01\x81\0\0\0\0a",
    b"\0\x81\0\0\0\0b",
    b"\x80\x81\0\0\0\0c",
    b"\x82\xfe\0\x80\0\0\0\0",
    b"\x89\x80\0\0\0\0",
    b"\x8a\x80\0\0\0\0",
    b"\x88\x82\0\0\0\0\x03\xe8",
    b"\x82\xff\0\0\0\0\0\x01\0\0",
    b"\xe2\x82\xac",
    b"\xff",
    b"\xc3",
];

const MESSAGE_BYTES_MAX: usize = 1000;
const FRAGMENTS_MAX: u32 = 16;

#[derive(Clone, Debug, PartialEq)]
enum Read {
    Data(Opcode, Vec<u8>),
    Close(Option<(u16, String)>),
    Error(ProtocolError),
}

/// The first byte says how the rest is cut.
pub fn run(data: &[u8]) {
    let Some((&cut, bytes)) = data.split_first() else { return };
    for role in [Role::Server, Role::Client] {
        let whole = read(role, bytes, bytes.len().max(1));
        let cut = read(role, bytes, usize::from(cut).max(1));
        assert_eq!(whole, cut);
        check(&whole);
    }
}

/// All messages of these bytes when they come in pieces of this length.
fn read(role: Role, bytes: &[u8], len: usize) -> Vec<Read> {
    let mut decoder = Decoder::new(role, MESSAGE_BYTES_MAX, FRAGMENTS_MAX);
    let mut messages = Vec::new();
    for piece in bytes.chunks(len) {
        let mut piece = piece.to_vec();
        let mut input = piece.as_mut_slice();
        loop {
            messages.push(match decoder.next(&mut input) {
                Ok(None) => break,
                Ok(Some(message)) => owned(message),
                Err(error) => {
                    messages.push(Read::Error(error));
                    return messages;
                }
            });
        }
        assert!(input.is_empty());
    }
    messages
}

fn owned(message: Message<'_>) -> Read {
    match message {
        Message::Text(text) => Read::Data(Opcode::Text, text.into()),
        Message::Binary(bytes) => Read::Data(Opcode::Binary, bytes.into()),
        Message::Ping(bytes) => Read::Data(Opcode::Ping, bytes.into()),
        Message::Pong(bytes) => Read::Data(Opcode::Pong, bytes.into()),
        Message::Close(None) => Read::Close(None),
        Message::Close(Some(frame)) => Read::Close(Some((frame.code.get(), frame.reason.into()))),
    }
}

fn check(messages: &[Read]) {
    let ends = messages.iter().position(|message| !matches!(message, Read::Data(..)));
    assert!(ends.is_none_or(|ends| ends + 1 == messages.len()), "nothing comes after the end");

    let (mut masked, mut plain, mut data) = (Vec::new(), Vec::new(), Vec::new());
    for message in messages {
        if let Read::Data(opcode, payload) = message {
            assert!(payload.len() <= if opcode.is_control() { 125 } else { MESSAGE_BYTES_MAX });
            encode_masked(*opcode, payload, [1, 2, 3, 4], &mut masked);
            encode(*opcode, payload, &mut plain);
            data.push(message.clone());
        }
    }
    assert_eq!(read(Role::Server, &masked, masked.len().max(1)), data);
    assert_eq!(read(Role::Client, &plain, plain.len().max(1)), data);
}
