//! Lists that are given a page at a time.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Query};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::request::Parts;
use roomkey_model::{Failure, Limit};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::AdminPage;
use crate::rest::ApiError;

const ENTRIES: usize = 50;

/// What the query of a request asks for.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<AdminPage>> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, page: &Arc<AdminPage>) -> Result<Self, ApiError> {
        match Query::from_request_parts(parts, page).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(rejection) => Err(Failure::bad_payload(rejection.body_text()).into()),
        }
    }
}

/// How many entries a page has.
pub(super) fn limit(asked: Option<usize>, page: &AdminPage) -> Result<usize, Failure> {
    let max = page.api.limits.admin_page_entries;
    match asked {
        None => Ok(ENTRIES.min(max)),
        Some(asked) if (1..=max).contains(&asked) => Ok(asked),
        Some(_) => {
            Err(Failure::bad_payload(format!("limit: must be 1 to {max}")).at(Limit::AdminPageEntries))
        }
    }
}

/// Text that says where the next page begins, and nothing else to whoever has it.
pub(super) fn cursor(position: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(position)
}

/// Where a page begins.
pub(super) fn position(cursor: Option<&str>) -> Result<Option<String>, Failure> {
    let decode = |cursor: &str| String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok();
    cursor.map(|cursor| decode(cursor).ok_or_else(wrong_cursor)).transpose()
}

pub(super) fn wrong_cursor() -> Failure {
    Failure::bad_payload("cursor: is none that was given here")
}

/// A text that was left empty is one that was not given.
pub(super) fn non_empty<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}
