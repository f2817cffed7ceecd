//! `/api/login`, `/logout`, `/me`, `/sessions`, `/password`: admins and their own sessions.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use roomkey_model::{ErrorCode, Failure};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    AdminPage, Admins,
    guard::{Body, COOKIE, LOCAL_COOKIE, PathParts, Seeing, Sender, is_reached_securely},
    routes::Routes,
    sessions::{Current, End},
};
use crate::{
    audit::{Event, Record},
    rest::ApiError,
};

pub(super) fn routes() -> Routes {
    Routes::new()
        .post("/api/login", log_in)
        .post("/api/logout", log_out)
        .get("/api/me", me)
        .get("/api/sessions", list)
        .delete("/api/sessions/{id}", end)
        .post("/api/password", change_password)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    name: String,
    password: String,
}

async fn log_in(
    State(page): State<Arc<AdminPage>>,
    sender: Sender,
    headers: HeaderMap,
    Body(login): Body<Login>,
) -> Result<Response, ApiError> {
    let (password, user_agent) = (&*login.password, sender.user_agent.as_deref());
    let logging_in = page.admins.log_in(&login.name, password, sender.address, user_agent);
    let (cookie, current, reached) = attempt(&page, sender.address, &login.name, logging_in).await?;
    if let Some(limit) = reached {
        page.context().metrics.limit_reached(limit);
    }
    record(&page, Event::LoginSucceeded, sender.address, "admin password", Some(&current.name));
    let mut response = Json(view(&current)).into_response();
    set_cookie(response.headers_mut(), cookie.expose_secret(), is_reached_securely(&headers));
    Ok(response)
}

async fn log_out(State(page): State<Arc<AdminPage>>, sender: Sender, Seeing(current): Seeing) -> Response {
    page.admins.sessions.end(current.digest, End::LoggedOut);
    record(&page, Event::LoggedOut, sender.address, "admin", Some(&current.name));
    let mut response = StatusCode::NO_CONTENT.into_response();
    for is_secure in [true, false] {
        set_cookie(response.headers_mut(), "", is_secure);
    }
    response
}

async fn me(State(page): State<Arc<AdminPage>>, Seeing(current): Seeing) -> Json<Value> {
    let mut body = view(&current);
    body["version"] = env!("CARGO_PKG_VERSION").into();
    body["url"] = page.admins.page().borrow().url.clone().into();
    Json(body)
}

async fn list(State(page): State<Arc<AdminPage>>, Seeing(current): Seeing) -> Json<Value> {
    let sessions = page.admins.sessions.list(&current, page.api.clock.now());
    let view = |session: super::sessions::Listed| {
        json!({
            "id": session.id,
            "created": session.created.to_rfc3339(),
            "seen": session.seen.to_rfc3339(),
            "address": session.address,
            "userAgent": session.user_agent,
            "current": session.is_current,
        })
    };
    Json(json!({ "sessions": sessions.into_iter().map(view).collect::<Vec<_>>() }))
}

async fn end(
    State(page): State<Arc<AdminPage>>,
    sender: Sender,
    Seeing(current): Seeing,
    PathParts(id): PathParts<String>,
) -> Result<StatusCode, ApiError> {
    if !page.admins.sessions.end_by_id(&current.name, &id) {
        return Err(ErrorCode::NotFound.into());
    }
    record(&page, Event::LoggedOut, sender.address, "admin: another session", Some(&current.name));
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PasswordChange {
    password: String,
    new_password: String,
}

async fn change_password(
    State(page): State<Arc<AdminPage>>,
    sender: Sender,
    Seeing(current): Seeing,
    Body(change): Body<PasswordChange>,
) -> Result<StatusCode, ApiError> {
    let (old, new) = (&*change.password, &*change.new_password);
    let changing = page.admins.change_password(&current, old, new);
    // By a name that nobody can log in with: whoever has found a page open keeps its admin from nothing.
    let throttled_by = format!("password of {}", current.name);
    attempt(&page, sender.address, &throttled_by, changing).await?;
    record(&page, Event::PasswordChanged, sender.address, "admin", Some(&current.name));
    Ok(StatusCode::NO_CONTENT)
}

/// Tries a password, unless there were too many wrong ones for this name or from this address. Where an admin has logged
/// in lately, only the failures from there count: no stranger keeps an admin out.
async fn attempt<T>(
    page: &AdminPage,
    address: IpAddr,
    name: &str,
    try_it: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let now_ms = || page.api.clock.now().0;
    let attempt = page.admins.throttle.begin(Admins::account_name(name), address, now_ms());
    let attempt = attempt.map_err(|exceeded| {
        record(page, Event::LoginFailedMax, address, &format!("admin: {}", exceeded.policy.limit), None);
        exceeded.failure()
    })?;
    let outcome = try_it.await;
    match &outcome {
        Ok(_) => attempt.succeeded(now_ms()),
        Err(failure) if failure.code == ErrorCode::InvalidCredentials => {
            record(page, Event::LoginFailed, address, "admin password", None);
            let (_, failures) = attempt.failed(now_ms());
            if let Some(failures) = failures {
                // Taken in now; nobody waits for it, nor is the answer another if it goes wrong.
                drop(page.api.store.note_login_failures(failures));
            }
        }
        Err(_) => attempt.withdraw(now_ms()),
    }
    outcome
}

fn view(current: &Current) -> Value {
    json!({
        "admin": { "name": &*current.name, "role": current.role },
        "expiresAt": current.ends.to_rfc3339(),
    })
}

/// As long as the browser is open, and no longer than the session. An empty one is forgotten.
fn set_cookie(headers: &mut HeaderMap, value: &str, is_secure: bool) {
    let (name, secure) = if is_secure { (COOKIE, " Secure;") } else { (LOCAL_COOKIE, "") };
    let age = if value.is_empty() { " Max-Age=0;" } else { "" };
    let cookie = format!("{name}={value}; Path=/;{age}{secure} HttpOnly; SameSite=Strict");
    let mut cookie = HeaderValue::try_from(cookie).expect("base64url");
    cookie.set_sensitive(true);
    headers.append(header::SET_COOKIE, cookie);
}

fn record(page: &AdminPage, event: Event, address: IpAddr, reason: &str, target: Option<&str>) {
    let record = Record { address: Some(address), reason: Some(reason), target, ..Record::new(event) };
    page.context().audit.record(&record);
}
