use std::fmt::Write;

use bytes::Bytes;
use serde::Serialize;

use crate::socket::{RESERVED_EVENTS, binary, json};

/// A packet to send: the text of an Engine.IO message, and the binary messages that follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// With the `4` of an Engine.IO message in front.
    pub text: String,
    /// To be sent right after the text, in this order, with nothing in between.
    pub attachments: Vec<Bytes>,
}

/// Why a packet cannot be sent: a mistake of the program, never of the peer.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// The arguments do not serialize.
    #[error("the arguments do not serialize")]
    Json(#[from] serde_json::Error),
    /// The arguments serialize to something else than an array; pass a tuple or a slice.
    #[error("the arguments are not an array")]
    NotAnArray,
    /// The arguments hold JSON that looks like a placeholder beside real attachments; the peer would mistake it.
    #[error("the arguments hold a placeholder that is not binary data")]
    Placeholder,
    /// The event's name is one of [`RESERVED_EVENTS`].
    #[error("the event name is reserved")]
    ReservedName,
}

/// The server's answer to a CONNECT: the public id of the socket and, where connections can be recovered, the private.
pub fn encode_connect(namespace: &str, sid: &str, pid: Option<&str>) -> String {
    #[derive(Serialize)]
    struct Answer<'a> {
        sid: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        pid: Option<&'a str>,
    }
    with_payload('0', namespace, &Answer { sid, pid }).expect("text always serializes")
}

/// The server's refusal of a CONNECT.
pub fn encode_connect_error(
    namespace: &str,
    message: &str,
    data: Option<&impl Serialize>,
) -> Result<String, EncodeError> {
    #[derive(Serialize)]
    struct Refusal<'a, D> {
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<&'a D>,
    }
    Ok(with_payload('4', namespace, &Refusal { message, data })?)
}

/// A client's CONNECT, with the JSON object of its `auth`.
pub fn encode_connect_request(namespace: &str, auth_json: Option<&str>) -> String {
    let mut text = prefix('0', namespace);
    text.push_str(auth_json.unwrap_or_default());
    text
}

/// The end of a namespace, from either side.
pub fn encode_disconnect(namespace: &str) -> String {
    prefix('1', namespace)
}

/// An event. The arguments are a tuple or a slice; [`super::Binary`] in them becomes an attachment.
pub fn encode_event(
    namespace: &str,
    id: Option<u64>,
    name: &str,
    args: &(impl Serialize + ?Sized),
) -> Result<Encoded, EncodeError> {
    let mut text = event_prefix(namespace, id, name)?.into_bytes();
    let start = text.len();
    let attachments = write_args(&mut text, args)?;
    // `["name"` and `[args]` become `["name",args]`.
    if text[start..] == *b"[]" {
        text.remove(start);
    } else {
        text[start] = b',';
    }
    Ok(announce(utf8(text), attachments))
}

/// An event whose arguments are JSON already: a received [`super::Payload`] that is passed on, or one text for many.
pub fn encode_event_raw(
    namespace: &str,
    id: Option<u64>,
    name: &str,
    args_json: &str,
    attachments: Vec<Bytes>,
) -> Result<Encoded, EncodeError> {
    let mut text = event_prefix(namespace, id, name)?;
    let args = args_json.trim().strip_prefix('[').filter(|args| args.ends_with(']'));
    let args = args.ok_or(EncodeError::NotAnArray)?;
    if !args.trim_start().starts_with(']') {
        text.push(',');
    }
    text.push_str(args);
    Ok(announce(text, attachments))
}

/// The answer to an event.
pub fn encode_ack(
    namespace: &str,
    id: u64,
    args: &(impl Serialize + ?Sized),
) -> Result<Encoded, EncodeError> {
    let mut text = ack_prefix(namespace, id).into_bytes();
    let attachments = write_args(&mut text, args)?;
    Ok(announce(utf8(text), attachments))
}

/// The answer to an event, when it is JSON already.
pub fn encode_ack_raw(
    namespace: &str,
    id: u64,
    args_json: &str,
    attachments: Vec<Bytes>,
) -> Result<Encoded, EncodeError> {
    if !args_json.starts_with('[') {
        return Err(EncodeError::NotAnArray);
    }
    Ok(announce(ack_prefix(namespace, id) + args_json, attachments))
}

/// `4`, the type and the namespace.
fn prefix(packet_type: char, namespace: &str) -> String {
    let mut text = String::with_capacity(128);
    text.push('4');
    text.push(packet_type);
    if namespace != "/" {
        text.push_str(namespace);
        text.push(',');
    }
    text
}

fn with_payload(
    packet_type: char,
    namespace: &str,
    payload: &impl Serialize,
) -> Result<String, serde_json::Error> {
    let mut text = prefix(packet_type, namespace).into_bytes();
    serde_json::to_writer(&mut text, payload)?;
    Ok(utf8(text))
}

/// Up to the name of an event: `42["name"`.
fn event_prefix(namespace: &str, id: Option<u64>, name: &str) -> Result<String, EncodeError> {
    if RESERVED_EVENTS.contains(&name) {
        return Err(EncodeError::ReservedName);
    }
    let mut text = prefix('2', namespace);
    if let Some(id) = id {
        write!(text, "{id}").expect("a string");
    }
    text.push('[');
    let mut text = text.into_bytes();
    serde_json::to_writer(&mut text, name)?;
    Ok(utf8(text))
}

fn ack_prefix(namespace: &str, id: u64) -> String {
    let mut text = prefix('3', namespace);
    write!(text, "{id}").expect("a string");
    text
}

/// Appends the array of the arguments and returns what it points to.
fn write_args(text: &mut Vec<u8>, args: &(impl Serialize + ?Sized)) -> Result<Vec<Bytes>, EncodeError> {
    let start = text.len();
    let (result, attachments) = binary::collect(|| serde_json::to_writer(&mut *text, args));
    result?;
    if text[start..] == *b"null" {
        // The empty tuple: no arguments.
        text.splice(start.., *b"[]");
    }
    if !text[start..].starts_with(b"[") {
        return Err(EncodeError::NotAnArray);
    }
    if !attachments.is_empty() {
        let args = str::from_utf8(&text[start..]).expect("serde_json writes UTF-8");
        match json::check_placeholders(args, attachments.len()) {
            Ok(count) if count == attachments.len() => {}
            _ => return Err(EncodeError::Placeholder),
        }
    }
    Ok(attachments)
}

/// Turns an event or an ack into its binary form, if it has attachments: `42[` becomes `451-[`.
fn announce(mut text: String, attachments: Vec<Bytes>) -> Encoded {
    if !attachments.is_empty() {
        let packet_type = if text.starts_with("42") { '5' } else { '6' };
        text.replace_range(1..2, &format!("{packet_type}{}-", attachments.len()));
    }
    Encoded { text, attachments }
}

pub(crate) fn utf8(text: Vec<u8>) -> String {
    String::from_utf8(text).expect("serde_json writes UTF-8")
}

#[cfg(test)]
mod tests;
