//! WebSocket frames against another implementation, `tungstenite`: both read the same messages and refuse the same
//! bytes, or the difference is one of those listed here.

use std::io::{self, ErrorKind, Read, Write};

use roomkey_websocket::{Decoder, Opcode, ProtocolError as E, Role};
use tungstenite::{
    Error, Message,
    protocol::{self, WebSocket, WebSocketConfig},
};

pub use crate::websocket_frames::DICTIONARY;
use crate::websocket_frames::{MESSAGE_BYTES_MAX, Outcome, read};

/// Longer than any frame that is not refused for its length, and as a length too big.
const FILLER: [u8; MESSAGE_BYTES_MAX + 14] = [0x7f; MESSAGE_BYTES_MAX + 14];

/// The first byte says how the rest is cut.
pub fn run(data: &[u8]) {
    let Some((&cut, bytes)) = data.split_first() else { return };
    let len = usize::from(cut).max(1);
    for (role, their_role) in [(Role::Server, protocol::Role::Server), (Role::Client, protocol::Role::Client)]
    {
        // It counts no fragments.
        let mut ours = read(Decoder::new(role, MESSAGE_BYTES_MAX, u32::MAX), bytes, len);
        let error = match ours.last_mut() {
            Some(Outcome::Error(error)) => Some(*error),
            // It does not know this code, and tells of another for each that must not be sent.
            Some(Outcome::Close(Some(close))) if close.0 == 1014 => {
                *close = (1002, "Protocol violation".to_owned());
                None
            }
            _ => None,
        };
        ours.truncate(ours.len() - usize::from(error.is_some()));
        let mut oracle = Oracle::new(their_role, bytes, len);
        let (theirs, is_refused) = oracle.read();
        match error {
            // So it goes on after a code that must not be sent, and after a length in more bytes than it needs, which a
            // control frame never has room for.
            Some(E::CloseCode | E::ControlTooLong | E::LengthNotMinimal) => {
                assert!(theirs.starts_with(&ours), "{theirs:?} does not begin with {ours:?}");
                continue;
            }
            // It looks at a frame only when all of it is there.
            Some(error) => assert!(is_refused || oracle.refuses(&FILLER), "only we refuse: {error:?}"),
            None => assert!(!is_refused, "only the oracle refuses"),
        }
        assert_eq!(theirs, ours);
    }
}

struct Oracle<'a>(WebSocket<Pieces<'a>>);

impl<'a> Oracle<'a> {
    fn new(role: protocol::Role, bytes: &'a [u8], len: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(256)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let pieces = Pieces { bytes, len };
        Self(WebSocket::from_raw_socket(pieces, role, Some(config)))
    }

    /// All messages up to the close, and whether what follows is refused.
    fn read(&mut self) -> (Vec<Outcome>, bool) {
        let mut messages = Vec::new();
        while !matches!(messages.last(), Some(Outcome::Close(_))) {
            match self.0.read() {
                Ok(message) => messages.push(owned(message)),
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return (messages, true),
            }
        }
        (messages, false)
    }

    /// Whether it refuses what came when these bytes follow, and reads no message before.
    fn refuses(&mut self, filler: &'a [u8]) -> bool {
        *self.0.get_mut() = Pieces { bytes: filler, len: filler.len() };
        let (messages, is_refused) = self.read();
        messages.is_empty() && is_refused
    }
}

fn owned(message: Message) -> Outcome {
    match message {
        Message::Text(text) => Outcome::Data(Opcode::Text, text.as_bytes().to_vec()),
        Message::Binary(bytes) => Outcome::Data(Opcode::Binary, bytes.to_vec()),
        Message::Ping(bytes) => Outcome::Data(Opcode::Ping, bytes.to_vec()),
        Message::Pong(bytes) => Outcome::Data(Opcode::Pong, bytes.to_vec()),
        Message::Close(frame) => {
            Outcome::Close(frame.map(|frame| (frame.code.into(), frame.reason.as_str().to_owned())))
        }
        Message::Frame(_) => unreachable!("only ever written"),
    }
}

/// A connection over which these bytes come, in pieces of this length; what is written to it is dropped.
struct Pieces<'a> {
    bytes: &'a [u8],
    len: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.len.min(buffer.len()).min(self.bytes.len());
        if len == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let (piece, rest) = self.bytes.split_at(len);
        buffer[..len].copy_from_slice(piece);
        self.bytes = rest;
        Ok(len)
    }
}

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
