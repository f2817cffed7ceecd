//! Routes together with what the OpenAPI document says of them: no route is added without its description.

use std::sync::Arc;

use axum::{
    Router,
    handler::Handler,
    routing::{MethodFilter, on},
};
use http::Method;
use roomkey_model::ErrorCode;

use super::Api;

/// Routes that are being put together.
pub(super) struct Routes {
    router: Router<Arc<Api>>,
    operations: Vec<Operation>,
}

/// One method of one path.
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) tag: &'static str,
    pub(super) proof: Proof,
    /// Names of parameters in the query, and what they are for.
    pub(super) query: &'static [(&'static str, &'static str)],
    /// The schema of the body, and whether there must be one.
    pub(super) body: Option<(&'static str, bool)>,
    /// The status of success, and the schema of its body.
    pub(super) answer: (u16, Option<&'static str>),
    pub(super) content_type: &'static str,
    pub(super) refusals: &'static [ErrorCode],
}

/// What a request has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    ApiKey,
    None,
    Token,
}

impl Operation {
    pub(super) fn new(method: Method, path: &'static str, tag: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            summary,
            tag,
            proof: Proof::None,
            query: &[],
            body: None,
            answer: (204, None),
            content_type: "application/json",
            refusals: &[],
        }
    }

    pub(super) fn get(path: &'static str, tag: &'static str, summary: &'static str) -> Self {
        Self::new(Method::GET, path, tag, summary)
    }

    pub(super) fn post(path: &'static str, tag: &'static str, summary: &'static str) -> Self {
        Self::new(Method::POST, path, tag, summary)
    }

    pub(super) fn delete(path: &'static str, tag: &'static str, summary: &'static str) -> Self {
        Self::new(Method::DELETE, path, tag, summary)
    }

    pub(super) fn needs(self, proof: Proof) -> Self {
        Self { proof, ..self }
    }

    pub(super) fn query(self, query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, ..self }
    }

    pub(super) fn takes(self, schema: &'static str) -> Self {
        Self { body: Some((schema, true)), ..self }
    }

    pub(super) fn may_take(self, schema: &'static str) -> Self {
        Self { body: Some((schema, false)), ..self }
    }

    pub(super) fn answers(self, status: u16, schema: &'static str) -> Self {
        Self { answer: (status, Some(schema)), ..self }
    }

    pub(super) fn with_type(self, content_type: &'static str) -> Self {
        Self { content_type, ..self }
    }

    pub(super) fn refuses(self, refusals: &'static [ErrorCode]) -> Self {
        Self { refusals, ..self }
    }
}

impl Routes {
    pub(super) fn new() -> Self {
        Self { router: Router::new(), operations: Vec::new() }
    }

    /// Serves an operation.
    pub(super) fn add<H, T>(mut self, operation: Operation, handler: H) -> Self
    where
        H: Handler<T, Arc<Api>>,
        T: 'static,
    {
        let method = MethodFilter::try_from(operation.method.clone()).expect("a method of the standard");
        self.router = self.router.route(operation.path, on(method, handler));
        self.operations.push(operation);
        self
    }

    pub(super) fn and(mut self, other: Self) -> Self {
        self.operations.extend(other.operations);
        Self { router: self.router.merge(other.router), ..self }
    }

    pub(super) fn into_parts(self) -> (Router<Arc<Api>>, Vec<Operation>) {
        (self.router, self.operations)
    }
}
