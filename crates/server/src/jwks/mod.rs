//! The key sets (JWKS) that issuers publish: fetched ahead of need, kept when the issuer cannot be reached, and put where
//! the verifier finds them.
//!
//! One thread fetches for all issuers, so that no connection pays for it. A token whose key is not known waits for one
//! fetch, which is shared with all others of its kind and made once in a while only.

mod fetch;
mod keeper;
mod schedule;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, fmt, io, sync::Arc, thread};

use futures_util::future::join_all;
use roomkey_auth::RemoteKeys;
use roomkey_model::Clock;
use tokio::{runtime::Builder, sync::mpsc};

use crate::{
    metrics::Counter,
    outbound::{OutboundUrl, tls},
};
use fetch::Fetcher;
use keeper::{Handle, Keeper, Shared};

/// The key set of one issuer.
#[derive(Clone, Debug)]
pub struct KeySet {
    /// The name of its [`IssuerProfile`](crate::auth::IssuerProfile).
    pub name: String,
    /// Where it is published.
    pub url: OutboundUrl,
    /// The same as [`remote_keys`](crate::auth::IssuerProfile::remote_keys) of the profile.
    pub keys: RemoteKeys,
}

/// The key sets of all issuers that publish one, kept fresh as long as this lives.
pub struct KeySets {
    handles: HashMap<String, Handle>,
    clock: Arc<dyn Clock>,
    counters: Arc<KeySetCounters>,
}

/// What fetching costs.
#[derive(Debug, Default)]
pub(crate) struct KeySetCounters {
    pub(crate) fetches: Counter,
    pub(crate) failures: Counter,
}

impl KeySets {
    /// Begins to fetch. Does not wait for the keys: an issuer that is down does not keep the server from starting, and
    /// until its keys are there its tokens are answered with "try again".
    pub fn start(sets: Vec<KeySet>, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let counters = Arc::<KeySetCounters>::default();
        let tls = if sets.iter().any(|set| set.url.is_https()) { Some(tls::client()?) } else { None };
        let mut handles = HashMap::new();
        let mut keepers = Vec::new();
        for KeySet { name, url, keys } in sets {
            let (ask, asked) = mpsc::channel(1);
            let shared = Arc::new(Shared::new(&*clock));
            keepers.push(Keeper {
                name: name.as_str().into(),
                fetcher: Fetcher::new(url, tls.clone()),
                keys,
                shared: shared.clone(),
                asked,
                clock: clock.clone(),
                counters: counters.clone(),
                etag: None,
            });
            handles.insert(name, Handle { shared, ask });
        }
        if !keepers.is_empty() {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let run = move || {
                runtime.block_on(join_all(keepers.into_iter().map(Keeper::run)));
            };
            thread::Builder::new().name("key-sets".to_owned()).spawn(run)?;
        }
        Ok(Self { handles, clock, counters })
    }

    /// Sees to it that the set of this issuer is up to date; `false` if that is not possible now.
    pub(crate) async fn refresh(&self, name: &str) -> bool {
        match self.handles.get(name) {
            Some(handle) => handle.refresh(&*self.clock).await,
            None => false,
        }
    }

    pub(crate) fn counters(&self) -> &KeySetCounters {
        &self.counters
    }
}

impl fmt::Debug for KeySets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySets").field("issuers", &self.handles.keys()).finish_non_exhaustive()
    }
}
