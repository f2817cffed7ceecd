use roomkey_hub::{Era, Hub, JoinError, Missed, Offset, Past, Reach, RoomKey, SocketKey, merge};
use roomkey_model::{Limit, RoomName};

use super::{Parked, Pid};

/// A client on its way back to its socket: found, but not let in yet.
pub(crate) struct Returning {
    pub(crate) pid: Pid,
    pub(crate) parked: Box<Parked>,
    /// What it received last.
    last: Option<Offset>,
    /// The rooms it was in when it was found.
    rooms_before: Vec<RoomName>,
    /// Those of them that it may be in again.
    pub(crate) rooms: Vec<RoomName>,
    bytes_max: usize,
}

impl Returning {
    /// The error is the limit because of which this client cannot be sent what it has missed.
    pub(crate) fn new(
        hub: &Hub,
        pid: Pid,
        parked: Box<Parked>,
        last: Option<Offset>,
        bytes_max: usize,
    ) -> Result<Self, Limit> {
        let shard = hub.shard_of(parked.key.connection());
        let after = parked.past.ask_after(last);
        let history = shard.look_back(&parked.key, &parked.past.era, after, bytes_max);
        let history = history.ok_or(Limit::RecoveryLog)?;
        let (rooms, reach) = (history.rooms.clone(), history.reach);
        let missed = parked.past.missed(history, last).ok_or(match reach {
            Reach::TooMuch => Limit::RecoveredBytes,
            Reach::Cut | Reach::Era | Reach::Offset => Limit::RecoveryLog,
        })?;
        if bytes(&missed) > bytes_max {
            return Err(Limit::RecoveredBytes);
        }
        Ok(Self { pid, parked, last, rooms_before: rooms.clone(), rooms, bytes_max })
    }

    /// Puts the muted `socket`, which began at `since` in the order of its shard, in the place of the parked one:
    /// it is sent what it has missed, and hears from then on.
    ///
    /// `None`: something was forgotten since the client was found, and the client must begin anew.
    pub(crate) fn take_over(self, hub: &Hub, socket: &SocketKey, since: u64) -> Option<Past> {
        let Self { parked, last, rooms_before, mut rooms, bytes_max, .. } = self;
        let (absent, present) = (hub.shard_of(parked.key.connection()), hub.shard_of(socket.connection()));
        let key = |room: &RoomName| RoomKey::room(socket.namespace(), room);
        rooms.retain(|room| !matches!(hub.join(socket, &key(room)), Err(JoinError::TooManyRooms)));
        // Whatever is emitted from here on reaches the new socket only, and what came before has reached the parked
        // one, if not both.
        let _quiet = hub.quiesce();
        let after = parked.past.ask_after(last);
        let history = absent.look_back(&parked.key, &parked.past.era, after, bytes_max)?;
        absent.remove(parked.key.connection());
        rooms.retain(|room| {
            let is_still_in = history.rooms.contains(room);
            if !is_still_in {
                hub.leave(socket, &key(room));
            }
            is_still_in
        });
        // What it was put into while it was let in.
        for room in history.rooms.iter().filter(|room| !rooms_before.contains(room)) {
            if hub.join(socket, &key(room)).is_ok() {
                rooms.push(room.clone());
            }
        }
        let mut missed = parked.past.missed(history, last)?;
        missed.retain(|missed| missed.room.as_ref().is_none_or(|room| rooms.contains(room)));
        let since = present.release(socket, since, bytes_max, |kept_back| {
            if kept_back.reach != Reach::Era {
                return None;
            }
            merge(&mut missed, kept_back.emissions);
            Some(missed.iter().filter_map(|missed| missed.frame.clone()).collect())
        })?;
        let era = Era { socket: Some(socket.clone()), since };
        Some(Past::new(parked.past.base().advance(last), missed, era))
    }
}

fn bytes(missed: &[Missed]) -> usize {
    missed.iter().filter_map(|missed| missed.frame.as_ref()).map(|frame| frame.websocket().len()).sum()
}
