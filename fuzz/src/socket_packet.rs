//! Socket.IO packets with their attachments: what is accepted is JSON by another parser's word too, and reads the same
//! after it was passed on, also as msgpack.

use std::borrow::Cow;

use roomkey_protocol::{
    ParseError, engine,
    socket::{self, Decoder, Encoded, Packet, Payload},
};
use serde_json::value::RawValue;

/// Pieces of packets; `0x1e` stands between Engine.IO packets.
pub const DICTIONARY: &[&[u8]] = &[
    b"\x1e4",
    b"\x1eb",
    b"40",
    b"41",
    b"42",
    b"43",
    b"44",
    b"451-",
    b"452-",
    b"461-",
    b"/custom,",
    b"[\"m\"",
    b",",
    b"]",
    b"{\"_placeholder\":true,\"num\":0}",
    b"\"_placeholder\"",
    b"\"num\":",
    b"\\u005f",
    b"\\\"",
    b"\\ud800",
    b"1e400",
    b"\"connect\"",
    b"9007199254740991",
    b"[[[[[[[[[[[[[[[[",
    b"]]]]]]]]]]]]]]]]",
    b"AQID",
    b"AQ==",
];

const ATTACHMENTS_MAX: usize = 10;
const BYTES_MAX: usize = 4096;

/// Decodes a stream of packets, and again what they were encoded to.
pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let mut decoder = Decoder::new(ATTACHMENTS_MAX, BYTES_MAX);
    for text in text.split('\x1e') {
        let result = match engine::Packet::decode(text) {
            Ok(engine::Packet::Message(text)) => decoder.text(text),
            Ok(engine::Packet::Binary(bytes)) => decoder.binary(bytes),
            _ => continue,
        };
        match result {
            Ok(Some(packet)) => check(&packet),
            Ok(None) => assert!(decoder.partial().is_some_and(is_bounded)),
            Err(_) => return,
        }
    }
}

fn is_bounded(partial: &Packet) -> bool {
    match partial {
        Packet::Event { args, .. } | Packet::Ack { args, .. } => {
            let bytes: usize = args.attachments().iter().map(|attachment| attachment.len()).sum();
            args.attachments().len() < ATTACHMENTS_MAX && bytes <= BYTES_MAX
        }
        _ => false,
    }
}

fn check(packet: &Packet) {
    assert!(packet.namespace().len() <= 256);
    let Some(encoded) = standard(packet) else { return };
    let again = decode(&encoded).expect("complete");
    assert!(is_same(&again, packet), "{again:?} {packet:?}");
    match crate::msgpack::pack(&encoded) {
        Ok(packed) => assert_eq!(packed.namespace(), packet.namespace()),
        // It takes less, and attachments that are named twice are two.
        Err(ParseError::AttachmentsCount | ParseError::AttachmentsTooBig | ParseError::JsonTooDeep) => {}
        Err(error) => panic!("{error:?}: {}", encoded.text),
    }
}

/// Whether only the white space around the arguments differs, which an event is passed on without.
fn is_same(one: &Packet, other: &Packet) -> bool {
    match (one, other) {
        (
            Packet::Event { namespace, id, name, args },
            Packet::Event { namespace: namespace2, id: id2, name: name2, args: args2 },
        ) => {
            (namespace, id, name, args.json().trim(), args.attachments())
                == (namespace2, id2, name2, args2.json().trim(), args2.attachments())
        }
        _ => one == other,
    }
}

/// The packet as it is sent in the standard form; `None` for one that no server accepts.
pub(crate) fn standard(packet: &Packet) -> Option<Encoded> {
    Some(match packet {
        Packet::Connect { namespace, auth } => {
            let text = socket::encode_connect_request(namespace, auth.as_deref());
            Encoded { text, attachments: Vec::new() }
        }
        Packet::Disconnect { namespace } => {
            Encoded { text: socket::encode_disconnect(namespace), attachments: Vec::new() }
        }
        Packet::Event { namespace, id, name, args } => {
            check_args(args);
            let attachments = args.attachments().to_vec();
            socket::encode_event_raw(namespace, *id, name, args.json(), attachments).expect("it was accepted")
        }
        Packet::Ack { namespace, id, args } => {
            check_args(args);
            let attachments = args.attachments().to_vec();
            socket::encode_ack_raw(namespace, *id, args.json(), attachments).expect("it was accepted")
        }
        Packet::ConnectError { error, .. } => {
            serde_json::from_str::<&RawValue>(error).expect("JSON");
            return None;
        }
    })
}

pub(crate) fn check_args(args: &Payload) {
    let items = serde_json::from_str::<Vec<&RawValue>>(args.json()).expect("an array");
    // Any outcome will do: a lone surrogate is no Rust string, 1e400 no Rust number.
    let _ = args.deserialize::<Vec<serde_json::Value>>();
    for index in 0..items.len().min(4) {
        args.argument::<&RawValue>(index).expect("it is there");
        let _ = args.argument::<socket::Binary>(index);
    }
    assert!(args.argument::<Option<()>>(items.len()).is_ok_and(|nothing| nothing.is_none()));
}

fn decode(encoded: &Encoded) -> Option<Packet> {
    // Written anew a number that was the event's name has quotes, so it may be a little longer.
    let mut decoder = Decoder::new(ATTACHMENTS_MAX, 2 * BYTES_MAX);
    let text = encoded.text.strip_prefix('4').expect("a message");
    let mut packet = decoder.text(text).expect("our own packet");
    for attachment in &encoded.attachments {
        assert_eq!(packet, None);
        packet = decoder.binary(Cow::Borrowed(attachment)).expect("our own packet");
    }
    packet
}
