//! A quiz: `quiz PORT`. Each namespace `/quiz-...` is a game of its own, which begins with its first player.
//!
//! - players connect with `auth: { name }`; the others hear `joined(name)` and `left(name)`
//! - `team(name)` joins a team, and `whisper(text)` tells its other members
//! - `ask(question, patience_ms)` puts a question to all other players and acks `{ answers, missing }`: their acks, in
//!   the order they came, and how many players did not answer

use std::time::Duration;

use roomkey::{
    BroadcastAckError, DisconnectReason, Failure, Json, Namespace, OriginPolicy, RoomName, ServerBuilder,
    ServerConfig, Socket,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(port), None) = (args.next(), args.next()) else { anyhow::bail!("usage: quiz PORT") };
    let config = ServerConfig {
        address: ([127, 0, 0, 1], port.parse()?).into(),
        origins: OriginPolicy::any(),
        ..ServerConfig::default()
    };
    let server =
        ServerBuilder::new(config).namespace_matching(|name| name.starts_with("/quiz-"), game()).bind()?;
    println!("listening on {}", server.local_addr());
    server.run(std::future::pending())?;
    Ok(())
}

#[derive(Clone, Deserialize)]
struct Player {
    name: String,
}

/// The team that a player is in.
#[derive(Clone)]
struct Team(RoomName);

#[derive(Serialize)]
struct Answers {
    answers: Vec<Value>,
    missing: usize,
}

fn game() -> Namespace {
    Namespace::open()
        .middleware(async |socket: Socket| {
            let player: Player = serde_json::from_str(socket.auth().unwrap_or("{}"))
                .map_err(|_| Failure::bad_payload("Please tell your name"))?;
            socket.extensions(|state| state.insert(player));
            Ok(())
        })
        .on_connect(async |socket: Socket| announce(&socket, "joined"))
        .on_disconnect(async |socket: Socket, _: DisconnectReason| announce(&socket, "left"))
        .on("team", async |socket: Socket, (team,): (RoomName,)| {
            if let Some(Team(old)) = socket.extensions(|state| state.insert(Team(team.clone()))) {
                socket.leave(&old);
            }
            socket.join(&team).is_ok()
        })
        .on("whisper", async |socket: Socket, (text,): (String,)| {
            match socket.extensions(|state| state.get::<Team>().cloned()) {
                Some(Team(team)) => socket.to(&team).emit("whispered", &(text,)).is_ok(),
                None => false,
            }
        })
        .on("ask", async |socket: Socket, (question, patience_ms): (String, u64)| {
            let patience = Duration::from_millis(patience_ms.min(60_000));
            let (acks, missing) =
                match socket.broadcast().emit_with_ack("question", &(question,), patience).await {
                    Ok(acks) => (acks, 0),
                    Err(BroadcastAckError::Incomplete { acks, missing }) => (acks, missing),
                    Err(error) => return Err(Failure::bad_payload(error.to_string())),
                };
            let answers = acks.iter().map(|ack| ack.args.argument(0).unwrap_or_default()).collect();
            Ok(Json(Answers { answers, missing }))
        })
}

/// Tells the other players.
fn announce(socket: &Socket, event: &str) {
    if let Some(Player { name }) = socket.extensions(|state| state.get().cloned()) {
        socket.broadcast().emit(event, &(name,)).expect("text");
    }
}
