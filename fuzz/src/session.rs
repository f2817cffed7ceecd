//! Whole sessions: whatever a client sends and whenever, only what belongs to a connected namespace comes through, what
//! is kept is bounded, and the session ends when the client falls silent.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use roomkey_model::Timestamp;
use roomkey_protocol::{
    CloseReason,
    engine::{self, Packet, Revision, query::Transport},
    session::{Config, Incoming, Session},
    socket::msgpack,
    upgrade::{Upgrade, UpgradeAction},
};

/// Pieces of a script, which has one act per line; see [`run`].
pub const DICTIONARY: &[&[u8]] = &[
    b"#3",
    b"#m",
    b"#b",
    b"\n40",
    b"\n40/a,",
    b"\n40/b,{}",
    b"\n40/c?x=y",
    b"\n41",
    b"\n41/a,",
    b"\n42[\"m\"]",
    b"\n42/a,7[\"m\",1]",
    b"\n431[]",
    b"\n451-[\"m\"]",
    b"\n451-[\"m\",{\"_placeholder\":true,\"num\":0}]",
    b"\n452-/a,[\"m\"]",
    b"\nbAQ==",
    b"\nb4AQ==",
    b"\n2",
    b"\n3",
    b"\n1",
    b"\n6",
    b"\n+9",
    b"\n+z",
    b"\n+~",
    b"\ny",
    b"\ny/a",
    b"\nn",
    b"\nn/a",
    b"\nd",
    b"\nd/a",
    b"\nx",
    b"\nu",
    b"\nu2probe",
    b"\nu5",
];

const INTERVAL_MS: u64 = 25_000;
const TIMEOUT_MS: u64 = 20_000;
const MESSAGE_BYTES_MAX: usize = 1000;
const NAMESPACES_MAX: usize = 3;

/// Plays a script. Its first line says who the client is: `#3` is one of Engine.IO 3, `#m` one whose packets are
/// written as msgpack, `#b` one of bare Engine.IO 4, `#b3` of bare Engine.IO 3, anything else a stock client.
///
/// Of each other line the first character says who acts: `y`, `n` and `d` are the server's yes, no and disconnect for
/// the namespace that follows; `x` is a server that does not listen for a while; `+` lets time pass; `u` is a WebSocket
/// that wants to take over, with what it says; everything else is a packet of the client.
pub fn run(data: &[u8]) {
    let Ok(script) = str::from_utf8(data) else { return };
    let config = Config {
        ping_interval_ms: INTERVAL_MS,
        ping_timeout_ms: TIMEOUT_MS,
        connect_timeout_ms: 10_000,
        pre_auth_bytes: 200,
        message_bytes_max: MESSAGE_BYTES_MAX,
        attachments_max: 3,
        partial_message_ms: 10_000,
        msgpack: script.starts_with("#m"),
        namespaces_max: NAMESPACES_MAX,
    };
    match script.lines().next() {
        Some("#b") => play_bare(script, Revision::V4),
        Some("#b3") => play_bare(script, Revision::V3),
        Some("#3") => play(script, Revision::V3, config),
        _ => play(script, Revision::V4, config),
    }
}

fn play(script: &str, revision: Revision, config: Config) {
    let mut play = Play {
        now: Timestamp(0),
        is_packed: config.msgpack,
        session: Session::new(Arc::new(config), revision, Timestamp(0)),
        namespaces: BTreeMap::new(),
        upgrade: Upgrade::new(Transport::Polling),
    };
    if let Some(incoming) = play.session.begin() {
        play.hear(incoming);
    }
    assert_eq!(
        play.namespaces.len(),
        usize::from(revision == Revision::V3),
        "only the old ones join by themselves"
    );
    for line in script.lines().skip_while(|line| line.starts_with('#')) {
        if play.act(line).is_err() {
            return;
        }
    }
    // The client falls silent; one of its last packets may have prolonged the wait for a pong.
    let end = play.now.plus_ms(INTERVAL_MS + 2 * TIMEOUT_MS);
    assert!(play.wait_until(end).is_err(), "a session without a client ends");
}

/// What the model knows of a namespace.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Requested,
    Connected,
    Expelled,
}

struct Play {
    now: Timestamp,
    is_packed: bool,
    session: Session,
    namespaces: BTreeMap<String, State>,
    upgrade: Upgrade,
}

impl Play {
    fn act(&mut self, line: &str) -> Result<(), CloseReason> {
        let (namespace, state) = match line.get(1..) {
            Some("") | None => ("/", self.namespaces.get("/").copied()),
            Some(namespace) => (namespace, self.namespaces.get(namespace).copied()),
        };
        match line.as_bytes().first() {
            Some(b'+') => self.wait_until(self.now.plus_ms(pause_ms(line)))?,
            Some(b'y') => {
                assert_eq!(self.session.accept(namespace), state == Some(State::Requested));
                self.change(namespace, State::Requested, Some(State::Connected));
            }
            Some(b'n') => {
                assert_eq!(self.session.reject(namespace), state == Some(State::Requested));
                self.change(namespace, State::Requested, None);
            }
            Some(b'd') => {
                assert_eq!(self.session.disconnect(namespace), state == Some(State::Connected));
                self.change(namespace, State::Connected, Some(State::Expelled));
            }
            Some(b'u') => self.probe(&line[1..]),
            Some(b'x') => self.session.excuse_silence(self.now),
            _ => {
                let message = if self.is_packed { pack(line) } else { None };
                let revision = self.session.revision();
                let packet = match &message {
                    Some(message) => revision.decode_frame(message)?,
                    None => revision.decode(line)?,
                };
                let incoming = self.session.receive(packet, self.now)?;
                assert!(!self.session.is_msgpack() || self.is_packed);
                if let Some(incoming) = incoming {
                    self.hear(incoming);
                }
            }
        }
        let connected = self.namespaces.iter().filter(|(_, state)| **state == State::Connected);
        assert_eq!(self.session.namespaces().count(), connected.clone().count());
        assert!(connected.count() <= NAMESPACES_MAX);
        assert!(self.session.buffered_bytes() <= MESSAGE_BYTES_MAX.max(line.len()));
        assert!(self.session.deadline() <= self.now.plus_ms(INTERVAL_MS + TIMEOUT_MS));
        Ok(())
    }

    fn hear(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Connect { namespace, .. } => {
                let before = self.namespaces.insert(namespace.to_string(), State::Requested);
                assert!(matches!(before, None | Some(State::Expelled)), "CONNECT is heard once");
            }
            Incoming::Event { namespace, args, .. } | Incoming::Ack { namespace, args, .. } => {
                assert_eq!(self.namespaces.get(namespace.as_str()), Some(&State::Connected));
                assert!(args.attachments().len() <= 3);
            }
            Incoming::Disconnect { namespace } => {
                assert_eq!(self.namespaces.remove(namespace.as_str()), Some(State::Connected));
            }
            Incoming::Ping => assert_eq!(self.session.revision(), Revision::V3, "an error in revision 4"),
        }
    }

    /// A WebSocket beside the polling session says something; whatever that is, the session goes on.
    fn probe(&mut self, packet: &str) {
        let before = self.upgrade.transport();
        if packet.is_empty() {
            let is_free = before == Transport::Polling && self.upgrade.deadline().is_none();
            assert_eq!(self.upgrade.begin(10_000, self.now).is_ok(), is_free);
        } else if let Ok(packet) = Packet::decode(packet) {
            let outcome = self.upgrade.on_packet(&packet);
            assert!(outcome.is_err() || before == Transport::Polling);
            let is_done = before == Transport::Websocket || outcome == Ok(UpgradeAction::Complete);
            assert_eq!(self.upgrade.transport() == Transport::Websocket, is_done);
        } else {
            self.upgrade.abort();
        }
    }

    fn change(&mut self, namespace: &str, from: State, to: Option<State>) {
        if self.namespaces.get(namespace) == Some(&from) {
            match to {
                Some(to) => self.namespaces.insert(namespace.to_owned(), to),
                None => self.namespaces.remove(namespace),
            };
        }
    }

    fn wait_until(&mut self, end: Timestamp) -> Result<(), CloseReason> {
        while self.session.deadline() <= end {
            self.now = self.now.max(self.session.deadline());
            let action = self.session.on_timer(self.now)?;
            assert!(
                action.is_some() && self.session.deadline() > self.now,
                "a deadline means that something is due"
            );
        }
        self.now = end;
        if self.upgrade.deadline().is_some_and(|deadline| deadline <= self.now) {
            self.upgrade.abort();
        }
        Ok(())
    }
}

/// A session of bare Engine.IO: every message comes through, as it was sent.
fn play_bare(script: &str, revision: Revision) {
    let mut now = Timestamp(0);
    let mut session = engine::Session::new(revision, INTERVAL_MS, TIMEOUT_MS, now);
    for line in script.lines().skip(1) {
        if line.starts_with('+') {
            let end = now.plus_ms(pause_ms(line));
            if wait_until(&mut session, now, end).is_err() {
                return;
            }
            now = end;
            continue;
        }
        let Ok(packet) = revision.decode(line) else { return };
        let message = match &packet {
            Packet::Message(text) => Some(engine::Message::Text(text)),
            Packet::Binary(bytes) => Some(engine::Message::Binary(bytes.clone())),
            _ => None,
        };
        match session.receive(packet.clone(), now) {
            Ok(Some(engine::Incoming::Message(heard))) => assert_eq!(Some(heard), message),
            Ok(Some(engine::Incoming::Ping)) => assert_eq!(revision, Revision::V3),
            Ok(None) => assert_eq!(message, None),
            Err(_) => {
                assert_eq!(message, None);
                return;
            }
        }
        assert!(session.deadline() <= now.plus_ms(INTERVAL_MS + TIMEOUT_MS));
    }
    let end = now.plus_ms(INTERVAL_MS + 2 * TIMEOUT_MS);
    assert!(wait_until(&mut session, now, end).is_err(), "a session without a client ends");
}

fn wait_until(session: &mut engine::Session, mut now: Timestamp, end: Timestamp) -> Result<(), CloseReason> {
    while session.deadline() <= end {
        now = now.max(session.deadline());
        assert!(session.on_timer(now)? && session.deadline() > now, "a deadline means that something is due");
    }
    Ok(())
}

fn pause_ms(line: &str) -> u64 {
    u64::from(line.as_bytes().get(1).copied().unwrap_or(0)).pow(2)
}

/// What a client sends that writes its packets as msgpack; `None` for what is no Socket.IO packet.
fn pack(line: &str) -> Option<Vec<u8>> {
    let count = usize::from(line.starts_with("45") || line.starts_with("46")) * 3;
    msgpack::encode(line, &vec![Bytes::from_static(&[1, 2]); count])
}
