//! The server that Roomkey is measured with: `bench_server PORT THREADS`.
//!
//! Listens on 127.0.0.1 and lets in clients whose `auth.token` is signed (HS256) with the secret below.
//!
//! - `join(room)` joins a room and acks `"ok"`
//! - `bcast(room, payload)` emits `msg(payload)` to the room
//! - `echo(x)` acks `x`
//! - `revoke(user)` revokes all tokens of a user, and acks how many sockets that closed
//!
//! Rates that a client of the product would meet are off: what is measured is what the server can do.

use std::sync::{Arc, OnceLock};

use roomkey::{
    Event, Failure, Limits, Namespace, OriginPolicy, Revocation, RevocationReason, RevocationTarget,
    RoomName, ServerBuilder, ServerConfig, ServerHandle, Socket, Timestamp, TokenAuthentication, UserId,
    auth::{Algorithm, HmacSecret, IssuerProfile, SecretStrength, Verifier},
};
use serde_json::value::RawValue;

const SECRET: &str = "perf-secret-perf-secret-perf-secret-32";

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(port), Some(threads), None) = (args.next(), args.next(), args.next()) else {
        anyhow::bail!("usage: bench_server PORT THREADS");
    };
    let config = ServerConfig {
        address: ([127, 0, 0, 1], port.parse()?).into(),
        threads: threads.parse()?,
        origins: OriginPolicy::any(),
        limits: Limits::default().without_rates(),
        ..ServerConfig::default()
    };
    let handle = Arc::new(OnceLock::new());
    let builder = ServerBuilder::new(config).namespace("/", namespace(handle.clone())?);
    let server = builder.bind()?;
    handle.get_or_init(|| server.handle());
    println!("listening on {}", server.local_addr());
    server.run(std::future::pending())?;
    Ok(())
}

fn namespace(server: Arc<OnceLock<ServerHandle>>) -> anyhow::Result<Namespace> {
    let secret = HmacSecret::new("SECRET", Algorithm::Hs256, SECRET.as_bytes(), SecretStrength::Required)?;
    // Load generators sign what they like: no lifetime is too long for a measurement, nor none at all.
    let profile = IssuerProfile {
        lifetime_max_ms: None,
        require_exp: false,
        leeway_ms: 0,
        ..IssuerProfile::shared_secret("bench", vec![secret])
    };
    let verifier = Arc::new(Verifier::new(vec![profile])?);
    Ok(Namespace::new(TokenAuthentication::new(verifier))
        .on("join", async |socket: Socket, (room,): (RoomName,)| {
            socket.join(&room).map_or("failed", |()| "ok")
        })
        .on("revoke", move |_: Socket, (user,): (UserId,)| {
            let server = server.get().expect("bound before anybody connects").clone();
            async move {
                let revocation = Revocation {
                    target: RevocationTarget::User(user),
                    issued_before: None,
                    revoked_at: Timestamp(0),
                    until: None,
                    reason: RevocationReason::Revoked,
                };
                u64::try_from(server.revoke(revocation).await).unwrap_or(u64::MAX)
            }
        })
        .on_any(async |event: Event| match &*event.name {
            "bcast" => broadcast(&event).err().map(Err),
            "echo" => Some(Ok(event.args)),
            _ => None,
        }))
}

/// Passes the payload on as it came, attachments and all.
fn broadcast(event: &Event) -> Result<(), Failure> {
    let wrong = |error: &dyn std::fmt::Display| Failure::bad_payload(error.to_string());
    let (room, payload): (RoomName, &RawValue) = event.args.deserialize().map_err(|error| wrong(&error))?;
    let attachments = event.args.attachments().to_vec();
    let room = event.socket.in_room(&room);
    room.emit_raw("msg", &format!("[{payload}]"), attachments).map_err(|error| wrong(&error))
}
