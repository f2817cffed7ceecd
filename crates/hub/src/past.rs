use std::collections::HashSet;

use crate::{Era, History, Missed, Offset};

/// What a recoverable socket has been sent, over all the connections it has had.
#[derive(Clone, Debug)]
pub struct Past {
    /// The connection it is on, or was on last.
    pub era: Era,
    /// What the client had received last when the era began; `None` is nothing.
    base: Option<Offset>,
    /// What it was then sent to catch up, as long as that may not have arrived.
    caught_up: Vec<Missed>,
}

impl Past {
    /// The past of a new socket.
    pub fn new(era: Era) -> Self {
        Self { era, base: None, caught_up: Vec::new() }
    }

    /// The past of a socket that was sent `caught_up` after the offset `base`, when `era` began.
    pub fn after(base: Option<Offset>, caught_up: Vec<Missed>, era: Era) -> Self {
        Self { era, base, caught_up }
    }

    /// What a client has missed that received `last` last. `history` is that of the present era.
    ///
    /// `None`: there is no such offset, or something that came after it is forgotten.
    pub fn missed(&self, history: History, last: Option<Offset>) -> Option<Vec<Missed>> {
        let is_last = |missed: &Missed| Some(missed.offset) == last;
        if let Some(at) = history.emissions.iter().rposition(is_last) {
            return Some(history.emissions.into_iter().skip(at + 1).collect());
        }
        if !history.is_complete {
            return None;
        }
        let caught_up = match self.caught_up.iter().rposition(is_last) {
            Some(at) => &self.caught_up[at + 1..],
            None if last == self.base => &self.caught_up[..],
            None => return None,
        };
        Some(caught_up.iter().cloned().chain(history.emissions).collect())
    }

    /// Everything that is still known, for a client whatever it received last, and what that may be at the least.
    pub fn all(self, history: History) -> (Option<Offset>, Vec<Missed>) {
        if history.is_complete {
            return (self.base, self.caught_up.into_iter().chain(history.emissions).collect());
        }
        // Behind the gap only those can go on who have received something that came after it.
        let mut known = history.emissions.into_iter();
        (known.next().map(|first| first.offset), known.collect())
    }

    /// The client is known to have received everything that it was sent to catch up.
    pub fn confirm(&mut self) {
        if let Some(last) = self.caught_up.last() {
            self.base = Some(last.offset);
            self.caught_up = Vec::new();
        }
    }
}

/// Adds to what a client has missed while it was away what it was kept from while it came back: some of it twice.
pub fn merge(missed: &mut Vec<Missed>, kept_back: History) {
    let known: HashSet<Offset> = missed.iter().map(|missed| missed.offset).collect();
    missed.extend(kept_back.emissions.into_iter().filter(|other| !known.contains(&other.offset)));
}
