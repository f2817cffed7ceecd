//! The last decisions, in memory: for who watches the server.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use roomkey_model::Timestamp;
use serde::Serialize;
use tokio::sync::broadcast;

use super::{
    record::{Entry, Outcome},
    text,
};

/// Of each outcome: however many come in, nobody is driven out by who tries to.
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
    pub(crate) outcome: &'static str,
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

/// The newest of all decisions.
#[derive(Debug)]
pub(crate) struct Recent {
    state: Mutex<State>,
    live: broadcast::Sender<Arc<Decision>>,
}

#[derive(Debug, Default)]
struct State {
    last_id: u64,
    failures: VecDeque<Arc<Decision>>,
    successes: VecDeque<Arc<Decision>>,
}

impl Default for Recent {
    fn default() -> Self {
        Self { state: Mutex::default(), live: broadcast::Sender::new(BEHIND_MAX) }
    }
}

impl Recent {
    /// Takes in what is recorded. In memory only.
    pub(super) fn push(&self, entry: &Entry) {
        let mut state = self.state.lock();
        state.last_id += 1;
        let decision = Arc::new(decision(state.last_id, entry));
        let kept = match entry.outcome {
            Outcome::Failure => &mut state.failures,
            Outcome::Success => &mut state.successes,
        };
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(decision.clone());
        // In order. Whether anybody watches makes no difference.
        _ = self.live.send(decision);
    }

    /// The newest before the decision `before`, of failures only or of all, newest first; at most `count`.
    pub(crate) fn page(&self, before: Option<u64>, failures_only: bool, count: usize) -> Vec<Arc<Decision>> {
        let state = self.state.lock();
        let newest = |kept: &VecDeque<Arc<Decision>>| {
            let is_meant = |decision: &&Arc<Decision>| before.is_none_or(|before| decision.id < before);
            kept.iter().rev().filter(is_meant).take(count).cloned().collect::<Vec<_>>()
        };
        let mut page = newest(&state.failures);
        if !failures_only {
            page.extend(newest(&state.successes));
        }
        page.sort_by_key(|decision| std::cmp::Reverse(decision.id));
        page.truncate(count);
        page
    }

    /// Those to come.
    pub(crate) fn watch(&self) -> broadcast::Receiver<Arc<Decision>> {
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
        user: shown(entry.user.as_ref().map(roomkey_model::UserId::as_str)),
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
        recent.push(&Entry::new(0, &Record { target: Some(target), ..Record::new(event) }));
    }

    fn ids(page: &[Arc<Decision>]) -> Vec<u64> {
        page.iter().map(|decision| decision.id).collect()
    }

    #[test]
    fn pages_go_back_and_failures_can_be_had_alone() {
        let recent = Recent::default();
        for event in [Event::LoginFailed, Event::LoginSucceeded, Event::LoginFailed, Event::LoginSucceeded] {
            push(&recent, event, "x");
        }
        assert_eq!(ids(&recent.page(None, false, 3)), [4, 3, 2]);
        assert_eq!(ids(&recent.page(Some(2), false, 3)), [1]);
        assert_eq!(ids(&recent.page(None, true, 3)), [3, 1]);
    }

    #[test]
    fn many_of_one_outcome_drive_out_none_of_the_other() {
        let recent = Recent::default();
        push(&recent, Event::LoginFailed, "x");
        for _ in 0..=KEPT {
            push(&recent, Event::LoginSucceeded, "x");
        }
        assert_eq!(ids(&recent.page(None, true, 10)), [1]);
        assert_eq!(recent.page(None, false, 10 * KEPT).len(), KEPT + 1);
    }

    #[test]
    fn what_others_chose_is_shown_as_it_is_and_cut() {
        let recent = Recent::default();
        let mut watching = recent.watch();
        push(&recent, Event::LoginFailed, "<img onerror>\u{202e}gpj\r\n");
        push(&recent, Event::LoginFailed, &"é".repeat(10_000));
        assert_eq!(
            watching.try_recv().unwrap().target.as_deref(),
            Some(r"<img onerror>\u{202e}gpj\u{d}\u{a}")
        );
        assert!(watching.try_recv().unwrap().target.as_ref().unwrap().len() < 400);
    }
}
