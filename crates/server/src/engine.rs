//! A server of bare Engine.IO: messages over whatever transport there is, without namespaces, events and acks.
//!
//! ```no_run
//! use roomkey::{ServerBuilder, ServerConfig, engine::Engine};
//!
//! let echo = Engine::new().on_message(|socket, message| socket.send(message));
//! let config = ServerConfig { path: "/engine.io/".to_owned(), ..ServerConfig::default() };
//! ServerBuilder::new(config).engine(echo).bind()?.run(std::future::pending())?;
//! # Ok::<(), std::io::Error>(())
//! ```

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use roomkey_cluster::Node;
use roomkey_hub::{ConnectionKey, Frame, Notice};
use roomkey_protocol::{engine, session::DisconnectReason};

use crate::Handshake;

/// What happens on a server of bare Engine.IO.
///
/// Everybody is let in whose page may connect. Nothing here may block: the messages of one client are handed over in
/// the order they came, on the thread that serves it.
#[derive(Default)]
pub struct Engine {
    opened: Option<Listener<()>>,
    received: Option<Listener<Message>>,
    closed: Option<Listener<DisconnectReason>>,
}

type Listener<T> = Box<dyn Fn(&Socket, T) + Send + Sync>;

/// What Engine.IO carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

/// A client of bare Engine.IO. Cheap to clone; outlives the connection, but then reaches nobody.
#[derive(Clone)]
pub struct Socket(Arc<Inner>);

struct Inner {
    key: ConnectionKey,
    node: Node,
    handshake: Arc<Handshake>,
}

impl Engine {
    /// An engine that takes everything and says nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What to do once a client is connected.
    #[must_use]
    pub fn on_open(mut self, listener: impl Fn(&Socket) + Send + Sync + 'static) -> Self {
        self.opened = Some(Box::new(move |socket, ()| listener(socket)));
        self
    }

    /// What to do about a message.
    #[must_use]
    pub fn on_message(mut self, listener: impl Fn(&Socket, Message) + Send + Sync + 'static) -> Self {
        self.received = Some(Box::new(listener));
        self
    }

    /// What to do once a client is gone.
    #[must_use]
    pub fn on_close(mut self, listener: impl Fn(&Socket, DisconnectReason) + Send + Sync + 'static) -> Self {
        self.closed = Some(Box::new(listener));
        self
    }

    pub(crate) fn opened(&self, socket: &Socket) {
        call(self.opened.as_ref(), socket, ());
    }

    pub(crate) fn received(&self, socket: &Socket, message: engine::Message<'_>) {
        if self.received.is_some() {
            call(self.received.as_ref(), socket, message.into());
        }
    }

    pub(crate) fn closed(&self, socket: &Socket, reason: DisconnectReason) {
        call(self.closed.as_ref(), socket, reason);
    }
}

/// A panic ends the listener, not the connection; the panic hook has logged it.
fn call<T>(listener: Option<&Listener<T>>, socket: &Socket, of: T) {
    if let Some(listener) = listener {
        _ = catch_unwind(AssertUnwindSafe(|| listener(socket, of)));
    }
}

impl Socket {
    pub(crate) fn new(key: ConnectionKey, node: Node, handshake: Arc<Handshake>) -> Self {
        Self(Arc::new(Inner { key, node, handshake }))
    }

    /// The request that opened the connection.
    pub fn handshake(&self) -> &Handshake {
        &self.0.handshake
    }

    /// Sends a message.
    pub fn send(&self, message: Message) {
        match message {
            Message::Text(text) => self.send_packet(&format!("4{text}")),
            Message::Binary(bytes) => self.0.node.hub().send(self.0.key, Frame::binary(bytes), false),
        }
    }

    /// Sends a packet of Engine.IO itself.
    pub(crate) fn send_packet(&self, packet: &str) {
        self.0.node.hub().send(self.0.key, Frame::text(packet), false);
    }

    /// Ends the connection, after what was sent.
    pub fn close(&self) {
        let notice = Notice::Disconnect { namespace: "".into(), close: true };
        self.0.node.hub().notify(self.0.key, notice);
    }
}

/// Two are equal if they are the same client.
impl PartialEq for Socket {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Socket {}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket").field("handshake", self.handshake()).finish_non_exhaustive()
    }
}

impl From<engine::Message<'_>> for Message {
    fn from(message: engine::Message<'_>) -> Self {
        match message {
            engine::Message::Text(text) => Self::Text(text.to_owned()),
            engine::Message::Binary(bytes) => Self::Binary(Bytes::from(bytes.into_owned())),
        }
    }
}
