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

macro_rules! assets {
    ($($path:literal: $content_type:literal = $file:literal;)*) => {
        /// Its files. `guard` adds the headers that all answers have.
        const PAGES: &[Asset] = &[$(
            Asset { path: $path, content_type: $content_type, content: include_bytes!(concat!("../../pages/", $file)) }
        ),*];
    };
}

assets! {
    "/": "text/html; charset=utf-8" = "admin.html";
    "/assets/admin.css": "text/css; charset=utf-8" = "assets/admin.css";
    "/assets/admin.js": "text/javascript; charset=utf-8" = "assets/admin.js";
    "/assets/icon.svg": "image/svg+xml" = "assets/icon.svg";
    "/assets/licenses.md": "text/markdown; charset=utf-8" = "assets/licenses.md";
}

pub(super) fn router() -> Router<Arc<AdminPage>> {
    PAGES.iter().fold(Router::new(), |router, page| {
        let content_type = [(header::CONTENT_TYPE, page.content_type)];
        router.route(page.path, get(async move || (content_type, page.content)))
    })
}
