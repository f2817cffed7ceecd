use std::{sync::Arc, time::Duration};

use http::HeaderValue;
use parking_lot::Mutex;
use roomkey_auth::{PublicKey, RemoteKeys};
use roomkey_model::Clock;
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

use super::{
    KeySetCounters,
    fetch::{FETCH_TIME_MAX, Fetched, Fetcher},
    schedule::{Answer, Schedule},
};

/// Keeps the key set of one issuer fresh: the half that fetches, on the thread of the key sets.
pub(super) struct Keeper {
    pub(super) name: Box<str>,
    pub(super) fetcher: Fetcher,
    pub(super) keys: RemoteKeys,
    pub(super) shared: Arc<Shared>,
    /// Somebody does not want to wait for the next refresh. Closed when nobody needs keys any more.
    pub(super) asked: mpsc::Receiver<()>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) counters: Arc<KeySetCounters>,
    /// Of the document that the keys are from.
    pub(super) etag: Option<HeaderValue>,
}

/// What both halves know.
pub(super) struct Shared {
    /// `Mutex` because it is never held across an await.
    schedule: Mutex<Schedule>,
    /// Changes when a fetch is done.
    done: watch::Sender<()>,
}

/// The longest sleep: the wall clock says when to fetch, and may be set meanwhile.
const NAP_MS_MAX: u64 = 30_000;

impl Keeper {
    pub(super) async fn run(mut self) {
        loop {
            let wait_ms = self.shared.schedule.lock().wait_ms(self.clock.now());
            if wait_ms == 0 {
                self.shared.schedule.lock().begin();
                self.fetch().await;
                self.shared.done.send_replace(());
                continue;
            }
            tokio::select! {
                () = sleep(Duration::from_millis(wait_ms.min(NAP_MS_MAX))) => {}
                asked = self.asked.recv() => if asked.is_none() { return },
            }
        }
    }

    async fn fetch(&mut self) {
        self.counters.fetches.increment();
        let fetched = self.fetcher.fetch(self.etag.as_ref()).await;
        // The answer is as old as now: from when the issuer was asked, it could be too old already.
        let now = self.clock.now();
        let taken = fetched.map_err(|error| error.to_string()).and_then(|fetched| match fetched {
            Fetched::NotModified { max_age_ms } => {
                self.keys.confirm(now);
                Ok(max_age_ms)
            }
            Fetched::Document { bytes, etag, max_age_ms } => {
                let keys = PublicKey::from_jwk_set("key set", &bytes).map_err(|error| error.problem)?;
                tracing::debug!(issuer = &*self.name, keys = keys.len(), "fetched the key set");
                self.keys.replace(keys, now);
                self.etag = etag;
                Ok(max_age_ms)
            }
        });
        let mut schedule = self.shared.schedule.lock();
        match taken {
            Ok(max_age_ms) => {
                if schedule.has_failed() {
                    tracing::info!(issuer = &*self.name, "the key set can be fetched again");
                }
                schedule.succeeded(now, max_age_ms);
            }
            Err(error) => {
                self.counters.failures.increment();
                schedule.failed(now);
                let has_keys = self.keys.at(now).is_some();
                let retry_s = schedule.wait_ms(now) / 1000;
                let then = if has_keys {
                    "the keys from before are used on"
                } else {
                    "its tokens cannot be verified"
                };
                tracing::warn!(issuer = &*self.name, error, retry_s, "cannot fetch the key set: {then}");
            }
        }
    }
}

/// Keeps the key set of one issuer fresh: the half that asks for it.
pub(super) struct Handle {
    pub(super) shared: Arc<Shared>,
    pub(super) ask: mpsc::Sender<()>,
}

impl Handle {
    /// Fetches the set because a token names a key that is not in it, unless that was done a moment ago.
    ///
    /// Whoever comes while a fetch is under way waits for that one. Returns whether the set is up to date: if so, a
    /// key that is not in it does not exist.
    pub(super) async fn refresh(&self, clock: &dyn Clock) -> bool {
        let mut done = {
            let mut schedule = self.shared.schedule.lock();
            match schedule.ask(clock.now()) {
                Answer::Wait => self.shared.done.subscribe(),
                Answer::Unknown => return true,
                Answer::Failed => return false,
            }
        };
        // Full: it is told already.
        _ = self.ask.try_send(());
        let is_done = timeout(FETCH_TIME_MAX + Duration::from_secs(1), done.changed()).await;
        matches!(is_done, Ok(Ok(()))) && !self.shared.schedule.lock().has_failed()
    }
}

impl Shared {
    pub(super) fn new(clock: &dyn Clock) -> Self {
        Self { schedule: Mutex::new(Schedule::new(clock.now())), done: watch::Sender::new(()) }
    }
}
