//! `/api/live`: measurements and decisions as they come, as server-sent events, until the session ends.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use http::header;
use roomkey_auth::SecretDigest;
use roomkey_model::{ErrorCode, Failure, Limit};
use serde::Serialize;
use serde_json::json;
use tokio::sync::{broadcast, watch};

use super::{AdminPage, guard::Seeing, routes::Routes, samples::Sample, sessions::End};
use crate::{audit::Kept, rates::Place, rest::ApiError};

pub(super) fn routes() -> Routes {
    Routes::new().get("/api/live", live)
}

/// A stream that is being read. What its reader is too slow for, it does not get: the lists have it.
struct Live {
    samples: watch::Receiver<Option<Arc<Sample>>>,
    decisions: broadcast::Receiver<Kept>,
    end: watch::Receiver<Option<End>>,
    has_ended: bool,
    /// One of those that a session may have.
    _place: Place<SecretDigest>,
}

async fn live(State(page): State<Arc<AdminPage>>, Seeing(current): Seeing) -> Result<Response, ApiError> {
    let place = page.streams.admit(current.digest, page.api.limits.admin_streams_per_session);
    let place = place.ok_or_else(|| {
        let message = "This login has too many live streams open";
        Failure::with_message(ErrorCode::LimitExceeded, message).at(Limit::AdminStreamsPerSession)
    })?;
    let mut samples = page.samples.watch();
    // The newest is there at once.
    samples.mark_changed();
    let decisions = page.context().audit.recent().watch();
    let live = Live { samples, decisions, end: current.end, has_ended: false, _place: place };
    let events = stream::unfold(live, async |mut live| {
        let event = live.next().await?;
        Some((Ok::<_, Infallible>(event), live))
    });
    Ok(([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response())
}

impl Live {
    async fn next(&mut self) -> Option<Bytes> {
        if self.has_ended {
            return None;
        }
        loop {
            tokio::select! {
                biased;
                end = self.end.wait_for(Option::is_some) => {
                    self.has_ended = true;
                    let reason = end.ok().and_then(|end| *end).unwrap_or(End::Expired).as_str();
                    return Some(event("end", &json!({ "reason": reason })));
                }
                // Before decisions, of which there may be no end.
                changed = self.samples.changed() => {
                    changed.ok()?;
                    let sample = self.samples.borrow_and_update().clone();
                    if let Some(sample) = sample {
                        return Some(event("sample", &*sample));
                    }
                }
                decision = self.decisions.recv() => match decision {
                    Ok(decision) => return Some(event("decision", &decision.decision())),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    // Nothing is recorded any more: the server stops.
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
            }
        }
    }
}

fn event(name: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).expect("text and numbers");
    format!("event: {name}\ndata: {data}\n\n").into()
}
