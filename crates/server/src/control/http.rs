//! Commands over HTTP/1.1: `POST` to the path of the command, JSON in, JSON out.

use std::sync::Arc;

use anyhow::{Context as _, anyhow, ensure};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    routing::post,
};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{client, server};
use hyper_util::rt::TokioIo;
use roomkey_model::{ErrorCode, Failure};
use serde::Deserialize;
use tokio::net::UnixStream;
use tower::ServiceExt;

use super::{Command, Operator, commands};
use crate::rest::ApiError;

const REQUEST_BYTES_MAX: usize = 64 * 1024;
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// All commands.
pub(super) fn router(operator: Arc<Operator>) -> Router {
    commands::add_all(Router::new())
        .fallback(async || ApiError(Failure::with_message(ErrorCode::NotFound, OTHER_RELEASE)))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(operator)
}

const OTHER_RELEASE: &str = "the running server does not have this command: it is of another release";

/// A command at its path. Once begun it is carried out to its end, also for an operator who does not wait for the answer.
pub(super) fn route<C: Command>(router: Router<Arc<Operator>>) -> Router<Arc<Operator>> {
    let run = async |State(operator): State<Arc<Operator>>, Json(command): Json<C>| {
        let done = tokio::spawn(async move { command.run(operator).await }).await;
        done.unwrap_or_else(|_| Err(ErrorCode::Internal.into())).map(Json).map_err(ApiError)
    };
    router.route(C::PATH, post(run))
}

/// Answers the requests of one connection.
pub(super) async fn serve(stream: TokioIo<UnixStream>, router: Router) -> hyper::Result<()> {
    let service = hyper::service::service_fn(move |request| router.clone().oneshot(request));
    server::conn::http1::Builder::new().serve_connection(stream, service).await
}

/// Sends a command, and waits for its answer.
pub(super) async fn send<C: Command>(stream: UnixStream, command: &C) -> anyhow::Result<C::Answer> {
    let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::post(C::PATH)
        .header(header::HOST, "roomkey")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(serde_json::to_vec(command)?)))?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| anyhow!(error))?.to_bytes();
    connection.abort();
    ensure!(
        status == StatusCode::OK,
        "{}",
        message(&body).unwrap_or_else(|| format!("the server answers {status}"))
    );
    serde_json::from_slice(&body).context("the running server is of another release")
}

fn message(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
    }
    serde_json::from_slice(body).ok().map(|refusal: Refusal| refusal.message)
}
