//! All of `roomkey serve` in this process, with a clock that is set by hand.

use std::{
    io::{Read, Write},
    net::SocketAddr,
    os::unix::net::UnixStream,
    path::Path,
    sync::Arc,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use roomkey::Product;
use roomkey_testkit::{Client, HttpClient, Response, TestClock, TestServer};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// The key of a backend that may do everything.
pub(crate) const API_KEY: &str = "rk_9f8c1b7e2d6a4f3b8c5d0e1f2a3b4c5d";
/// The key of a backend that may only see and block users.
pub(crate) const USERS_KEY: &str = "rk_0a1b2c3d4e5f60718293a4b5c6d7e8f9";

/// A server with a database of its own. It can be stopped and started again.
pub(crate) struct TestProduct {
    server: Option<TestServer>,
    pub(crate) clock: Arc<TestClock>,
    directory: TempDir,
    config: String,
}

/// A login as its client sees it.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) token: String,
    pub(crate) refresh_token: String,
    pub(crate) user: String,
}

/// A request that is being put together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Call {
    headers: String,
    body: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Null where the body is not JSON.
    pub(crate) json: Value,
    pub(crate) response: Response,
}

impl TestProduct {
    /// With the two API keys, and whatever else this configuration says about `[auth]`.
    pub(crate) fn start(auth: &str) -> Self {
        let key = |name, key, scopes| {
            format!("[[auth.api_keys]]\nname = \"{name}\"\nkey = \"{key}\"\nscopes = {scopes}\n")
        };
        let config = format!(
            "[server]\nthreads = 2\n[auth]\n{auth}\n{}{}",
            key("backend", API_KEY, r#"["channels", "emit", "revoke", "users", "webhooks"]"#),
            key("helpdesk", USERS_KEY, r#"["users"]"#),
        );
        let directory = TempDir::new().expect("a directory");
        let clock = Arc::new(TestClock::default());
        let server = Some(run(directory.path(), &config, &clock));
        Self { server, clock, directory, config }
    }

    /// Stops the server and starts it again on the same data.
    pub(crate) fn restart(&mut self) {
        self.server = None;
        self.server = Some(run(self.directory.path(), &self.config, &self.clock));
    }

    /// Starts it again with this in place of that in its configuration.
    pub(crate) fn restart_with(&mut self, old: &str, new: &str) {
        self.config = self.config.replace(old, new);
        self.restart();
    }

    pub(crate) fn server(&self) -> &TestServer {
        self.server.as_ref().expect("it runs")
    }

    /// Lets no session be ended and nothing be revoked, until what this gives is dropped.
    pub(crate) fn break_database(&self) -> impl Drop {
        let database = Connection::open(self.directory.path().join("roomkey.db")).expect("opens");
        let trigger = |name, act| {
            format!(
                "CREATE TRIGGER {name} BEFORE {act} BEGIN SELECT raise(ABORT, 'broken by the test'); END;"
            )
        };
        let sql = trigger("one", "UPDATE ON sessions") + &trigger("two", "INSERT ON revocations");
        database.execute_batch(&sql).expect("is writable");
        Broken(database)
    }

    /// Whether the audit log has such a record.
    pub(crate) fn audited(&self, event: &str) -> bool {
        self.times_audited(event) > 0
    }

    /// How many such records the audit log has.
    pub(crate) fn times_audited(&self, event: &str) -> usize {
        self.audit().matches(&format!(r#""event":"{event}""#)).count()
    }

    /// The audit log.
    pub(crate) fn audit(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("audit.jsonl")).unwrap_or_default()
    }

    /// Sends a request with an API key, and hangs up before there can be an answer.
    pub(crate) fn post_and_leave(&self, path: &str, key: &str) {
        let mut http = HttpClient::connect(self.server().address());
        http.request("POST", path, &format!("X-API-Key: {key}\r\n"), "");
    }

    /// Gives the running server the command of an operator, over the socket in the data directory.
    #[track_caller]
    pub(crate) fn operate(&self, path: &str, command: &Value) -> (u16, Value) {
        let socket = self.directory.path().join("control.sock");
        roomkey_testkit::eventually("the socket is there", || socket.exists());
        let mut stream = UnixStream::connect(socket).expect("somebody listens");
        let body = command.to_string();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: roomkey\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .expect("is written");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("is answered");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    #[track_caller]
    pub(crate) fn send(&self, method: &str, path: &str, call: &Call) -> Answer {
        call.send_to(self.server().address(), method, path)
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &Call::json(body))
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str, token: &str) -> Answer {
        self.send("GET", path, &Call::default().token(token))
    }

    /// Registers a user of this name.
    #[track_caller]
    pub(crate) fn register(&self, name: &str) -> Login {
        let email = format!("{name}@example.com");
        let body = json!({ "email": email, "username": name, "password": PASSWORD });
        self.post("/api/auth/register", &body).login(201)
    }

    #[track_caller]
    pub(crate) fn log_in(&self, name: &str) -> Login {
        self.post("/api/auth/login", &json!({ "username": name, "password": PASSWORD })).login(200)
    }

    #[track_caller]
    pub(crate) fn refresh(&self, token: &str) -> Answer {
        self.post("/api/auth/refresh", &json!({ "refreshToken": token }))
    }

    /// A socket that lives by this token.
    #[track_caller]
    pub(crate) fn connect(&self, token: &str) -> Client {
        Client::connect_as(self.server().address(), token)
    }

    /// What a client is told that connects with this in its CONNECT packet.
    #[track_caller]
    pub(crate) fn connecting(&self, query: &str, headers: &str, auth: &Value) -> String {
        let target = format!("{}{query}", Client::TARGET);
        let http = HttpClient::connect(self.server().address());
        let mut client = roomkey_testkit::WebSocketClient::ask(http, &target, headers).expect("a WebSocket");
        assert!(client.receive_text().starts_with("0{"));
        client.text(&format!("40{auth}"));
        client.receive_text()
    }
}

struct Broken(Connection);

impl Drop for Broken {
    fn drop(&mut self) {
        self.0.execute_batch("DROP TRIGGER one; DROP TRIGGER two").expect("is writable");
    }
}

fn run(directory: &Path, config: &str, clock: &Arc<TestClock>) -> TestServer {
    let product = Product::in_directory(directory, config, clock.clone()).expect("a good configuration");
    TestServer::start_product(product)
}

impl Call {
    pub(crate) fn json(body: &Value) -> Self {
        Self::default().header("Content-Type", "application/json").body(&body.to_string())
    }

    /// Sends it to whoever listens there.
    #[track_caller]
    pub(crate) fn send_to(&self, address: SocketAddr, method: &str, path: &str) -> Answer {
        let mut http = HttpClient::connect(address);
        http.request(method, path, &self.headers, self.body.as_deref().unwrap_or_default());
        let response = http.response();
        let json = serde_json::from_str(&response.body).unwrap_or_default();
        Answer { status: response.status, json, response }
    }

    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers += &format!("{name}: {value}\r\n");
        self
    }

    #[must_use]
    pub(crate) fn token(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    #[must_use]
    pub(crate) fn key(self, key: &str) -> Self {
        self.header("X-API-Key", key)
    }

    #[must_use]
    pub(crate) fn body(self, body: &str) -> Self {
        Self { body: Some(body.to_owned()), ..self }
    }
}

impl Answer {
    /// The login that was answered.
    #[track_caller]
    pub(crate) fn login(&self, status: u16) -> Login {
        assert_eq!(self.status, status, "{}", self.response.body);
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        Login {
            token: text(&self.json["token"]),
            refresh_token: text(&self.json["refreshToken"]),
            user: text(&self.json["user"]["id"]),
        }
    }

    /// Its status and the code of its error.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.json["code"].as_str().unwrap_or_default())
    }

    /// The value of a cookie that it sets, and all attributes.
    pub(crate) fn cookie(&self, name: &str) -> Option<(String, String)> {
        let lines = self.response.head.lines().filter_map(|line| line.split_once(": "));
        let mut cookies = lines.filter(|(header, _)| header.eq_ignore_ascii_case("set-cookie"));
        let (_, cookie) =
            cookies.find(|(_, cookie)| cookie.split_once('=').is_some_and(|(found, _)| found == name))?;
        let (value, attributes) = cookie.split_once("; ").expect("attributes");
        Some((value.split_once('=').expect("a value").1.to_owned(), attributes.to_owned()))
    }
}

/// The session of an access token.
pub(crate) fn sid(token: &str) -> String {
    let payload = token.split('.').nth(1).expect("three parts");
    let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    let claims: Value = serde_json::from_slice(&payload).expect("claims");
    claims["sid"].as_str().expect("a session").to_owned()
}
