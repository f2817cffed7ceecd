//! The last decisions, in memory: for who watches the server.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use roomkey_model::{Timestamp, UserId};
use serde::Serialize;
use tokio::sync::broadcast;

use super::{
    record::{Entry, Outcome},
    text,
};

/// Of essential decisions, and of each outcome of the others: who is let in drives out no failure, and nobody drives out what
/// is essential by trying. Failures from very many networks do drive out other failures.
const KEPT: usize = 2000;
/// Decisions that who watches may be behind; of more, some are not seen as they happen.
const BEHIND_MAX: usize = 256;

/// A decision as it is shown. Text that others chose has nothing in it that is not seen.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Decision {
    /// Grows by one for each.
    pub(crate) id: u64,
    at: String,
    event: &'static str,
    outcome: &'static str,
    description: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    count: u64,
}

/// One of the newest decisions. It is made into text where it is shown, and not where it is taken.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    id: u64,
    entry: Arc<Entry>,
}

impl Kept {
    pub(crate) fn decision(&self) -> Decision {
        decision(self.id, &self.entry)
    }
}

/// The newest of all decisions, once somebody may want to see them.
#[derive(Debug)]
pub(crate) struct Recent {
    is_kept: AtomicBool,
    state: Mutex<State>,
    live: broadcast::Sender<Kept>,
}

#[derive(Debug, Default)]
struct State {
    last_id: u64,
    essential: VecDeque<Kept>,
    failures: VecDeque<Kept>,
    successes: VecDeque<Kept>,
}

impl Default for Recent {
    fn default() -> Self {
        let (is_kept, state) = (AtomicBool::new(false), Mutex::default());
        Self { is_kept, state, live: broadcast::Sender::new(BEHIND_MAX) }
    }
}

impl Recent {
    /// From now on decisions are kept: there is a page that shows them.
    pub(crate) fn keep(&self) {
        self.is_kept.store(true, Ordering::Relaxed);
    }

    /// Takes in what is recorded. In memory only.
    pub(super) fn push(&self, entry: &Arc<Entry>) {
        self.push_all(std::slice::from_ref(entry));
    }

    /// Takes in many at once, of which no more than the last are kept.
    pub(super) fn push_all(&self, entries: &[Arc<Entry>]) {
        if entries.is_empty() || !self.is_kept.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.state.lock();
        for entry in entries {
            state.last_id += 1;
            let kept = Kept { id: state.last_id, entry: entry.clone() };
            let ring = match entry.outcome {
                _ if entry.is_essential() => &mut state.essential,
                Outcome::Failure => &mut state.failures,
                Outcome::Success => &mut state.successes,
            };
            if ring.len() >= KEPT {
                ring.pop_front();
            }
            ring.push_back(kept.clone());
            // In order. Whether anybody watches makes no difference.
            _ = self.live.send(kept);
        }
    }

    /// The newest before the decision `before`, of failures only or of all, newest first; at most `count`.
    pub(crate) fn page(&self, before: Option<u64>, failures_only: bool, count: usize) -> Vec<Decision> {
        let is_meant = |kept: &&Kept| {
            before.is_none_or(|before| kept.id < before)
                && (!failures_only || kept.entry.outcome == Outcome::Failure)
        };
        let newest = |ring: &VecDeque<Kept>| {
            ring.iter().rev().filter(is_meant).take(count).cloned().collect::<Vec<_>>()
        };
        let state = self.state.lock();
        let mut page = newest(&state.essential);
        page.extend(newest(&state.failures));
        page.extend(newest(&state.successes));
        drop(state);
        page.sort_by_key(|kept| std::cmp::Reverse(kept.id));
        page.truncate(count);
        page.iter().map(Kept::decision).collect()
    }

    /// Those to come.
    pub(crate) fn watch(&self) -> broadcast::Receiver<Kept> {
        self.live.subscribe()
    }
}

fn decision(id: u64, entry: &Entry) -> Decision {
    let shown = |text: Option<&str>| text.map(text::shown);
    let details = entry.details();
    Decision {
        id,
        at: Timestamp(entry.at_us / 1000).to_rfc3339(),
        event: entry.event.as_str(),
        outcome: entry.outcome.as_str(),
        description: entry.event.description(),
        user: shown(entry.user.as_ref().map(UserId::as_str)),
        issuer: shown(details.issuer),
        session: shown(details.session),
        address: entry.address.map(|address| address.to_string()),
        origin: shown(details.origin),
        reason: shown(entry.reason.as_deref()),
        target: shown(details.target),
        count: entry.count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Event, Record};

    fn push(recent: &Recent, event: Event, target: &str) {
        recent.push(&Arc::new(Entry::new(0, &Record { target: Some(target), ..Record::new(event) })));
    }

    fn kept() -> Recent {
        let recent = Recent::default();
        recent.keep();
        recent
    }

    fn ids(page: &[Decision]) -> Vec<u64> {
        page.iter().map(|decision| decision.id).collect()
    }

    #[test]
    fn pages_go_back_and_failures_can_be_had_alone() {
        let recent = kept();
        for event in [Event::LoginFailed, Event::LoginSucceeded, Event::LoginFailed, Event::LoginSucceeded] {
            push(&recent, event, "x");
        }
        assert_eq!(ids(&recent.page(None, false, 3)), [4, 3, 2]);
        assert_eq!(ids(&recent.page(Some(2), false, 3)), [1]);
        assert_eq!(ids(&recent.page(None, true, 3)), [3, 1]);
    }

    #[test]
    fn many_of_one_outcome_drive_out_none_of_the_other() {
        let recent = kept();
        push(&recent, Event::LoginFailed, "x");
        for _ in 0..=KEPT {
            push(&recent, Event::LoginSucceeded, "x");
        }
        assert_eq!(ids(&recent.page(None, true, 10)), [1]);
        assert_eq!(recent.page(None, false, 10 * KEPT).len(), KEPT + 1);
    }

    #[test]
    fn many_of_whatever_outcome_drive_out_nothing_essential() {
        let recent = kept();
        push(&recent, Event::TokenReused, "x");
        push(&recent, Event::UserBlocked, "x");
        for _ in 0..=KEPT {
            push(&recent, Event::LoginFailed, "x");
            push(&recent, Event::LoginSucceeded, "x");
        }
        let all = recent.page(None, false, 10 * KEPT);
        assert_eq!((all.len(), ids(&all[all.len() - 2..])), (2 * KEPT + 2, vec![2, 1]));
        let failures = recent.page(None, true, 10 * KEPT);
        assert_eq!(
            (failures.len(), failures.last().unwrap().id),
            (KEPT + 1, 1),
            "of the two, one is a failure"
        );
    }

    #[test]
    fn nothing_is_kept_where_nobody_can_see_it() {
        let recent = Recent::default();
        push(&recent, Event::LoginFailed, "x");
        assert!(recent.page(None, false, 10).is_empty());
    }

    #[test]
    fn what_others_chose_is_shown_as_it_is_and_cut() {
        let recent = kept();
        let mut watching = recent.watch();
        push(&recent, Event::LoginFailed, "<img onerror>\u{202e}gpj\r\n");
        push(&recent, Event::LoginFailed, &"é".repeat(10_000));
        assert_eq!(
            watching.try_recv().unwrap().decision().target.as_deref(),
            Some(r"<img onerror>\u{202e}gpj\u{d}\u{a}")
        );
        assert!(watching.try_recv().unwrap().decision().target.as_ref().unwrap().len() < 400);
    }
}
