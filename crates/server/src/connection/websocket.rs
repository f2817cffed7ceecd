//! A connection's WebSocket: reading it, and finding out when it can be written again.

use std::{
    cell::RefCell,
    io,
    sync::Arc,
    task::{Context as TaskContext, Poll, ready},
};

use roomkey_hub::Frame;
use roomkey_model::Limits;
use roomkey_protocol::session::CloseReason;
use roomkey_websocket::{Decoder, Message, Opcode, ProtocolError, Role};
use tokio::{io::Interest, net::TcpStream};

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
    has_deflate: bool,
    /// What was read with something else and belongs here: behind the opening handshake, or the upgrade.
    unread: Vec<u8>,
    /// The last read filled the buffer, so that it is somebody else's turn.
    rests: bool,
    pings: u32,
    pings_since_ms: u64,
    waits_to_write: bool,
    /// When a message must be complete that has begun to arrive.
    partial_until_ms: Option<u64>,
}

impl WebSocket {
    /// `unread` is what came behind the opening handshake.
    pub(crate) fn new(stream: TcpStream, unread: Vec<u8>, limits: &Limits, has_deflate: bool) -> Self {
        let decoder = Decoder::new(Role::Server, limits.pre_auth_bytes, limits.fragments_per_message);
        Self {
            stream: Arc::new(stream),
            decoder: if has_deflate { decoder.with_deflate() } else { decoder },
            has_deflate,
            unread,
            rests: false,
            pings: 0,
            pings_since_ms: 0,
            waits_to_write: false,
            partial_until_ms: None,
        }
    }

    pub(crate) fn stream(&self) -> &Arc<TcpStream> {
        &self.stream
    }

    /// Whether the client reads compressed messages.
    pub(super) fn has_deflate(&self) -> bool {
        self.has_deflate
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

    /// Reads once into the thread's scratch buffer and hands over what came, or what was put back before.
    pub(super) fn poll_read<T>(
        &mut self,
        cx: &mut TaskContext<'_>,
        act: impl FnOnce(&mut Self, &mut [u8]) -> T,
    ) -> Poll<Result<T, CloseReason>> {
        if std::mem::take(&mut self.rests) {
            // Others first: there may be no end to what this client sends.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if !self.unread.is_empty() {
            let mut bytes = std::mem::take(&mut self.unread);
            return Poll::Ready(Ok(act(self, &mut bytes)));
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let read = loop {
                ready!(self.stream.poll_read_ready(cx)).map_err(|_| CloseReason::TransportError)?;
                match read_all_there_is(&self.stream, scratch) {
                    Ok(0) => return Poll::Ready(Err(CloseReason::TransportClose)),
                    Ok(read) => break read,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => return Poll::Ready(Err(CloseReason::TransportError)),
                }
            };
            self.rests = read == scratch.len();
            Poll::Ready(Ok(act(self, &mut scratch[..read])))
        })
    }

    /// Counts a ping of the client's; false if it sends more than anybody needs.
    fn may_ping(&mut self, now_ms: u64, limits: &Limits) -> bool {
        if now_ms >= self.pings_since_ms + 1000 {
            (self.pings, self.pings_since_ms) = (0, now_ms);
        }
        self.pings += 1;
        self.pings <= limits.websocket_pings_per_second
    }
}

/// Reads, and remembers when that emptied the socket: the next wait then does without a read that finds nothing.
fn read_all_there_is(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let mut outcome = Ok(0);
    let emptied = stream.try_io(Interest::READABLE, || {
        outcome = rustix::io::read(stream, &mut *buffer).map_err(io::Error::from);
        match &outcome {
            Ok(read) if *read == 0 || *read == buffer.len() => Ok(()),
            _ => Err(io::ErrorKind::WouldBlock.into()),
        }
    });
    match emptied {
        // Not even tried: the socket was known to be empty.
        Err(error) if matches!(outcome, Ok(0)) => Err(error),
        _ => outcome,
    }
}

impl Connection {
    pub(super) fn poll_websocket(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Ending>> {
        self.poll_writable(cx);
        if self.is_draining || self.is_backlog_full() {
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
            if !self.seat.shard().drain(self.seat.key) {
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
        let mut bytes_left = self.context.limits.message_bytes;
        loop {
            websocket.decoder.set_message_bytes_max(self.seat.message_bytes_max());
            let Some(message) = websocket.decoder.next(&mut input)? else { break };
            websocket.partial_until_ms = None;
            let bytes = match message {
                Message::Text(text) => text.len(),
                Message::Binary(bytes) => bytes.len(),
                Message::Ping(_) | Message::Pong(_) | Message::Close(_) => 0,
            };
            bytes_left = bytes_left.saturating_sub(bytes);
            let packet = match message {
                Message::Text(text) => self.session.revision().decode(text).map_err(CloseReason::from)?,
                Message::Binary(bytes) => {
                    self.session.revision().decode_frame(bytes).map_err(CloseReason::from)?
                }
                Message::Ping(payload) => {
                    self.seat.send(Frame::control(Opcode::Pong, payload));
                    if !websocket.may_ping(self.seat.now_ms(), &self.context.limits) {
                        return Err(Ending::PingFlood);
                    }
                    continue;
                }
                Message::Pong(_) => continue,
                Message::Close(frame) => return Err(Ending::ClosedByPeer(frame.map(|frame| frame.code))),
            };
            self.on_packet(packet, cx)?;
            // What is compressed may become far more than was read.
            if !input.is_empty() && (bytes_left == 0 || self.is_backlog_full()) {
                websocket.keep_unread(input);
                websocket.rests = true;
                return Ok(());
            }
        }
        if websocket.decoder.has_partial() && websocket.partial_until_ms.is_none() {
            websocket.partial_until_ms = Some(self.seat.now_ms() + self.context.limits.partial_message_ms);
        }
        Ok(())
    }
}
