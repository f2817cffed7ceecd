use std::{cell::RefCell, io, net::SocketAddr, rc::Rc};

use anyhow::{Context, Result, bail, ensure};
use roomkey_websocket::{Decoder, Message, Opcode, Role, encode_masked};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const MESSAGE_BYTES_MAX: usize = 1_000_000;
const FRAGMENTS_MAX: u32 = 1024;
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Nothing here is worth hiding from a proxy; a constant key costs the server as much as a random one.
const MASK_KEY: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

thread_local! {
    /// Every client of the thread reads into the same buffer: an idle one owns none.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; 64 * 1024]);
}

/// A connected, authenticated client of the main namespace, in two halves.
pub(crate) struct Client {
    pub(crate) sender: Sender,
    pub(crate) receiver: Receiver,
}

impl Client {
    /// Connects by WebSocket and waits until the server has accepted the token.
    pub(crate) async fn connect(address: SocketAddr, token: &str) -> Result<Self> {
        let mut stream =
            TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        let mut read_ahead = upgrade(&mut stream, address).await?;
        let stream = Rc::new(stream);
        let mut client = Self {
            sender: Sender { stream: Rc::clone(&stream) },
            receiver: Receiver {
                stream,
                decoder: Decoder::new(Role::Client, MESSAGE_BYTES_MAX, FRAGMENTS_MAX),
            },
        };
        client.receiver.decode(&mut read_ahead, &mut |_open| {})?;
        client.sender.send(&format!(r#"40{{"token":"{token}"}}"#)).await?;
        let mut answer = None;
        while answer.is_none() {
            // Where there is much to tell, an event may come before the answer: stock clients keep it until then.
            let is_answer = |text: &str| text.starts_with("40") || text.starts_with("44");
            client
                .receiver
                .receive(|text| answer = is_answer(text).then(|| text.to_owned()).or(answer.take()))
                .await?;
        }
        ensure!(answer.as_ref().is_some_and(|text| text.starts_with("40{")), "refused: {answer:?}");
        Ok(client)
    }

    /// Emits an event, and waits for its ack: the arguments as a JSON array.
    pub(crate) async fn call(&mut self, event: &str) -> Result<String> {
        self.sender.send(&format!("420{event}")).await?;
        let mut ack = None;
        while ack.is_none() {
            self.receiver
                .receive(|text| ack = text.strip_prefix("430").map(str::to_owned).or(ack.take()))
                .await?;
        }
        ack.context("no ack")
    }
}

/// The half of a client that writes.
pub(crate) struct Sender {
    stream: Rc<TcpStream>,
}

impl Sender {
    /// Sends one text frame: an Engine.IO packet.
    pub(crate) async fn send(&self, packet: &str) -> Result<()> {
        let mut frame = Vec::with_capacity(packet.len() + 14);
        encode_masked(Opcode::Text, packet.as_bytes(), MASK_KEY, &mut frame);
        let mut rest = frame.as_slice();
        while !rest.is_empty() {
            match self.stream.try_write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.stream.writable().await?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// The half of a client that reads.
pub(crate) struct Receiver {
    stream: Rc<TcpStream>,
    decoder: Decoder,
}

impl Receiver {
    /// Waits until there is something to read, and hands on each text in it. Answers the server's heartbeat.
    pub(crate) async fn receive(&mut self, mut on_text: impl FnMut(&str)) -> Result<()> {
        let is_ping = loop {
            self.stream.readable().await?;
            if let Some(is_ping) = self.read(&mut on_text)? {
                break is_ping;
            }
        };
        if is_ping {
            Sender { stream: Rc::clone(&self.stream) }.send("3").await?;
        }
        Ok(())
    }

    /// Reads once: whether a heartbeat was in it, or nothing if there was nothing to read after all.
    fn read(&mut self, on_text: &mut impl FnMut(&str)) -> Result<Option<bool>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let read = match self.stream.try_read(scratch) {
                Ok(0) => bail!("the server closed the connection"),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            self.decode(&mut scratch[..read], on_text).map(Some)
        })
    }

    /// Hands on the texts in `input`: whether a heartbeat was among them.
    fn decode(&mut self, mut input: &mut [u8], on_text: &mut impl FnMut(&str)) -> Result<bool> {
        let mut is_ping = false;
        while let Some(message) = self.decoder.next(&mut input)? {
            match message {
                Message::Text("2") => is_ping = true,
                Message::Text(text) => on_text(text),
                Message::Close(frame) => bail!("the server closed the session: {frame:?}"),
                Message::Binary(_) | Message::Ping(_) | Message::Pong(_) => {}
            }
        }
        Ok(is_ping)
    }
}

/// The opening handshake (RFC 6455 section 4.1). Returns what was read beyond it.
async fn upgrade(stream: &mut TcpStream, address: SocketAddr) -> Result<Vec<u8>> {
    let request = format!(
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut read = Vec::with_capacity(512);
    let head_len = loop {
        if let Some(end) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        ensure!(read.len() < HEAD_BYTES_MAX, "the head of the answer does not end");
        ensure!(stream.read_buf(&mut read).await? > 0, "the server closed the connection");
    };
    let head = String::from_utf8_lossy(&read[..head_len]);
    ensure!(head.starts_with("HTTP/1.1 101 "), "refused: {}", head.lines().next().unwrap_or_default());
    Ok(read.split_off(head_len))
}
