//! Sessions: whatever a client sends and whenever, only what belongs to a connected namespace comes through, and the
//! session ends when the client falls silent.

use std::{collections::BTreeMap, sync::Arc};

use roomkey_model::Timestamp;
use roomkey_protocol::{
    CloseReason,
    engine::{Packet, Revision},
    session::{Config, Incoming, Session},
};

/// Pieces of a script, which has one act per line; see [`run`].
pub const DICTIONARY: &[&[u8]] = &[
    b"\n40",
    b"\n40/a,",
    b"\n40/b,{}",
    b"\n41",
    b"\n41/a,",
    b"\n42[\"m\"]",
    b"\n42/a,7[\"m\",1]",
    b"\n431[]",
    b"\n451-[\"m\"]",
    b"\n452-/a,[\"m\"]",
    b"\nbAQ==",
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
];

/// What the model knows of a namespace.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Requested,
    Connected,
    Expelled,
}

/// Plays a script. Of each line the first character says who acts: `y`, `n` and `d` are the server's yes, no and
/// disconnect for the namespace that follows; `+` lets time pass; everything else is a packet of the client.
pub fn run(data: &[u8]) {
    let Ok(script) = str::from_utf8(data) else { return };
    let config = Config {
        ping_interval_ms: 25_000,
        ping_timeout_ms: 20_000,
        connect_timeout_ms: 10_000,
        pre_auth_bytes: 200,
        message_bytes_max: 1000,
        attachments_max: 3,
        partial_message_ms: 10_000,
        msgpack: false,
        namespaces_max: 3,
    };
    let mut play = Play {
        now: Timestamp(0),
        session: Session::new(Arc::new(config.clone()), Revision::V4, Timestamp(0)),
        namespaces: BTreeMap::new(),
    };
    for line in script.lines() {
        if play.act(line).is_err() {
            return;
        }
    }
    // The client falls silent; one of its last packets may have prolonged the wait for a pong.
    let end = play.now.plus_ms(config.ping_interval_ms + 2 * config.ping_timeout_ms);
    assert!(play.wait_until(end).is_err(), "a session without a client ends");
}

struct Play {
    now: Timestamp,
    session: Session,
    namespaces: BTreeMap<String, State>,
}

impl Play {
    fn act(&mut self, line: &str) -> Result<(), CloseReason> {
        let (namespace, state) = match line.get(1..) {
            Some("") | None => ("/", self.namespaces.get("/").copied()),
            Some(namespace) => (namespace, self.namespaces.get(namespace).copied()),
        };
        match line.as_bytes().first() {
            Some(b'+') => {
                let ms = u64::from(line.as_bytes().get(1).copied().unwrap_or(0)).pow(2);
                self.wait_until(self.now.plus_ms(ms))?;
            }
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
            _ => {
                let packet = Packet::decode(line)?;
                if let Some(incoming) = self.session.receive(packet, self.now)? {
                    self.hear(incoming);
                }
            }
        }
        let connected = self.namespaces.iter().filter(|(_, state)| **state == State::Connected);
        assert_eq!(self.session.namespaces().count(), connected.clone().count());
        assert!(connected.count() <= 3);
        assert!(self.session.deadline() <= self.now.plus_ms(25_000));
        Ok(())
    }

    fn hear(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Connect { namespace, .. } => {
                let before = self.namespaces.insert(namespace.to_string(), State::Requested);
                assert!(matches!(before, None | Some(State::Expelled)), "CONNECT is heard once");
            }
            Incoming::Event { namespace, .. } | Incoming::Ack { namespace, .. } => {
                assert_eq!(self.namespaces.get(namespace.as_str()), Some(&State::Connected));
            }
            Incoming::Ping => panic!("an error in revision 4"),
            Incoming::Disconnect { namespace } => {
                assert_eq!(self.namespaces.remove(namespace.as_str()), Some(State::Connected));
            }
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
        Ok(())
    }
}
