//! Argon2 costs much time and memory on purpose: it runs on threads of its own, as many as there are cores, and only so
//! many requests wait for their turn.
//!
//! Each of them keeps its memory as long as there is work for it. What would be allocated on one thread of many, and
//! freed, would to a good part stay with each of them: the allocator of the system took 1 GB for two hashes at a time.

use std::{cell::RefCell, sync::Arc, thread};

use roomkey_auth::password::{self, Memory, Verdict};
use roomkey_model::{Entropy, ErrorCode, Failure, Limit};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    runtime::{Builder as RuntimeBuilder, Handle, Runtime},
    sync::Semaphore,
};

/// Hashes and verifies passwords, a few at a time.
pub(crate) struct Hashing {
    threads: Threads,
    running: Arc<Semaphore>,
    waiting: Semaphore,
}

thread_local! {
    /// Of a thread that hashes. Freed with the thread, when there was no work for it for ten seconds.
    static MEMORY: RefCell<Memory> = RefCell::default();
}

/// A runtime that is there for its threads that block.
struct Threads(Option<Runtime>);

impl Threads {
    fn new(max: usize) -> Self {
        let runtime =
            RuntimeBuilder::new_current_thread().max_blocking_threads(max).thread_name("hashing").build();
        Self(Some(runtime.expect("it needs nothing of the system")))
    }

    fn handle(&self) -> &Handle {
        self.0.as_ref().expect("it is there until this is dropped").handle()
    }
}

impl Drop for Threads {
    /// May happen where nothing may block.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Hashing {
    pub(crate) fn new(waiting_max: usize) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self::with(cores, waiting_max)
    }

    /// With so many threads.
    pub(crate) fn with(threads: usize, waiting_max: usize) -> Self {
        Self {
            threads: Threads::new(threads),
            running: Arc::new(Semaphore::new(threads)),
            waiting: Semaphore::new(waiting_max),
        }
    }

    /// The hash to store for a password that [`password::check`] accepts.
    pub(crate) async fn hash(
        &self,
        password: SecretString,
        entropy: Arc<dyn Entropy>,
    ) -> Result<String, Failure> {
        let hash =
            self.run(move |memory| password::hash(password.expose_secret(), &*entropy, memory)).await?;
        hash.ok_or_else(|| Failure::bad_payload(password::PasswordProblem::TooLong.to_string()))
    }

    /// Compares a password with a hash; without one, does the same work for nothing.
    pub(crate) async fn verify(
        &self,
        password: SecretString,
        hash: Option<String>,
    ) -> Result<Verdict, Failure> {
        let password = move |memory: &mut Memory| match hash {
            Some(hash) => password::verify(password.expose_secret(), &hash, memory),
            None => password::verify_nobody(password.expose_secret(), memory),
        };
        self.run(password).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let turn = match self.running.clone().try_acquire_owned() {
            Ok(turn) => turn,
            Err(_) => {
                let _place = self.waiting.try_acquire().map_err(|_| full())?;
                self.running.clone().acquire_owned().await.map_err(|_| ErrorCode::Unavailable)?
            }
        };
        // The turn ends with the work, not with the request, which may be gone before.
        let work = move || {
            let _turn = turn;
            MEMORY.with_borrow_mut(work)
        };
        self.threads.handle().spawn_blocking(work).await.map_err(|_| ErrorCode::Internal.into())
    }
}

fn full() -> Failure {
    Failure::new(ErrorCode::Unavailable).at(Limit::HashesWaiting)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn what_cannot_wait_is_refused_at_once() {
        let hashing = Hashing::with(1, 1);
        let (go_on, wait) = mpsc::channel::<()>();
        let mut running = Box::pin(hashing.run(move |_| wait.recv()));
        let mut waiting = Box::pin(hashing.run(|_| ()));
        assert_eq!((&mut running).now_or_never(), None);
        assert_eq!((&mut waiting).now_or_never(), None);
        assert_eq!(hashing.run(|_| ()).await, Err(full()));
        go_on.send(()).expect("somebody waits");
        assert_eq!(running.await, Ok(Ok(())));
        assert_eq!(waiting.await, Ok(()));
    }

    #[tokio::test]
    async fn a_request_that_is_given_up_keeps_its_turn_until_the_work_is_done() {
        let hashing = Hashing::with(1, 0);
        let (go_on, wait) = mpsc::channel::<()>();
        let mut given_up = Box::pin(hashing.run(move |_| wait.recv()));
        assert_eq!((&mut given_up).now_or_never(), None);
        drop(given_up);
        assert_eq!(hashing.run(|_| ()).await, Err(full()));
        drop(go_on);
    }
}
