use std::{
    net::SocketAddr,
    ops::{Deref, DerefMut},
};

use crate::{HttpClient, WebSocketClient, polling};

/// An Engine.IO session over a WebSocket.
#[derive(Debug)]
pub struct Client {
    websocket: WebSocketClient,
    sid: String,
}

impl Client {
    /// The target that opens a session.
    pub const TARGET: &str = "/socket.io/?EIO=4&transport=websocket";

    /// Opens a session, and joins nothing.
    ///
    /// # Panics
    ///
    /// If the server refuses. All methods here panic when something does not come in time.
    #[track_caller]
    pub fn open(address: SocketAddr) -> Self {
        Self::open_with(address, "")
    }

    /// Opens a session by a request with these header lines (each ends with `\r\n`).
    #[track_caller]
    pub fn open_with(address: SocketAddr, headers: &str) -> Self {
        let mut websocket =
            WebSocketClient::ask(HttpClient::connect(address), Self::TARGET, headers).expect("a WebSocket");
        let sid = polling::sid(&websocket.receive_text());
        Self { websocket, sid }
    }

    /// Opens a session and joins the main namespace without a token.
    #[track_caller]
    pub fn connect(address: SocketAddr) -> Self {
        let mut client = Self::open(address);
        client.join("40");
        client
    }

    /// Opens a session and joins the main namespace with a token.
    #[track_caller]
    pub fn connect_as(address: SocketAddr, token: &str) -> Self {
        let mut client = Self::open(address);
        client.join(&format!(r#"40{{"token":"{token}"}}"#));
        client
    }

    /// Sends a CONNECT packet, which must be accepted. Pings that come before the answer are answered.
    #[track_caller]
    pub fn join(&mut self, connect: &str) {
        self.text(connect);
        let mut answer = self.receive_text();
        while answer == "2" {
            self.text("3");
            answer = self.receive_text();
        }
        assert!(answer.starts_with("40") && answer.contains(r#"{"sid":""#), "{answer}");
    }

    /// The Engine.IO session's id.
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// Sends a packet and waits for the next, which must be this one.
    #[track_caller]
    pub fn call(&mut self, packet: &str, answer: &str) {
        self.text(packet);
        self.expect(answer);
    }
}

impl Deref for Client {
    type Target = WebSocketClient;

    fn deref(&self) -> &WebSocketClient {
        &self.websocket
    }
}

impl DerefMut for Client {
    fn deref_mut(&mut self) -> &mut WebSocketClient {
        &mut self.websocket
    }
}
