//! A connection's WebSocket: reading it, and finding out when it can be written again.

use std::{
    cell::RefCell,
    io,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};

use roomkey_hub::Frame;
use roomkey_model::{Limits, Timestamp};
use roomkey_protocol::{engine::Packet, session::CloseReason};
use roomkey_websocket::{Decoder, Message, Opcode, ProtocolError, Role};
use tokio::net::TcpStream;

use super::{Connection, Ending, Link};

/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;

thread_local! {
    /// Where all connections of a thread read to: an idle one owns no buffer.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// The client's WebSocket, from its side of the read.
pub(crate) struct WebSocket {
    stream: Arc<TcpStream>,
    decoder: Decoder,
    /// What was read but not decoded yet, because too many events are being handled.
    unread: Vec<u8>,
    waits_to_write: bool,
    /// When a message must be complete that has begun to arrive.
    partial_until_ms: Option<u64>,
}

impl WebSocket {
    /// `unread` is what came behind the opening handshake.
    pub(crate) fn new(stream: TcpStream, unread: Vec<u8>, limits: &Limits) -> Self {
        Self {
            stream: Arc::new(stream),
            decoder: Decoder::new(Role::Server, limits.pre_auth_bytes, limits.fragments_per_message),
            unread,
            waits_to_write: false,
            partial_until_ms: None,
        }
    }

    pub(crate) fn stream(&self) -> &Arc<TcpStream> {
        &self.stream
    }

    pub(super) fn decode<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i mut [u8],
    ) -> Result<Option<Message<'a>>, ProtocolError> {
        self.decoder.next(input)
    }

    /// Puts back what was read but is not to be decoded yet.
    pub(super) fn keep_unread(&mut self, bytes: &[u8]) {
        self.unread = bytes.to_vec();
    }

    pub(super) fn wait_to_write(&mut self) {
        self.waits_to_write = true;
    }

    pub(super) fn partial_until_ms(&self) -> Option<u64> {
        self.partial_until_ms
    }

    /// Reads into the thread's scratch buffer and hands over what came, or what is left of before.
    pub(super) fn poll_read<T>(
        &mut self,
        cx: &mut TaskContext<'_>,
        mut act: impl FnMut(&mut Self, &mut [u8]) -> T,
    ) -> Poll<Result<T, CloseReason>> {
        if !self.unread.is_empty() {
            let mut bytes = std::mem::take(&mut self.unread);
            return Poll::Ready(Ok(act(self, &mut bytes)));
        }
        loop {
            ready!(self.stream.poll_read_ready(cx)).map_err(|_| CloseReason::TransportError)?;
            let outcome = SCRATCH.with_borrow_mut(|scratch| match self.stream.try_read(scratch) {
                Ok(0) => Some(Err(CloseReason::TransportClose)),
                Ok(read) => Some(Ok(act(self, &mut scratch[..read]))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
                Err(_) => Some(Err(CloseReason::TransportError)),
            });
            if let Some(outcome) = outcome {
                return Poll::Ready(outcome);
            }
        }
    }
}

impl Connection {
    pub(super) fn poll_websocket(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Ending>> {
        self.poll_writable(cx);
        if self.is_busy() {
            return Poll::Pending;
        }
        // The WebSocket lends out its messages while the rest of the connection handles them.
        let Link::WebSocket(mut websocket) = std::mem::take(&mut self.link) else {
            unreachable!("only called for a WebSocket");
        };
        let mut handler_cx = TaskContext::from_waker(cx.waker());
        let read =
            websocket.poll_read(cx, |websocket, bytes| self.on_bytes(websocket, bytes, &mut handler_cx));
        self.link = Link::WebSocket(websocket);
        read.map(|read| read?)
    }

    fn poll_writable(&mut self, cx: &mut TaskContext<'_>) {
        while let Link::WebSocket(websocket) = &mut self.link
            && websocket.waits_to_write
            && websocket.stream.poll_write_ready(cx).is_ready()
        {
            websocket.waits_to_write = false;
            if !self.shard().drain(self.key) {
                self.on_wants_write();
            }
        }
    }

    fn on_bytes(
        &mut self,
        websocket: &mut WebSocket,
        bytes: &mut [u8],
        cx: &mut TaskContext<'_>,
    ) -> Result<(), Ending> {
        let mut input = bytes;
        loop {
            if self.is_busy() {
                websocket.keep_unread(input);
                return Ok(());
            }
            websocket.decoder.set_message_bytes_max(self.message_bytes_max());
            let Some(message) = websocket.decoder.next(&mut input)? else { break };
            let packet = match message {
                Message::Text(text) => Packet::decode(text).map_err(CloseReason::from)?,
                Message::Binary(bytes) => Packet::Binary(bytes.into()),
                Message::Ping(payload) => {
                    self.send(Frame::control(Opcode::Pong, payload));
                    continue;
                }
                Message::Pong(_) => continue,
                Message::Close(_) => return Err(Ending::ClosedByPeer),
            };
            self.on_packet(packet, cx)?;
        }
        websocket.partial_until_ms = websocket.decoder.has_partial().then(|| {
            let deadline_ms = self.now_ms() + self.context.limits.partial_message_ms;
            websocket.partial_until_ms.unwrap_or(deadline_ms)
        });
        Ok(())
    }

    /// A client that nobody knows yet has nothing to say that is long.
    fn message_bytes_max(&self) -> usize {
        let limits = &self.context.limits;
        if self.newcomer.is_some() { limits.pre_auth_bytes } else { limits.message_bytes }
    }

    pub(super) fn on_packet(&mut self, packet: Packet<'_>, cx: &mut TaskContext<'_>) -> Result<(), Ending> {
        let now = Timestamp(self.now_ms());
        match self.session.receive(packet, now)? {
            Some(incoming) => self.on_incoming(incoming, cx),
            None => Ok(()),
        }
    }
}
