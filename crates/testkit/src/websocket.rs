use std::{
    collections::VecDeque,
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
};

use roomkey_websocket::{Decoder, Message, Opcode, Role, deflate, encode_masked};

use crate::{HttpClient, Response};

/// A WebSocket, as the client has it.
#[derive(Debug)]
pub struct WebSocketClient {
    stream: TcpStream,
    decoder: Decoder,
    received: VecDeque<Received>,
    bytes_read: usize,
}

/// What came over a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping of the WebSocket protocol.
    Ping(Vec<u8>),
    /// A pong of the WebSocket protocol.
    Pong(Vec<u8>),
    /// A close frame, with its code.
    Close(Option<u16>),
    /// The end of the connection.
    End,
}

impl WebSocketClient {
    /// Opens a WebSocket.
    ///
    /// # Panics
    ///
    /// If the server refuses. All methods here panic when something does not come in time.
    #[track_caller]
    pub fn open(address: SocketAddr, target: &str) -> Self {
        Self::ask(HttpClient::connect(address), target, "").expect("a WebSocket")
    }

    /// Asks for a WebSocket with these header lines, too (each ends with `\r\n`), on a connection that may have been
    /// used before. The error is the server's answer.
    pub fn ask(mut http: HttpClient, target: &str, headers: &str) -> Result<Self, Response> {
        http.send(Self::request(target, headers));
        Self::answered(http)
    }

    /// The WebSocket that a request of the test's own asked for.
    pub fn answered(mut http: HttpClient) -> Result<Self, Response> {
        let response = http.response();
        if response.status != 101 {
            return Err(response);
        }
        // The example of RFC 6455.
        assert_eq!(
            response.header("sec-websocket-accept").as_deref(),
            Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            "{}",
            response.head
        );
        let (stream, mut read) = http.into_parts();
        let mut decoder = Decoder::new(Role::Client, usize::MAX, u32::MAX);
        if response.header("sec-websocket-extensions").is_some() {
            decoder = decoder.with_deflate();
        }
        let mut websocket = Self { stream, decoder, received: VecDeque::new(), bytes_read: 0 };
        websocket.decode(&mut read);
        Ok(websocket)
    }

    /// The request that [`Self::ask`] sends.
    pub fn request(target: &str, headers: &str) -> String {
        format!(
            "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
        )
    }

    /// One frame, masked as a client must.
    pub fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        encode_masked(opcode, payload, [0x12, 0x34, 0x56, 0x78], &mut frame);
        frame
    }

    /// One frame whose payload is compressed, which must make it shorter.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub fn compressed_frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        let mut frame = Self::frame(opcode, &deflate::compress(payload).expect("it gets shorter"));
        frame[0] |= 0x40;
        frame
    }

    /// Sends a text message.
    pub fn text(&mut self, text: &str) {
        self.send(Self::frame(Opcode::Text, text.as_bytes()));
    }

    /// Sends a binary message.
    pub fn binary(&mut self, bytes: &[u8]) {
        self.send(Self::frame(Opcode::Binary, bytes));
    }

    /// Writes these bytes. The server may have closed the connection: that shows when something is received.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        match self.stream.write_all(bytes.as_ref()) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("the server reads nothing"),
            _ => {}
        }
    }

    /// How many bytes have been read since the WebSocket was opened.
    pub fn bytes_read(&self) -> usize {
        self.bytes_read
    }

    /// Waits for the next message.
    #[track_caller]
    pub fn receive(&mut self) -> Received {
        let mut bytes = [0; 16 * 1024];
        loop {
            if let Some(received) = self.received.pop_front() {
                return received;
            }
            match self.stream.read(&mut bytes) {
                Ok(0) => return Received::End,
                Ok(read) => self.decode(&mut bytes[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("nothing came in time"),
                Err(_) => return Received::End,
            }
        }
    }

    /// Waits for the next message, which must be this text.
    #[track_caller]
    pub fn expect(&mut self, text: &str) {
        assert_eq!(self.receive(), Received::Text(text.to_owned()));
    }

    /// Waits for the next message, which must be text.
    #[track_caller]
    pub fn receive_text(&mut self) -> String {
        match self.receive() {
            Received::Text(text) => text,
            other => panic!("not text: {other:?}"),
        }
    }

    /// Waits for the server to close the connection; the code of its close frame, if there was one. What comes
    /// before that is not looked at.
    #[track_caller]
    pub fn closed(&mut self) -> Option<u16> {
        let mut code = None;
        loop {
            match self.receive() {
                Received::End => return code,
                Received::Close(sent) => code = sent,
                _ => {}
            }
        }
    }

    /// The same connection in another thread, to write to.
    ///
    /// # Panics
    ///
    /// If the system has no descriptor left.
    pub fn writer(&self) -> TcpStream {
        self.stream.try_clone().expect("a descriptor")
    }

    /// Ends this side of the connection without a close frame.
    pub fn shut_down(&mut self) {
        // It may have ended already.
        _ = self.stream.shutdown(Shutdown::Write);
    }

    fn decode(&mut self, mut input: &mut [u8]) {
        self.bytes_read += input.len();
        while let Some(message) = self.decoder.next(&mut input).expect("a server's frames are right") {
            self.received.push_back(match message {
                Message::Text(text) => Received::Text(text.to_owned()),
                Message::Binary(bytes) => Received::Binary(bytes.to_vec()),
                Message::Ping(payload) => Received::Ping(payload.to_vec()),
                Message::Pong(payload) => Received::Pong(payload.to_vec()),
                Message::Close(frame) => Received::Close(frame.map(|frame| frame.code.get())),
            });
        }
    }
}
