//! Clients that come back, and clients that may.

use std::{borrow::Cow, sync::Arc, time::Duration};

use roomkey_auth::Identity;
use roomkey_hub::{Base, Era, Offset, Past, SocketKey};
use roomkey_model::Limit;
use roomkey_protocol::{
    engine::Revision,
    session::{CloseReason, DisconnectReason},
};
use serde::Deserialize;
use tokio::{sync::oneshot, time::timeout};

use super::{Connection, Ending, incoming::Client};
use crate::{
    Socket,
    recovery::{Claim, Live, Owner, Parked, Pid, RecoverableSockets, Returning},
};

/// How long a client that comes back waits for its other connection to end.
const CEDE_PATIENCE: Duration = Duration::from_secs(1);

/// Where a client stands with recovery.
pub(super) enum Recoverability {
    /// Not let in yet; its socket began at this place in the order of the shard.
    New {
        since: u64,
        /// The last offset that was given then.
        before: Offset,
    },
    /// Not let in yet, but it was here before.
    Returning {
        returning: Returning,
        since: u64,
    },
    Live(Live),
}

/// What is known of a client that wants to join.
pub(super) enum Origin {
    Known(Returning),
    New,
    /// Its other connection has been told to end.
    Elsewhere(oneshot::Receiver<()>),
}

/// What a client says of its past, beside its token.
#[derive(Deserialize)]
struct Claimed<'a> {
    #[serde(borrow)]
    pid: Option<Cow<'a, str>>,
    #[serde(borrow)]
    offset: Option<Cow<'a, str>>,
}

impl Connection {
    /// Looks for the socket that a client says it had.
    pub(super) fn origin(&self, namespace: &str, identity: Option<&Identity>, auth: Option<&str>) -> Origin {
        let Some(sockets) = self.recoverable() else { return Origin::New };
        // Anything else than two texts is no claim.
        let Some(Ok(Claimed { pid: Some(pid), offset })) = auth.map(serde_json::from_str) else {
            return Origin::New;
        };
        let Some(pid) = Pid::parse(&pid) else { return Origin::New };
        let last = match offset.as_deref().map(Offset::parse) {
            None => None,
            Some(Some(offset)) => Some(offset),
            Some(None) => return Origin::New,
        };
        let hub = self.context.node.hub();
        match sockets.claim(&pid, &Owner::new(identity), namespace) {
            Claim::Live(ceded) => Origin::Elsewhere(ceded),
            Claim::Parked(parked) => {
                let key = parked.key.clone();
                match Returning::new(hub, pid, parked, last, self.context.limits.recovered_bytes) {
                    Ok(returning) => Origin::Known(returning),
                    Err(limit) => {
                        self.context.metrics.limit_reached(limit);
                        hub.shard_of(key.connection()).remove(key.connection());
                        Origin::New
                    }
                }
            }
            Claim::Unknown => Origin::New,
        }
    }

    /// The sockets that can be recovered, if this client's can. Revision 3 has no recovery.
    fn recoverable(&self) -> Option<&Arc<RecoverableSockets>> {
        self.context.recoverable.as_ref().filter(|_| self.session.revision() == Revision::V4)
    }

    /// Where a socket stands that has just begun. One that takes the place of another hears nothing before that.
    pub(super) fn recoverability(
        &self,
        socket: &SocketKey,
        returning: Option<Returning>,
    ) -> Option<Box<Recoverability>> {
        self.recoverable()?;
        let shard = self.seat.shard();
        let since = shard.position();
        Some(Box::new(match returning {
            Some(returning) => {
                shard.mute(socket);
                Recoverability::Returning { returning, since }
            }
            None => Recoverability::New { since, before: self.context.node.hub().last_offset() },
        }))
    }

    /// Puts a client that was let in where it was before, or makes it recoverable. Returns the private id that it is
    /// to be told.
    pub(super) fn settle_in(&mut self, socket: &Socket) -> Result<Option<Pid>, Ending> {
        let Some(sockets) = self.recoverable().cloned() else { return Ok(None) };
        let Some(client) = self.client_mut(socket.namespace()) else { return Ok(None) };
        let (pid, past) = match client.recoverability.take().map(|recoverability| *recoverability) {
            Some(Recoverability::Returning { returning, since }) => {
                let pid = returning.pid;
                let hub = self.context.node.hub();
                // What was known a moment ago is forgotten: the client is to begin anew.
                let past = returning.take_over(hub, socket.key(), since).ok_or(Ending::Unavailable)?;
                self.context.metrics.recoveries.increment();
                (pid, past)
            }
            Some(Recoverability::New { since, before }) => {
                let base = Base::NothingSince(before);
                let era = Era { socket: Some(socket.key().clone()), since };
                (Pid::generate(&*self.context.entropy), Past::new(base, Vec::new(), era))
            }
            Some(Recoverability::Live(_)) | None => return Ok(None),
        };
        let owner = Owner::new(socket.identity().as_deref());
        let live = sockets.register(pid, owner, socket.namespace(), &self.seat.entry.mailbox, past);
        if let Some(client) = self.client_mut(socket.namespace()) {
            client.recoverability = Some(Box::new(Recoverability::Live(live)));
        }
        Ok(Some(pid))
    }

    /// Keeps the socket of a client that is gone, if it may come back.
    pub(super) fn keep(&self, client: &mut Client, reason: DisconnectReason) {
        let Some(sockets) = &self.context.recoverable else { return };
        match client.recoverability.take().map(|recoverability| *recoverability) {
            // Whoever else has the right token may try again.
            Some(Recoverability::Returning { returning, .. }) => {
                self.keep_parked(sockets, returning.pid, returning.parked);
            }
            Some(Recoverability::Live(live)) if may_come_back(reason) => {
                self.park(sockets, &client.socket, &live);
            }
            _ => {}
        }
    }

    fn park(&self, sockets: &Arc<RecoverableSockets>, socket: &Socket, live: &Live) {
        let shard = self.seat.shard();
        let absence = sockets.attention(live.pid);
        let Some(key) = shard.park(socket.key(), absence.clone()) else { return };
        absence.stand_for(&key);
        shard.arm(key.connection(), self.seat.now_ms().saturating_add(self.context.recovery_ms));
        let parked = Parked {
            id: socket.id(),
            owner: Owner::new(socket.identity().as_deref()),
            key,
            past: live.past.clone(),
            until: self.context.clock.now().plus_ms(self.context.recovery_ms),
            socket: Some(socket.clone()),
        };
        self.keep_parked(sockets, live.pid, Box::new(parked));
    }

    fn keep_parked(&self, sockets: &RecoverableSockets, pid: Pid, parked: Box<Parked>) {
        let (hub, key) = (self.context.node.hub(), parked.key.clone());
        let is_refused = sockets.park(pid, parked).is_err();
        if is_refused {
            self.context.metrics.limit_reached(Limit::ParkedSockets);
        }
        // Its time may have come while its client was let in.
        if is_refused || !hub.shard_of(key.connection()).is_open(&key) {
            sockets.expire(hub, &pid, &key);
        }
    }

    /// The server does not listen for now.
    pub(super) fn excuse_recoveries(&mut self) {
        for client in &mut self.clients {
            if let Some(Recoverability::Live(live)) = client.recoverability.as_deref_mut() {
                live.on_excuse();
            }
        }
    }

    /// A ping is sent: clients need no longer be sent again what the answer to the last one has confirmed.
    pub(super) fn confirm_recoveries(&mut self) {
        for client in &mut self.clients {
            if let Some(Recoverability::Live(live)) = client.recoverability.as_deref_mut() {
                live.on_ping();
            }
        }
    }
}

/// Waits for a client's other connection to end.
pub(super) async fn ceded(by: oneshot::Receiver<()>) {
    // It ends by being dropped; a connection that does not listen is given up on.
    _ = timeout(CEDE_PATIENCE, by).await;
}

/// Whether a client is away rather than gone. Whom the server put out stays out, and so does who broke the protocol.
fn may_come_back(reason: DisconnectReason) -> bool {
    match reason {
        DisconnectReason::Close(reason) => !matches!(reason, CloseReason::ParseError(_)),
        DisconnectReason::ServerShuttingDown => true,
        DisconnectReason::ClientNamespaceDisconnect
        | DisconnectReason::ForcedServerClose
        | DisconnectReason::ServerNamespaceDisconnect => false,
    }
}
