use std::collections::HashSet;

use crate::{Era, History, Missed, Offset, Reach};

/// What a recoverable socket has been sent, over all the connections it has had.
#[derive(Clone, Debug)]
pub struct Past {
    /// The connection it is on, or was on last.
    pub era: Era,
    base: Base,
    /// What it was sent when the era began, to catch up, as long as that may not have arrived.
    caught_up: Vec<Missed>,
}

/// What the client had received when an era began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Nothing of this socket. A client that was another socket before may still name an offset of that one, which is
    /// not later than this.
    NothingSince(Offset),
    /// This one last.
    Received(Offset),
}

impl Base {
    /// The base of the next era, for a client that names `last`.
    #[must_use]
    pub fn advance(self, last: Option<Offset>) -> Self {
        match last {
            Some(last) if !self.covers(Some(last)) => Self::Received(last),
            _ => self,
        }
    }

    fn covers(self, last: Option<Offset>) -> bool {
        match self {
            Self::NothingSince(latest) => last.is_none_or(|last| last <= latest),
            Self::Received(received) => last == Some(received),
        }
    }
}

impl Past {
    /// The past of a socket that was sent `caught_up`, to a client of this base, when `era` began.
    pub fn new(base: Base, caught_up: Vec<Missed>, era: Era) -> Self {
        Self { era, base, caught_up }
    }

    /// The base of the present era.
    pub fn base(&self) -> Base {
        self.base
    }

    /// The offset after which the history of the era is to be asked for, for a client that received `last` last;
    /// `None` is its beginning.
    pub fn ask_after(&self, last: Option<Offset>) -> Option<Offset> {
        last.filter(|_| self.caught_up_after(last).is_none())
    }

    /// What such a client has missed, with the history that was asked for. `None`: not all of it is known.
    pub fn missed(&self, history: History, last: Option<Offset>) -> Option<Vec<Missed>> {
        match history.reach {
            Reach::Offset => Some(history.emissions),
            Reach::Era => {
                let caught_up = self.caught_up_after(last)?.iter().cloned();
                Some(caught_up.chain(history.emissions).collect())
            }
            Reach::Cut | Reach::TooMuch => None,
        }
    }

    /// What is known of what any client may have missed, with the most recent history: the newest `count_max` of it.
    pub fn newest(self, history: History, count_max: usize) -> (Base, Vec<Missed>) {
        let is_all = history.reach == Reach::Era;
        let caught_up = if is_all { self.caught_up } else { Vec::new() };
        let mut known: Vec<Missed> = caught_up.into_iter().chain(history.emissions).collect();
        if is_all && known.len() <= count_max {
            return (self.base, known);
        }
        // Behind a gap only those can go on who have received something that came after it.
        let cut = known.len().saturating_sub(count_max).max(1).min(known.len());
        let base = known.drain(..cut).next_back().map_or(self.base, |last| Base::Received(last.offset));
        (base, known)
    }

    /// The client is known to have received everything that it was sent to catch up.
    pub fn confirm(&mut self) {
        if let Some(last) = self.caught_up.last() {
            self.base = Base::Received(last.offset);
            self.caught_up = Vec::new();
        }
    }

    fn caught_up_after(&self, last: Option<Offset>) -> Option<&[Missed]> {
        match self.caught_up.iter().rposition(|missed| Some(missed.offset) == last) {
            Some(at) => Some(&self.caught_up[at + 1..]),
            None => self.base.covers(last).then_some(&self.caught_up),
        }
    }
}

/// Adds to what a client has missed while it was away what it was kept from while it came back: some of it twice.
pub fn merge(missed: &mut Vec<Missed>, kept_back: Vec<Missed>) {
    let known: HashSet<Offset> = missed.iter().map(|missed| missed.offset).collect();
    missed.extend(kept_back.into_iter().filter(|other| !known.contains(&other.offset)));
}
