//! `/api/auth/register`, `/login`, `/me`: accounts of the built-in issuer.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
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
    cookies,
    extract::{Authenticated, Client, JsonBody},
    routes::{Operation, Proof, Routes},
};
use crate::{
    accounts::{LoggedIn, account_name},
    audit::Event,
};

pub(super) fn routes() -> Routes {
    const LOGIN: &[ErrorCode] =
        &[ErrorCode::InvalidCredentials, ErrorCode::RateLimited, ErrorCode::Unavailable];
    const REGISTER: &[ErrorCode] =
        &[ErrorCode::Conflict, ErrorCode::Forbidden, ErrorCode::RateLimited, ErrorCode::Unavailable];
    let login =
        |path| Operation::post(path, "auth", "Log in").takes("Login").answers(200, "LoggedIn").refuses(LOGIN);
    Routes::new()
        .add(
            Operation::post("/api/auth/register", "auth", "Create an account and log in")
                .takes("Registration")
                .answers(201, "LoggedIn")
                .refuses(REGISTER),
            register,
        )
        .add(login("/api/auth/login"), log_in)
        .add(login("/login"), log_in)
        .add(
            Operation::get("/api/auth/me", "auth", "Who the token speaks for")
                .needs(Proof::Token)
                .answers(200, "Me"),
            me,
        )
        .add(
            Operation::get("/.well-known/jwks.json", "keys", "The public keys of the built-in issuer")
                .answers(200, "JwkSet")
                .with_type("application/jwk-set+json"),
            jwks,
        )
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

async fn register(
    State(api): State<Arc<Api>>,
    client: Client,
    JsonBody(new): JsonBody<Registration>,
) -> Result<Response, ApiError> {
    if !api.registration {
        return Err(Failure::with_message(ErrorCode::Forbidden, "Registration is closed").into());
    }
    count_registration(&api, client.address)?;
    let username = new.username.as_deref();
    let logged_in = api.accounts.register(&new.email, username, &new.password, client.device()).await?;
    acquaint(&api, client.address, &logged_in.account);
    client.record(&api, Event::UserCreated, Some((&logged_in.account.user, None)), None);
    client.record_session(&api, Event::SessionCreated, &logged_in.session, None);
    Ok(answer(&api, &client, StatusCode::CREATED, &logged_in))
}

async fn log_in(
    State(api): State<Arc<Api>>,
    client: Client,
    JsonBody(login): JsonBody<Login>,
) -> Result<Response, ApiError> {
    let name = match (&login.email, &login.username) {
        (Some(name), None) | (None, Some(name)) => name,
        _ => return Err(Failure::bad_payload("exactly one of email and username must be given").into()),
    };
    let logging_in = api.accounts.login(name, &login.password, client.device());
    let mut response = match attempt(&api, client.address, account_name(name), logging_in).await {
        Ok(logged_in) => {
            acquaint(&api, client.address, &logged_in.account);
            end_surplus_sessions(&api, &logged_in.account.user, client.address);
            client.record_session(&api, Event::LoginSucceeded, &logged_in.session, Some("password"));
            client.record_session(&api, Event::SessionCreated, &logged_in.session, None);
            answer(&api, &client, StatusCode::OK, &logged_in)
        }
        Err(failure) => {
            if failure.code == ErrorCode::InvalidCredentials {
                client.record(&api, Event::LoginFailed, None, Some("password"));
            }
            ApiError(failure).into_response()
        }
    };
    describe_budget(&api, client.address, response.headers_mut());
    Ok(response)
}

async fn me(Authenticated(identity): Authenticated) -> Response {
    let body = json!({ "user": user(&identity), "expiresAt": identity.expires_at.map(|at| at.to_string()) });
    (NO_STORE, Json(body)).into_response()
}

/// Whoever verifies our tokens may keep the keys for a while; who meets a new `kid` asks again, as libraries do.
async fn jwks(State(api): State<Arc<Api>>) -> ([(HeaderName, &'static str); 2], String) {
    let keys = api.issuer.as_ref().map_or_else(|| r#"{"keys":[]}"#.to_owned(), |issuer| issuer.jwks());
    let kind = (header::CONTENT_TYPE, "application/jwk-set+json");
    ([kind, (header::CACHE_CONTROL, "public, max-age=300")], keys)
}

/// What is somebody's own must not stay in a cache (for tokens: RFC 6749, section 5.1).
pub(super) const NO_STORE: [(HeaderName, HeaderValue); 1] =
    [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];

/// The tokens of a login, where the client can keep them best: of a page, in cookies, if the operator wants that.
pub(super) fn answer(api: &Api, client: &Client, status: StatusCode, logged_in: &LoggedIn) -> Response {
    let account = &logged_in.account;
    let mut body = json!({
        "expiresIn": logged_in.expires_in_s,
        "user": { "id": account.user, "email": account.email, "username": account.username },
    });
    if !api.session_cookies || !client.is_trusted_page {
        body["token"] = logged_in.token.expose_secret().into();
        body["refreshToken"] = logged_in.refresh_token.expose_secret().into();
    }
    let mut response = (status, NO_STORE, Json(body)).into_response();
    if api.session_cookies {
        cookies::set(response.headers_mut(), logged_in, api.clock.now());
    }
    response
}

fn user(identity: &Identity) -> Value {
    let roles: Vec<&str> = identity.roles.iter().map(AsRef::as_ref).collect();
    let (email, username) = (identity.email.as_deref(), identity.name.as_deref());
    json!({ "id": identity.user, "email": email, "username": username, "roles": roles })
}
