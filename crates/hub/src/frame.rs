use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use roomkey_websocket::{Opcode, encode, header};

use crate::{
    Offset,
    dialect::{Dialect, Form, Forms},
};

/// One outgoing packet, encoded once for every receiver and both transports.
///
/// Cheap to clone. The text is an Engine.IO packet with its type digit; attachments are raw bytes that follow it.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Ready-made WebSocket frames, one after the other: the text of the packet, then its attachments.
    websocket: Bytes,
    /// Where the text is in `websocket`; nowhere in a binary message, and in a frame of the WebSocket protocol itself.
    text: Option<(u32, u32)>,
    attachments: Option<Arc<[Bytes]>>,
    /// What the packet names as its offset, if a client may recover it.
    offset: Option<Offset>,
    /// Other forms, once for all clones; present where there may be several receivers that need one.
    forms: Option<Arc<Forms>>,
}

impl Frame {
    /// A packet without attachments.
    pub fn text(packet: &str) -> Self {
        Self::new(packet, &[])
    }

    /// A packet and the attachments that belong to it.
    pub fn new(packet: &str, attachments: &[Bytes]) -> Self {
        let header = header(Opcode::Text, packet.len());
        let mut websocket = Vec::with_capacity(header.len() + packet.len());
        websocket.extend_from_slice(&header);
        websocket.extend_from_slice(packet.as_bytes());
        for attachment in attachments {
            encode(Opcode::Binary, attachment, &mut websocket);
        }
        let end = u32::try_from(header.len() + packet.len()).expect("packets are far below 4 GiB");
        Self {
            websocket: websocket.into(),
            text: Some((end - u32::try_from(packet.len()).expect("not above `end`"), end)),
            attachments: (!attachments.is_empty()).then(|| attachments.into()),
            offset: None,
            forms: None,
        }
    }

    /// The same frame, to be remembered for clients that come back; its packet names the offset.
    #[must_use]
    pub fn recoverable(self, offset: Offset) -> Self {
        Self { offset: Some(offset), ..self }
    }

    /// Its offset, if a client may recover it.
    pub fn offset(&self) -> Option<Offset> {
        self.offset
    }

    /// A binary message without a packet that it belongs to.
    pub fn binary(message: Bytes) -> Self {
        let mut websocket = Vec::new();
        encode(Opcode::Binary, &message, &mut websocket);
        Self { attachments: Some([message].into()), ..Self::raw(websocket) }
    }

    /// A frame of the WebSocket protocol itself, such as a pong; nothing at all for long-polling.
    pub fn control(opcode: Opcode, payload: &[u8]) -> Self {
        let mut websocket = Vec::new();
        encode(opcode, payload, &mut websocket);
        Self::raw(websocket)
    }

    /// A frame of the WebSocket protocol itself that is encoded already.
    pub fn raw(websocket: Vec<u8>) -> Self {
        Self { websocket: websocket.into(), text: None, attachments: None, offset: None, forms: None }
    }

    /// The frame as written to a WebSocket, in the standard form.
    pub fn websocket(&self) -> &Bytes {
        &self.websocket
    }

    /// The text of the packet, such as `42["a"]`; `None` for a binary message, and for a frame of the WebSocket protocol
    /// itself.
    pub fn packet(&self) -> Option<&str> {
        let (start, end) = self.text?;
        let text = &self.websocket[start as usize..end as usize];
        Some(std::str::from_utf8(text).expect("a frame is made of text"))
    }

    /// The attachments of the packet.
    pub fn attachments(&self) -> &[Bytes] {
        self.attachments.as_deref().unwrap_or_default()
    }

    /// How many packets it is for long-polling.
    pub(crate) fn packet_count(&self) -> usize {
        usize::from(self.text.is_some()) + self.attachments().len()
    }

    /// Appends the packets for long-polling, in the standard form or another.
    pub(crate) fn push_packets(&self, dialect: Option<&'static Dialect>, packets: &mut Vec<Bytes>) {
        if self.packet_count() == 0 {
            return;
        }
        if let Some(dialect) = dialect {
            packets.extend_from_slice(&self.form(dialect).packets);
            return;
        }
        packets.extend(self.text.map(|(start, end)| self.websocket.slice(start as usize..end as usize)));
        for attachment in self.attachments() {
            let mut text = String::with_capacity(1 + attachment.len().div_ceil(3) * 4);
            text.push('b');
            STANDARD.encode_string(attachment, &mut text);
            packets.push(text.into());
        }
    }

    /// The bytes for a WebSocket of what follows the first packets, of which there is one at least.
    pub(crate) fn rest(&self, packets: usize) -> Bytes {
        let mut websocket = Vec::new();
        for attachment in self.attachments().iter().skip(packets - 1) {
            encode(Opcode::Binary, attachment, &mut websocket);
        }
        websocket.into()
    }

    /// The bytes for a WebSocket, in the standard form or another.
    pub(crate) fn websocket_in(&self, dialect: Option<&'static Dialect>) -> Bytes {
        match dialect {
            Some(dialect) => self.form(dialect).websocket,
            None => self.websocket.clone(),
        }
    }

    /// The same frame, whose other forms will be made once for all of its clones.
    pub(crate) fn shared(&self) -> Self {
        Self { forms: Some(self.forms.clone().unwrap_or_default()), ..self.clone() }
    }

    /// The same frame without the other forms, to be kept for long.
    pub(crate) fn without_forms(&self) -> Self {
        Self { forms: None, ..self.clone() }
    }

    fn form(&self, dialect: &'static Dialect) -> Form {
        if self.packet_count() == 0 {
            return Form { websocket: self.websocket.clone(), packets: Arc::default() };
        }
        match &self.forms {
            Some(forms) => forms.get(dialect, self).clone(),
            None => (dialect.form)(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn packets(frame: &Frame, dialect: Option<&'static Dialect>) -> Vec<String> {
        let mut packets = Vec::new();
        frame.push_packets(dialect, &mut packets);
        packets.iter().map(|packet| String::from_utf8(packet.to_vec()).expect("text")).collect()
    }

    #[test]
    fn text_is_shared_by_both_transports() {
        for text in ["2".to_owned(), "x".repeat(125), "x".repeat(126), "x".repeat(70_000)] {
            let frame = Frame::text(&text);
            assert_eq!(frame.packet(), Some(text.as_str()));
            assert_eq!(packets(&frame, None), [text.as_str()]);
            assert!(frame.websocket().ends_with(text.as_bytes()));
        }
    }

    #[test]
    fn attachments_are_raw_for_websocket_and_base64_for_polling() {
        let frame = Frame::new("451-[\"m\"]", &[Bytes::from_static(&[1, 2, 3]), Bytes::new()]);
        assert_eq!(packets(&frame, None), ["451-[\"m\"]", "bAQID", "b"]);
        assert_eq!(frame.packet_count(), 3);
        assert_eq!(frame.websocket()[..], *b"\x81\x09451-[\"m\"]\x82\x03\x01\x02\x03\x82\x00");
    }

    #[test]
    fn a_binary_message_by_itself() {
        let frame = Frame::binary(Bytes::from_static(&[1, 2, 3]));
        assert_eq!(frame.packet(), None);
        assert_eq!(packets(&frame, None), ["bAQID"]);
        assert_eq!(frame.websocket()[..], *b"\x82\x03\x01\x02\x03");
    }

    static MADE: AtomicUsize = AtomicUsize::new(0);
    static UPPER: Dialect = Dialect {
        slot: 1,
        form: |frame| {
            MADE.fetch_add(1, Ordering::Relaxed);
            let packet: Bytes = frame.packet().unwrap_or_default().to_uppercase().into();
            Form { websocket: packet.clone(), packets: [packet].into() }
        },
    };

    #[test]
    fn another_form_is_made_once_for_all_clones() {
        let frame = Frame::text("42[\"a\"]").shared();
        for frame in [frame.clone(), frame.clone(), frame] {
            assert_eq!(packets(&frame, Some(&UPPER)), ["42[\"A\"]"]);
            assert_eq!(frame.websocket_in(Some(&UPPER))[..], *b"42[\"A\"]");
            assert_eq!(packets(&frame, None), ["42[\"a\"]"]);
        }
        assert_eq!(MADE.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_is_kept_for_long_keeps_no_other_form() {
        let frame = Frame::text("42[\"a\"]").shared();
        let kept = frame.without_forms();
        assert!(frame.forms.is_some() && kept.forms.is_none());
        assert_eq!(kept.websocket(), frame.websocket());
    }

    #[test]
    fn frames_of_the_websocket_itself_are_the_same_in_every_form() {
        let pong = Frame::control(Opcode::Pong, b"x").shared();
        assert_eq!(pong.websocket_in(Some(&UPPER)), pong.websocket());
        assert_eq!(packets(&pong, Some(&UPPER)), [""; 0]);
        assert_eq!(pong.packet(), None);
    }
}
