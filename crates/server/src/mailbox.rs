use std::{
    collections::VecDeque,
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;
use roomkey_hub::{Attention, Notice};

use crate::transport::Letter;

/// What others have to say to a connection's task. Owns no memory while it is empty.
#[derive(Default)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    letters: VecDeque<Letter>,
    waker: Option<Waker>,
    closed: bool,
}

impl Mailbox {
    /// Leaves a letter; it comes back if the connection's task has ended.
    pub(crate) fn post(&self, letter: Letter) -> Result<(), Letter> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(letter);
        }
        state.letters.push_back(letter);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        Ok(())
    }

    /// The next letter, or a wake-up when one comes.
    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Letter> {
        let mut state = self.state.lock();
        if let Some(letter) = state.letters.pop_front() {
            if state.letters.is_empty() {
                state.letters = VecDeque::new();
            }
            return Poll::Ready(letter);
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Refuses all letters from now on and drops those that wait, which tells their senders.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        state.letters = VecDeque::new();
    }
}

impl Attention for Mailbox {
    fn notify(&self, notice: Notice) {
        // A connection that has ended needs no notice.
        drop(self.post(Letter::Notice(notice)));
    }
}
