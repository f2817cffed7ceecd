use std::{sync::Arc, time::Duration};

use http::{HeaderMap, StatusCode, header};
use roomkey_model::{Clock, Entropy, Timestamp};
use roomkey_store::{Delivery, Store};
use tokio::time::{sleep, timeout};

use super::Webhook;
use crate::{config::WebhookSetup, context::Context, outbound::Client};

/// Delivers what waits for one endpoint: in order, one at a time, the same again until it is taken or given up.
pub(super) struct Courier {
    pub(super) webhooks: Arc<Vec<Webhook>>,
    /// Which of them is the courier's.
    pub(super) index: usize,
    pub(super) client: Client,
    pub(super) store: Arc<dyn Store>,
    pub(super) context: Arc<Context>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    /// How many are kept of those that are given up.
    pub(super) dead_letters: usize,
    /// When the endpoint took something last.
    pub(super) last_taken: Option<Timestamp>,
}

/// What became of an attempt.
struct Refused {
    reason: String,
    /// Whether it is about this delivery, and says nothing of the next ones.
    is_of_delivery: bool,
    /// How long the endpoint wants to be left alone.
    retry_after_ms: u64,
}

/// Deliveries that are read at once, and that are sent again if the server stops at a bad moment.
const BATCH: usize = 32;
/// The longest sleep: time of day says when the next attempt is due, and may be set meanwhile.
const NAP: Duration = Duration::from_secs(1);
/// How long nothing is looked for where nothing was announced.
const IDLE: Duration = Duration::from_secs(30);
/// Attempts of a delivery that the endpoint refuses for what is in it.
const REFUSED_ATTEMPTS_MAX: u32 = 5;
/// How long after it took something an endpoint counts as one that works: what it refuses then is not tried again.
const WORKS_MS: u64 = 60 * 1000;

impl Courier {
    /// Goes on for as long as it is polled.
    pub(super) async fn run(mut self) {
        loop {
            match self.store.deliveries(&self.setup().name, BATCH).await {
                Ok(deliveries) if deliveries.is_empty() => {
                    _ = timeout(IDLE, self.webhooks[self.index].news.notified()).await;
                }
                Ok(deliveries) => self.deliver(&deliveries).await,
                Err(_) => sleep(NAP).await,
            }
        }
    }

    fn setup(&self) -> &WebhookSetup {
        &self.webhooks[self.index].setup
    }

    /// Up to the first that is not taken.
    async fn deliver(&mut self, deliveries: &[Delivery]) {
        let mut taken = None;
        for delivery in deliveries {
            while let wait_ms = left_ms(delivery, self.clock.now())
                && wait_ms > 0
            {
                self.forget(taken.take()).await;
                sleep(Duration::from_millis(wait_ms).min(NAP)).await;
            }
            match self.attempt(delivery).await {
                Ok(()) => {
                    self.context.metrics.webhooks_delivered.increment();
                    if delivery.attempts > 0 {
                        tracing::info!(webhook = self.setup().name, "the webhook is taken again");
                    }
                    taken = Some(delivery.number);
                    self.last_taken = Some(self.clock.now());
                }
                Err(refused) => {
                    self.forget(taken.take()).await;
                    self.put_off(delivery, &refused).await;
                    return;
                }
            }
        }
        self.forget(taken).await;
    }

    async fn attempt(&self, delivery: &Delivery) -> Result<(), Refused> {
        let body = delivery.body.as_bytes();
        let headers = self.setup().secrets.headers(&delivery.id, self.clock.now(), body);
        match self.client.tell_json(headers, body.to_vec().into()).await {
            Ok(answer) if answer.status.is_success() => Ok(()),
            Ok(answer) => Err(Refused {
                reason: format!("the answer has status {}", answer.status.as_u16()),
                is_of_delivery: is_of_delivery(answer.status),
                retry_after_ms: retry_after_ms(&answer.headers),
            }),
            Err(error) => {
                Err(Refused { reason: error.to_string(), is_of_delivery: false, retry_after_ms: 0 })
            }
        }
    }

    /// What was taken is not sent again. Until that is stored, nothing more is sent.
    async fn forget(&self, through: Option<u64>) {
        let Some(through) = through else { return };
        while self.store.delivered(&self.setup().name, through).await.is_err() {
            sleep(NAP).await;
        }
    }

    /// One that is refused for what is in it must not hold up the others for long: anybody in a channel can write
    /// what a firewall takes for an attack. That the endpoint takes others says that nothing else is wrong with it.
    fn attempts_max(&self, refused: &Refused, now: Timestamp) -> u32 {
        let works = self.last_taken.is_some_and(|taken| now.since_ms(taken) < WORKS_MS);
        let most = match refused.is_of_delivery {
            true if works => 1,
            true => REFUSED_ATTEMPTS_MAX,
            false => u32::MAX,
        };
        most.min(self.setup().attempts_max)
    }

    async fn put_off(&self, delivery: &Delivery, refused: &Refused) {
        let now = self.clock.now();
        let (name, reason) = (&self.setup().name, &refused.reason);
        let attempts = delivery.attempts + 1;
        self.context.metrics.webhook_failures.increment();
        let stored = if attempts >= self.attempts_max(refused, now) {
            self.context.metrics.webhooks_given_up.increment();
            tracing::error!(webhook = name, id = delivery.id, reason, "a webhook is given up");
            self.store.bury(delivery.number, reason, now, self.dead_letters).await
        } else {
            if attempts == 1 {
                tracing::warn!(webhook = name, reason, "a webhook was not taken and is tried again");
            }
            let mut random = [0; 8];
            self.entropy.fill(&mut random);
            let wait_ms = back_off_ms(attempts, u64::from_le_bytes(random)).max(refused.retry_after_ms);
            self.store.postpone(delivery.number, attempts, now.plus_ms(wait_ms)).await
        };
        if stored.is_err() {
            sleep(NAP).await;
        }
    }
}

/// Whether a refusal is about what was sent. Some say that the endpoint is elsewhere, wants another key or has too much
/// to do, and it would say the same to anything else.
fn is_of_delivery(status: StatusCode) -> bool {
    let is_of_endpoint = matches!(status.as_u16(), 401 | 404 | 405 | 407 | 408 | 410 | 421 | 425 | 426 | 429);
    status.is_client_error() && !is_of_endpoint
}

const FIRST_WAIT_MS: u64 = 1000;
const WAIT_MS_MAX: u64 = 3600 * 1000;

/// Twice as long after each failure, from a second to an hour, less up to half of it by chance: endpoints that failed
/// together are not all tried again together.
fn back_off_ms(attempts: u32, random: u64) -> u64 {
    let doublings = attempts.saturating_sub(1).min(20);
    let wait_ms = (FIRST_WAIT_MS << doublings).min(WAIT_MS_MAX);
    wait_ms - random % (wait_ms / 2)
}

/// How long until the next attempt is due. The first one always is, and so is one that is due later than any wait could
/// make it: the clock was set back.
fn left_ms(delivery: &Delivery, now: Timestamp) -> u64 {
    let left_ms = delivery.due.since_ms(now);
    if delivery.attempts == 0 || left_ms > WAIT_MS_MAX { 0 } else { left_ms }
}

/// Seconds, as the header has them mostly; no more than an hour.
fn retry_after_ms(headers: &HeaderMap) -> u64 {
    let seconds = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.unwrap_or(0_u64).saturating_mul(1000).min(WAIT_MS_MAX)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn waits_double_up_to_an_hour() {
        let longest: Vec<_> = (1..=4).map(|attempts| back_off_ms(attempts, 0)).collect();
        assert_eq!(longest, [1000, 2000, 4000, 8000]);
        assert_eq!((back_off_ms(13, 0), back_off_ms(u32::MAX, 0)), (WAIT_MS_MAX, WAIT_MS_MAX));
        for random in [1, 499, 500, 12_345, u64::MAX] {
            let wait_ms = back_off_ms(1, random);
            assert!((501..=1000).contains(&wait_ms), "{wait_ms}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_stops_nothing() {
        let left = |attempts, due_ms, now_ms| {
            let due = Timestamp(due_ms);
            let delivery = Delivery { number: 1, id: String::new(), body: String::new(), attempts, due };
            left_ms(&delivery, Timestamp(now_ms))
        };
        assert_eq!(left(0, 9_000_000, 1000), 0);
        assert_eq!(left(1, 5000, 1000), 4000);
        assert_eq!(left(1, 1000, 5000), 0);
        assert_eq!(left(1, WAIT_MS_MAX + 1000, 1000), WAIT_MS_MAX);
        assert_eq!(left(1, WAIT_MS_MAX + 1001, 1000), 0);
    }

    #[test]
    fn an_endpoint_may_ask_for_a_pause() {
        for (value, wait_ms) in [("120", 120_000), ("x", 0), ("-1", 0), ("99999999999", WAIT_MS_MAX)] {
            let headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static(value))]);
            assert_eq!(retry_after_ms(&headers), wait_ms, "{value}");
        }
    }
}
