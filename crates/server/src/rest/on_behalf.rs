//! What a backend does for a user: an API key, and the header `Roomkey-User`.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath};
use http::request::Parts;
use roomkey_auth::{Identity, KeptClaims, Scopes};
use roomkey_model::{ErrorCode, Failure, TokenId, UserId};

use super::{Api, ApiError, backends, extract::Client};
use crate::{
    api_keys::Scope,
    audit::{Event, Record},
};

const HEADER: &str = "roomkey-user";

/// Where a backend may act for users: in the chat, and not in their accounts.
const PATHS: [&str; 3] = ["/api/channels", "/api/invites", "/api/messages"];

/// Whether a backend may act for users at this path.
pub(super) fn is_for(path: &str) -> bool {
    PATHS.iter().any(|allowed| path.starts_with(allowed))
}

/// The user that the request is made for. `None`: it is made by its sender.
///
/// The user's own rights count, as members of channels have them. Roles at an issuer are those of a token, and there is none.
pub(super) async fn identity(parts: &mut Parts, api: &Arc<Api>) -> Result<Option<Arc<Identity>>, ApiError> {
    let mut named = parts.headers.get_all(HEADER).iter();
    let Some(user) = named.next() else { return Ok(None) };
    let path = parts.extensions.get::<MatchedPath>().map(|path| path.as_str().to_owned()).unwrap_or_default();
    if !is_for(&path) {
        return Err(Failure::bad_payload("Roomkey-User: this cannot be done for somebody else").into());
    }
    let user = user.to_str().ok().filter(|_| named.next().is_none()).map(UserId::new);
    let Some(Ok(user)) = user else {
        return Err(Failure::bad_payload("Roomkey-User: must be the id of one user").into());
    };
    let client = Client::from_request_parts(parts, api).await?;
    let key = backends::authorize(api, &client, &parts.headers, Scope::Channels)?;
    let target = format!("{} {path} for user {user}", parts.method);
    let may_act = !api.revoker.is_blocked(&user);
    let event = if may_act { Event::ActedForUser } else { Event::AuthorizationFailed };
    api.server.context.audit.record(&Record {
        user: Some(&user),
        address: Some(client.address),
        reason: Some(&format!("API key {key}")),
        target: Some(&target),
        ..Record::new(event)
    });
    if !may_act {
        return Err(Failure::from(ErrorCode::Forbidden).into());
    }
    // What others see of the user stays what the user's own tokens said last.
    let profile = api.store.profile(&user).await.map_err(Failure::from)?;
    let name = profile.map(|profile| profile.name.into());
    let issuer: Arc<str> = format!("api-key:{key}").into();
    let token = TokenId::new(&*issuer).map_err(|_| Failure::from(ErrorCode::Internal))?;
    Ok(Some(Arc::new(Identity {
        subject: user.as_str().into(),
        user,
        issuer,
        session: None,
        token,
        issued_at: None,
        expires_at: None,
        deadline: None,
        name,
        email: None,
        roles: Arc::default(),
        scopes: Scopes::default(),
        claims: KeptClaims::default(),
        key_id: None,
    })))
}
