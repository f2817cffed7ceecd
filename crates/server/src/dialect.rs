//! The forms that frames take for clients that do not read the standard one.

use std::borrow::Cow;

use bytes::Bytes;
use roomkey_hub::{Dialect, Form, Frame, Offset};
use roomkey_protocol::{
    engine::{Packet, Revision},
    socket::{msgpack, v3},
};
use roomkey_websocket::{Opcode, encode};

use crate::deflate::{self, DEFLATE};

/// The form for a client; `None` is the standard one.
pub(crate) fn of(revision: Revision, is_msgpack: bool, has_deflate: bool) -> Option<&'static Dialect> {
    match (revision, is_msgpack, has_deflate) {
        (Revision::V3, ..) => Some(&V3),
        (Revision::V4, true, true) => Some(&MSGPACK_DEFLATE),
        (Revision::V4, true, false) => Some(&MSGPACK),
        (Revision::V4, false, true) => Some(&DEFLATE),
        (Revision::V4, false, false) => None,
    }
}

/// Engine.IO 3, never compressed.
static V3: Dialect = Dialect { slot: 0, form: v3 };

/// Socket.IO packets as msgpack.
static MSGPACK: Dialect = Dialect { slot: 1, form: msgpack };

/// Socket.IO packets as msgpack, compressed. For WebSockets only.
static MSGPACK_DEFLATE: Dialect = Dialect { slot: 3, form: msgpack_deflate };

fn v3(frame: &Frame) -> Form {
    let (mut websocket, mut packets) = (Vec::new(), Vec::new());
    if let Some(packet) = frame.packet() {
        let packet = without_offset(packet, frame.offset());
        let text = v3::downgrade(&packet);
        encode(Opcode::Text, text.as_bytes(), &mut websocket);
        packets.push(Bytes::copy_from_slice(text.as_bytes()));
    }
    for attachment in frame.attachments() {
        encode(Opcode::Binary, &[&[4], &attachment[..]].concat(), &mut websocket);
        packets.push(base64(attachment));
    }
    Form { websocket: websocket.into(), packets: packets.into() }
}

/// The packet without the last argument that names its offset: these clients would take it for one of the event's.
fn without_offset(packet: &str, offset: Option<Offset>) -> Cow<'_, str> {
    let named = offset.and_then(|offset| packet.strip_suffix(&format!(",\"{offset}\"]")));
    named.map_or(Cow::Borrowed(packet), |event| Cow::Owned(format!("{event}]")))
}

fn msgpack(frame: &Frame) -> Form {
    let text = frame.packet().unwrap_or_default();
    let mut websocket = Vec::new();
    let packet = match msgpack::encode(text, frame.attachments()) {
        Some(message) => {
            encode(Opcode::Binary, &message, &mut websocket);
            base64(&message)
        }
        // Engine.IO's own packets have no other form.
        None => {
            encode(Opcode::Text, text.as_bytes(), &mut websocket);
            Bytes::copy_from_slice(text.as_bytes())
        }
    };
    Form { websocket: websocket.into(), packets: [packet].into() }
}

fn msgpack_deflate(frame: &Frame) -> Form {
    let message = msgpack::encode(frame.packet().unwrap_or_default(), frame.attachments());
    let compressed =
        message.and_then(|message| deflate::compress([(Opcode::Binary, &message[..])].into_iter()));
    compressed.map_or_else(|| msgpack(frame), |websocket| Form { websocket, packets: [].into() })
}

/// Bytes as long-polling carries them.
fn base64(bytes: &[u8]) -> Bytes {
    let mut text = String::new();
    Packet::Binary(bytes.into()).encode(&mut text);
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(form: &Form) -> Vec<&str> {
        form.packets.iter().map(|packet| std::str::from_utf8(packet).expect("text")).collect()
    }

    #[test]
    fn revision_3() {
        let form = v3(&Frame::new("451-[\"m\"]", &[Bytes::from_static(&[1, 2, 3])]));
        assert_eq!(form.websocket[..], *b"\x81\x09451-[\"m\"]\x82\x04\x04\x01\x02\x03");
        assert_eq!(packets(&form), ["451-[\"m\"]", "bAQID"]);
        let form = v3(&Frame::text(r#"40/c,{"sid":"x"}"#));
        assert_eq!((&form.websocket[..], packets(&form)), (&b"\x81\x0540/c,"[..], vec!["40/c,"]));
    }

    #[test]
    fn revision_3_knows_no_offsets() {
        let offset = Offset::parse("0000Q7uKYqZ").expect("an offset");
        let packet = r#"42["m","x","0000Q7uKYqZ"]"#;
        assert_eq!(packets(&v3(&Frame::text(packet).recoverable(offset))), [r#"42["m","x"]"#]);
        assert_eq!(packets(&v3(&Frame::text(packet))), [packet]);
    }

    #[test]
    fn msgpack_is_one_binary_message() {
        let form = msgpack(&Frame::new("41", &[]));
        let message = b"\x82\xa4type\x01\xa3nsp\xa1/";
        assert_eq!(form.websocket[..2], [0x82, 13]);
        assert_eq!(form.websocket[2..], *message);
        assert_eq!(packets(&form), ["bgqR0eXBlAaNuc3ChLw=="]);
        for packet in ["2", "3probe", "6"] {
            let form = msgpack(&Frame::text(packet));
            assert_eq!(form.websocket[2..], *packet.as_bytes());
            assert_eq!((form.websocket[0], packets(&form)), (0x81, vec![packet]));
        }
    }
}
