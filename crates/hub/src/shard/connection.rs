use std::{collections::VecDeque, io, sync::Arc};

use bytes::Bytes;
use smallvec::SmallVec;
use tokio::net::TcpStream;

use super::{flush::join_frames, room::RoomId};
use crate::{Attention, ConnectionKey, Dialect, Frame, Notice, SocketKey};

/// How a connection's frames leave: set when it is made, changed once by an upgrade.
#[derive(Debug)]
pub enum Wire {
    /// A WebSocket whose opening handshake is done.
    WebSocket(Arc<TcpStream>),
    /// HTTP long-polling: frames wait until a request takes them.
    Polling,
    /// Nothing: the client is away. What it misses is in the log.
    Parked {
        /// The connection that the client had, if that was in this process.
        before: Option<ConnectionKey>,
    },
}

/// What the shard keeps of one connection.
///
/// In this order in memory: what a flush looks at for every member of a room comes first, in as few cache lines as it
/// takes.
#[repr(C)]
pub(super) struct Connection {
    /// Everything emitted before this place in the order has been written or dropped.
    pub(super) settled: u64,
    /// The last emission that reaches some of this connection's rooms but not it.
    pub(super) excluded_at: u64,
    /// From then on, what is emitted to its sockets and rooms is not for it any more.
    pub(super) expires_ms: u64,
    outgoing: Outgoing,
    /// What was sent to this connection alone since it was last settled, with its place in the order.
    pub(super) direct: Vec<Emission>,
    /// The form its frames take, unless it is the standard one.
    pub(super) dialect: Option<&'static Dialect>,
    /// Whether something is kept from one of its sockets: it is held or muted.
    pub(super) withholds: bool,
    pub(super) generation: u32,
    /// The last flush that met this connection in a room.
    pub(super) met_in_flush: u64,
    /// Where in each room's member list this connection stands.
    pub(super) rooms: SmallVec<[Place; 2]>,
    /// The sockets that are open.
    pub(super) sockets: SmallVec<[OpenSocket; 1]>,
    pub(super) attention: Arc<dyn Attention>,
    /// The only armed deadline that counts.
    pub(super) armed_ms: u64,
}

/// A socket that is open.
pub(super) struct OpenSocket {
    pub(super) namespace: Arc<str>,
    pub(super) serial: u32,
    /// It is sent nothing that could be recovered, until it is released.
    pub(super) is_muted: bool,
    /// What it is to be sent once it is welcomed; `None` when it has been.
    pub(super) held: Option<Box<Held>>,
}

/// What was emitted to a socket whose client is not told yet that it is in.
#[derive(Default)]
pub(super) struct Held {
    pub(super) emissions: Vec<Emission>,
    bytes: usize,
}

/// A membership.
pub(super) struct Place {
    pub(super) room: RoomId,
    /// Where in the room's member list.
    pub(super) index: u32,
    /// Its place in the order: what was emitted before is not for the member.
    pub(super) since: u64,
}

/// One frame on its way, with its place in the shard's order.
#[derive(Clone)]
pub(super) struct Emission {
    pub(super) order: u64,
    pub(super) frame: Frame,
    /// Dropped rather than queued when the connection cannot take it at once.
    pub(super) volatile: bool,
}

enum Outgoing {
    WebSocket {
        stream: Arc<TcpStream>,
        blocked: Option<Box<Outbox>>,
    },
    Polling(Box<Queue>),
    /// Doomed: its task has been told, and nothing more is written.
    Closed,
    Parked {
        before: Option<ConnectionKey>,
    },
}

/// Frames that no poll has taken yet.
#[derive(Default)]
struct Queue {
    frames: VecDeque<Frame>,
    /// How many packets of the first frame were taken already.
    begun: usize,
    bytes: usize,
    reader_waits: bool,
}

/// Bytes that the kernel would not take yet.
#[derive(Default)]
struct Outbox {
    chunks: VecDeque<Bytes>,
    bytes: usize,
}

impl Connection {
    pub(super) fn new(generation: u32, attention: Arc<dyn Attention>, wire: Wire, order: u64) -> Self {
        Self {
            generation,
            attention,
            dialect: None,
            sockets: SmallVec::new(),
            withholds: false,
            rooms: SmallVec::new(),
            direct: Vec::new(),
            settled: order,
            excluded_at: 0,
            expires_ms: u64::MAX,
            met_in_flush: 0,
            armed_ms: u64::MAX,
            outgoing: match wire {
                Wire::WebSocket(stream) => Outgoing::WebSocket { stream, blocked: None },
                Wire::Polling => Outgoing::Polling(Box::default()),
                Wire::Parked { before } => Outgoing::Parked { before },
            },
        }
    }

    /// Whether a socket is one of this connection's, and open.
    pub(super) fn has_open(&self, socket: &SocketKey) -> bool {
        self.open(socket).is_some()
    }

    fn open(&self, socket: &SocketKey) -> Option<&OpenSocket> {
        let is_it = |open: &&OpenSocket| open.serial == socket.serial && open.namespace == socket.namespace;
        self.sockets.iter().find(is_it)
    }

    /// The open socket of this key, to change what is kept from it.
    pub(super) fn with_open(&mut self, socket: &SocketKey, change: impl FnOnce(&mut OpenSocket)) {
        let is_it =
            |open: &&mut OpenSocket| open.serial == socket.serial && open.namespace == socket.namespace;
        if let Some(open) = self.sockets.iter_mut().find(is_it) {
            change(open);
            self.withholds = self.sockets.iter().any(OpenSocket::withholds);
        }
    }

    /// Forgets the sockets that are not among these.
    pub(super) fn retain_sockets(&mut self, mut is_kept: impl FnMut(&OpenSocket) -> bool) {
        self.sockets.retain(|open| is_kept(open));
        self.withholds = self.sockets.iter().any(OpenSocket::withholds);
    }

    /// Whether a socket is muted.
    pub(super) fn is_muted(&self, socket: &SocketKey) -> bool {
        self.withholds && self.open(socket).is_some_and(|open| open.is_muted)
    }

    /// Whether a socket is held.
    pub(super) fn is_held(&self, socket: &SocketKey) -> bool {
        self.withholds && self.open(socket).is_some_and(|open| open.held.is_some())
    }

    /// The socket in a namespace that something is kept from.
    pub(super) fn withholding(&self, namespace: &str) -> Option<&OpenSocket> {
        let open = if self.withholds { &self.sockets[..] } else { &[] };
        open.iter().find(|open| open.withholds() && *open.namespace == *namespace)
    }

    /// Keeps emissions, in any order but all later than those kept before, for the held sockets of these serial numbers.
    /// Returns how many were not kept, because they do not wait.
    pub(super) fn keep(&mut self, mut emissions: Vec<(u32, Emission)>, bytes_max: usize) -> usize {
        if matches!(self.outgoing, Outgoing::Closed) {
            return 0;
        }
        let all = emissions.len();
        emissions.retain(|(_, emission)| !emission.volatile);
        let kept = emissions.len();
        emissions.sort_by_key(|(_, emission)| emission.order);
        for (serial, emission) in emissions {
            let found = self.sockets.iter_mut().find(|open| open.serial == serial);
            let Some(held) = found.and_then(|open| open.held.as_mut()) else { continue };
            if held.bytes > bytes_max {
                self.close(Notice::SlowReader);
                break;
            }
            held.bytes += emission.frame.websocket().len();
            held.emissions.push(emission);
        }
        all - kept
    }

    pub(super) fn is_polling(&self) -> bool {
        matches!(self.outgoing, Outgoing::Polling(_))
    }

    /// Whether nobody is there to be written to.
    pub(super) fn is_parked(&self) -> bool {
        matches!(self.outgoing, Outgoing::Parked { .. })
    }

    /// The connection that the client of a parked socket had.
    pub(super) fn before(&self) -> Option<ConnectionKey> {
        match self.outgoing {
            Outgoing::Parked { before } => before,
            _ => None,
        }
    }

    /// Whether a volatile frame would have to wait.
    pub(super) fn is_blocked(&self) -> bool {
        match &self.outgoing {
            Outgoing::WebSocket { blocked, .. } => blocked.is_some(),
            Outgoing::Polling(queue) => !queue.reader_waits,
            Outgoing::Closed | Outgoing::Parked { .. } => true,
        }
    }

    /// Writes frames that are already joined in `websocket`, in the connection's own form, or queues them.
    pub(super) fn write<'a>(
        &mut self,
        websocket: &Bytes,
        frames: impl Iterator<Item = &'a Frame>,
        bytes_max: usize,
    ) {
        let notice = match &mut self.outgoing {
            // What came before is what a slow reader is judged by: one long message is no sign of slowness.
            Outgoing::WebSocket { blocked: Some(outbox), .. } if outbox.bytes > bytes_max => {
                Some(Notice::SlowReader)
            }
            Outgoing::WebSocket { blocked: Some(outbox), .. } => {
                outbox.push(websocket.clone());
                None
            }
            Outgoing::WebSocket { stream, blocked } => match stream.try_write(websocket) {
                Ok(written) if written == websocket.len() => None,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => Some(Notice::WriteFailed),
                partly => {
                    blocked.insert(Box::default()).push(websocket.slice(partly.unwrap_or(0)..));
                    Some(Notice::WantsWrite)
                }
            },
            Outgoing::Polling(queue) if queue.bytes > bytes_max => Some(Notice::SlowReader),
            Outgoing::Polling(queue) => {
                for frame in frames {
                    queue.bytes += frame.websocket().len();
                    queue.frames.push_back(frame.clone());
                }
                std::mem::take(&mut queue.reader_waits).then_some(Notice::WantsWrite)
            }
            Outgoing::Closed | Outgoing::Parked { .. } => None,
        };
        match notice {
            Some(Notice::WantsWrite) => self.attention.notify(Notice::WantsWrite),
            Some(notice) => self.close(notice),
            None => {}
        }
    }

    /// Writes nothing more, and tells the connection's task why.
    fn close(&mut self, notice: Notice) {
        self.outgoing = Outgoing::Closed;
        self.attention.notify(notice);
    }

    /// Writes what the kernel now takes of the queue; true once there is nothing left to wait for.
    pub(super) fn drain(&mut self) -> bool {
        let Outgoing::WebSocket { stream, blocked } = &mut self.outgoing else { return true };
        let Some(outbox) = blocked else { return true };
        while let Some(chunk) = outbox.chunks.front_mut() {
            match stream.try_write(chunk) {
                Ok(written) => {
                    outbox.bytes -= written;
                    if written == chunk.len() {
                        outbox.chunks.pop_front();
                    } else {
                        *chunk = chunk.slice(written..);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(_) => {
                    self.outgoing = Outgoing::Closed;
                    self.attention.notify(Notice::WriteFailed);
                    return true;
                }
            }
        }
        *blocked = None;
        true
    }

    /// Takes what is queued for a polling request, up to `packets_max` packets. A frame is cut only if it has more by
    /// itself. With nothing there, the next frame will be announced with [`Notice::WantsWrite`].
    pub(super) fn poll(&mut self, packets_max: usize) -> Vec<Bytes> {
        let dialect = self.dialect;
        let Outgoing::Polling(queue) = &mut self.outgoing else { return Vec::new() };
        let mut taken = Vec::new();
        while let Some(frame) = queue.frames.front() {
            let (left, begun) = (frame.packet_count() - queue.begun, taken.len());
            if begun + left > packets_max && begun > 0 {
                break;
            }
            frame.push_packets(dialect, &mut taken);
            taken.drain(begun..begun + queue.begun);
            if left > packets_max && dialect.is_none() {
                taken.truncate(packets_max);
                queue.begun += packets_max;
                break;
            }
            queue.begun = 0;
            queue.bytes -= frame.websocket().len();
            queue.frames.pop_front();
        }
        queue.reader_waits = taken.is_empty();
        taken
    }

    /// The polling request that waited is gone.
    pub(super) fn stop_polling(&mut self) {
        if let Outgoing::Polling(queue) = &mut self.outgoing {
            queue.reader_waits = false;
        }
    }

    /// Moves to a WebSocket; what was queued for polling leaves through it first.
    pub(super) fn upgrade(&mut self, stream: Arc<TcpStream>, bytes_max: usize) {
        let websocket = Outgoing::WebSocket { stream, blocked: None };
        if let Outgoing::Polling(mut queue) = std::mem::replace(&mut self.outgoing, websocket) {
            if queue.begun > 0
                && let Some(first) = queue.frames.pop_front()
            {
                self.write(&first.rest(queue.begun), std::iter::empty(), bytes_max);
            }
            if !queue.frames.is_empty() {
                let joined = join_frames(queue.frames.iter(), self.dialect);
                self.write(&joined, queue.frames.iter(), bytes_max);
            }
        }
    }

    /// Bytes that wait to be written.
    pub(super) fn queued_bytes(&self) -> usize {
        match &self.outgoing {
            Outgoing::WebSocket { blocked, .. } => blocked.as_ref().map_or(0, |outbox| outbox.bytes),
            Outgoing::Polling(queue) => queue.bytes,
            Outgoing::Closed | Outgoing::Parked { .. } => 0,
        }
    }
}

impl OpenSocket {
    fn withholds(&self) -> bool {
        self.is_muted || self.held.is_some()
    }
}

impl Outbox {
    fn push(&mut self, chunk: Bytes) {
        self.bytes += chunk.len();
        self.chunks.push_back(chunk);
    }
}
