//! `/api/auth/revoke` and `/api/users/...`: what a backend does with its API key.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use roomkey_model::{
    ErrorCode, Failure, RevocationReason, RevocationTarget, SessionId, Timestamp, TokenId, UserId,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, ApiError,
    accounts::NO_STORE,
    extract::{Client, JsonBody, PathParts},
    routes::{Operation, Proof, Routes},
    sessions,
};
use crate::{api_keys::Scope, audit::Event, key_ring::SIGNS, revocation::Swept};

pub(super) fn routes() -> Routes {
    let with_key = |operation: Operation| operation.needs(Proof::ApiKey).refuses(&[ErrorCode::Unavailable]);
    Routes::new()
        .add(
            with_key(Operation::post(
                "/api/auth/revoke",
                "backends",
                "Revoke a token, a session, a user or a key",
            ))
            .takes("Revocation")
            .answers(200, "Revoked"),
            revoke,
        )
        .add(
            with_key(Operation::post(
                "/api/users/{id}/block",
                "backends",
                "Keep a user out, and end all sessions",
            ))
            .answers(200, "Revoked"),
            block,
        )
        .add(
            with_key(Operation::post(
                "/api/users/{id}/unblock",
                "backends",
                "Let a blocked user log in again",
            ))
            .answers(200, "Unblocked"),
            unblock,
        )
        .add(
            with_key(Operation::get("/api/users/{id}/sessions", "backends", "The sessions of a user"))
                .answers(200, "Sessions"),
            list,
        )
        .add(
            with_key(Operation::delete(
                "/api/users/{id}/sessions/{sid}",
                "backends",
                "End a session of a user",
            ))
            .refuses(&[ErrorCode::NotFound, ErrorCode::Unavailable]),
            end,
        )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RevocationRequest {
    token: Option<String>,
    jti: Option<String>,
    sid: Option<String>,
    user: Option<UserId>,
    kid: Option<String>,
    /// Whose `jti`, `sid` or `kid` it is; ours, where it is not said.
    issuer: Option<String>,
    /// Seconds since 1970, as in `iat`.
    issued_before: Option<f64>,
}

async fn revoke(
    State(api): State<Arc<Api>>,
    client: Client,
    headers: HeaderMap,
    JsonBody(request): JsonBody<RevocationRequest>,
) -> Result<Response, ApiError> {
    let key = authorize(&api, &client, &headers, Scope::Revoke)?;
    let issued_before = request.issued_before.map(timestamp).transpose()?;
    let target = target(&api, &request)?;
    let (what, swept) = match target {
        RevocationTarget::User(user) => {
            let before = issued_before.unwrap_or_else(|| api.clock.now());
            let swept = api.accounts.end_all_sessions(&user, Some(before), RevocationReason::Revoked).await?;
            (format!("user {user}"), swept)
        }
        RevocationTarget::Session { issuer, session } if issued_before.is_none() => {
            (format!("session of {issuer}"), api.accounts.revoke_session(issuer, &session).await?)
        }
        target => {
            let (what, reason) = match &target {
                RevocationTarget::Key { key_id, .. } => {
                    (format!("key {key_id}"), RevocationReason::KeyRevoked)
                }
                _ => ("token".to_owned(), RevocationReason::Revoked),
            };
            (what, api.revoker.revoke(target, issued_before, reason).await?)
        }
    };
    client.record_key(&api, Event::AdminAction, key, &format!("revoke {what}"));
    Ok(revoked(swept))
}

/// What is to be revoked: exactly one thing.
fn target(api: &Api, request: &RevocationRequest) -> Result<RevocationTarget, Failure> {
    let issuer = || -> Result<Arc<str>, Failure> {
        let ours = api.issuer.as_ref().map(|issuer| issuer.issuer());
        match request.issuer.as_deref().or(ours) {
            Some(name) => api.revoker.issuer(name),
            None => Err(Failure::bad_payload("issuer: must be given, as there is none of ours")),
        }
    };
    let wrong = |name: &str, problem| Failure::bad_payload(format!("{name}: {problem}"));
    match request {
        RevocationRequest { token: Some(token), jti: None, sid: None, user: None, kid: None, .. } => {
            // A token that nobody signed revokes nothing: its claims are anybody's.
            let verdict = api.authentication.verifier().verify_past(token, api.clock.now());
            let identity =
                verdict.map_err(|_| Failure::bad_payload("token: is not one of an issuer of this server"))?;
            Ok(RevocationTarget::Token { issuer: identity.issuer, token: identity.token })
        }
        RevocationRequest { token: None, jti: Some(jti), sid: None, user: None, kid: None, .. } => {
            let token = TokenId::new(jti.as_str()).map_err(|problem| wrong("jti", problem))?;
            Ok(RevocationTarget::Token { issuer: issuer()?, token })
        }
        RevocationRequest { token: None, jti: None, sid: Some(sid), user: None, kid: None, .. } => {
            let session = SessionId::new(sid.as_str()).map_err(|problem| wrong("sid", problem))?;
            Ok(RevocationTarget::Session { issuer: issuer()?, session })
        }
        RevocationRequest { token: None, jti: None, sid: None, user: Some(user), kid: None, .. } => {
            Ok(RevocationTarget::User(user.clone()))
        }
        RevocationRequest { token: None, jti: None, sid: None, user: None, kid: Some(kid), .. } => {
            let issuer = issuer()?;
            let ours = api.issuer.as_ref().filter(|ours| *ours.issuer() == *issuer);
            if ours.is_some_and(|ours| ours.signs_with(kid)) {
                return Err(Failure::with_message(ErrorCode::Conflict, SIGNS));
            }
            Ok(RevocationTarget::Key { issuer, key_id: kid.as_str().into() })
        }
        _ => Err(Failure::bad_payload("exactly one of token, jti, sid, user and kid must be given")),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be in the range of times"
)]
fn timestamp(seconds: f64) -> Result<Timestamp, Failure> {
    match (0.0..=253_402_300_799.0).contains(&seconds) {
        true => Ok(Timestamp((seconds * 1000.0) as u64)),
        false => Err(Failure::bad_payload("issuedBefore: must be seconds since 1970, as in iat")),
    }
}

async fn block(
    State(api): State<Arc<Api>>,
    client: Client,
    headers: HeaderMap,
    PathParts(user): PathParts<String>,
) -> Result<Response, ApiError> {
    let key = authorize(&api, &client, &headers, Scope::Users)?;
    let user = user_id(user)?;
    let swept = api.accounts.block(&user).await?;
    client.record_key(&api, Event::AdminAction, key, &format!("block user {user}"));
    Ok(revoked(swept))
}

async fn unblock(
    State(api): State<Arc<Api>>,
    client: Client,
    headers: HeaderMap,
    PathParts(user): PathParts<String>,
) -> Result<Json<Value>, ApiError> {
    let key = authorize(&api, &client, &headers, Scope::Users)?;
    let user = user_id(user)?;
    let unblocked = api.accounts.unblock(&user).await?;
    client.record_key(&api, Event::AdminAction, key, &format!("unblock user {user}"));
    Ok(Json(json!({ "unblocked": unblocked })))
}

async fn list(
    State(api): State<Arc<Api>>,
    client: Client,
    headers: HeaderMap,
    PathParts(user): PathParts<String>,
) -> Result<Response, ApiError> {
    let key = authorize(&api, &client, &headers, Scope::Users)?;
    let user = user_id(user)?;
    let sessions: Vec<Value> = api.accounts.sessions(&user).await?.iter().map(sessions::view).collect();
    client.record_key(&api, Event::AdminAction, key, &format!("list sessions of user {user}"));
    Ok((NO_STORE, Json(json!({ "sessions": sessions }))).into_response())
}

async fn end(
    State(api): State<Arc<Api>>,
    client: Client,
    headers: HeaderMap,
    PathParts((user, session)): PathParts<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let key = authorize(&api, &client, &headers, Scope::Users)?;
    let user = user_id(user)?;
    let session = SessionId::new(session).map_err(|_| ErrorCode::NotFound)?;
    let ended = api.accounts.end_session(&user, &session, RevocationReason::Revoked).await?;
    ended.ok_or(ErrorCode::NotFound)?;
    client.record_key(&api, Event::AdminAction, key, &format!("end a session of user {user}"));
    Ok(StatusCode::NO_CONTENT)
}

/// The name of the key that the request shows, if it is good for this.
pub(super) fn authorize<'a>(
    api: &'a Api,
    client: &Client,
    headers: &HeaderMap,
    scope: Scope,
) -> Result<&'a str, Failure> {
    let text = |name| headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    let bearer = text(header::AUTHORIZATION).map(|value| {
        let (scheme, key) = value.split_once(' ').unwrap_or_default();
        if scheme.eq_ignore_ascii_case("Bearer") { key } else { "" }
    });
    let mut shown = bearer.chain(text(http::HeaderName::from_static("x-api-key")));
    let key = shown.next().ok_or(ErrorCode::ApiKeyInvalid)?;
    if shown.any(|other| other != key) {
        return Err(ErrorCode::TokenAmbiguous.into());
    }
    match api.api_keys.check(key, scope) {
        Ok(key) => Ok(&key.name),
        Err(refused) => {
            let name = refused.name.unwrap_or("unknown");
            client.record_key(api, Event::AuthorizationFailed, name, refused.failure.code.as_str());
            Err(refused.failure)
        }
    }
}

fn user_id(text: String) -> Result<UserId, Failure> {
    UserId::new(text).map_err(|problem| Failure::bad_payload(format!("id: {problem}")))
}

fn revoked(swept: Swept) -> Response {
    Json(json!({ "revoked": true, "socketsClosed": swept.sockets })).into_response()
}
