//! What `roomkey serve` offers beyond sockets.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{Target, client::Client, rest};

/// Creates a channel of the token's user: its id.
pub(crate) async fn new_channel(target: &Target, token: &str, visibility: &str) -> Result<String> {
    let wanted = json!({ "name": "load", "visibility": visibility });
    let created = rest::post(target.address, "/api/channels", token, &wanted).await?;
    Ok(created["channel"]["id"].as_str().context("the channel has no id")?.to_owned())
}

/// Emits an event, whose ack must have data.
pub(crate) async fn ask(client: &mut Client, event: &Value) -> Result<Value> {
    let ack: Value = serde_json::from_str(&client.call(&event.to_string()).await?)?;
    ensure!(ack[0].get("data").is_some(), "{event}: {ack}");
    Ok(ack[0]["data"].clone())
}

/// How many commits the server has made, and of how many changes; nothing if it does not count them.
pub(crate) async fn commits(target: &Target) -> Result<Option<(f64, f64)>> {
    let metrics = rest::get(target.address, "/metrics").await?;
    let value = |name: &str| metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    Ok(value("roomkey_commit_changes_count ").zip(value("roomkey_commit_changes_sum ")))
}
