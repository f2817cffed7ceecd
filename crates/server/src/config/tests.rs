mod admin;
mod api_keys;
mod auth;
mod errors;
mod issuers;
mod policy;
mod presets;

use std::net::Ipv6Addr;

use tempfile::TempDir;

use super::*;
use crate::ForwardedHeader;

/// 32 bytes that nobody has published.
const SECRET: &str = "R5j9wZ3kq8Xc7Vb2Nm4Lp6Ts1Yd0Gh_f";
/// An environment without our variables.
const UNSET: [(&str, &str); 0] = [];

/// A directory with a configuration file in it.
struct Site(TempDir);

impl Site {
    fn new(file: &str) -> Self {
        let site = Self(TempDir::new().unwrap());
        fs::write(site.path("roomkey.toml"), file).unwrap();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn flags(&self) -> Flags {
        Flags { config: Some(self.path("roomkey.toml")), listen: None, data_dir: Some(self.path("data")) }
    }

    fn load<const N: usize>(&self, environment: [(&str, &str); N]) -> Result<Config, ConfigError> {
        Config::load(self.flags(), &environment.into())
    }

    fn setup(&self, missing: MissingKey) -> AuthSetup {
        AuthSetup::new(&self.load(UNSET).unwrap(), missing).unwrap()
    }

    /// What a start would end with.
    fn refusal<const N: usize>(&self, environment: [(&str, &str); N]) -> String {
        let started = self
            .load(environment)
            .map_err(anyhow::Error::from)
            .and_then(|config| AuthSetup::new(&config, MissingKey::Pretend));
        let message = format!("{:#}", started.err().expect("it is refused"));
        message.replace(&format!("{}/", self.0.path().display()), "")
    }

    fn warnings(&self) -> Vec<String> {
        let warnings = self.setup(MissingKey::Pretend).warnings;
        let directory = format!("{}/", self.0.path().display());
        warnings.iter().map(|warning| warning.replace(&directory, "")).collect()
    }
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let site = Site::new("[server]\nlisten = '127.0.0.1:1'\ndrain_timeout_ms = 1\nthreads = 1");
    let environment =
        [("ROOMKEY__SERVER__LISTEN", "127.0.0.1:2"), ("ROOMKEY__SERVER__DRAIN_TIMEOUT_MS", "2")];
    let config = site.load(environment).unwrap();
    assert_eq!(config.server.listen.port(), 2);
    assert_eq!((config.server.drain_timeout_ms, config.server.threads), (2, 1));
    assert_eq!(config.engine.ping_interval_ms, 25_000);
    let flags = Flags { listen: Some(([127, 0, 0, 1], 3).into()), ..site.flags() };
    let config = Config::load(flags, &environment.into()).unwrap();
    assert_eq!(config.server.listen.port(), 3);
    assert_eq!(config.server.drain_timeout_ms, 2);
    assert_eq!(config.server.data_dir, site.path("data"));
}

#[test]
fn lists_in_the_environment_have_commas_or_are_written_as_in_the_file() {
    for text in ["https://a.example,https://b.example:444", "['https://a.example', 'https://b.example:444']"]
    {
        let config = Site::new("").load([("ROOMKEY__HTTP__ORIGINS", text)]).unwrap();
        let Origins::Listed(origins) = &config.http.origins else { panic!("{text}") };
        let texts: Vec<_> = origins.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["https://a.example", "https://b.example:444"]);
    }
}

#[test]
fn limits_are_set_by_name() {
    let site = Site::new("[limits]\nmessage_bytes = 5");
    let config = site.load([("ROOMKEY__LIMITS__ROOMS_PER_SOCKET", "1000")]).unwrap();
    let expected = Limits { message_bytes: 5, rooms_per_socket: 1000, ..Limits::default() };
    assert_eq!(config.limits, expected);
}

#[test]
fn the_secret_has_two_names_and_one_value() {
    let file = format!("[auth]\njwt_secret = '{SECRET}'");
    let given = |config: Config| config.auth.jwt_secret.unwrap().expose().to_owned();
    assert_eq!(given(Site::new("").load([("JWT_SECRET", SECRET)]).unwrap()), SECRET);
    assert_eq!(given(Site::new(&file).load([("JWT_SECRET", SECRET)]).unwrap()), SECRET);
    assert_eq!(
        Site::new(&file).refusal([("JWT_SECRET", "another")]),
        "JWT_SECRET: differs from roomkey.toml:2: auth.jwt_secret; set only one"
    );
    let both = [("JWT_SECRET", "another"), ("ROOMKEY__AUTH__JWT_SECRET", SECRET)];
    assert_eq!(
        Site::new("").refusal(both),
        "JWT_SECRET: differs from ROOMKEY__AUTH__JWT_SECRET; set only one"
    );
}

#[test]
fn a_secret_may_be_in_a_file() {
    let site = Site::new("");
    let file = site.path("secret");
    fs::write(&file, format!("{SECRET}\n")).unwrap();
    let variable = ("ROOMKEY__AUTH__JWT_SECRET_FILE", file.to_str().unwrap());
    let config = site.load([variable]).unwrap();
    assert_eq!(config.auth.jwt_secret.unwrap().expose(), SECRET);
    assert_eq!(
        site.refusal([variable, ("ROOMKEY__AUTH__JWT_SECRET", SECRET)]),
        "ROOMKEY__AUTH__JWT_SECRET_FILE: ROOMKEY__AUTH__JWT_SECRET is set, too; set only one"
    );
}

#[test]
fn the_origin_policy_follows_the_address() {
    let cases = [
        ("127.0.0.1:3000", "[]", "http://localhost:5173", true, true),
        ("[::1]:3000", "[]", "http://localhost:5173", true, true),
        ("127.0.0.1:3000", "['https://a.example']", "http://localhost:5173", true, true),
        ("127.0.0.1:3000", "['https://a.example']", "https://a.example", true, true),
        ("0.0.0.0:3000", "['https://a.example']", "https://a.example", true, false),
        ("0.0.0.0:3000", "['https://a.example']", "http://localhost:5173", false, false),
        ("0.0.0.0:3000", "[]", "http://localhost:5173", false, false),
        ("0.0.0.0:3000", "['*']", "https://b.example", true, false),
    ];
    for (listen, origins, origin, is_allowed, check_host) in cases {
        let site = Site::new(&format!("[server]\nlisten = '{listen}'\n[http]\norigins = {origins}"));
        let server = site.load(UNSET).unwrap().server_config();
        let headers = [(http::header::ORIGIN, origin.parse().unwrap())].into_iter().collect();
        let verdict = server.origins.check(&headers);
        assert_eq!(format!("{verdict:?}") == "Allowed", is_allowed, "{listen} {origins} {origin}");
        assert_eq!(server.check_host, check_host, "{listen}");
    }
}

#[test]
fn the_server_gets_what_is_configured() {
    let site = Site::new(
        "[server]\nlisten = '[::1]:5'\nthreads = 3\ndrain_timeout_ms = 7
         trusted_proxies = ['10.0.0.0/8', '::1']\nforwarded_header = 'forwarded'
         [engine]\npath = '/rt'\ntransports = ['websocket']\nping_interval_ms = 1\nping_timeout_ms = 2
         upgrade_timeout_ms = 3\ndeflate = true\nallow_eio3 = true\nmsgpack = true
         deflate_threshold_bytes = 9\nrecovery = true\nrecovery_max_disconnection_ms = 4\n[limits]\nrooms_per_socket = 900",
    );
    let server = site.load(UNSET).unwrap().server_config();
    assert_eq!(server.address, (Ipv6Addr::LOCALHOST, 5).into());
    assert_eq!((server.threads, &*server.path), (3, "/rt/"));
    assert_eq!(server.transports, Transports { polling: false, websocket: true });
    let times = [server.ping_interval, server.ping_timeout, server.upgrade_timeout, server.drain_timeout];
    assert_eq!(times.map(|time| time.as_millis()), [1, 2, 3, 7]);
    assert_eq!(server.limits.rooms_per_socket, 900);
    assert_eq!(server.deflate, Some(Deflate { threshold_bytes: 9 }));
    assert!(server.allow_eio3 && server.msgpack);
    let recovery = server.recovery.unwrap();
    assert_eq!(recovery.max_disconnection.as_millis(), 4);
    assert_eq!(recovery.snapshot.unwrap().file_name().unwrap(), "absent-sockets.json");
    assert_eq!(server.trusted_proxies.networks, ["10.0.0.0/8", "::1"].map(|text| text.parse().unwrap()));
    assert_eq!(server.trusted_proxies.header, ForwardedHeader::Forwarded);
    let default = Config::default().server_config();
    assert_eq!((default.deflate, default.allow_eio3, default.msgpack), (None, false, false));
    assert!(default.recovery.is_none());
    assert_eq!(default.trusted_proxies.networks, []);
}

#[test]
fn the_configuration_shows_no_secret() {
    let file = format!(
        "[auth]\njwt_secret = '{SECRET}'\njwt_secret_previous = ['{SECRET}previous']\n\
        [[auth.issuers]]\nname = 'a'\nissuer = 'https://a.example'\nsecrets = ['{SECRET}issuer']"
    );
    let config = Site::new(&file).load(UNSET).unwrap();
    let auth = AuthSetup::new(&config, MissingKey::Pretend).unwrap();
    for shown in [format!("{config:?} {config:#?}"), format!("{:?} {:#?}", auth.verifier, auth.verifier)] {
        assert!(shown.contains("[REDACTED]"), "{shown}");
        assert!(!shown.contains(&SECRET[..8]), "{shown}");
    }
}

#[test]
fn the_audit_log_is_in_the_data_directory_unless_it_is_put_elsewhere() {
    let site = Site::new("");
    let log = site.load(UNSET).unwrap().audit_log().expect("it is on by default");
    assert_eq!(log.file, site.path("data").join("audit.jsonl"));
    assert!(log.connects && !log.node.is_empty());
    let log =
        site.load([("ROOMKEY__AUDIT__FILE", "/elsewhere/a.jsonl"), ("ROOMKEY__AUDIT__KEPT_FILES", "0")]);
    let log = log.unwrap().audit_log().expect("it is on");
    assert_eq!((log.file, log.files_kept), (PathBuf::from("/elsewhere/a.jsonl"), None));
    assert!(site.load([("ROOMKEY__AUDIT__ENABLED", "false")]).unwrap().audit_log().is_none());
}
