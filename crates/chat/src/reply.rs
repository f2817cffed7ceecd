use std::{fmt, future::Future};

use futures_util::{FutureExt, future::BoxFuture};
use roomkey_model::Failure;
use serde::Serialize;

/// What comes of a request that was taken in already: of an event, or over REST.
pub type Answer<T> = BoxFuture<'static, Result<T, Failure>>;

/// The answer to what is refused at once.
pub(crate) fn refused<T: Send + 'static>(failure: Failure) -> Answer<T> {
    std::future::ready(Err(failure)).boxed()
}

/// The answer to an event.
pub enum Reply {
    /// It is known already.
    Now(Ack),
    /// It comes when something outside has happened, mostly a commit.
    Later(BoxFuture<'static, Ack>),
}

impl Reply {
    pub(crate) fn now(outcome: Result<impl Serialize, Failure>) -> Self {
        Self::Now(Ack::new(outcome))
    }

    pub(crate) fn later(ack: impl Future<Output = Ack> + Send + 'static) -> Self {
        Self::Later(ack.boxed())
    }

    /// What comes of a request, as the view makes of it.
    pub(crate) fn answer<T: 'static>(
        answer: impl Future<Output = Result<T, Failure>> + Send + 'static,
        ack: impl FnOnce(&T) -> Ack + Send + 'static,
    ) -> Self {
        Self::later(answer.map(|outcome| match outcome {
            Ok(value) => ack(&value),
            Err(failure) => Ack::new(Err::<(), _>(failure)),
        }))
    }

    /// The answer, once it is there.
    pub async fn ack(self) -> Ack {
        match self {
            Self::Now(ack) => ack,
            Self::Later(ack) => ack.await,
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(ack) => f.debug_tuple("Now").field(ack).finish(),
            Self::Later(_) => f.write_str("Later"),
        }
    }
}

/// What the client's acknowledgement is called with: `{data}`, or a [`Failure`] as `{error, code, retry}`.
#[derive(Clone, Debug)]
pub struct Ack {
    json: String,
    failure: Option<Failure>,
}

impl Ack {
    /// From what became of the event.
    pub fn new(outcome: Result<impl Serialize, Failure>) -> Self {
        let (json, failure) = match outcome {
            Ok(data) => (serde_json::to_string(&Data { data }), None),
            Err(failure) => (serde_json::to_string(&failure), Some(failure)),
        };
        Self { json: json.expect("plain data with text keys"), failure }
    }

    /// The one argument of the acknowledgement.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The arguments of the acknowledgement, as a JSON array.
    pub fn args_json(&self) -> String {
        format!("[{}]", self.json)
    }

    /// Why the event was refused, if it was: for the log and the counters.
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }
}

#[derive(Serialize)]
struct Data<T> {
    data: T,
}
