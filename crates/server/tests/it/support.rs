use std::{sync::Arc, time::Duration};

use roomkey::{Deflate, Event, Limits, Namespace, Recovery, RoomName, ServerBuilder, ServerConfig, Socket};
use roomkey_testkit::{Client, Received, TestClock, TestServer};

/// An address that nobody needs, two threads, a short farewell, and no rates: one test does what many clients do.
pub(crate) fn config() -> ServerConfig {
    ServerConfig {
        address: ([127, 0, 0, 1], 0).into(),
        threads: 2,
        drain_timeout: Duration::from_secs(20),
        limits: Limits::default().without_rates(),
        ..ServerConfig::default()
    }
}

pub(crate) fn config_with(limits: Limits) -> ServerConfig {
    ServerConfig { limits: limits.without_rates(), ..config() }
}

/// The same with all that is off by default.
pub(crate) fn with_everything(config: ServerConfig) -> ServerConfig {
    ServerConfig {
        allow_eio3: true,
        msgpack: true,
        deflate: Some(Deflate::default()),
        recovery: Some(Recovery::default()),
        ..config
    }
}

/// A main namespace for everybody.
pub(crate) fn start(config: ServerConfig) -> TestServer {
    start_with(config, namespace(Namespace::open()))
}

pub(crate) fn start_with(config: ServerConfig, main: Namespace) -> TestServer {
    TestServer::start(ServerBuilder::new(config).namespace("/", main).bind().expect("a free port"))
}

/// What most tests need: `echo` acks its arguments, `reply` emits them, `join` joins a room, and `say` emits to one.
pub(crate) fn namespace(namespace: Namespace) -> Namespace {
    namespace
        .on("join", async |socket: Socket, (room,): (RoomName,)| socket.join(&room).is_ok())
        .on("say", async |socket: Socket, (room, text): (RoomName, String)| {
            socket.in_room(&room).emit("said", &(text,)).is_ok()
        })
        .on_any(async |event: Event| match &*event.name {
            "echo" => Some(event.args),
            "reply" => {
                let (json, attachments) = (event.args.json(), event.args.attachments().to_vec());
                event.socket.emit_raw("reply", json, attachments).expect("arguments were arguments before");
                None
            }
            _ => None,
        })
}

/// With a clock that stands still until a test moves it; pings make the server look at it.
pub(crate) fn clocked() -> (ServerConfig, Arc<TestClock>) {
    let clock = Arc::new(TestClock::default());
    let config = ServerConfig {
        clock: clock.clone(),
        ping_interval: Duration::from_millis(50),
        ping_timeout: Duration::from_secs(60),
        ..config()
    };
    (config, clock)
}

/// The next packet that is no ping; pings are answered.
#[track_caller]
pub(crate) fn next(client: &mut Client) -> Received {
    loop {
        match client.receive() {
            Received::Text(ping) if ping == "2" => client.text("3"),
            other => return other,
        }
    }
}
