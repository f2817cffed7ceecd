use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
};

use crate::PATIENCE;

/// A connection that speaks HTTP/1.1, as exactly as the test does.
#[derive(Debug)]
pub struct HttpClient {
    stream: TcpStream,
    /// What was read and belongs to no response yet.
    read: Vec<u8>,
}

/// A response, as it was on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The status line and the headers, each with its line end.
    pub head: String,
    /// The body, as text.
    pub body: String,
    /// The body, as it came.
    pub bytes: Vec<u8>,
}

impl HttpClient {
    /// Connects.
    ///
    /// # Panics
    ///
    /// If that fails. So do all methods here when something does not come in time.
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("a connected socket");
        stream.set_read_timeout(Some(PATIENCE)).expect("a connected socket");
        stream.set_write_timeout(Some(PATIENCE)).expect("a connected socket");
        Self { stream, read: Vec::new() }
    }

    /// Writes these bytes. The server may have closed the connection: that shows when something is read.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        match self.stream.write_all(bytes.as_ref()) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("the server reads nothing"),
            _ => {}
        }
    }

    /// Sends `method target` with these header lines (each ends with `\r\n`), a `Host` and the body's length.
    pub fn request(&mut self, method: &str, target: &str, headers: &str, body: &str) {
        let length = match (method, body.len()) {
            ("GET", 0) => String::new(),
            (_, length) => format!("Content-Length: {length}\r\n"),
        };
        self.send(format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{headers}{length}\r\n{body}"));
    }

    /// Sends a request without further headers, and reads its response.
    pub fn fetch(&mut self, method: &str, target: &str, body: &str) -> Response {
        self.request(method, target, "", body);
        self.response()
    }

    /// Reads one response.
    #[track_caller]
    pub fn response(&mut self) -> Response {
        let head_len = loop {
            if let Some(at) = self.read.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(self.fill(), "the connection ended: {:?}", String::from_utf8_lossy(&self.read));
        };
        let head = String::from_utf8(self.read.drain(..head_len).collect()).expect("a head is ASCII");
        let status = head.get(9..12).and_then(|status| status.parse().ok()).expect("a status");
        let mut response = Response { status, head, body: String::new(), bytes: Vec::new() };
        let length = response.header("content-length").map_or(0, |length| length.parse().expect("a length"));
        while self.read.len() < length {
            assert!(self.fill(), "the connection ended within a body");
        }
        response.bytes = self.read.drain(..length).collect();
        response.body = String::from_utf8_lossy(&response.bytes).into_owned();
        response
    }

    /// Waits until a response has begun, and leaves it at that.
    #[track_caller]
    pub fn begin_response(&mut self) {
        assert!(self.fill(), "the connection ended");
    }

    /// Whether a response begins, and the connection does not end without one.
    #[track_caller]
    pub fn is_answered(&mut self) -> bool {
        self.fill()
    }

    /// Waits until this has come, and leaves it to be read.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        while !String::from_utf8_lossy(&self.read).contains(text) {
            assert!(self.fill(), "the connection ended");
        }
    }

    /// Waits until the server has closed the connection, and gives what it sent before that.
    #[track_caller]
    pub fn rest(&mut self) -> String {
        while self.fill() {}
        String::from_utf8_lossy(&std::mem::take(&mut self.read)).into_owned()
    }

    /// Ends this side of the connection.
    pub fn shut_down(&mut self) {
        // It may have ended already.
        _ = self.stream.shutdown(Shutdown::Write);
    }

    pub(crate) fn into_parts(self) -> (TcpStream, Vec<u8>) {
        (self.stream, self.read)
    }

    /// Reads some more; false at the end of the connection.
    #[track_caller]
    fn fill(&mut self) -> bool {
        let mut bytes = [0; 16 * 1024];
        match self.stream.read(&mut bytes) {
            Ok(read) => {
                self.read.extend_from_slice(&bytes[..read]);
                read > 0
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("nothing came in time"),
            Err(_) => false,
        }
    }
}

impl Response {
    /// The value of a header, by its name in lower case; several are joined by a comma.
    pub fn header(&self, name: &str) -> Option<String> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let values: Vec<_> =
            lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Its status and body.
    pub fn brief(&self) -> (u16, &str) {
        (self.status, &self.body)
    }
}
