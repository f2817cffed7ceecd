//! The OpenAPI document: made from the routes when the server starts, and served at `/openapi.json`.

use std::collections::BTreeMap;

use roomkey_model::ErrorCode;
use serde_json::{Map, Value, json};

use super::{
    on_behalf,
    routes::{Operation, Proof},
};

/// The document about these operations.
pub(super) fn document(operations: &[Operation]) -> Value {
    let mut paths = Map::new();
    for operation in operations {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_ascii_lowercase()] = describe(operation);
    }
    let schemas: Value = serde_json::from_str(SCHEMAS).expect("the schemas are JSON");
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Roomkey",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Every refusal has the shape of `Error`. Its `code` is stable, its `message` is for people.",
            "license": { "name": "Apache-2.0 OR MIT" },
        },
        "tags": TAGS.map(|(name, description)| json!({ "name": name, "description": description })),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" },
                "cookie": {
                    "type": "apiKey", "in": "cookie", "name": super::ACCESS_COOKIE,
                    "description": "Where auth.session_cookies is on, for pages of an allowed origin.",
                },
                "apiKey": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
                "apiKeyAsBearer": { "type": "http", "scheme": "bearer" },
            },
        },
    })
}

const SCHEMAS: &str = include_str!("schemas.json");

const TAGS: [(&str, &str); 5] = [
    ("auth", "Accounts and their sessions"),
    ("backends", "For programs with an API key"),
    ("channels", "Channels, their members and their history"),
    ("keys", "What verifies tokens"),
    ("operations", "For operators and their tools"),
];

fn describe(operation: &Operation) -> Value {
    let on_behalf = operation.proof == Proof::Token && on_behalf::is_for(operation.path);
    let mut described = json!({
        "summary": operation.summary,
        "operationId": operation_id(operation),
        "tags": [operation.tag],
        "security": match operation.proof {
            Proof::None => json!([]),
            Proof::Token if on_behalf => json!([{ "token": [] }, { "cookie": [] }, { "apiKey": [] }]),
            Proof::Token => json!([{ "token": [] }, { "cookie": [] }]),
            Proof::ApiKey => json!([{ "apiKey": [] }, { "apiKeyAsBearer": [] }]),
        },
        "responses": responses(operation),
    });
    let in_path = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let in_path = in_path
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    let in_query = operation.query.iter().map(|(name, description)| {
        json!({ "name": name, "in": "query", "description": description, "schema": { "type": "string" } })
    });
    let user = on_behalf.then(|| {
        let description = "For whom a backend with an API key does it.";
        json!({ "name": "Roomkey-User", "in": "header", "description": description, "schema": { "type": "string" } })
    });
    let parameters: Vec<Value> = in_path.chain(in_query).chain(user).collect();
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some((schema, required)) = operation.body {
        let content = json!({ "application/json": { "schema": reference(schema) } });
        described["requestBody"] = json!({ "required": required, "content": content });
    }
    described
}

/// Success, and the refusals by their status.
fn responses(operation: &Operation) -> Value {
    let (status, schema) = operation.answer;
    let mut success = json!({ "description": "Done" });
    if let Some(schema) = schema {
        let schema = if schema == "string" { json!({ "type": "string" }) } else { reference(schema) };
        success["content"] = json!({ operation.content_type: { "schema": schema } });
    }
    let mut responses = Map::from_iter([(status.to_string(), success)]);
    let mut refusals: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    let of_proof: &[ErrorCode] = match operation.proof {
        Proof::None => &[],
        Proof::Token => &[
            ErrorCode::TokenMissing,
            ErrorCode::TokenInvalid,
            ErrorCode::TokenExpired,
            ErrorCode::TokenRevoked,
            ErrorCode::TokenAmbiguous,
            ErrorCode::RateLimited,
        ],
        Proof::ApiKey => &[ErrorCode::ApiKeyInvalid, ErrorCode::InsufficientScope],
    };
    let of_body: &[ErrorCode] = match operation.body {
        None => &[],
        Some(_) => &[ErrorCode::BadPayload, ErrorCode::PayloadTooLarge, ErrorCode::UnsupportedMediaType],
    };
    for code in operation.refusals.iter().chain(of_proof).chain(of_body) {
        refusals.entry(code.http_status()).or_default().push(code.as_str());
    }
    for (status, codes) in refusals {
        let content = json!({ "application/json": { "schema": reference("Error") } });
        let description = format!("`{}`", codes.join("`, `"));
        responses.insert(status.to_string(), json!({ "description": description, "content": content }));
    }
    responses.into()
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

/// `postApiAuthLogin`.
fn operation_id(operation: &Operation) -> String {
    let words = operation.path.split(|character: char| !character.is_alphanumeric());
    let mut id = operation.method.as_str().to_ascii_lowercase();
    for word in words.filter(|word| !word.is_empty()) {
        let (first, rest) = word.split_at(1);
        id += &first.to_uppercase();
        id += rest;
    }
    id
}
