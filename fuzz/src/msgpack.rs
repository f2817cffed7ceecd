//! Packets as msgpack: what is accepted is bounded, JSON by another parser's word, and the same after it was passed on.

use bytes::Bytes;
use roomkey_protocol::{
    ParseError,
    socket::{self, Encoded, Packet, msgpack},
};

use crate::socket_packet::{check_args, standard};

/// Pieces of packets.
pub const DICTIONARY: &[&[u8]] = &[
    b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data",
    b"\xa4type",
    b"\xa3nsp",
    b"\xa2id",
    b"\xa4data",
    b"\x92\xa1m",
    b"\xd4\x00\x00",
    b"\xd7\x00\x00\x00\x00\x00\x00\x00\x03\xe8",
    b"\xc4\x02\x01\x02",
    b"\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00",
    b"\xcb\x40\x00\x00\x00\x00\x00\x00\x00",
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\x00\x00\x00\x01",
    b"\xdb\xff\xff\xff\xff",
    b"\xc6\x00\x00\x00\x01",
    b"\x82\xac_placeholder\xc3\xa3num\x00",
    b"\x81\xa1a",
    b"\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91",
    b"\xa7connect",
    b"\xcf\x00\x1f\xff\xff\xff\xff\xff\xff",
];

const ATTACHMENTS_MAX: usize = 10;
const BYTES_MAX: usize = 4096;

/// Decodes a message, and again what it was encoded to.
pub fn run(data: &[u8]) {
    let Ok(packet) = msgpack::decode(data, ATTACHMENTS_MAX, BYTES_MAX) else { return };
    if let Packet::Event { args, .. } | Packet::Ack { args, .. } = &packet {
        let bytes: usize = args.attachments().iter().map(Bytes::len).sum();
        assert!(args.attachments().len() <= ATTACHMENTS_MAX && args.json().len() + bytes <= BYTES_MAX + 2);
        check_args(args);
    }
    if let Some(encoded) = standard(&packet) {
        assert_eq!(pack(&encoded).as_ref(), Ok(&packet), "{}", encoded.text);
        check_unpacked(&encoded, &packet);
    }
}

/// In the standard form it is the same packet.
fn check_unpacked(encoded: &Encoded, packet: &Packet) {
    let mut decoder = socket::Decoder::new(ATTACHMENTS_MAX, 2 * BYTES_MAX);
    let mut read = decoder.text(&encoded.text[1..]).expect("our own packet");
    for attachment in &encoded.attachments {
        read = decoder.binary(attachment[..].into()).expect("our own packet");
    }
    assert_eq!(read.as_ref(), Some(packet));
}

/// Reads a packet after it was written as msgpack.
pub(crate) fn pack(encoded: &Encoded) -> Result<Packet, ParseError> {
    let message = msgpack::encode(&encoded.text, &encoded.attachments).expect("a packet");
    msgpack::decode(&message, ATTACHMENTS_MAX, 2 * BYTES_MAX)
}
