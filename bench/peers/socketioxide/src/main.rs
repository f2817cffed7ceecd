//! The bench server, on socketioxide: `peer-socketioxide PORT THREADS [current-thread]`.
//!
//! The runtime is the one that `#[tokio::main]` gives, with so many workers, or the leaner one of a single thread.

use std::{env, fmt, net::Ipv4Addr};

use axum::serve::ListenerExt;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde_json::Value;
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef, State, TryData},
    handler::ConnectHandler,
};
use tokio::{net::TcpListener, runtime};

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SECRET: &[u8] = b"perf-secret-perf-secret-perf-secret-32";

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let number = |index: usize| arguments[index].parse::<u16>().expect("a number");
    let mut runtime = match arguments.get(2).map(String::as_str) {
        Some("current-thread") => runtime::Builder::new_current_thread(),
        _ => runtime::Builder::new_multi_thread(),
    };
    runtime.worker_threads(number(1).into()).enable_all();
    runtime.build().expect("a runtime").block_on(serve(number(0)));
}

async fn serve(port: u16) {
    let (layer, io) = SocketIo::builder().with_state(Verifier::new()).build_layer();
    io.ns("/", on_connect.with(authenticate));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.expect("a free port");
    println!("http://{}", listener.local_addr().expect("it is bound"));
    let listener = listener.tap_io(|connection| connection.set_nodelay(true).expect("a TCP connection"));
    axum::serve(listener, axum::Router::new().layer(layer)).await.expect("it serves for ever");
}

async fn on_connect(socket: SocketRef) {
    socket.on("join", async |socket: SocketRef, Data(room): Data<String>, ack: AckSender| {
        socket.join(room);
        ack.send("ok").ok();
    });
    socket.on("bcast", async |io: SocketIo, Data((room, payload)): Data<(String, Value)>| {
        io.to(room).emit("msg", &payload).await.ok();
    });
    socket.on("echo", async |Data(x): Data<Value>, ack: AckSender| {
        ack.send(&x).ok();
    });
}

#[derive(Deserialize)]
struct Auth {
    token: String,
}

#[derive(Deserialize)]
struct Claims {
    #[expect(dead_code, reason = "must be there")]
    sub: String,
}

async fn authenticate(TryData(auth): TryData<Auth>, State(verifier): State<Verifier>) -> Result<(), Refused> {
    let auth = auth.map_err(|_| Refused)?;
    decode::<Claims>(&auth.token, &verifier.key, &verifier.validation).map_err(|_| Refused)?;
    Ok(())
}

#[derive(Clone)]
struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

impl Verifier {
    fn new() -> Self {
        Self { key: DecodingKey::from_secret(SECRET), validation: Validation::new(Algorithm::HS256) }
    }
}

struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authentication error: Invalid token")
    }
}
