//! The backends of an operator: what they are told (webhooks), and what they are asked (handlers).
//!
//! One thread speaks to all of them, so that no connection pays for a backend that is slow.

mod delivery;
mod encoding;
mod handlers;
mod patterns;

use std::{io, sync::Arc, thread};

use roomkey_model::{Clock, Entropy, Limits};
use roomkey_store::{OutboxEncoder, Store, StoreError};
use tokio::{
    runtime::{Builder, Handle},
    sync::{Notify, oneshot},
};
use tokio_rustls::rustls::ClientConfig;

use crate::{
    config::{BackendsSetup, WebhookSetup},
    context::Context,
    outbound::{Client, tls},
};
use delivery::Courier;

pub(crate) use handlers::Handlers;
pub(crate) use patterns::EventPatterns;

/// Those who are told and asked, as they were set up.
pub(crate) struct Backends {
    webhooks: Arc<Vec<Webhook>>,
    pub(crate) handlers: Arc<Handlers>,
    tls: Option<Arc<ClientConfig>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    limits: Limits,
    runtime: Handle,
    /// The thread ends when this is dropped.
    _running: oneshot::Sender<()>,
}

/// An endpoint, and how its courier is woken.
struct Webhook {
    setup: WebhookSetup,
    news: Notify,
}

impl Backends {
    /// Starts the thread. Nothing is told to anybody yet.
    pub(crate) fn start(
        setup: BackendsSetup,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        limits: Limits,
    ) -> io::Result<Self> {
        let urls = setup.webhooks.iter().map(|webhook| &webhook.url);
        let mut urls = urls.chain(setup.handlers.iter().map(|handler| &handler.url));
        let tls = if urls.any(|url| url.is_https()) { Some(tls::client()?) } else { None };
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (running, stopped) = oneshot::channel::<()>();
        if !setup.webhooks.is_empty() || !setup.handlers.is_empty() {
            thread::Builder::new().name("backends".to_owned()).spawn(move || runtime.block_on(stopped))?;
        }
        let handlers = Handlers::new(setup.handlers, tls.as_ref(), handle.clone(), &clock, &entropy, &limits);
        let webhooks = setup.webhooks.into_iter().map(|setup| Webhook { setup, news: Notify::new() });
        Ok(Self {
            webhooks: Arc::new(webhooks.collect()),
            handlers: Arc::new(handlers),
            tls,
            clock,
            entropy,
            limits,
            runtime: handle,
            _running: running,
        })
    }

    /// What to open the store with; none where nobody is to be told anything.
    pub(crate) fn encoder(&self) -> Option<OutboxEncoder> {
        if self.webhooks.is_empty() {
            return None;
        }
        let (webhooks, clock, entropy) = (self.webhooks.clone(), self.clock.clone(), self.entropy.clone());
        Some(Box::new(move |change| encoding::deliveries(&webhooks, change, clock.now(), &*entropy)))
    }

    /// Gives up what waits for endpoints that are not configured any more: what users wrote is not kept for nobody.
    pub(crate) async fn give_up_others(&self, store: &dyn Store) -> Result<(), StoreError> {
        let names: Vec<_> = self.webhooks.iter().map(|webhook| &*webhook.setup.name).collect();
        let given_up = store.keep_endpoints(&names, self.clock.now(), self.limits.dead_letters).await?;
        if given_up > 0 {
            tracing::warn!(given_up, "webhooks that wait for endpoints that are not configured are given up");
        }
        Ok(())
    }

    /// What to call when there is something to deliver.
    pub(crate) fn bell(&self) -> impl Fn() + Send + Sync + use<> {
        let webhooks = self.webhooks.clone();
        move || webhooks.iter().for_each(|webhook| webhook.news.notify_one())
    }

    /// Begins to deliver.
    pub(crate) fn deliver(&self, store: &Arc<dyn Store>, context: &Arc<Context>) {
        for index in 0..self.webhooks.len() {
            let setup = &self.webhooks[index].setup;
            let client = Client::new(
                setup.url.clone(),
                self.tls.clone(),
                setup.time_max,
                self.limits.backend_answer_bytes,
            );
            let courier = Courier {
                webhooks: self.webhooks.clone(),
                index,
                client,
                store: store.clone(),
                context: context.clone(),
                clock: self.clock.clone(),
                entropy: self.entropy.clone(),
                dead_letters: self.limits.dead_letters,
                last_taken: None,
            };
            self.runtime.spawn(courier.run());
        }
    }
}
