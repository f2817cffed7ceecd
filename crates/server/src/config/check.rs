//! The rules that no single type can hold.

use roomkey_hub::Hub;

use super::{Config, ConfigError};

/// Rooms of a socket beside those of channels: its personal ones, and some that it asks for.
const OTHER_ROOMS: usize = 4;
/// A file holds some records at least.
const AUDIT_FILE_BYTES_MIN: u64 = 4096;
const LIFETIME_S_MAX: u64 = 31 * 24 * 3600;
/// As long as browsers keep a cookie.
const SESSION_S_MAX: u64 = 400 * 24 * 3600;

pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let require = |path: &str, holds: bool, problem: &str| {
        if holds { Ok(()) } else { Err(ConfigError::new(config.places.setting(path), problem)) }
    };
    let Config { server, engine, auth, limits, .. } = config;
    require(
        "server.threads",
        (1..=Hub::SHARDS_MAX).contains(&server.threads),
        &format!("must be from 1 to {}", Hub::SHARDS_MAX),
    )?;
    require(
        "engine.path",
        is_path(&engine.path),
        "must be a path such as `/socket.io/`, of letters, digits and `-._~/`",
    )?;
    require("engine.transports", !engine.transports.is_empty(), "must name a transport")?;
    for (path, ms) in [
        ("engine.ping_interval_ms", engine.ping_interval_ms),
        ("engine.ping_timeout_ms", engine.ping_timeout_ms),
        ("engine.upgrade_timeout_ms", engine.upgrade_timeout_ms),
    ] {
        require(path, ms > 0, "must not be 0")?;
    }
    require(
        "audit.max_file_bytes",
        config.audit.max_file_bytes >= AUDIT_FILE_BYTES_MIN,
        &format!("must be at least {AUDIT_FILE_BYTES_MIN}"),
    )?;
    require("auth.issuer", !auth.issuer.trim().is_empty(), "must not be blank")?;
    require("auth.audience", !auth.audience.trim().is_empty(), "must not be blank")?;
    require(
        "auth.access_token_lifetime_s",
        (1..=LIFETIME_S_MAX).contains(&auth.access_token_lifetime_s),
        "must be from 1 second to 31 days",
    )?;
    for (path, lifetime_s) in [
        ("auth.refresh_token_idle_s", auth.refresh_token_idle_s),
        ("auth.refresh_token_lifetime_s", auth.refresh_token_lifetime_s),
    ] {
        require(path, (1..=SESSION_S_MAX).contains(&lifetime_s), "must be from 1 second to 400 days")?;
    }
    require("auth.jwt_secret_previous", auth.jwt_secret_previous.len() <= 3, "must be at most 3 secrets")?;
    require(
        "auth.cookie",
        auth.cookie.as_deref().is_none_or(is_token),
        "must be the name of a cookie: letters, digits and `-_.`",
    )?;
    require(
        "auth.cookie",
        auth.cookie.is_none() || !auth.session_cookies,
        "must not be set where auth.session_cookies is on: the token is in the cookie `__Host-roomkey` then",
    )?;
    check_admin(config)?;
    for (index, key) in auth.api_keys.iter().enumerate() {
        let is_first = auth.api_keys[..index].iter().all(|other| other.name != key.name);
        require(&format!("auth.api_keys[{index}].name"), is_first, "is another key's name, too")?;
    }
    config.policy.check().map_err(|(key, problem)| {
        ConfigError::new(config.places.setting(&format!("policy.{key}")), problem)
    })?;
    require(
        "auth.builtin",
        auth.builtin || auth.jwt_secret.is_some() || !auth.issuers.is_empty(),
        "nobody could log in: turn it on, or set auth.jwt_secret or [[auth.issuers]]",
    )?;
    require(
        "limits.rooms_per_socket",
        limits.channels_per_user.saturating_add(OTHER_ROOMS) <= limits.rooms_per_socket,
        &format!("must be at least {OTHER_ROOMS} more than limits.channels_per_user"),
    )
}

/// The page is for this machine only, or behind a proxy that encrypts: there is no way to have it open to the network as
/// it is.
fn check_admin(config: &Config) -> Result<(), ConfigError> {
    let (admin, server) = (&config.admin, &config.server);
    let refuse = |path: &str, problem: &str| Err(ConfigError::new(config.places.setting(path), problem));
    if !admin.enabled {
        return Ok(());
    }
    if admin.listen == server.listen && admin.listen.port() != 0 {
        return refuse("admin.listen", "must be another address or port than server.listen");
    }
    match &admin.url {
        None if !admin.listen.ip().is_loopback() => refuse(
            "admin.url",
            "must be set where admin.listen is not a loopback address: to the `https://` origin of the proxy that \
             browsers reach the page through",
        ),
        Some(url) if !url.0.is_secure() && !url.0.is_loopback() => {
            refuse("admin.url", "must begin with `https://`: passwords are sent there")
        }
        _ => Ok(()),
    }
}

fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && text.bytes().any(|byte| byte != b'/')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte))
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
