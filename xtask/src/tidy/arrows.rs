use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::run;

/// Who may know whom: crate, the crates of ours it may use, the crates of others it must not use.
///
/// Level by level, bottom up; a crate is a rule about dependencies (ARCHITECTURE.md). Tests may use anything.
const ARROWS: &[(&str, &[&str], &[&str])] = &[
    ("roomkey-model", &[], &["bytes", "getrandom", "serde_json", "tokio"]),
    ("roomkey-websocket", &[], &["getrandom", "serde_json", "tokio"]),
    ("roomkey-protocol", &["model"], &["axum", "getrandom", "http", "hyper", "tokio"]),
    ("roomkey-auth", &["model"], &["axum", "getrandom", "http", "hyper", "tokio"]),
    ("roomkey-store", &["model"], &["axum", "http", "hyper"]),
    ("roomkey-hub", &["model", "websocket"], &["axum", "http", "hyper", "rusqlite", "serde_json"]),
    ("roomkey-cluster", &["hub", "model", "protocol"], &["axum", "http", "hyper", "rusqlite"]),
    (
        "roomkey-chat",
        &["auth", "cluster", "hub", "model", "protocol", "store"],
        &["axum", "http", "hyper", "rusqlite", "socket2"],
    ),
    (
        "roomkey",
        &["auth", "chat", "cluster", "hub", "loadtest", "model", "protocol", "store", "websocket"],
        &["rusqlite"],
    ),
    ("roomkey-loadtest", &["model", "protocol", "websocket"], &["axum", "hyper", "rusqlite"]),
    (
        "roomkey-testkit",
        &["auth", "chat", "cluster", "hub", "model", "protocol", "server", "store", "websocket"],
        &[],
    ),
    ("xtask", &["model"], &[]),
];

/// Every arrow between crates points down.
pub(super) fn check() -> Result<Vec<String>> {
    let output = run::command("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .context("cannot run cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    findings(&serde_json::from_slice(&output.stdout)?)
}

fn findings(metadata: &Value) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for package in metadata["packages"].as_array().context("no packages")? {
        let name = package["name"].as_str().context("no name")?;
        let Some((_, ours, never)) = ARROWS.iter().find(|(known, ..)| *known == name) else {
            findings.push(format!("{name}: has no row in arrows.rs; what may it know?"));
            continue;
        };
        for dependency in package["dependencies"].as_array().context("no dependencies")? {
            let used = dependency["name"].as_str().context("no name")?;
            let is_for_tests = dependency["kind"] == "dev";
            let is_forbidden = match used.strip_prefix("roomkey-").or((used == "roomkey").then_some("server"))
            {
                Some(folder) => !ours.contains(&folder),
                None => never.contains(&used),
            };
            if is_forbidden && !is_for_tests {
                findings.push(format!("{name}: must not know `{used}` (arrows.rs)"));
            }
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_arrows_are_found() {
        let check = |text: &str| findings(&serde_json::from_str(text).unwrap()).unwrap();
        let upwards = r#"{"packages": [{"name": "roomkey-model", "dependencies": [
            {"name": "roomkey-hub", "kind": null}, {"name": "tokio", "kind": null},
            {"name": "serde", "kind": null}]}]}"#;
        let for_tests = r#"{"packages": [{"name": "roomkey-model", "dependencies": [
            {"name": "serde_json", "kind": "dev"}]}]}"#;
        let unknown = r#"{"packages": [{"name": "roomkey-new", "dependencies": []}]}"#;
        assert_eq!(check(upwards).len(), 2);
        assert_eq!(check(for_tests).len(), 0);
        assert_eq!(check(unknown).len(), 1);
    }
}
