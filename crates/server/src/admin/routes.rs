//! All that the admin page answers.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    handler::Handler,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use roomkey_model::{ErrorCode, Failure, Limit};

use super::{
    AdminPage, actions, connections, decisions, explain, guard, live, login, mass, pages, rooms, samples,
    users,
};
use crate::rest::ApiError;

/// Routes that are being put together.
pub(super) struct Routes(Router<Arc<AdminPage>>);

impl Routes {
    pub(super) fn new() -> Self {
        Self(Router::new())
    }

    pub(super) fn get<H: Handler<T, Arc<AdminPage>>, T: 'static>(self, path: &str, handler: H) -> Self {
        Self(self.0.route(path, get(handler)))
    }

    pub(super) fn post<H: Handler<T, Arc<AdminPage>>, T: 'static>(self, path: &str, handler: H) -> Self {
        Self(self.0.route(path, post(handler)))
    }

    pub(super) fn delete<H: Handler<T, Arc<AdminPage>>, T: 'static>(self, path: &str, handler: H) -> Self {
        Self(self.0.route(path, delete(handler)))
    }

    fn and(self, other: Self) -> Self {
        Self(self.0.merge(other.0))
    }
}

pub(super) fn router(page: Arc<AdminPage>) -> Router {
    let Routes(router) = login::routes()
        .and(samples::routes())
        .and(live::routes())
        .and(decisions::routes())
        .and(connections::routes())
        .and(rooms::routes())
        .and(users::routes())
        .and(actions::routes())
        .and(mass::routes())
        .and(explain::routes());
    router
        .merge(pages::router())
        .fallback(async || ApiError(Failure::new(ErrorCode::NotFound)))
        .method_not_allowed_fallback(async || ApiError(Failure::new(ErrorCode::MethodNotAllowed)))
        .layer(middleware::from_fn(to_the_end))
        .layer(middleware::map_response_with_state(page.clone(), count_limits))
        .layer(middleware::from_fn_with_state(page.clone(), guard::check))
        .with_state(page)
}

/// Makes a change to its end, also for a browser that does not wait for the answer: what is done is recorded, too.
async fn to_the_end(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let response = tokio::spawn(next.run(request)).await;
    response.unwrap_or_else(|_| ApiError(ErrorCode::Internal.into()).into_response())
}

/// Counts the limit that a refusal speaks of.
async fn count_limits(State(page): State<Arc<AdminPage>>, response: Response) -> Response {
    if let Some(limit) = response.extensions().get::<Limit>() {
        page.context().metrics.limit_reached(*limit);
    }
    response
}
