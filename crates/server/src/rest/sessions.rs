//! `/api/auth/refresh`, `/logout`, `/sessions`, `/password`: the life of a login.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use roomkey_auth::Identity;
use roomkey_model::{ErrorCode, RevocationReason, SessionId};
use roomkey_store::Session;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Api, ApiError,
    accounts::{NO_STORE, answer},
    attempts::attempt,
    cookies,
    extract::{Authenticated, Client, JsonBody, Leaving, OptionalJsonBody, PathParts, refused_token},
    routes::{Operation, Proof, Routes},
};
use crate::{accounts::OtherSessions, audit::Event, rates::AccountName};

pub(super) fn routes() -> Routes {
    const REFRESH: &[ErrorCode] = &[
        ErrorCode::TokenMissing,
        ErrorCode::TokenInvalid,
        ErrorCode::TokenExpired,
        ErrorCode::TokenRevoked,
        ErrorCode::TokenAmbiguous,
        ErrorCode::OriginDenied,
        ErrorCode::RateLimited,
        ErrorCode::Unavailable,
    ];
    const LOG_OUT: &[ErrorCode] = &[ErrorCode::OriginDenied, ErrorCode::Unavailable];
    const PASSWORD: &[ErrorCode] =
        &[ErrorCode::InvalidCredentials, ErrorCode::RateLimited, ErrorCode::Unavailable];
    let of_user = |operation: Operation| operation.needs(Proof::Token);
    Routes::new()
        .add(
            Operation::post("/api/auth/refresh", "auth", "Exchange a refresh token for new tokens")
                .may_take("RefreshToken")
                .answers(200, "LoggedIn")
                .refuses(REFRESH),
            refresh,
        )
        .add(
            Operation::post("/api/auth/logout", "auth", "End the session of the tokens that are shown")
                .may_take("RefreshToken")
                .refuses(LOG_OUT),
            log_out,
        )
        .add(
            of_user(Operation::post("/api/auth/logout-all", "auth", "End all sessions of the user"))
                .refuses(LOG_OUT),
            log_out_everywhere,
        )
        .add(
            of_user(Operation::get("/api/auth/sessions", "auth", "The sessions of the user, newest first"))
                .answers(200, "Sessions"),
            list,
        )
        .add(
            of_user(Operation::delete("/api/auth/sessions/{sid}", "auth", "End one of the user's sessions"))
                .refuses(&[ErrorCode::NotFound, ErrorCode::Unavailable]),
            end,
        )
        .add(
            of_user(Operation::post(
                "/api/auth/password",
                "auth",
                "Change the password, and end all other sessions",
            ))
            .takes("PasswordChange")
            .refuses(PASSWORD),
            change_password,
        )
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RefreshBody {
    refresh_token: Option<String>,
}

async fn refresh(
    State(api): State<Arc<Api>>,
    client: Client,
    headers: HeaderMap,
    OptionalJsonBody(body): OptionalJsonBody<RefreshBody>,
) -> Result<Response, ApiError> {
    let in_cookie = match api.session_cookies && client.is_trusted_page {
        true => cookies::find(&headers, cookies::REFRESH_COOKIE)?,
        false => None,
    };
    let token = match (body.refresh_token, in_cookie) {
        (Some(one), Some(other)) if one != other => return Err(ErrorCode::TokenAmbiguous.into()),
        (Some(token), _) | (None, Some(token)) => token,
        (None, None) => return Err(ErrorCode::TokenMissing.into()),
    };
    match api.accounts.refresh(&token, client.device()).await {
        Ok(logged_in) => {
            client.record_session(&api, Event::SessionRenewed, &logged_in.session, Some("refresh"));
            Ok(answer(&api, &client, StatusCode::OK, &logged_in))
        }
        Err(refused) => {
            match &refused.reused {
                Some(session) => client.record_session(&api, Event::TokenReused, session, None),
                None => client.record(&api, Event::LoginFailed, None, Some("refresh")),
            }
            let code = refused.failure.code;
            let failure = refused_token(&api, client.address, refused.failure).await;
            let mut response = ApiError(failure).into_response();
            // What can never count again is not sent again.
            if api.session_cookies && code.http_status() == 401 {
                cookies::clear(response.headers_mut());
            }
            Ok(response)
        }
    }
}

/// Ends whatever session the request proves to be its own. There may be none left: that is as well.
async fn log_out(
    State(api): State<Arc<Api>>,
    client: Client,
    Leaving(identity): Leaving,
    OptionalJsonBody(body): OptionalJsonBody<RefreshBody>,
) -> Result<Response, ApiError> {
    if let Some(identity) = &identity {
        api.accounts.log_out(identity).await?;
        let who = (&identity.user, identity.session.as_ref());
        client.record(&api, Event::LoggedOut, Some(who), None);
    }
    if let Some(token) = &body.refresh_token {
        let user = identity.as_ref().map(|identity| &identity.user);
        if let Some(session) = api.accounts.log_out_by_refresh_token(token, user).await?
            && identity.is_none()
        {
            client.record_session(&api, Event::LoggedOut, &session, None);
        }
    }
    Ok(gone(&api))
}

async fn log_out_everywhere(
    State(api): State<Arc<Api>>,
    client: Client,
    Authenticated(identity): Authenticated,
) -> Result<Response, ApiError> {
    let now = api.clock.now();
    api.accounts.end_all_sessions(&identity.user, Some(now), RevocationReason::LoggedOut).await?;
    let who = (&identity.user, identity.session.as_ref());
    client.record(&api, Event::LoggedOut, Some(who), Some("everywhere"));
    Ok(gone(&api))
}

async fn list(
    State(api): State<Arc<Api>>,
    Authenticated(identity): Authenticated,
) -> Result<Response, ApiError> {
    let sessions = api.accounts.sessions(&identity.user).await?;
    let current = own_session(&api, &identity);
    let sessions: Vec<Value> = sessions
        .iter()
        .map(|session| {
            let mut view = view(session);
            view["current"] = (Some(&session.session) == current).into();
            view
        })
        .collect();
    Ok((NO_STORE, Json(json!({ "sessions": sessions }))).into_response())
}

async fn end(
    State(api): State<Arc<Api>>,
    client: Client,
    Authenticated(identity): Authenticated,
    PathParts(session): PathParts<String>,
) -> Result<StatusCode, ApiError> {
    let session = SessionId::new(session).map_err(|_| ErrorCode::NotFound)?;
    let ended = api.accounts.end_session(&identity.user, &session, RevocationReason::LoggedOut).await?;
    ended.ok_or(ErrorCode::NotFound)?;
    client.record(&api, Event::LoggedOut, Some((&identity.user, Some(&session))), Some("another session"));
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PasswordChange {
    current_password: String,
    new_password: String,
    #[serde(default = "yes")]
    end_other_sessions: bool,
}

fn yes() -> bool {
    true
}

async fn change_password(
    State(api): State<Arc<Api>>,
    client: Client,
    Authenticated(identity): Authenticated,
    JsonBody(change): JsonBody<PasswordChange>,
) -> Result<StatusCode, ApiError> {
    let others = match change.end_other_sessions {
        true => OtherSessions::End { kept: own_session(&api, &identity) },
        false => OtherSessions::Keep,
    };
    let PasswordChange { current_password, new_password, .. } = change;
    let changing = api.accounts.change_password(&identity.user, &current_password, &new_password, others);
    let changed = attempt(&api, client.address, AccountName::of_user(&identity.user), changing).await;
    let who = Some((&identity.user, identity.session.as_ref()));
    match changed {
        Ok(()) => {
            client.record(&api, Event::PasswordChanged, who, None);
            Ok(StatusCode::NO_CONTENT)
        }
        Err(failure) => {
            if failure.code == ErrorCode::InvalidCredentials {
                client.record(&api, Event::LoginFailed, who, Some("the current password"));
            }
            Err(failure.into())
        }
    }
}

/// What a user is shown of a session.
pub(super) fn view(session: &Session) -> Value {
    json!({
        "id": session.session,
        "userAgent": session.user_agent,
        "address": session.address,
        "createdAt": session.created.to_string(),
        "lastSeenAt": session.seen.to_string(),
        "expiresAt": session.ends.min(session.idle_ends).to_string(),
    })
}

/// The session of the token, if it is one of ours.
fn own_session<'a>(api: &Api, identity: &'a Identity) -> Option<&'a SessionId> {
    let issuer = api.issuer.as_ref()?.issuer();
    identity.session.as_ref().filter(|_| *identity.issuer == *issuer)
}

fn gone(api: &Api) -> Response {
    let mut response = (StatusCode::NO_CONTENT, NO_STORE).into_response();
    if api.session_cookies {
        cookies::clear(response.headers_mut());
    }
    response
}
