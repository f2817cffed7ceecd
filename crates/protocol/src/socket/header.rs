use crate::{ParseError, socket::Namespace};

/// The largest integer that JavaScript can hold exactly.
pub(crate) const SAFE_INTEGER_MAX: u64 = (1 << 53) - 1;

/// The type of a packet, numbered as in the protocol; the two binary types are of the same kind as their plain ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Connect,
    Disconnect,
    Event,
    Ack,
    ConnectError,
}

/// A packet taken apart at its punctuation:
/// `<type>[<attachments>-][<namespace>,][<ack id>][<payload>]`.
#[derive(Debug)]
pub(crate) struct Header<'a> {
    pub(crate) kind: Kind,
    /// Attachments that follow; zero in the packets that have none.
    pub(crate) attachments: usize,
    pub(crate) namespace: &'a str,
    pub(crate) id: Option<u64>,
    pub(crate) payload: &'a str,
}

impl<'a> Header<'a> {
    pub(crate) fn parse(text: &'a str, attachments_max: usize) -> Result<Self, ParseError> {
        let mut characters = text.chars();
        let packet_type = characters.next().ok_or(ParseError::EmptyPacket)?;
        let rest = characters.as_str();
        let (kind, is_binary) = match packet_type {
            '0' => (Kind::Connect, false),
            '1' => (Kind::Disconnect, false),
            '2' => (Kind::Event, false),
            '3' => (Kind::Ack, false),
            '4' => (Kind::ConnectError, false),
            '5' => (Kind::Event, true),
            '6' => (Kind::Ack, true),
            _ => return Err(ParseError::PacketType),
        };
        let (attachments, rest) = if is_binary { attachments(rest, attachments_max)? } else { (0, rest) };
        let (namespace, rest) =
            if rest.starts_with('/') { rest.split_once(',').unwrap_or((rest, "")) } else { ("/", rest) };
        if namespace.len() > Namespace::BYTES_MAX {
            return Err(ParseError::NamespaceTooLong);
        }
        let (id, payload) = ack_id(rest)?;
        Ok(Self { kind, attachments, namespace, id, payload })
    }
}

/// The number of attachments, up to its hyphen. Checked here, so that nothing is buffered for a bad one.
fn attachments(text: &str, max: usize) -> Result<(usize, &str), ParseError> {
    let (digits, rest) = split_digits(text);
    let rest = rest.strip_prefix('-').ok_or(ParseError::AttachmentsCount)?;
    match integer(digits) {
        Some(count @ 1..) if count <= max as u64 => {
            Ok((usize::try_from(count).expect("not above a usize"), rest))
        }
        Some(1..) => Err(ParseError::AttachmentsTooMany),
        Some(0) | None => Err(ParseError::AttachmentsCount),
    }
}

/// The ack id, if there is one: the digits before the payload.
fn ack_id(text: &str) -> Result<(Option<u64>, &str), ParseError> {
    match split_digits(text) {
        ("", rest) => Ok((None, rest)),
        (digits, rest) => Ok((Some(integer(digits).ok_or(ParseError::AckId)?), rest)),
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

/// The digits as an integer that JavaScript can hold, written as JavaScript writes it.
fn integer(digits: &str) -> Option<u64> {
    const DIGITS_MAX: usize = 16;
    if digits.len() > DIGITS_MAX || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    digits.parse().ok().filter(|integer| *integer <= SAFE_INTEGER_MAX)
}
