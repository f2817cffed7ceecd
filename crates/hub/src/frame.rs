use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use roomkey_websocket::{Opcode, encode, header};

/// One outgoing packet, encoded once for every receiver and both transports.
///
/// Cheap to clone. The text is an Engine.IO packet with its type digit; attachments are raw bytes that follow it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Ready-made WebSocket frames, one after the other.
    websocket: Bytes,
    /// The same packets as long-polling carries them.
    polling: Polling,
}

#[derive(Clone, Debug)]
enum Polling {
    /// The packet is the payload of the only WebSocket frame, behind a header of this many bytes.
    PayloadAfter(usize),
    Packets(Arc<[Bytes]>),
}

impl Frame {
    /// A packet without attachments.
    pub fn text(packet: &str) -> Self {
        let header = header(Opcode::Text, packet.len());
        let mut websocket = Vec::with_capacity(header.len() + packet.len());
        websocket.extend_from_slice(&header);
        websocket.extend_from_slice(packet.as_bytes());
        Self { websocket: websocket.into(), polling: Polling::PayloadAfter(header.len()) }
    }

    /// A packet and the attachments that belong to it.
    pub fn new(packet: &str, attachments: &[Bytes]) -> Self {
        if attachments.is_empty() {
            return Self::text(packet);
        }
        let mut websocket = Vec::new();
        encode(Opcode::Text, packet.as_bytes(), &mut websocket);
        let mut packets = vec![Bytes::copy_from_slice(packet.as_bytes())];
        for attachment in attachments {
            encode(Opcode::Binary, attachment, &mut websocket);
            let mut text = String::with_capacity(1 + attachment.len().div_ceil(3) * 4);
            text.push('b');
            STANDARD.encode_string(attachment, &mut text);
            packets.push(text.into());
        }
        Self { websocket: websocket.into(), polling: Polling::Packets(packets.into()) }
    }

    /// A frame of the WebSocket protocol itself, such as a pong; nothing at all for long-polling.
    pub fn control(opcode: Opcode, payload: &[u8]) -> Self {
        let mut websocket = Vec::new();
        encode(opcode, payload, &mut websocket);
        Self::raw(websocket)
    }

    /// A frame of the WebSocket protocol itself that is encoded already.
    pub fn raw(websocket: Vec<u8>) -> Self {
        Self { websocket: websocket.into(), polling: Polling::Packets(Arc::default()) }
    }

    /// The frame as written to a WebSocket.
    pub fn websocket(&self) -> &Bytes {
        &self.websocket
    }

    /// How many packets it is for long-polling.
    pub fn packet_count(&self) -> usize {
        match &self.polling {
            Polling::PayloadAfter(_) => 1,
            Polling::Packets(packets) => packets.len(),
        }
    }

    /// The packets for long-polling.
    pub fn packets(&self) -> impl Iterator<Item = &[u8]> {
        let (one, many): (Option<&[u8]>, &[Bytes]) = match &self.polling {
            Polling::PayloadAfter(header) => (Some(&self.websocket[*header..]), &[]),
            Polling::Packets(packets) => (None, packets),
        };
        one.into_iter().chain(many.iter().map(|packet| &packet[..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(frame: &Frame) -> Vec<&str> {
        frame.packets().map(|packet| std::str::from_utf8(packet).expect("text")).collect()
    }

    #[test]
    fn text_is_shared_by_both_transports() {
        for text in ["2".to_owned(), "x".repeat(125), "x".repeat(126), "x".repeat(70_000)] {
            let frame = Frame::text(&text);
            assert_eq!(packets(&frame), [text.as_str()]);
            assert!(frame.websocket().ends_with(text.as_bytes()));
        }
    }

    #[test]
    fn attachments_are_raw_for_websocket_and_base64_for_polling() {
        let frame = Frame::new("451-[\"m\"]", &[Bytes::from_static(&[1, 2, 3]), Bytes::new()]);
        assert_eq!(packets(&frame), ["451-[\"m\"]", "bAQID", "b"]);
        assert_eq!(frame.websocket()[..], *b"\x81\x09451-[\"m\"]\x82\x03\x01\x02\x03\x82\x00");
    }
}
