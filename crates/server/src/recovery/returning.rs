use roomkey_hub::{Era, Hub, JoinError, Missed, Offset, Past, RoomKey, SocketKey, merge};
use roomkey_model::RoomName;

use super::{Parked, Pid};

/// A client on its way back to its socket: found, but not let in yet.
pub(crate) struct Returning {
    pub(crate) pid: Pid,
    pub(crate) parked: Box<Parked>,
    /// What it received last.
    last: Option<Offset>,
    /// The rooms it may be in again.
    pub(crate) rooms: Vec<RoomName>,
}

impl Returning {
    /// `None`: what this client has missed is not known any more.
    pub(crate) fn new(hub: &Hub, pid: Pid, parked: Box<Parked>, last: Option<Offset>) -> Option<Self> {
        let shard = hub.shard_of(parked.key.connection());
        let history = shard.look_back(&parked.key, &parked.past.era)?;
        let rooms = history.rooms.clone();
        parked.past.missed(history, last)?;
        Some(Self { pid, parked, last, rooms })
    }

    /// Puts the muted `socket`, which began at `since` in the order of its shard, in the place of the parked one:
    /// it is sent what it has missed, and hears from then on.
    ///
    /// `None`: something was forgotten since the client was found, and the client must begin anew.
    pub(crate) fn take_over(self, hub: &Hub, socket: &SocketKey, since: u64) -> Option<Past> {
        let Self { parked, last, mut rooms, .. } = self;
        let (absent, present) = (hub.shard_of(parked.key.connection()), hub.shard_of(socket.connection()));
        rooms.retain(|room| {
            !matches!(
                hub.join(socket, &RoomKey::room(socket.namespace(), room)),
                Err(JoinError::TooManyRooms)
            )
        });
        // From here on whatever is emitted reaches the new socket, and what came before has reached the parked one.
        hub.settle_broadcasts();
        let history = absent.claim(&parked.key, &parked.past.era)?;
        for room in rooms.iter().filter(|room| !history.rooms.contains(room)) {
            hub.leave(socket, &RoomKey::room(socket.namespace(), room));
        }
        let mut missed = parked.past.missed(history, last)?;
        missed.retain(|missed: &Missed| missed.room.as_ref().is_none_or(|room| rooms.contains(room)));
        let mut is_complete = false;
        let since = present.release(socket, since, |kept_back| {
            is_complete = kept_back.is_complete;
            merge(&mut missed, kept_back);
            missed.iter().filter_map(|missed| missed.frame.clone()).collect()
        });
        let era = Era { socket: Some(socket.clone()), since };
        is_complete.then(|| Past::after(last, missed, era))
    }
}
