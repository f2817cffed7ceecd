//! The one change of transport a session may make: from polling to WebSocket.

use roomkey_model::Timestamp;

use crate::engine::{Packet, query::Transport};

/// The transport of a session, and its change.
///
/// While a WebSocket probes, polling stays the active transport: packets keep flowing through it, and what is left
/// over is flushed to the WebSocket on [`UpgradeAction::Complete`].
///
/// ```text
/// -> 2probe     on the new WebSocket
/// <- 3probe     UpgradeAction::Probe; a held poll is answered with `6`, and so is every new one from now on
/// -> 5          UpgradeAction::Complete
/// ```
#[derive(Clone, Debug)]
pub struct Upgrade {
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Polling,
    Probing { until: Timestamp },
    Websocket,
}

/// What to do after a packet on the probing WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpgradeAction {
    /// Send `3probe` on the WebSocket, and let held polls return with a noop.
    Probe,
    /// The WebSocket is the transport now.
    Complete,
}

/// The WebSocket must be closed; the session goes on as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeError {
    /// Another WebSocket is probing.
    #[error("another upgrade is in progress")]
    InProgress,
    /// The session is on a WebSocket already.
    #[error("the session is on a WebSocket already")]
    NotPolling,
    /// Something else than the probe or the upgrade came first.
    #[error("neither a probe nor an upgrade")]
    Unexpected,
}

impl Upgrade {
    /// A session that begins on this transport.
    pub fn new(transport: Transport) -> Self {
        let state = match transport {
            Transport::Polling => State::Polling,
            Transport::Websocket => State::Websocket,
        };
        Self { state }
    }

    /// The active transport.
    pub fn transport(&self) -> Transport {
        match self.state {
            State::Polling | State::Probing { .. } => Transport::Polling,
            State::Websocket => Transport::Websocket,
        }
    }

    /// When a probing WebSocket has taken too long: close it and [`Self::abort`].
    pub fn deadline(&self) -> Option<Timestamp> {
        match self.state {
            State::Probing { until } => Some(until),
            State::Polling | State::Websocket => None,
        }
    }

    /// A WebSocket came with the session's id.
    pub fn begin(&mut self, timeout_ms: u64, now: Timestamp) -> Result<(), UpgradeError> {
        match self.state {
            State::Polling => {
                self.state = State::Probing { until: now.plus_ms(timeout_ms) };
                Ok(())
            }
            State::Probing { .. } => Err(UpgradeError::InProgress),
            State::Websocket => Err(UpgradeError::NotPolling),
        }
    }

    /// A packet came on the WebSocket that [`Self::begin`] admitted. After an error another one may begin.
    ///
    /// An upgrade without a probe is accepted, as the reference server does.
    pub fn on_packet(&mut self, packet: &Packet<'_>) -> Result<UpgradeAction, UpgradeError> {
        let State::Probing { .. } = self.state else { return Err(UpgradeError::NotPolling) };
        match packet {
            Packet::Ping("probe") => Ok(UpgradeAction::Probe),
            Packet::Upgrade => {
                self.state = State::Websocket;
                Ok(UpgradeAction::Complete)
            }
            _ => {
                self.abort();
                Err(UpgradeError::Unexpected)
            }
        }
    }

    /// The WebSocket is gone, or took too long. Does nothing when none is probing.
    pub fn abort(&mut self) {
        if let State::Probing { .. } = self.state {
            self.state = State::Polling;
        }
    }
}
