use std::mem;

use crate::{Message, Opcode, ProtocolError, deflate, header::FrameHeader, mask};

/// Which end of the connection this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The peer is a client: it must mask its frames.
    Server,
    /// The peer is a server: it must not mask its frames.
    Client,
}

/// Turns the bytes a peer sent into messages.
///
/// Holds heap memory only while a frame or a message is incomplete, and then for the bytes that have arrived,
/// never for a length that was only declared.
#[derive(Debug)]
pub struct Decoder {
    role: Role,
    /// A close frame came: what follows is discarded.
    closed: bool,
    has_deflate: bool,
    fragments_max: u32,
    message_bytes_max: usize,
    partial: Option<Box<Partial>>,
}

impl Decoder {
    /// A decoder for a fresh connection.
    ///
    /// A message may have `message_bytes_max` bytes in `fragments_max` frames; more is refused as soon as a
    /// header declares it.
    pub fn new(role: Role, message_bytes_max: usize, fragments_max: u32) -> Self {
        Self { role, closed: false, has_deflate: false, fragments_max, message_bytes_max, partial: None }
    }

    /// The same where [`deflate::negotiate`] has agreed on compression. The limit of a message then holds twice: for
    /// what is received, and for what that becomes.
    #[must_use]
    pub fn with_deflate(self) -> Self {
        Self { has_deflate: true, ..self }
    }

    /// Changes the limit for frames whose header has not been read yet.
    pub fn set_message_bytes_max(&mut self, max: usize) {
        self.message_bytes_max = max;
    }

    /// A frame or a fragmented message has begun and is not complete. The caller limits how long this may last.
    pub fn has_partial(&self) -> bool {
        self.partial.as_ref().is_some_and(|partial| partial.is_incomplete())
    }

    /// Takes the next whole message out of `input`, which moves on past it.
    ///
    /// `None`: the input is used up, and the beginning of a message, if there was one, is kept inside. Unmasks in
    /// place. After an error the connection is over and the decoder must be dropped.
    pub fn next<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i mut [u8],
    ) -> Result<Option<Message<'a>>, ProtocolError> {
        if self.partial.as_deref_mut().is_some_and(Partial::release) {
            self.partial = None;
        }
        if self.closed {
            *input = &mut [];
        }
        let Some(ready) = self.advance(input)? else { return Ok(None) };
        self.closed = matches!(ready, Ready::InPlace(Opcode::Close, _) | Ready::Control(Opcode::Close));
        match (ready, self.partial.as_deref()) {
            (Ready::InPlace(opcode, payload), _) => Message::new(opcode, payload),
            (Ready::Control(opcode), Some(partial)) => Message::new(opcode, &partial.control),
            (Ready::Gathered, Some(Partial { message: Some(message), .. })) => {
                Message::new(message.opcode, &message.bytes)
            }
            (Ready::Control(_) | Ready::Gathered, _) => {
                unreachable!("what is ready was gathered in `partial`")
            }
        }
        .map(Some)
    }

    /// Reads frames until one completes a message.
    fn advance<'i>(&mut self, input: &mut &'i mut [u8]) -> Result<Option<Ready<'i>>, ProtocolError> {
        loop {
            let mut frame = match self.partial.as_mut().and_then(|partial| partial.frame.take()) {
                Some(frame) => frame,
                None => match self.read_header(input)? {
                    Some(header) => self.begin(header)?,
                    None => return Ok(None),
                },
            };
            let payload = take(input, frame.missing);
            mask::apply(frame.mask_key, payload);
            if frame.is_lendable && payload.len() == frame.missing {
                if !frame.is_compressed {
                    return Ok(Some(Ready::InPlace(frame.opcode, payload)));
                }
                let bytes = deflate::inflate(payload, self.message_bytes_max)?;
                let partial = self.partial.get_or_insert_default();
                partial.message = Some(Gathered { bytes, ..Gathered::new(&frame) });
                partial.is_message_complete = true;
                return Ok(Some(Ready::Gathered));
            }

            frame.is_lendable = false;
            frame.missing -= payload.len();
            frame.mask_key.rotate_left(payload.len() % 4);
            let partial = self.partial.get_or_insert_default();
            partial.gather(&frame, payload)?;
            if frame.missing > 0 {
                partial.frame = Some(frame);
                return Ok(None);
            }
            if frame.opcode.is_control() {
                return Ok(Some(Ready::Control(frame.opcode)));
            }
            if frame.fin {
                if let Some(message) = partial.message.as_mut().filter(|message| message.is_compressed) {
                    message.bytes = deflate::inflate(&message.bytes, self.message_bytes_max)?;
                }
                partial.is_message_complete = true;
                return Ok(Some(Ready::Gathered));
            }
        }
    }

    /// Reads a header, which may have begun in an earlier input.
    fn read_header(&mut self, input: &mut &mut [u8]) -> Result<Option<FrameHeader>, ProtocolError> {
        let (role, has_deflate) = (self.role, self.has_deflate);
        if self.partial.as_ref().is_none_or(|partial| partial.header.is_empty())
            && let Some((header, len)) = FrameHeader::parse(input, role, has_deflate)?
        {
            take(input, len);
            return Ok(Some(header));
        }
        // At most fourteen times, whatever the input.
        while let [byte] = *take(input, 1) {
            let begun = &mut self.partial.get_or_insert_default().header;
            begun.push(byte);
            if let Some((header, _)) = FrameHeader::parse(begun, role, has_deflate)? {
                begun.clear();
                return Ok(Some(header));
            }
        }
        Ok(None)
    }

    /// Checks a header against what came before it and against the limits.
    fn begin(&mut self, header: FrameHeader) -> Result<Frame, ProtocolError> {
        let FrameHeader { fin, is_compressed, opcode, mask_key, payload_len } = header;
        let message = self.partial.as_mut().and_then(|partial| partial.message.as_mut());
        let gathered = match (opcode, message) {
            (Opcode::Continuation, None) => return Err(ProtocolError::ContinuationUnexpected),
            (Opcode::Text | Opcode::Binary, Some(_)) => return Err(ProtocolError::ContinuationExpected),
            (Opcode::Continuation, Some(message)) => {
                message.fragments += 1;
                if message.fragments > self.fragments_max {
                    return Err(ProtocolError::FragmentsTooMany);
                }
                message.bytes.len()
            }
            _ => 0,
        };
        let missing = match usize::try_from(payload_len) {
            Ok(len) if opcode.is_control() || len <= self.message_bytes_max.saturating_sub(gathered) => len,
            _ => return Err(ProtocolError::MessageTooBig),
        };
        let is_lendable = fin && opcode != Opcode::Continuation;
        Ok(Frame { fin, is_compressed, opcode, mask_key, missing, is_lendable })
    }
}

/// Where the message is that [`Decoder::advance`] found.
enum Ready<'i> {
    /// All of it in the input, unmasked.
    InPlace(Opcode, &'i mut [u8]),
    /// In [`Partial::control`].
    Control(Opcode),
    /// In [`Partial::message`].
    Gathered,
}

/// A frame whose payload is being read.
#[derive(Debug)]
struct Frame {
    fin: bool,
    is_compressed: bool,
    opcode: Opcode,
    /// Turned so that its first byte belongs to the first missing one.
    mask_key: [u8; 4],
    missing: usize,
    /// A message by itself, nothing of which has been copied.
    is_lendable: bool,
}

/// What is kept between inputs.
#[derive(Debug, Default)]
struct Partial {
    /// The beginning of a header.
    header: Vec<u8>,
    frame: Option<Frame>,
    /// The beginning of a control frame's payload.
    control: Vec<u8>,
    message: Option<Gathered>,
    /// The message is being lent out, and to be dropped after.
    is_message_complete: bool,
}

/// A message that came in pieces.
#[derive(Debug)]
struct Gathered {
    opcode: Opcode,
    /// What is gathered is to be inflated, and only then is it known whether it is UTF-8.
    is_compressed: bool,
    fragments: u32,
    bytes: Vec<u8>,
    /// Of a text: how far it is known to be UTF-8. What is behind are at most three bytes of one character.
    utf8_len: usize,
}

impl Partial {
    fn is_incomplete(&self) -> bool {
        !self.header.is_empty()
            || self.frame.is_some()
            || (self.message.is_some() && !self.is_message_complete)
    }

    /// Drops what was lent out; true if nothing is left.
    fn release(&mut self) -> bool {
        if mem::take(&mut self.is_message_complete) {
            self.message = None;
        }
        if self.frame.is_none() {
            self.control.clear();
        }
        !self.is_incomplete()
    }

    /// Adds the next piece of `frame`.
    fn gather(&mut self, frame: &Frame, piece: &[u8]) -> Result<(), ProtocolError> {
        if frame.opcode.is_control() {
            self.control.extend_from_slice(piece);
            return Ok(());
        }
        let message = self.message.get_or_insert_with(|| Gathered::new(frame));
        message.bytes.extend_from_slice(piece);
        if message.opcode == Opcode::Text && !message.is_compressed {
            message.check_utf8(frame.fin && frame.missing == 0)?;
        }
        Ok(())
    }
}

impl Gathered {
    /// Nothing yet of the message that begins with this frame.
    fn new(first: &Frame) -> Self {
        let Frame { opcode, is_compressed, .. } = *first;
        Self { opcode, is_compressed, fragments: 1, bytes: Vec::new(), utf8_len: 0 }
    }

    /// Refuses bad text as soon as it can be seen to be bad, looking at each byte once (a split character: twice).
    fn check_utf8(&mut self, is_complete: bool) -> Result<(), ProtocolError> {
        let unchecked = &self.bytes[self.utf8_len..];
        match simdutf8::compat::from_utf8(unchecked) {
            Ok(text) => self.utf8_len += text.len(),
            Err(error) if error.error_len().is_none() && !is_complete => self.utf8_len += error.valid_up_to(),
            Err(_) => return Err(ProtocolError::InvalidUtf8),
        }
        Ok(())
    }
}

/// Splits off up to `len` bytes of `input`.
fn take<'i>(input: &mut &'i mut [u8], len: usize) -> &'i mut [u8] {
    let len = len.min(input.len());
    let (head, tail) = mem::take(input).split_at_mut(len);
    *input = tail;
    head
}

#[cfg(test)]
mod tests;
