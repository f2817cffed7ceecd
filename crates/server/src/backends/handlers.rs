//! Events of clients that a backend answers.

use std::sync::Arc;

use http::StatusCode;
use roomkey_auth::Identity;
use roomkey_chat::is_server_event;
use roomkey_model::{Clock, Entropy, ErrorCode, Failure, Limit, Limits, UserId};
use roomkey_protocol::socket::Payload;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::{runtime::Handle, sync::Semaphore};
use tokio_rustls::rustls::ClientConfig;

use super::EventPatterns;
use crate::{
    config::HandlerSetup,
    outbound::{Answer, Client, OutboundError, SignedClient},
    rates::Places,
};

/// Which backend answers which events.
pub(crate) struct Handlers {
    handlers: Vec<Handler>,
    runtime: Handle,
    clock: Arc<dyn Clock>,
}

struct Handler {
    events: EventPatterns,
    backend: Arc<SignedClient>,
    /// One permit for each event that may wait for an answer.
    free: Arc<Semaphore>,
    /// How many of them each user has.
    places: Places<UserId>,
    places_per_user: usize,
}

/// An answer on its way: JSON, or what the client is told instead.
pub(crate) type Answered = tokio::task::JoinHandle<Result<Box<RawValue>, Failure>>;

impl Handlers {
    pub(super) fn new(
        setups: Vec<HandlerSetup>,
        tls: Option<&Arc<ClientConfig>>,
        runtime: Handle,
        clock: &Arc<dyn Clock>,
        entropy: &Arc<dyn Entropy>,
        limits: &Limits,
    ) -> Self {
        let handler = |setup: HandlerSetup| {
            let client = Client::new(setup.url, tls.cloned(), setup.time_max, limits.backend_answer_bytes);
            let (clock, entropy) = (clock.clone(), entropy.clone());
            Handler {
                events: setup.events,
                backend: Arc::new(SignedClient { client, secrets: setup.secrets, clock, entropy }),
                free: Arc::new(Semaphore::new(limits.backend_requests)),
                places: Places::default(),
                places_per_user: limits.backend_requests_per_user,
            }
        };
        Self { handlers: setups.into_iter().map(handler).collect(), runtime, clock: clock.clone() }
    }

    /// Asks the first backend that handles such an event. `None`: there is none.
    ///
    /// What the server itself says is no backend's to answer.
    pub(crate) fn ask(
        &self,
        identity: &Identity,
        event: &str,
        args: &Payload,
    ) -> Option<Result<Answered, Failure>> {
        let handler = self.handlers.iter().find(|handler| handler.events.match_event(event))?;
        (!is_server_event(event)).then(|| self.post(handler, identity, event, args))
    }

    fn post(
        &self,
        handler: &Handler,
        identity: &Identity,
        event: &str,
        args: &Payload,
    ) -> Result<Answered, Failure> {
        if !identity.scopes.write {
            return Err(Failure::forbidden());
        }
        if !args.attachments().is_empty() {
            return Err(Failure::bad_payload("Binary data cannot be sent to a backend"));
        }
        let place = handler.places.admit(identity.user.clone(), handler.places_per_user);
        let place =
            place.ok_or_else(|| Failure::new(ErrorCode::Unavailable).at(Limit::BackendRequestsPerUser))?;
        let permit = handler.free.clone().try_acquire_owned();
        let permit = permit.map_err(|_| Failure::new(ErrorCode::Unavailable).at(Limit::BackendRequests))?;
        let args = serde_json::from_str(args.json())
            .map_err(|_| Failure::bad_payload("The arguments are not JSON"))?;
        let user = User {
            id: identity.user.as_str(),
            name: identity.name.as_deref(),
            issuer: &identity.issuer,
            roles: identity.roles.iter().map(|role| &**role).collect(),
        };
        let question =
            Question { event, timestamp: self.clock.now().to_rfc3339(), data: Data { user, args } };
        let question = serde_json::to_vec(&question).map_err(|_| Failure::from(ErrorCode::Internal))?;
        let backend = handler.backend.clone();
        let event = event.to_owned();
        Ok(self.runtime.spawn(async move {
            let answer = backend.post(question).await;
            drop((permit, place));
            read(answer, &event)
        }))
    }
}

#[derive(Serialize)]
struct Question<'a> {
    #[serde(rename = "type")]
    event: &'a str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    user: User<'a>,
    args: &'a RawValue,
}

/// Who sent the event, as the token says.
#[derive(Serialize)]
struct User<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    issuer: &'a str,
    roles: Vec<&'a str>,
}

/// A refusal in the backend's words.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Letters of a backend's refusal that the client is told.
const REFUSAL_CHARACTERS_MAX: usize = 1000;

/// Anything but a clear yes or no is a failure: half an answer allows nothing.
fn read(answer: Result<Answer, OutboundError>, event: &str) -> Result<Box<RawValue>, Failure> {
    let failed = |reason: &dyn std::fmt::Display| {
        tracing::warn!(event, %reason, "the backend of an event failed");
        Failure::from(ErrorCode::BackendFailed)
    };
    match answer {
        Ok(answer) if answer.status.is_success() => {
            let json = if answer.body.is_empty() { &b"null"[..] } else { &answer.body };
            serde_json::from_slice(json).map_err(|error| failed(&error))
        }
        Ok(answer) => match serde_json::from_slice::<Refusal>(&answer.body) {
            Ok(Refusal { error }) if answer.status.is_client_error() => {
                let error: String = error.chars().take(REFUSAL_CHARACTERS_MAX).collect();
                Err(Failure::with_message(ErrorCode::BackendRefused, error))
            }
            _ => Err(failed(&status(answer.status))),
        },
        Err(OutboundError::Timeout(_)) => {
            tracing::warn!(event, "the backend of an event did not answer in time");
            Err(ErrorCode::BackendTimeout.into())
        }
        Err(error) => Err(failed(&error)),
    }
}

fn status(status: StatusCode) -> String {
    format!("the answer has status {}", status.as_u16())
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    /// M15: whatever is not a clear answer allows nothing.
    #[test]
    fn m15_half_an_answer_is_a_failure() {
        let ask = |status: u16, body: &str| {
            let status = StatusCode::from_u16(status).expect("a status");
            let answer = Answer { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() };
            match read(Ok(answer), "x") {
                Ok(json) => json.get().to_owned(),
                Err(failure) => format!("{}: {}", failure.code, failure.message),
            }
        };
        assert_eq!(ask(200, r#"{"a":[1, 2]}"#), r#"{"a":[1, 2]}"#);
        assert_eq!(ask(201, "7"), "7");
        assert_eq!(ask(204, ""), "null");
        assert_eq!(ask(422, r#"{"error":"no stock","code":7}"#), "BACKEND_REFUSED: no stock");
        let long = format!(r#"{{"error":"{}"}}"#, "é".repeat(2000));
        assert_eq!(ask(400, &long).chars().count(), "BACKEND_REFUSED: ".len() + 1000);
        for (status, body) in [
            (200, "<html>"),
            (200, "{"),
            (200, "1 2"),
            (200, "\u{0}"),
            (302, "{}"),
            (404, "not found"),
            (403, r#"{"error":7}"#),
            (500, r#"{"error":"stack trace"}"#),
        ] {
            assert!(ask(status, body).starts_with("BACKEND_FAILED: "), "{status} {body}");
        }
    }
}
