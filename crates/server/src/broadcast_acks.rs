//! Acks to broadcasts: who owes one, and what has come.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use roomkey_hub::{Census, SocketKey};
use roomkey_model::SocketId;
use roomkey_protocol::socket::Payload;
use smallvec::SmallVec;
use tokio::sync::oneshot;

/// One socket's ack to a broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroadcastAck {
    /// Who answered.
    pub socket: SocketId,
    /// The arguments of the ack.
    pub args: Payload,
}

/// The broadcasts of a server whose acks are awaited.
pub(crate) struct BroadcastAcks {
    pending_max: usize,
    bytes_max: usize,
    state: Mutex<State>,
}

/// What became of an ack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receipt {
    Taken,
    /// All acks to the broadcast would be more than there is room for; it counts as missing.
    TooBig,
    /// The socket owes none to that broadcast.
    Unexpected,
}

#[derive(Default)]
struct State {
    next_id: u32,
    ballots: HashMap<u32, Ballot>,
    /// Which broadcasts each socket owes an ack to.
    owed: HashMap<SocketKey, SmallVec<[u32; 1]>>,
}

/// One broadcast.
struct Ballot {
    /// Everyone it was sent to, as far as they are counted.
    targets: Vec<SocketKey>,
    is_counted: bool,
    /// Targets that have not answered, and still may.
    awaited: usize,
    acks: Vec<BroadcastAck>,
    bytes: usize,
    finished: Option<oneshot::Sender<()>>,
}

/// What came of a broadcast.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// In the order they came.
    pub(crate) acks: Vec<BroadcastAck>,
    /// How many targets did not answer, as far as it is known who they are.
    pub(crate) missing: usize,
    /// Whether everyone answered.
    pub(crate) is_complete: bool,
}

impl BroadcastAcks {
    /// Ids of acks from here on are those of broadcasts; what one socket is asked alone has smaller ones. All fit into
    /// 31 bits: clients in languages with small integers (Java, C++, Rust) read no larger ones.
    pub(crate) const FIRST_ID: u32 = 1 << 30;

    /// `pending_max` broadcasts at a time, with up to `bytes_max` bytes of acks each.
    pub(crate) fn new(pending_max: usize, bytes_max: usize) -> Self {
        Self { pending_max, bytes_max, state: Mutex::default() }
    }

    /// Begins a broadcast, unless too many are under way.
    pub(crate) fn open(self: &Arc<Self>) -> Option<OpenBallot> {
        let mut state = self.state.lock();
        if state.ballots.len() >= self.pending_max {
            return None;
        }
        let id = state.new_id();
        let (finished, is_finished) = oneshot::channel();
        let ballot = Ballot {
            targets: Vec::new(),
            is_counted: false,
            awaited: 0,
            acks: Vec::new(),
            bytes: 0,
            finished: Some(finished),
        };
        state.ballots.insert(id, ballot);
        Some(OpenBallot { id, is_finished, all: self.clone() })
    }

    /// A socket's ack to a broadcast.
    pub(crate) fn receive(&self, socket: &SocketKey, id: u32, ack: BroadcastAck) -> Receipt {
        let mut state = self.state.lock();
        if !state.settle(socket, id) {
            return Receipt::Unexpected;
        }
        let Some(ballot) = state.ballots.get_mut(&id) else { return Receipt::Unexpected };
        ballot.awaited -= 1;
        let attachments = ack.args.attachments().iter().map(|attachment| attachment.len());
        let bytes = ballot.bytes + ack.args.json().len() + attachments.sum::<usize>();
        let fits = bytes <= self.bytes_max;
        if fits {
            ballot.bytes = bytes;
            ballot.acks.push(ack);
        }
        ballot.finish_if_done();
        if fits { Receipt::Taken } else { Receipt::TooBig }
    }

    /// A socket has ended: nobody waits for its acks any more.
    pub(crate) fn leave(&self, socket: &SocketKey) {
        let mut state = self.state.lock();
        for id in state.owed.remove(socket).unwrap_or_default() {
            if let Some(ballot) = state.ballots.get_mut(&id) {
                ballot.awaited -= 1;
                ballot.finish_if_done();
            }
        }
    }
}

impl State {
    /// The next id that no broadcast under way has.
    fn new_id(&mut self) -> u32 {
        loop {
            let id = BroadcastAcks::FIRST_ID + self.next_id % BroadcastAcks::FIRST_ID;
            self.next_id = self.next_id.wrapping_add(1);
            if !self.ballots.contains_key(&id) {
                return id;
            }
        }
    }

    /// The socket does not owe this ack any more. False: it did not.
    fn settle(&mut self, socket: &SocketKey, id: u32) -> bool {
        let Some(owed) = self.owed.get_mut(socket) else { return false };
        let Some(index) = owed.iter().position(|owed| *owed == id) else { return false };
        owed.swap_remove(index);
        if owed.is_empty() {
            self.owed.remove(socket);
        }
        true
    }
}

impl Ballot {
    fn finish_if_done(&mut self) {
        if self.is_counted
            && self.awaited == 0
            && let Some(finished) = self.finished.take()
        {
            // Whoever waited may have given up.
            _ = finished.send(());
        }
    }
}

/// A broadcast that somebody waits for. Nothing is left of it when it is dropped.
pub(crate) struct OpenBallot {
    id: u32,
    is_finished: oneshot::Receiver<()>,
    all: Arc<BroadcastAcks>,
}

impl OpenBallot {
    /// The id of the acks.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// What the hub is to tell the targets to.
    pub(crate) fn census(&self) -> Arc<dyn Census> {
        Arc::new(Count { id: self.id, all: self.all.clone() })
    }

    /// Done when no more acks can come.
    pub(crate) async fn finished(&mut self) {
        // The other end is kept until it has been used.
        _ = (&mut self.is_finished).await;
    }

    /// What has come so far.
    pub(crate) fn close(self) -> Outcome {
        let mut state = self.all.state.lock();
        let ballot = state.ballots.get_mut(&self.id).expect("a ballot is there until it is dropped");
        let acks = std::mem::take(&mut ballot.acks);
        let missing = ballot.targets.len() - acks.len();
        Outcome { acks, missing, is_complete: ballot.is_counted && missing == 0 }
    }
}

impl Drop for OpenBallot {
    fn drop(&mut self) {
        let mut state = self.all.state.lock();
        if let Some(ballot) = state.ballots.remove(&self.id)
            && ballot.awaited > 0
        {
            for socket in &ballot.targets {
                state.settle(socket, self.id);
            }
        }
    }
}

/// Hears from each shard whom the broadcast reaches. Dropped when all have been heard.
struct Count {
    id: u32,
    all: Arc<BroadcastAcks>,
}

impl Census for Count {
    fn count(&self, sockets: Vec<SocketKey>) {
        let mut state = self.all.state.lock();
        let state = &mut *state;
        let Some(ballot) = state.ballots.get_mut(&self.id) else { return };
        for socket in &sockets {
            state.owed.entry(socket.clone()).or_default().push(self.id);
        }
        ballot.awaited += sockets.len();
        ballot.targets.extend(sockets);
    }
}

impl Drop for Count {
    fn drop(&mut self) {
        if let Some(ballot) = self.all.state.lock().ballots.get_mut(&self.id) {
            ballot.is_counted = true;
            ballot.finish_if_done();
        }
    }
}

#[cfg(test)]
mod tests;
