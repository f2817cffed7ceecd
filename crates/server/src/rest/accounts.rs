//! `/api/auth/...`: accounts of the built-in issuer.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    middleware,
    routing::{get, post},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use roomkey_auth::Identity;
use roomkey_model::{ErrorCode, Failure};
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, ApiError,
    attempts::{acquaint, attempt, count_registration, describe_budget, end_surplus_sessions},
    extract::{Authenticated, Client, JsonBody},
};
use crate::accounts::LoggedIn;

pub(super) fn router(api: &Arc<Api>) -> Router<Arc<Api>> {
    let describe = middleware::from_fn_with_state(api.clone(), describe_budget);
    Router::new()
        .route("/api/auth/register", post(register))
        .route("/api/auth/login", post(login).layer(describe.clone()))
        .route("/login", post(login).layer(describe))
        .route("/api/auth/me", get(me))
        .route("/.well-known/jwks.json", get(jwks))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    email: String,
    username: Option<String>,
    password: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    email: Option<String>,
    username: Option<String>,
    password: String,
}

type Answer = (StatusCode, [(HeaderName, HeaderValue); 1], Json<Value>);

async fn register(
    State(api): State<Arc<Api>>,
    client: Client,
    JsonBody(new): JsonBody<Registration>,
) -> Result<Answer, ApiError> {
    if !api.registration {
        return Err(Failure::with_message(ErrorCode::Forbidden, "Registration is closed").into());
    }
    count_registration(&api, client.address)?;
    let username = new.username.as_deref();
    let logged_in = api.accounts.register(&new.email, username, &new.password, client.device()).await?;
    acquaint(&api, client.address, &logged_in.account);
    Ok(answer(StatusCode::CREATED, &logged_in))
}

async fn login(
    State(api): State<Arc<Api>>,
    client: Client,
    JsonBody(login): JsonBody<Login>,
) -> Result<Answer, ApiError> {
    let name = match (&login.email, &login.username) {
        (Some(name), None) | (None, Some(name)) => name,
        _ => return Err(Failure::bad_payload("exactly one of email and username must be given").into()),
    };
    let logging_in = api.accounts.login(name, &login.password, client.device());
    let logged_in = attempt(&api, client.address, name, logging_in).await?;
    acquaint(&api, client.address, &logged_in.account);
    end_surplus_sessions(&api, &logged_in.account.user, client.address);
    Ok(answer(StatusCode::OK, &logged_in))
}

async fn me(Authenticated(identity): Authenticated) -> Json<Value> {
    Json(json!({ "user": user(&identity), "expiresAt": identity.expires_at.map(|at| at.to_string()) }))
}

/// Whoever verifies our tokens may keep the keys for a while; who meets a new `kid` asks again, as libraries do.
async fn jwks(State(api): State<Arc<Api>>) -> ([(HeaderName, &'static str); 2], String) {
    let keys = api.issuer.as_ref().map_or_else(|| r#"{"keys":[]}"#.to_owned(), |issuer| issuer.jwks());
    let kind = (header::CONTENT_TYPE, "application/jwk-set+json");
    ([kind, (header::CACHE_CONTROL, "public, max-age=300")], keys)
}

/// Tokens must not stay in a cache (RFC 6749, section 5.1).
fn answer(status: StatusCode, logged_in: &LoggedIn) -> Answer {
    let account = &logged_in.account;
    let body = json!({
        "token": logged_in.token.expose_secret(),
        "refreshToken": logged_in.refresh_token.expose_secret(),
        "expiresIn": logged_in.expires_in_s,
        "user": { "id": account.user, "email": account.email, "username": account.username },
    });
    (status, [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body))
}

fn user(identity: &Identity) -> Value {
    let roles: Vec<&str> = identity.roles.iter().map(AsRef::as_ref).collect();
    let (email, username) = (identity.email.as_deref(), identity.name.as_deref());
    json!({ "id": identity.user, "email": email, "username": username, "roles": roles })
}
