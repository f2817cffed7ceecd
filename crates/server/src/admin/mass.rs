//! `/api/disconnect`: many at once, which cannot be taken back.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use parking_lot::Mutex;
use roomkey_model::{ErrorCode, Failure, Limit, Limits, RoomName, Timestamp, UserId};
use serde::Deserialize;
use serde_json::json;
use tokio::task::yield_now;

use super::{
    AdminPage,
    actions::{Actor, reason, yes},
    guard::{Acting, Body, Sender},
    routes::Routes,
    selection::Filter,
};
use crate::{
    rates::{Gcra, Rate},
    rest::ApiError,
};

pub(super) fn routes() -> Routes {
    Routes::new().post("/api/disconnect", disconnect)
}

/// Sockets that are told before others on this thread have their turn.
const AT_ONCE: usize = 500;

/// How often it may be done.
pub(super) struct MassRate {
    rate: Rate,
    gcra: Mutex<Gcra>,
}

impl MassRate {
    pub(super) fn new(limits: &Limits) -> Self {
        let per_minute = limits.admin_mass_disconnects_per_min;
        Self { rate: Rate::new(per_minute, 60_000, per_minute), gcra: Mutex::default() }
    }

    fn take(&self, now: Timestamp) -> Result<(), Failure> {
        let taken = self.gcra.lock().take(self.rate, now.0);
        taken.map_err(|wait_ms| Failure::rate_limited(wait_ms).at(Limit::AdminMassDisconnects))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Disconnect {
    reason: Option<String>,
    filter: Which,
    /// How many sockets it is expected to be about.
    confirm: Option<usize>,
    #[serde(default = "yes")]
    close: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
enum Which {
    All(bool),
    User(UserId),
    Room(RoomName),
    Address(IpAddr),
}

async fn disconnect(
    State(page): State<Arc<AdminPage>>,
    sender: Sender,
    Acting(admin): Acting,
    Body(body): Body<Disconnect>,
) -> Result<Response, ApiError> {
    let reason = reason(body.reason.as_deref())?;
    let (filter, whom) = match body.filter {
        Which::All(true) => (Filter::default(), "everyone".to_owned()),
        Which::All(false) => return Err(Failure::bad_payload("filter: all must be true").into()),
        Which::User(user) => {
            let whom = format!("user {user}");
            (Filter { user: Some(user), ..Filter::default() }, whom)
        }
        Which::Room(room) => {
            let whom = format!("room {room}");
            (Filter { room: Some(room), ..Filter::default() }, whom)
        }
        Which::Address(address) => {
            let address = address.to_canonical();
            (Filter { address: Some(address), ..Filter::default() }, format!("address {address}"))
        }
    };
    let count = filter.count(page.context()).await;
    if !body.confirm.is_some_and(|confirmed| is_about(confirmed, count)) {
        return Ok(unconfirmed(count));
    }
    page.mass_rate.take(page.api.clock.now())?;
    let sockets = filter.collect(page.context(), |_| true).await;
    let closed = sockets.len();
    for (index, socket) in sockets.iter().enumerate() {
        socket.disconnect(body.close);
        if index % AT_ONCE == AT_ONCE - 1 {
            yield_now().await;
        }
    }
    filter.forget_parked(page.context(), |_| true).await;
    let actor = Actor { page: &page, sender: &sender, admin: &admin, reason };
    actor.record(&format!("disconnect {whom}: {closed} sockets"));
    page.context().live_tokens.wait_until_closed(sockets).await;
    // Those whose clients had just gone.
    filter.forget_parked(page.context(), |_| true).await;
    Ok(Json(json!({ "socketsClosed": closed })).into_response())
}

/// Whether the two are less than a tenth apart: some come and go while an admin reads a number.
fn is_about(confirmed: usize, count: usize) -> bool {
    confirmed.abs_diff(count) <= count / 10
}

fn unconfirmed(count: usize) -> Response {
    let failure = Failure::from(ErrorCode::ConfirmationRequired);
    let body = json!({
        "message": failure.message,
        "code": failure.code,
        "retry": "never",
        "sockets": count,
    });
    let status = http::StatusCode::UNPROCESSABLE_ENTITY;
    (status, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_more_or_less_is_about_as_many() {
        assert!(is_about(0, 0) && is_about(9, 9) && is_about(90, 100) && is_about(110, 100));
        assert!(!is_about(8, 9) && !is_about(1, 0) && !is_about(89, 100) && !is_about(111, 100));
    }
}
