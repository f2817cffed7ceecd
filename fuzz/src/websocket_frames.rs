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

pub(crate) const MESSAGE_BYTES_MAX: usize = 1000;
const FRAGMENTS_MAX: u32 = 16;

/// What a decoder made of some bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Data(Opcode, Vec<u8>),
    Close(Option<(u16, String)>),
    Error(ProtocolError),
}

/// The first byte says how the rest is cut.
pub fn run(data: &[u8]) {
    let Some((&cut, bytes)) = data.split_first() else { return };
    for role in [Role::Server, Role::Client] {
        let whole = read(decoder(role), bytes, bytes.len().max(1));
        let cut = read(decoder(role), bytes, usize::from(cut).max(1));
        assert_eq!(whole, cut);
        check(&whole);
    }
}

pub(crate) fn decoder(role: Role) -> Decoder {
    Decoder::new(role, MESSAGE_BYTES_MAX, FRAGMENTS_MAX)
}

/// All messages of these bytes when they come in pieces of this length.
pub(crate) fn read(mut decoder: Decoder, bytes: &[u8], len: usize) -> Vec<Outcome> {
    let mut messages = Vec::new();
    for piece in bytes.chunks(len) {
        let mut piece = piece.to_vec();
        let mut input = piece.as_mut_slice();
        loop {
            messages.push(match decoder.next(&mut input) {
                Ok(None) => break,
                Ok(Some(message)) => owned(message),
                Err(error) => {
                    messages.push(Outcome::Error(error));
                    return messages;
                }
            });
        }
        assert!(input.is_empty());
    }
    messages
}

fn owned(message: Message<'_>) -> Outcome {
    match message {
        Message::Text(text) => Outcome::Data(Opcode::Text, text.into()),
        Message::Binary(bytes) => Outcome::Data(Opcode::Binary, bytes.into()),
        Message::Ping(bytes) => Outcome::Data(Opcode::Ping, bytes.into()),
        Message::Pong(bytes) => Outcome::Data(Opcode::Pong, bytes.into()),
        Message::Close(None) => Outcome::Close(None),
        Message::Close(Some(frame)) => Outcome::Close(Some((frame.code.get(), frame.reason.into()))),
    }
}

fn check(messages: &[Outcome]) {
    let ends = messages.iter().position(|message| !matches!(message, Outcome::Data(..)));
    assert!(ends.is_none_or(|ends| ends + 1 == messages.len()), "nothing comes after the end");

    let (mut masked, mut plain, mut data) = (Vec::new(), Vec::new(), Vec::new());
    for message in messages {
        if let Outcome::Data(opcode, payload) = message {
            assert!(payload.len() <= if opcode.is_control() { 125 } else { MESSAGE_BYTES_MAX });
            encode_masked(*opcode, payload, [1, 2, 3, 4], &mut masked);
            encode(*opcode, payload, &mut plain);
            data.push(message.clone());
        }
    }
    assert_eq!(read(decoder(Role::Server), &masked, masked.len().max(1)), data);
    assert_eq!(read(decoder(Role::Client), &plain, plain.len().max(1)), data);
}
