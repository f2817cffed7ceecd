//! Compression of what is sent over WebSockets: what is worth it, and how much it saves.

use std::{cell::OnceCell, sync::Arc};

use bytes::Bytes;
use roomkey_hub::{Dialect, Form, Frame};
use roomkey_websocket::{Opcode, deflate, encode};

use crate::context::Context;

/// Compression of WebSocket messages (permessage-deflate, RFC 7692), for the clients that offer it.
///
/// Each message is compressed by itself, and once for all of its receivers. What that takes is bounded without a limit
/// to be set: a thread has one compressor and one inflater, about 350 KiB together from when it first needs them, and
/// a connection has neither. The compressed form of a message is shorter than the message and lives no longer. What
/// clients send is inflated only up to [`Limits::message_bytes`](crate::Limits::message_bytes), and before they have
/// authenticated up to [`Limits::pre_auth_bytes`](crate::Limits::pre_auth_bytes), one message at a time.
///
/// Compression costs a core about 11 µs for a kilobyte and 4 µs for each one more. What a client sends takes at most 0.25 µs
/// for each byte that came, however it was made; ordinary messages take a hundredth of that. Compression is off by default, because it can
/// also cost secrets: whoever sees how long encrypted messages are, and can get text of their own into the same
/// message as a secret, learns from the lengths whether the two are alike (as in CRIME and BREACH). Do not put a
/// secret into one message with what other users have written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deflate {
    /// Messages shorter than this are sent as they are.
    pub threshold_bytes: usize,
}

impl Default for Deflate {
    fn default() -> Self {
        Self { threshold_bytes: 1024 }
    }
}

/// JSON packets of Engine.IO 4, compressed. For WebSockets only.
pub(crate) static DEFLATE: Dialect = Dialect { slot: 2, form };

thread_local! {
    /// The server that this thread serves: a form is made by a function that is told nothing else.
    static SERVED: OnceCell<Arc<Context>> = const { OnceCell::new() };
}

/// Declares the calling thread to be one that serves this server, and no other.
pub(crate) fn enter(context: &Arc<Context>) {
    SERVED.with(|served| assert!(served.set(context.clone()).is_ok(), "a thread serves one server"));
}

fn form(frame: &Frame) -> Form {
    let text = frame.packet().map(|packet| (Opcode::Text, packet.as_bytes()));
    let attachments = frame.attachments().iter().map(|attachment| (Opcode::Binary, &attachment[..]));
    let websocket = compress(text.into_iter().chain(attachments));
    Form { websocket: websocket.unwrap_or_else(|| frame.websocket().clone()), packets: Arc::default() }
}

/// The frames of these messages, those compressed for which it is worth it; `None` if there are no such.
pub(crate) fn compress<'a>(messages: impl Iterator<Item = (Opcode, &'a [u8])> + Clone) -> Option<Bytes> {
    SERVED.with(|served| {
        let context = served.get()?;
        let threshold_bytes = context.deflate?.threshold_bytes;
        let is_worth_it = |payload: &[u8]| payload.len() >= threshold_bytes;
        if !messages.clone().any(|(_, payload)| is_worth_it(payload)) {
            return None;
        }
        let mut frames = Vec::new();
        for (opcode, payload) in messages {
            let start = frames.len();
            if !is_worth_it(payload) {
                encode(opcode, payload, &mut frames);
            } else if deflate::encode(opcode, payload, &mut frames) {
                let metrics = &context.metrics;
                metrics.deflate_messages.increment();
                metrics.deflate_bytes_before.add(payload.len());
                metrics.deflate_bytes_after.add(frames.len() - start);
            }
        }
        frames.shrink_to_fit();
        Some(frames.into())
    })
}
