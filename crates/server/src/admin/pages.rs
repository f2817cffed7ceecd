//! The page itself: built from `web/`, part of the binary.

use std::sync::Arc;

use axum::{Router, routing::get};
use http::header;

use super::AdminPage;

struct Asset {
    path: &'static str,
    content_type: &'static str,
    content: &'static [u8],
}

/// Its files. `guard` adds the headers that all answers have.
const PAGES: &[Asset] = &[];

pub(super) fn router() -> Router<Arc<AdminPage>> {
    PAGES.iter().fold(Router::new(), |router, page| {
        let content_type = [(header::CONTENT_TYPE, page.content_type)];
        router.route(page.path, get(async move || (content_type, page.content)))
    })
}
