use std::net::SocketAddr;

use crate::{HttpClient, Response};

/// An Engine.IO session over long-polling, one request at a time.
#[derive(Debug)]
pub struct Polling {
    http: HttpClient,
    address: SocketAddr,
    sid: String,
}

impl Polling {
    /// Opens a session.
    ///
    /// # Panics
    ///
    /// If the server refuses. All methods here panic when something does not come in time.
    #[track_caller]
    pub fn open(address: SocketAddr) -> Self {
        let mut http = HttpClient::connect(address);
        let response = http.fetch("GET", "/socket.io/?EIO=4&transport=polling", "");
        let sid = sid(&response.body);
        Self { http, address, sid }
    }

    /// Opens a session and joins the main namespace.
    #[track_caller]
    pub fn connect(address: SocketAddr) -> Self {
        let mut polling = Self::open(address);
        polling.post("40");
        let answer = polling.poll();
        assert!(answer.starts_with("40{"), "{answer}");
        polling
    }

    /// The session's id.
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// The target of this session's requests.
    pub fn target(&self) -> String {
        format!("/socket.io/?EIO=4&transport=polling&sid={}", self.sid)
    }

    /// The target that upgrades this session.
    pub fn upgrade_target(&self) -> String {
        format!("/socket.io/?EIO=4&transport=websocket&sid={}", self.sid)
    }

    /// Asks for packets and waits for them: a payload.
    #[track_caller]
    pub fn poll(&mut self) -> String {
        let response = self.http.fetch("GET", &self.target(), "");
        assert_eq!(response.status, 200, "{response:?}");
        response.body
    }

    /// Sends a payload, which must be taken.
    #[track_caller]
    pub fn post(&mut self, payload: &str) {
        assert_eq!(self.http.fetch("POST", &self.target(), payload).brief(), (200, "ok"));
    }

    /// Sends a payload and gives the answer, whatever it is.
    pub fn try_post(&mut self, payload: &str) -> Response {
        self.http.fetch("POST", &self.target(), payload)
    }

    /// Asks for packets on a connection of its own, which is not waited for.
    pub fn hold(&self) -> HttpClient {
        let mut http = HttpClient::connect(self.address);
        http.request("GET", &self.target(), "", "");
        http
    }

    /// The answer to a request with this session's id: a session that is gone is unknown.
    pub fn probe(&self) -> Response {
        HttpClient::connect(self.address).fetch("POST", &self.target(), "6")
    }

    /// Whether the server has forgotten the session.
    pub fn is_gone(&self) -> bool {
        self.probe().brief() == (400, r#"{"code":1,"message":"Session ID unknown"}"#)
    }
}

/// The id in an open packet.
pub(crate) fn sid(open: &str) -> String {
    let rest = open.strip_prefix(r#"0{"sid":""#).unwrap_or_else(|| panic!("no open packet: {open}"));
    rest.chars().take_while(|character| *character != '"').collect()
}
