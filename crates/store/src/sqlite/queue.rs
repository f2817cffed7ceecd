use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use crate::StoreError;

/// A bounded first-in, first-out queue between async code, which never waits, and threads, which do.
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    jobs_max: usize,
}

struct State<T> {
    jobs: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    pub(super) fn new(jobs_max: usize) -> Self {
        let state = Mutex::new(State { jobs: VecDeque::new(), closed: false });
        Self { state, filled: Condvar::new(), jobs_max }
    }

    /// Adds a job, or says at once that there is no room.
    pub(super) fn push(&self, job: T) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        if state.closed || state.jobs.len() >= self.jobs_max {
            return Err(StoreError::Unavailable);
        }
        state.jobs.push_back(job);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Waits for jobs and takes the oldest, at most `count` of them. Empty: closed, and all has been taken.
    pub(super) fn take(&self, count: usize) -> Vec<T> {
        let mut state = self.state.lock();
        while state.jobs.is_empty() && !state.closed {
            self.filled.wait(&mut state);
        }
        let count = count.min(state.jobs.len());
        state.jobs.drain(..count).collect()
    }

    /// Refuses further jobs. Those inside are still handed out.
    pub(super) fn close(&self) {
        self.state.lock().closed = true;
        self.filled.notify_all();
    }

    /// Closes the queue and drops what is inside once the guard goes: a thread that dies leaves no one waiting.
    pub(super) fn close_on_drop(&self) -> impl Drop + '_ {
        CloseOnDrop(self)
    }
}

struct CloseOnDrop<'a, T>(&'a Queue<T>);

impl<T> Drop for CloseOnDrop<'_, T> {
    fn drop(&mut self) {
        self.0.close();
        let jobs = std::mem::take(&mut self.0.state.lock().jobs);
        drop(jobs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_leave_in_order_and_in_batches() {
        let queue = Queue::new(3);
        for job in 0..3 {
            queue.push(job).expect("there is room");
        }
        assert_eq!(queue.push(3), Err(StoreError::Unavailable));
        assert_eq!(queue.take(2), [0, 1]);
        queue.push(4).expect("there is room again");
        queue.close();
        assert_eq!(queue.push(5), Err(StoreError::Unavailable));
        assert_eq!(queue.take(9), [2, 4]);
        assert_eq!(queue.take(9), []);
    }

    #[test]
    fn a_dead_thread_leaves_no_one_waiting() {
        let queue = Queue::new(3);
        queue.push(1).expect("there is room");
        drop(queue.close_on_drop());
        assert_eq!(queue.push(2), Err(StoreError::Unavailable));
        assert_eq!(queue.take(1), []);
    }
}
