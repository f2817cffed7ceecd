use roomkey_model::Timestamp;

use crate::{Committed, Pending};

/// Says what backends are told of a change. Called on the writer's thread inside the transaction of the change: what it
/// returns is durable if and only if the change is.
pub type OutboxEncoder = Box<dyn Fn(&Committed) -> Vec<NewDelivery> + Send>;

/// Something that one endpoint is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// The name of the endpoint.
    pub endpoint: String,
    /// What names the event at every attempt.
    pub id: String,
    /// What is sent.
    pub body: String,
    /// When it happened.
    pub created: Timestamp,
}

/// Something that an endpoint has not been told yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its place in the order of all deliveries.
    pub number: u64,
    /// What names the event at every attempt.
    pub id: String,
    /// What is sent.
    pub body: String,
    /// Attempts that failed.
    pub attempts: u32,
    /// When the next attempt is to be made.
    pub due: Timestamp,
}

/// Something that an endpoint will not be told any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The place that it had in the order of all deliveries.
    pub number: u64,
    /// The name of the endpoint.
    pub endpoint: String,
    /// What names the event at every attempt.
    pub id: String,
    /// What was sent.
    pub body: String,
    /// When it happened.
    pub created: Timestamp,
    /// Attempts that failed.
    pub attempts: u32,
    /// When it was given up.
    pub died: Timestamp,
    /// What was wrong with the last attempt.
    pub reason: String,
}

/// How much there is for an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// The name of the endpoint.
    pub endpoint: String,
    /// Deliveries that wait.
    pub waiting: u64,
    /// What was never stored, because too much waited.
    pub dropped: u64,
    /// Deliveries that were given up and are kept.
    pub dead: u64,
}

/// What became of a request that is to be done once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// It is to be done.
    First,
    /// It was done before.
    Repeated,
    /// Another one was done before by the same name.
    Other,
}

/// What backends are still to be told. Part of [`Store`](crate::Store).
pub trait OutboxStore: Send + Sync {
    /// Adds deliveries that belong to no other change; tells how many there was room for.
    fn enqueue(&self, deliveries: Vec<NewDelivery>) -> Pending<usize>;

    /// The oldest deliveries of an endpoint.
    fn deliveries(&self, endpoint: &str, limit: usize) -> Pending<Vec<Delivery>>;

    /// Forgets the deliveries of an endpoint up to this number: they were taken.
    fn delivered(&self, endpoint: &str, through: u64) -> Pending<()>;

    /// Notes a failed attempt, and when the next one is to be made.
    fn postpone(&self, number: u64, attempts: u32, due: Timestamp) -> Pending<()>;

    /// Gives a delivery up. Of all that were given up, the newest `kept` are kept.
    fn bury(&self, number: u64, reason: &str, died: Timestamp, kept: usize) -> Pending<()>;

    /// What was given up, newest first, before this number.
    fn dead_letters(&self, before: Option<u64>, limit: usize) -> Pending<Vec<DeadLetter>>;

    /// Puts what was given up behind what waits; tells whether there was such a thing, an endpoint for it,
    /// and room.
    fn revive(&self, number: u64, now: Timestamp) -> Pending<bool>;

    /// How much there is for each endpoint.
    fn backlogs(&self) -> Pending<Vec<Backlog>>;

    /// Gives up what waits for endpoints that are not among these, and forgets how much it was; tells how much. Nobody
    /// would ever be told of it. Of all that were given up, the newest `kept` are kept.
    fn keep_endpoints(&self, names: &[&str], now: Timestamp, kept: usize) -> Pending<usize>;

    /// Forgets what was given up before this time.
    fn forget_dead_letters(&self, before: Timestamp) -> Pending<()>;

    /// Takes a name for a request, for as long as `until`, unless it is taken. What is over by `now` is forgotten.
    fn claim(&self, key: [u8; 32], request: [u8; 32], now: Timestamp, until: Timestamp) -> Pending<Claimed>;
}
