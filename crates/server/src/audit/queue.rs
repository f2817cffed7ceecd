//! What waits to be written. Handing a record in takes a short lock and never waits for the disk.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    sync::Arc,
    time::Duration,
};

use parking_lot::{Condvar, Mutex};
use roomkey_model::UserId;

use crate::rates::Network;

use super::{
    Recent,
    event::Event,
    record::{Entry, Outcome},
};

/// For so long, what is of the same kind as a record is only counted.
const WINDOW_US: u64 = 1_000_000;

/// Kinds that are told apart at one time. Beyond, the address is no part of a kind. While nothing can be written no
/// window ends, so that this is also how many ordinary records wait at most.
const KINDS_MAX: usize = 16_384;

/// The records that wait, and whom they wait for.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    /// Told of all that is to be written, in nearly the same order.
    pub(super) recent: Recent,
}

#[derive(Default)]
struct State {
    waiting: Vec<Arc<Entry>>,
    floods: Floods,
    is_closing: bool,
}

impl Queue {
    /// Hands a record in; gives it back if nobody takes any more.
    pub(super) fn push(&self, entry: Entry) -> Option<Entry> {
        let mut state = self.state.lock();
        if state.is_closing {
            return Some(entry);
        }
        let entry = if entry.is_essential() { Some(entry) } else { state.floods.offer(entry) };
        // One that is only counted is looked at when its window ends, and the writer knows when that is.
        if let Some(entry) = entry {
            let entry = Arc::new(entry);
            // In the order of the log. Nothing is made into text here.
            self.recent.push(&entry);
            state.waiting.push(entry);
            drop(state);
            self.wake.notify_one();
        }
        None
    }

    /// Takes all that waits, when there is something or `patience` is over; says whether nothing more will come.
    pub(super) fn take(&self, patience: Duration, now_us: impl Fn() -> u64) -> (Vec<Arc<Entry>>, bool) {
        let mut state = self.state.lock();
        if state.waiting.is_empty() && !state.is_closing {
            let next_due_us =
                state.floods.next_due_us().map(|due| due.saturating_sub(now_us()).min(WINDOW_US));
            let patience = next_due_us.map_or(patience, |due| patience.min(Duration::from_micros(due)));
            self.wake.wait_for(&mut state, patience);
        }
        let is_last = state.is_closing;
        let mut taken = mem::take(&mut state.waiting);
        let due = state.floods.due(now_us(), is_last);
        drop(state);
        let due: Vec<_> = due.into_iter().map(Arc::new).collect();
        self.recent.push_all(&due);
        taken.extend(due);
        (taken, is_last)
    }

    /// Waits without taking anything, until it is time to try again; says whether nothing more will come.
    pub(super) fn wait(&self, patience: Duration) -> bool {
        let mut state = self.state.lock();
        self.wake.wait_while_for(&mut state, |state| !state.is_closing, patience);
        state.is_closing
    }

    pub(super) fn close(&self) {
        self.state.lock().is_closing = true;
        self.wake.notify_all();
    }
}

/// Records of the same kind that come within a window: the first is written at once, the others are one record at
/// the window's end.
#[derive(Default)]
struct Floods {
    kinds: HashMap<Kind, Option<Entry>>,
    /// When the window of each kind ends, in the order in which they do.
    ends: VecDeque<(u64, Kind)>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Kind {
    event: Event,
    outcome: Outcome,
    reason: Option<Box<str>>,
    network: Option<Network>,
    /// Who was let in is told apart, who was not is the network's business.
    user: Option<UserId>,
}

impl Floods {
    /// Gives back a record that is the first of its kind.
    fn offer(&mut self, entry: Entry) -> Option<Entry> {
        let mut kind = Kind {
            event: entry.event,
            outcome: entry.outcome,
            reason: entry.reason.clone(),
            network: entry.address.map(Network::of),
            user: entry.user.clone().filter(|_| entry.outcome == Outcome::Success),
        };
        if self.kinds.len() >= KINDS_MAX && !self.kinds.contains_key(&kind) {
            (kind.network, kind.user) = (None, None);
        }
        match self.kinds.get_mut(&kind) {
            Some(Some(others)) => others.merge(&entry),
            Some(others) => *others = Some(entry),
            None => {
                self.ends.push_back((entry.at_us.saturating_add(WINDOW_US), kind.clone()));
                self.kinds.insert(kind, None);
                return Some(entry);
            }
        }
        None
    }

    fn next_due_us(&self) -> Option<u64> {
        self.ends.front().map(|(end, _)| *end)
    }

    /// What was counted in windows that have ended; in all of them, if `all`.
    fn due(&mut self, now_us: u64, all: bool) -> Vec<Entry> {
        let mut due = Vec::new();
        // An end further away than a window was set before the clock was.
        let is_over = |end: u64| all || end <= now_us || end > now_us.saturating_add(WINDOW_US);
        while let Some((_, kind)) = self.ends.pop_front_if(|(end, _)| is_over(*end)) {
            due.extend(self.kinds.remove(&kind).flatten());
        }
        due
    }
}
