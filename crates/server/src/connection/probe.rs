//! The upgrade from long-polling to WebSocket, while the WebSocket still proves itself.

use std::task::{Context as TaskContext, Poll};

use roomkey_model::Timestamp;
use roomkey_protocol::{
    engine::Packet,
    session::CloseReason,
    upgrade::{UpgradeAction, UpgradeError},
};
use roomkey_websocket::{Message, Opcode, close, encode};
use tokio::net::TcpStream;

use super::{Connection, Ending, Link, WebSocket};
use crate::{farewell::farewell, transport::ProbeSocket};

/// How long a poll is held while a WebSocket is probing: the client must not wait for it.
const HOLD_MS: u64 = 100;

/// A WebSocket that is to take over.
pub(super) struct Probe {
    websocket: WebSocket,
    /// Its probe was answered.
    is_answered: bool,
    release_poll_at_ms: Option<u64>,
}

/// What a read of the probing WebSocket came to.
enum Step {
    Wait,
    Probed,
    Complete,
    Failed,
}

impl Connection {
    pub(super) fn on_probe(&mut self, socket: ProbeSocket) {
        let now = Timestamp(self.seat.now_ms());
        let Ok(stream) = TcpStream::from_std(socket.stream) else { return };
        let websocket = WebSocket::new(stream, socket.unread, &self.context.limits, socket.has_deflate);
        if self.upgrade.begin(self.context.upgrade_timeout_ms, now).is_ok() {
            self.probe = Some(Box::new(Probe { websocket, is_answered: false, release_poll_at_ms: None }));
        } else {
            turn_away(&websocket);
        }
    }

    pub(super) fn poll_probe(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), Ending>> {
        let Some(mut probe) = self.probe.take() else { return Poll::Pending };
        let is_answered = probe.is_answered;
        let read = probe
            .websocket
            .poll_read(cx, |websocket, bytes| self.on_probe_bytes(websocket, bytes, is_answered));
        let Poll::Ready(step) = read else {
            self.probe = Some(probe);
            return Poll::Pending;
        };
        match step {
            Ok(Step::Wait) => self.probe = Some(probe),
            Ok(Step::Probed) => {
                probe.is_answered = true;
                self.probe = Some(probe);
                self.release_poll();
            }
            Ok(Step::Complete) => self.complete_upgrade(probe.websocket),
            Ok(Step::Failed) => {
                self.upgrade.abort();
                turn_away(&probe.websocket);
            }
            Err(CloseReason::TransportClose | CloseReason::TransportError) => self.upgrade.abort(),
            Err(reason) => return Poll::Ready(Err(reason.into())),
        }
        Poll::Ready(Ok(()))
    }

    fn on_probe_bytes(&mut self, websocket: &mut WebSocket, bytes: &mut [u8], is_answered: bool) -> Step {
        let mut input = bytes;
        let mut step = Step::Wait;
        loop {
            let packet = match websocket.decode(&mut input) {
                Ok(None) => return step,
                Ok(Some(Message::Text(text))) => Packet::decode(text).ok(),
                Ok(Some(_)) | Err(_) => None,
            };
            let action =
                packet.map_or(Err(UpgradeError::Unexpected), |packet| self.upgrade.on_packet(&packet));
            match action {
                // One probe is enough.
                Ok(UpgradeAction::Probe) if is_answered || matches!(step, Step::Probed) => {
                    return Step::Failed;
                }
                Ok(UpgradeAction::Probe) => {
                    let mut pong = Vec::new();
                    encode(Opcode::Text, b"3probe", &mut pong);
                    if websocket.stream().try_write(&pong).is_err() {
                        return Step::Failed;
                    }
                    step = Step::Probed;
                }
                Ok(UpgradeAction::Complete) => {
                    websocket.keep_unread(input);
                    return Step::Complete;
                }
                Err(_) => return Step::Failed,
            }
        }
    }

    fn complete_upgrade(&mut self, websocket: WebSocket) {
        self.release_poll();
        self.seat.entry.set_upgraded();
        self.context.metrics.upgrades.increment();
        self.seat.shard().upgrade(self.seat.key, websocket.stream().clone());
        self.has_deflate = websocket.has_deflate();
        self.link = Link::WebSocket(websocket);
        self.choose_dialect();
    }

    /// Whether a WebSocket is about to take over, so that no poll should be held.
    pub(super) fn is_probed(&self) -> bool {
        self.probe.as_ref().is_some_and(|probe| probe.is_answered)
    }

    pub(super) fn release_poll_soon(&mut self) {
        let at_ms = self.seat.now_ms() + HOLD_MS;
        if let Some(probe) = &mut self.probe {
            probe.release_poll_at_ms = Some(at_ms);
        }
    }

    pub(super) fn probe_deadline_ms(&self) -> Option<u64> {
        let probe = self.probe.as_ref()?;
        let until_ms = self.upgrade.deadline().map(|deadline| deadline.0);
        [until_ms, probe.release_poll_at_ms].into_iter().flatten().min()
    }

    pub(super) fn on_probe_deadline(&mut self, now_ms: u64) {
        if self.upgrade.deadline().is_some_and(|until| until.0 <= now_ms) {
            self.upgrade.abort();
            self.turn_probe_away();
        }
        let Some(probe) = &mut self.probe else { return };
        if probe.release_poll_at_ms.is_some_and(|at| at <= now_ms) {
            probe.release_poll_at_ms = None;
            self.release_poll();
        }
    }

    /// Closes the WebSocket that is to take over, if there is one.
    pub(super) fn turn_probe_away(&mut self) {
        if let Some(probe) = self.probe.take() {
            turn_away(&probe.websocket);
        }
    }
}

/// Closes a WebSocket that is not wanted; the session goes on without it.
fn turn_away(websocket: &WebSocket) {
    let stream = websocket.stream().clone();
    tokio::spawn(async move {
        // Nothing but a pong was sent before, so there is room.
        if stream.writable().await.is_ok() {
            _ = stream.try_write(&close(None, ""));
            farewell(&stream).await;
        }
    });
}
