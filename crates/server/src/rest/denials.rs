//! Records who asked for what they may not do.

use std::sync::{Arc, OnceLock};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http::{StatusCode, header, request::Parts};
use roomkey_auth::Identity;

use super::Api;
use crate::{
    ClientAddress,
    audit::{Event, Record},
};

/// Who turned out to have sent a request.
#[derive(Clone, Default)]
struct Asker(Arc<OnceLock<Arc<Identity>>>);

/// Says who has sent the request that these are the parts of.
pub(super) fn remember(parts: &Parts, identity: &Arc<Identity>) {
    if let Some(asker) = parts.extensions.get::<Asker>() {
        // Nobody else: a request has one token.
        let _ = asker.0.set(identity.clone());
    }
}

/// Records requests of somebody who is known that are answered with 403.
pub(super) async fn record(State(api): State<Arc<Api>>, mut request: Request, next: Next) -> Response {
    let asker = Asker::default();
    request.extensions_mut().insert(asker.clone());
    let path = request.extensions().get::<MatchedPath>().cloned();
    let address = request.extensions().get::<ClientAddress>().map(|address| address.0);
    let (method, origin) = (request.method().clone(), request.headers().get(header::ORIGIN).cloned());
    let response = next.run(request).await;
    if let (StatusCode::FORBIDDEN, Some(identity)) = (response.status(), asker.0.get()) {
        let target = path.map(|path| format!("{method} {}", path.as_str()));
        api.server.context.audit.record(&Record {
            user: Some(&identity.user),
            issuer: Some(&identity.issuer),
            session: identity.session.as_ref(),
            address,
            origin: origin.as_ref().and_then(|origin| origin.to_str().ok()),
            target: target.as_deref(),
            ..Record::new(Event::AuthorizationFailed)
        });
    }
    response
}
