//! The configuration: a file, the environment and flags, read into one [`Config`] that is right as a whole.
//!
//! Flags win over the environment, the environment over the file, the file over the defaults. Every message about
//! a value says where the value was given; none repeats it.

mod api_key;
mod auth_setup;
mod backends;
mod check;
mod deserialize;
mod environment;
mod error;
mod issuer;
mod nearest;
mod node;
mod place;
mod policy;
mod private_file;
mod revalidation;
mod secrets;
mod sections;
mod signing;
#[cfg(test)]
mod tests;
mod values;

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use roomkey_model::Limits;
use serde::Deserialize;

use crate::{
    AuditLog, Deflate, OriginPolicy, Recovery, ServerConfig, Transports, TrustedProxies,
    admin::{Page, PageState},
};
use backends::{HandlerSection, WebhookSection};
use node::{Node, Value};
use place::{Place, Places};
use revalidation::RevalidationSection;
use sections::{
    AdminSection, AuditSection, AuthSection, ChatSection, EngineSection, HttpSection, ServerSection,
};

pub(crate) use auth_setup::{AuthSetup, MissingKey};
pub(crate) use backends::{BackendsSetup, HandlerSetup, WebhookSetup};
pub(crate) use environment::Environment;
pub(crate) use error::ConfigError;
pub(crate) use policy::PolicySection;
pub(crate) use revalidation::RevalidationSetup;
pub(crate) use sections::LogSection;
pub(crate) use values::{LogFormat, LogLevel, Origins, Transport};

/// Everything an operator can set. Checked: what could not be served is refused when it is read.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) server: ServerSection,
    pub(crate) http: HttpSection,
    pub(crate) engine: EngineSection,
    pub(crate) auth: AuthSection,
    pub(crate) chat: ChatSection,
    pub(crate) policy: PolicySection,
    /// Endpoints that are told what happened.
    pub(crate) webhooks: Vec<WebhookSection>,
    /// Backends that answer events of clients.
    pub(crate) handlers: Vec<HandlerSection>,
    pub(crate) admin: AdminSection,
    pub(crate) audit: AuditSection,
    pub(crate) log: LogSection,
    pub(crate) limits: Limits,
    /// The file that was read, if there was one.
    #[serde(skip)]
    pub(crate) file: Option<PathBuf>,
    /// Files with secrets that others can read.
    #[serde(skip)]
    exposed: Vec<String>,
    #[serde(skip)]
    places: Places,
}

/// The settings that have a flag.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    /// The configuration file.
    pub(crate) config: Option<PathBuf>,
    /// `server.listen`.
    pub(crate) listen: Option<SocketAddr>,
    /// `server.data_dir`.
    pub(crate) data_dir: Option<PathBuf>,
}

/// The file that is read where none is named, if it is there.
const DEFAULT_FILE: &str = "roomkey.toml";

impl Config {
    /// Reads and checks the configuration.
    pub(crate) fn load(flags: Flags, environment: &Environment) -> Result<Self, ConfigError> {
        let (file, mut root) = read_file(flags.config.as_deref())?;
        let mut exposed = environment.add_to(&mut root)?;
        let places = Places::of(&root);
        let mut config = Self::deserialize(root)?;
        let secret_in_file = places.is_in_file("auth.jwt_secret")
            || places.is_in_file("auth.jwt_secret_previous")
            || config.auth.api_keys.iter().any(|key| key.key.is_some())
            || config.auth.revalidation.as_ref().is_some_and(RevalidationSection::has_secret)
            || config.webhooks.iter().any(WebhookSection::has_secret)
            || config.handlers.iter().any(HandlerSection::has_secret)
            || config.auth.issuers.iter().any(|issuer| !issuer.secrets.is_empty());
        if secret_in_file {
            exposed.extend(file.as_deref().and_then(private_file::exposure));
        }
        (config.file, config.exposed, config.places) = (file, exposed, places);
        if let Some(listen) = flags.listen {
            config.server.listen = listen;
            config.places.insert("server.listen", Place::Flag("--listen"));
        }
        if let Some(data_dir) = flags.data_dir {
            config.server.data_dir = data_dir;
            config.places.insert("server.data_dir", Place::Flag("--data-dir"));
        }
        check::check(&config)?;
        Ok(config)
    }

    /// The file of the store.
    pub(crate) fn database_path(&self) -> PathBuf {
        self.server.data_dir.join("roomkey.db")
    }

    /// Where the running server takes the commands of operators.
    pub(crate) fn control_path(&self) -> PathBuf {
        self.server.data_dir.join("control.sock")
    }

    /// The directory of the keys that the built-in issuer signs with, where it has no secret.
    pub(crate) fn keys_path(&self) -> PathBuf {
        self.server.data_dir.join("keys")
    }

    /// The current file of the audit log.
    pub(crate) fn audit_path(&self) -> PathBuf {
        self.audit.file.clone().unwrap_or_else(|| self.server.data_dir.join("audit.jsonl"))
    }

    /// The audit log, if there is one.
    pub(crate) fn audit_log(&self) -> Option<AuditLog> {
        let machine = || rustix::system::uname().nodename().to_string_lossy().into_owned();
        self.audit.enabled.then(|| AuditLog {
            file: self.audit_path(),
            file_bytes_max: self.audit.max_file_bytes,
            files_kept: (self.audit.kept_files > 0).then_some(self.audit.kept_files),
            connects: self.audit.connects,
            node: self.audit.node.clone().unwrap_or_else(machine),
        })
    }

    /// Where the admin page will be.
    pub(crate) fn admin_page(&self) -> Page {
        let AdminSection { enabled, listen, url } = &self.admin;
        let url = url.as_ref().map_or_else(|| format!("http://{listen}"), |url| url.0.to_string());
        match enabled {
            true => Page { state: PageState::Closed, url: Some(url) },
            false => Page { state: PageState::Off, url: None },
        }
    }

    /// What the server itself needs of it.
    pub(crate) fn server_config(&self) -> ServerConfig {
        let ms = Duration::from_millis;
        let offers = |transport| self.engine.transports.contains(&transport);
        let is_loopback = self.server.listen.ip().is_loopback();
        let origins = match &self.http.origins {
            Origins::Any => OriginPolicy::any(),
            Origins::Listed(origins) => OriginPolicy::listed(origins.clone()),
        };
        ServerConfig {
            address: self.server.listen,
            threads: self.server.threads,
            origins: if is_loopback { origins.or_loopback() } else { origins },
            check_host: is_loopback,
            trusted_proxies: TrustedProxies {
                networks: self.server.trusted_proxies.0.clone(),
                header: self.server.forwarded_header,
            },
            path: format!("/{}/", self.engine.path.trim_matches('/')),
            transports: Transports {
                polling: offers(Transport::Polling),
                websocket: offers(Transport::Websocket),
            },
            allow_eio3: self.engine.allow_eio3,
            msgpack: self.engine.msgpack,
            deflate: self
                .engine
                .deflate
                .then_some(Deflate { threshold_bytes: self.engine.deflate_threshold_bytes }),
            ping_interval: ms(self.engine.ping_interval_ms),
            ping_timeout: ms(self.engine.ping_timeout_ms),
            upgrade_timeout: ms(self.engine.upgrade_timeout_ms),
            recovery: self.engine.recovery.then(|| Recovery {
                max_disconnection: ms(self.engine.recovery_max_disconnection_ms),
                snapshot: Some(self.server.data_dir.join("absent-sockets.json")),
            }),
            expiry_warning: Duration::from_secs(self.auth.expiry_warning_s),
            drain_timeout: ms(self.server.drain_timeout_ms),
            audit: self.audit_log(),
            limits: self.limits.clone(),
            ..ServerConfig::default()
        }
    }
}

/// The tree of the configuration file, empty if there is none.
fn read_file(named: Option<&Path>) -> Result<(Option<PathBuf>, Node), ConfigError> {
    let path = named.unwrap_or(Path::new(DEFAULT_FILE));
    let name: Arc<str> = path.to_string_lossy().into();
    match fs::read_to_string(path) {
        Ok(text) => Ok((Some(path.to_owned()), Node::parse(&name, &text)?)),
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
            let place = Place::Line { file: name, line: 1 };
            Ok((None, Node { path: String::new(), place, value: Value::Table([].into()) }))
        }
        Err(error) => Err(ConfigError::new(&*name, format!("cannot read the file: {error}"))),
    }
}
