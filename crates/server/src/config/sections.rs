//! Every section, every key, and its default.

use std::{net::SocketAddr, path::PathBuf, thread};

use roomkey_hub::Hub;
use roomkey_store::Retention;
use serde::{Deserialize, Deserializer};

use crate::{Deflate, ForwardedHeader, accounts::SessionLifetimes, rest::ACCESS_COOKIE};

use super::{
    api_key::ApiKeySection,
    issuer::Issuer,
    revalidation::RevalidationSection,
    values::{LogFormat, LogLevel, Networks, Origins, PageOrigin, Secret, Transport},
};

/// `[server]`: where and how the server runs.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ServerSection {
    /// Address and port to listen on. Port 0 is any free one.
    #[serde(deserialize_with = "address")]
    pub(crate) listen: SocketAddr,
    /// Threads that serve, each with its own share of the connections. By default one for each core.
    pub(crate) threads: usize,
    /// The directory of the database and the signing key.
    pub(crate) data_dir: PathBuf,
    /// Time for connections to finish what they are doing when the server stops.
    pub(crate) drain_timeout_ms: u64,
    /// The addresses and networks of the proxies in front of the server, such as `10.0.0.0/8`: they are believed where a
    /// client is. From anybody else, headers that say so are ignored.
    pub(crate) trusted_proxies: Networks,
    /// The header in which they say it: `x-forwarded-for` or `forwarded`.
    pub(crate) forwarded_header: ForwardedHeader,
}

impl Default for ServerSection {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            threads: thread::available_parallelism().map_or(1, |cores| cores.get().min(Hub::SHARDS_MAX)),
            data_dir: PathBuf::from("roomkey-data"),
            drain_timeout_ms: 10_000,
            trusted_proxies: Networks::default(),
            forwarded_header: ForwardedHeader::default(),
        }
    }
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(deserializer)?;
    let refuse = |_| "must be an IP address and a port, such as `127.0.0.1:3000`";
    text.parse().map_err(refuse).map_err(serde::de::Error::custom)
}

/// `[http]`: who may talk to the server from a web page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HttpSection {
    /// The origins whose pages may connect, such as `https://app.example.com`. `*` alone is any, without cookies.
    /// On a loopback address the pages of this machine may connect, too.
    pub(crate) origins: Origins,
}

/// `[engine]`: Engine.IO, with the defaults of the reference server.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EngineSection {
    /// The path that clients connect to.
    pub(crate) path: String,
    /// The transports that are offered: `polling`, `websocket`.
    pub(crate) transports: Vec<Transport>,
    /// Time from a pong to the next ping.
    pub(crate) ping_interval_ms: u64,
    /// Time in which a ping must be answered.
    pub(crate) ping_timeout_ms: u64,
    /// Time in which an upgrade from long-polling must be done.
    pub(crate) upgrade_timeout_ms: u64,
    /// Whether Socket.IO clients v1 and v2 are served, too (Engine.IO 3).
    pub(crate) allow_eio3: bool,
    /// Whether clients may use `socket.io-msgpack-parser`; others are served beside them.
    pub(crate) msgpack: bool,
    /// Whether messages to WebSockets are compressed for clients that offer it (permessage-deflate). It saves bytes for
    /// a little time, and who sees the lengths of encrypted messages may learn from them what a secret is that
    /// shares a message with text of others.
    pub(crate) deflate: bool,
    /// Messages shorter than this are not compressed.
    pub(crate) deflate_threshold_bytes: usize,
    /// Whether clients that come back soon get what they missed (connection state recovery), also over a restart.
    /// Every event then has one more argument, its offset, which handlers of other clients than the stock one may
    /// not expect.
    pub(crate) recovery: bool,
    /// How long a client may be away.
    pub(crate) recovery_max_disconnection_ms: u64,
}

impl Default for EngineSection {
    fn default() -> Self {
        Self {
            path: "/socket.io/".to_owned(),
            transports: vec![Transport::Polling, Transport::Websocket],
            ping_interval_ms: 25_000,
            ping_timeout_ms: 20_000,
            upgrade_timeout_ms: 10_000,
            allow_eio3: false,
            msgpack: false,
            deflate: false,
            deflate_threshold_bytes: Deflate::default().threshold_bytes,
            recovery: false,
            recovery_max_disconnection_ms: 120_000,
        }
    }
}

/// `[auth]`: whose tokens are accepted, and where they may be.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AuthSection {
    /// Whether Roomkey has accounts of its own.
    pub(crate) builtin: bool,
    /// Whether everybody may create an account.
    pub(crate) registration: bool,
    /// The `iss` of the tokens of these accounts.
    pub(crate) issuer: String,
    /// Their `aud`.
    pub(crate) audience: String,
    /// How long they are valid. Clients get new ones with the refresh token of their login.
    pub(crate) access_token_lifetime_s: u64,
    /// How long before the end of its token a socket is sent `auth:expiring`; 0 is never.
    pub(crate) expiry_warning_s: u64,
    /// A login ends when it is not used for so long.
    pub(crate) refresh_token_idle_s: u64,
    /// A login ends after so long, however much it is used.
    pub(crate) refresh_token_lifetime_s: u64,
    /// The secret (HS256) that a backend signs tokens with, also known as `JWT_SECRET`. Roomkey then signs with it,
    /// too. Without it, Roomkey makes a key of its own (Ed25519) at the first start.
    pub(crate) jwt_secret: Option<Secret>,
    /// Earlier values of `jwt_secret`: tokens signed with these are still accepted.
    pub(crate) jwt_secret_previous: Vec<Secret>,
    /// Accept secrets that are too short or well-known, while migrating. Anybody may guess them and sign tokens.
    pub(crate) allow_weak_secret: bool,
    /// The cookie that a token may be in, too. It counts only for pages of a listed origin.
    pub(crate) cookie: Option<String>,
    /// Accept tokens in the query parameter `token`, too. URLs end up in logs: prefer any other place.
    pub(crate) query_token: bool,
    /// Keep the tokens of a login in cookies (`__Host-roomkey`, `__Secure-roomkey-refresh`) that a page's scripts cannot
    /// read. Pages get them in place of the tokens, programs in addition. Only pages of this or a listed origin may
    /// use them.
    pub(crate) session_cookies: bool,
    /// Issuers of your own: a backend, an identity provider.
    pub(crate) issuers: Vec<Issuer>,
    /// A backend that is asked whether users are still to be served.
    pub(crate) revalidation: Option<RevalidationSection>,
    /// Keys with which backends revoke tokens and manage users.
    pub(crate) api_keys: Vec<ApiKeySection>,
}

impl Default for AuthSection {
    fn default() -> Self {
        Self {
            builtin: true,
            registration: true,
            issuer: "roomkey".to_owned(),
            audience: "roomkey".to_owned(),
            access_token_lifetime_s: 600,
            refresh_token_idle_s: 7 * 24 * 3600,
            refresh_token_lifetime_s: 30 * 24 * 3600,
            expiry_warning_s: 60,
            jwt_secret: None,
            jwt_secret_previous: Vec::new(),
            allow_weak_secret: false,
            cookie: None,
            query_token: false,
            session_cookies: false,
            issuers: Vec::new(),
            revalidation: None,
            api_keys: Vec::new(),
        }
    }
}

impl AuthSection {
    /// The cookie that a token may be in.
    pub(crate) fn token_cookie(&self) -> Option<&str> {
        if self.session_cookies { Some(ACCESS_COOKIE) } else { self.cookie.as_deref() }
    }

    /// How long a login lasts.
    pub(crate) fn session_lifetimes(&self) -> SessionLifetimes {
        SessionLifetimes {
            idle_ms: self.refresh_token_idle_s.saturating_mul(1000),
            absolute_ms: self.refresh_token_lifetime_s.saturating_mul(1000),
        }
    }
}

/// `[chat]`: the chat and its page.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ChatSection {
    /// Whether a user's sockets are in the room `user-<id>`, too, and not only in `user:<id>`.
    pub(crate) dashed_personal_rooms: bool,
    /// Whether the demo page is served.
    pub(crate) demo_page: bool,
    /// Seconds after it was sent in which a message can be edited. 0: for ever.
    pub(crate) edit_window_s: u64,
    /// What members see of a channel: `all`, or `since_join`, what was sent since they came. Then nobody else sees any
    /// of it, public channels included.
    pub(crate) history: ChatHistory,
    /// Days after which a message is removed; 0 keeps them for ever. The owner of a channel can have it keep less.
    pub(crate) retention_days: u64,
    /// Messages that a channel keeps, the newest; 0 keeps all. The owner of a channel can have it keep less.
    pub(crate) retention_messages: u64,
}

/// What members see of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChatHistory {
    All,
    SinceJoin,
}

impl ChatSection {
    /// Milliseconds in which a message can be edited; none: for ever.
    pub(crate) fn edit_window_ms(&self) -> Option<u64> {
        (self.edit_window_s > 0).then(|| self.edit_window_s.saturating_mul(1000))
    }

    /// How much of every channel is kept.
    pub(crate) fn retention(&self) -> Retention {
        let limit = |value: u64| (value > 0).then_some(value);
        Retention {
            max_age_s: limit(self.retention_days.saturating_mul(24 * 3600)),
            max_messages: limit(self.retention_messages),
        }
    }

    pub(crate) fn history_since_join(&self) -> bool {
        self.history == ChatHistory::SinceJoin
    }
}

impl Default for ChatSection {
    fn default() -> Self {
        Self {
            dashed_personal_rooms: false,
            demo_page: true,
            edit_window_s: 24 * 60 * 60,
            history: ChatHistory::All,
            retention_days: 0,
            retention_messages: 0,
        }
    }
}

/// `[admin]`: the page for those who run the server. It is there as soon as there is an admin (`roomkey admin add`).
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AdminSection {
    /// Whether it is served at all.
    pub(crate) enabled: bool,
    /// Address and port of its own to listen on.
    #[serde(deserialize_with = "address")]
    pub(crate) listen: SocketAddr,
    /// The origin of the proxy that browsers reach it through, such as `https://admin.example.com`. Without it the page
    /// answers on this machine only.
    pub(crate) url: Option<PageOrigin>,
}

impl Default for AdminSection {
    fn default() -> Self {
        Self { enabled: true, listen: SocketAddr::from(([127, 0, 0, 1], 3001)), url: None }
    }
}

/// `[audit]`: the record of security decisions.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AuditSection {
    /// Whether there is a file of them. They are said in the log on standard error in any case.
    pub(crate) enabled: bool,
    /// The file, `audit.jsonl` in the data directory unless another is named. Its key, its head, and the files before it
    /// are beside it.
    pub(crate) file: Option<PathBuf>,
    /// Bytes after which the next file is begun.
    pub(crate) max_file_bytes: u64,
    /// Files before the current one that are kept; 0 keeps all of them.
    pub(crate) kept_files: usize,
    /// Whether each socket that is let in is recorded, and not only who is refused and who logs in.
    pub(crate) connects: bool,
    /// What this server is called in its records. By default the name of the machine.
    pub(crate) node: Option<String>,
}

impl Default for AuditSection {
    fn default() -> Self {
        Self {
            enabled: true,
            file: None,
            max_file_bytes: 64 * 1024 * 1024,
            kept_files: 16,
            connects: true,
            node: None,
        }
    }
}

/// `[log]`: what is written to standard error.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LogSection {
    /// `human`, `json`, or `auto`: for people on a terminal, JSON elsewhere.
    pub(crate) format: LogFormat,
    /// `off`, `error`, `warn`, `info`, `debug` or `trace`. `ROOMKEY_LOG` and `RUST_LOG` say more than this can.
    pub(crate) level: LogLevel,
}
