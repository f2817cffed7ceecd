//! Argon2 costs much time and memory on purpose: it runs on threads that block, as many at once as there are
//! cores, and only so many requests wait for their turn.

use std::{sync::Arc, thread};

use roomkey_auth::password::{self, Verdict};
use roomkey_model::{Entropy, ErrorCode, Failure, Limit};
use secrecy::{ExposeSecret, SecretString};
use tokio::{sync::Semaphore, task};

pub(super) struct Hashing {
    running: Arc<Semaphore>,
    waiting: Semaphore,
}

impl Hashing {
    pub(super) fn new(waiting_max: usize) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self { running: Arc::new(Semaphore::new(cores)), waiting: Semaphore::new(waiting_max) }
    }

    /// The hash to store for a password that [`password::check`] accepts.
    pub(super) async fn hash(
        &self,
        password: SecretString,
        entropy: Arc<dyn Entropy>,
    ) -> Result<String, Failure> {
        let hash = self.run(move || password::hash(password.expose_secret(), &*entropy)).await?;
        hash.ok_or_else(|| Failure::bad_payload(password::PasswordProblem::TooLong.to_string()))
    }

    /// Compares a password with a hash; without one, does the same work for nothing.
    pub(super) async fn verify(
        &self,
        password: SecretString,
        hash: Option<String>,
    ) -> Result<Verdict, Failure> {
        let password = move || match hash {
            Some(hash) => password::verify(password.expose_secret(), &hash),
            None => password::verify_nobody(password.expose_secret()),
        };
        self.run(password).await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
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
            work()
        };
        task::spawn_blocking(work).await.map_err(|_| ErrorCode::Internal.into())
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
        let hashing = Hashing { running: Arc::new(Semaphore::new(1)), waiting: Semaphore::new(1) };
        let (go_on, wait) = mpsc::channel::<()>();
        let mut running = Box::pin(hashing.run(move || wait.recv()));
        let mut waiting = Box::pin(hashing.run(|| ()));
        assert_eq!((&mut running).now_or_never(), None);
        assert_eq!((&mut waiting).now_or_never(), None);
        assert_eq!(hashing.run(|| ()).await, Err(full()));
        go_on.send(()).expect("somebody waits");
        assert_eq!(running.await, Ok(Ok(())));
        assert_eq!(waiting.await, Ok(()));
    }

    #[tokio::test]
    async fn a_request_that_is_given_up_keeps_its_turn_until_the_work_is_done() {
        let hashing = Hashing { running: Arc::new(Semaphore::new(1)), waiting: Semaphore::new(0) };
        let (go_on, wait) = mpsc::channel::<()>();
        let mut given_up = Box::pin(hashing.run(move || wait.recv()));
        assert_eq!((&mut given_up).now_or_never(), None);
        drop(given_up);
        assert_eq!(hashing.run(|| ()).await, Err(full()));
        drop(go_on);
    }
}
