//! `POST /api/emit`: what a backend says to rooms and users.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::{Json, extract::State};
use http::HeaderMap;
use roomkey_chat::is_server_event;
use roomkey_model::{ErrorCode, Failure, Limits, RoomName, UserId};
use roomkey_protocol::socket::RESERVED_EVENTS;
use roomkey_store::Claimed;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::{
    Api, ApiError, backends,
    extract::{Client, JsonBody},
    routes::{Operation, Proof, Routes},
};
use crate::{api_keys::Scope, serve::NAMESPACE};

pub(super) fn routes() -> Routes {
    Routes::new().add(
        Operation::post("/api/emit", "backends", "Emit events to rooms and users")
            .needs(Proof::ApiKey)
            .takes("Emit")
            .answers(200, "Emitted")
            .refuses(&[ErrorCode::Conflict, ErrorCode::Unavailable]),
        emit,
    )
}

/// What is said to whom.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Emit {
    #[serde(default)]
    to: Vec<RoomName>,
    #[serde(default)]
    users: Vec<UserId>,
    /// To all who are connected, in place of rooms and users.
    #[serde(default)]
    everyone: bool,
    event: String,
    #[serde(default)]
    args: Vec<Value>,
    /// Whoever is in one of these rooms does not get it.
    #[serde(default)]
    except: Vec<RoomName>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    emits: Vec<Emit>,
}

/// An emission that was checked. One without rooms is to everyone.
struct Checked {
    rooms: Vec<RoomName>,
    except: Vec<RoomName>,
    event: String,
    args_json: String,
}

/// Checks all, and then emits all.
async fn emit(
    State(api): State<Arc<Api>>,
    client: Client,
    headers: HeaderMap,
    JsonBody(body): JsonBody<Value>,
) -> Result<Json<Value>, ApiError> {
    let key = backends::authorize(&api, &client, &headers, Scope::Emit)?;
    let request = digest(&SHA256, body.to_string().as_bytes());
    let emissions = read(body, &api.limits, |room| api.chat.is_room(room))?;
    let Some(name) = idempotency_key(&headers)? else {
        emit_all(&api, &emissions)?;
        return Ok(Json(json!({ "emitted": emissions.len(), "repeated": false })));
    };
    let (key, whole_api, handle) = (key.to_owned(), api.clone(), Handle::current());
    // Not by this task, which ends with the connection or the server: who has the name must emit.
    let emitted = tokio::task::spawn_blocking(move || {
        let is_repeated = handle.block_on(is_repeated(&whole_api, &key, &name, request.as_ref()))?;
        if !is_repeated {
            emit_all(&whole_api, &emissions)?;
        }
        Ok::<_, Failure>(json!({ "emitted": emissions.len(), "repeated": is_repeated }))
    });
    Ok(Json(emitted.await.map_err(|_| Failure::from(ErrorCode::Internal))??))
}

fn emit_all(api: &Api, emissions: &[Checked]) -> Result<(), Failure> {
    for emission in emissions {
        let everyone = api.server.everyone(NAMESPACE);
        let broadcast = emission.rooms.iter().fold(everyone, |broadcast, room| broadcast.to(room));
        let broadcast = emission.except.iter().fold(broadcast, |broadcast, room| broadcast.except_room(room));
        let sent = broadcast.emit_raw(&emission.event, &emission.args_json, Vec::new());
        sent.map_err(|_| Failure::from(ErrorCode::Internal))?;
    }
    Ok(())
}

fn read(body: Value, limits: &Limits, is_room: impl Fn(&RoomName) -> bool) -> Result<Vec<Checked>, Failure> {
    let is_batch = body.get("emits").is_some();
    let emits = if is_batch { parse::<Batch>(body)?.emits } else { vec![parse::<Emit>(body)?] };
    if emits.is_empty() || emits.len() > limits.emits_per_request {
        let most = limits.emits_per_request;
        return Err(Failure::bad_payload(format!("emits: must be 1 to {most}")));
    }
    let check = |(index, emit): (usize, Emit)| {
        let path = if is_batch { format!("emits[{index}].") } else { String::new() };
        check(emit, limits, &is_room).map_err(|problem| Failure::bad_payload(path + &problem))
    };
    emits.into_iter().enumerate().map(check).collect()
}

fn parse<T: for<'de> Deserialize<'de>>(body: Value) -> Result<T, Failure> {
    serde_json::from_value(body).map_err(|error| Failure::bad_payload(error.to_string()))
}

fn check(emit: Emit, limits: &Limits, is_room: impl Fn(&RoomName) -> bool) -> Result<Checked, String> {
    let Emit { to, users, everyone, event, args, except } = emit;
    if event.is_empty() || event.len() > limits.event_name_bytes {
        return Err(format!("event: must be 1 to {} bytes long", limits.event_name_bytes));
    }
    if RESERVED_EVENTS.contains(&&*event) || is_server_event(&event) {
        return Err(format!("event: `{event}` is an event of the server itself"));
    }
    match (to.is_empty() && users.is_empty(), everyone) {
        (true, false) => {
            return Err("to: at least one room in `to`, or one user in `users`, or `everyone`".to_owned());
        }
        (false, true) => return Err("everyone: must be without `to` and `users`".to_owned()),
        _ => {}
    }
    let most = limits.rooms_per_emit;
    if to.len() + users.len() + except.len() > most {
        return Err(format!("to: no more than {most} rooms and users"));
    }
    for (name, rooms) in [("to", &to), ("except", &except)] {
        if let Some(room) = rooms.iter().find(|room| !is_room(room)) {
            return Err(format!("{name}: `{room}` must begin with `channel:`, `room:` or `user:`"));
        }
    }
    let personal = |user: &UserId| {
        roomkey_chat::personal_room(user).map_err(|problem| format!("users: `{user}` {problem}"))
    };
    let mut rooms = to;
    for user in &users {
        rooms.push(personal(user)?);
    }
    Ok(Checked { rooms, except, event, args_json: Value::from(args).to_string() })
}

const KEY_BYTES_MAX: usize = 255;

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let mut names = headers.get_all("idempotency-key").iter();
    let Some(name) = names.next() else { return Ok(None) };
    let text = name.to_str().ok().filter(|text| !text.is_empty() && text.len() <= KEY_BYTES_MAX);
    match (text, names.next()) {
        (Some(text), None) => Ok(Some(text.to_owned())),
        _ => Err(Failure::bad_payload(format!(
            "Idempotency-Key: must be one header of 1 to {KEY_BYTES_MAX} printable characters"
        ))),
    }
}

/// How long a request is remembered by its name.
const REMEMBERED_MS: u64 = 24 * 3600 * 1000;

/// Whether the request was done before. The name belongs to the API key.
async fn is_repeated(api: &Api, key: &str, name: &str, request: &[u8]) -> Result<bool, Failure> {
    let whole = format!("{}:{key}{name}", key.len());
    let bytes = |digest: &[u8]| <[u8; 32]>::try_from(digest).map_err(|_| Failure::from(ErrorCode::Internal));
    let (whole, request) = (bytes(digest(&SHA256, whole.as_bytes()).as_ref())?, bytes(request)?);
    let now = api.clock.now();
    match api.store.claim(whole, request, now, now.plus_ms(REMEMBERED_MS)).await? {
        Claimed::First => Ok(false),
        Claimed::Repeated => Ok(true),
        Claimed::Other => Err(Failure::with_message(
            ErrorCode::Conflict,
            "Another request was made with this Idempotency-Key in the last 24 hours",
        )),
    }
}
