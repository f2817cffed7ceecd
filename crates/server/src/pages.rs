//! The demo page: built from `web/`, part of the binary.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::{Router, routing::get};
use http::{HeaderMap, HeaderValue, StatusCode, header};

/// Only what is served from here may run or be loaded; nobody may put the page into a frame.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

struct Page {
    path: &'static str,
    content_type: &'static str,
    content: &'static [u8],
}

macro_rules! pages {
    ($($path:literal: $content_type:literal = $file:literal;)*) => {
        const PAGES: &[Page] = &[$(
            Page { path: $path, content_type: $content_type, content: include_bytes!(concat!("../pages/", $file)) }
        ),*];
    };
}

pages! {
    "/": "text/html; charset=utf-8" = "index.html";
    "/assets/chat.css": "text/css; charset=utf-8" = "assets/chat.css";
    "/assets/chat.js": "text/javascript; charset=utf-8" = "assets/chat.js";
    "/assets/icon.svg": "image/svg+xml" = "assets/icon.svg";
    "/assets/licenses.md": "text/markdown; charset=utf-8" = "assets/licenses.md";
}

/// Serves the page and what it is made of.
pub(crate) fn router() -> Router {
    PAGES.iter().fold(Router::new(), |router, page| {
        let etag = etag(page.content);
        router.route(page.path, get(async move |headers: HeaderMap| serve(page, &etag, &headers)))
    })
}

fn serve(page: &Page, etag: &HeaderValue, request: &HeaderMap) -> (StatusCode, HeaderMap, &'static [u8]) {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(page.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::ETAG, etag.clone());
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if request.get(header::IF_NONE_MATCH) == Some(etag) {
        return (StatusCode::NOT_MODIFIED, headers, b"");
    }
    (StatusCode::OK, headers, page.content)
}

fn etag(content: &[u8]) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish()).parse().expect("hexadecimal digits")
}
