//! Connection state recovery: a client that comes back soon is the same socket, and gets what it missed.
//!
//! A socket whose client went away without saying so is *parked*: it stays in its rooms, in the hub, and its shard
//! remembers what is emitted. A client that comes back names its private id (`pid`) and the last offset it received.
//! It authenticates and passes the middleware like any other; only then is it given its old socket id, the rooms it
//! may still be in, and what it missed.

mod owner;
mod pid;
mod returning;
mod snapshot;
mod sockets;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

pub(crate) use self::{
    owner::Owner,
    pid::Pid,
    returning::Returning,
    sockets::{Claim, Going, Live, Parked, RecoverableSockets},
};
use crate::context::Context;

/// How clients recover what they missed while they were away.
///
/// With it every event has one more argument, its offset; so says the Socket.IO protocol.
#[derive(Clone, Debug)]
pub struct Recovery {
    /// How long a client may be away.
    pub max_disconnection: Duration,
    /// The file that keeps the sockets of absent clients over a clean restart. Without one, a restart forgets them.
    pub snapshot: Option<PathBuf>,
}

/// Parks the sockets of the snapshot. One that cannot be read is no reason not to start.
pub(crate) fn load(context: &Context, snapshot: &Path) {
    let Some(sockets) = &context.recoverable else { return };
    match snapshot::load(snapshot, context.node.hub(), sockets, context.clock.now()) {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "clients may come back to the sockets they had"),
        Err(error) => {
            tracing::warn!(%error, file = %snapshot.display(), "the sockets of absent clients cannot be read");
        }
    }
}

/// Writes the snapshot.
pub(crate) fn save(context: &Context, snapshot: &Path) {
    let Some(sockets) = &context.recoverable else { return };
    match snapshot::save(snapshot, context.node.hub(), sockets) {
        Ok(count) => tracing::debug!(count, "kept the sockets of absent clients"),
        Err(error) => {
            tracing::warn!(%error, file = %snapshot.display(), "the sockets of absent clients cannot be kept");
        }
    }
}

/// Forgets all parked sockets, once nobody can come back any more.
pub(crate) fn forget(context: &Context) {
    if let Some(sockets) = &context.recoverable {
        drop(sockets.take_all_parked());
    }
}

/// Forgets parked sockets whose time is over, for as long as it is polled.
pub(crate) async fn expire(context: &Context, mut going: Going) {
    let Some(sockets) = &context.recoverable else { return };
    while let Some((pid, key)) = going.recv().await {
        sockets.expire(context.node.hub(), &pid, &key);
    }
}

impl Default for Recovery {
    fn default() -> Self {
        Self { max_disconnection: Duration::from_secs(120), snapshot: None }
    }
}
