use std::{collections::VecDeque, fmt::Write, sync::Arc};

use expect_test::Expect;
use roomkey_model::Timestamp;

use crate::{
    CloseReason,
    engine::{Packet, Revision, payload},
    session::{Config, Incoming, Session, TimerAction},
    socket,
};

/// A server with one session, and a client that behaves like the stock ones, with a delay between them.
///
/// The server admits to `/` and `/custom`, unless the auth is `{"token":"bad"}`; it lets `/slow` wait and knows no
/// other namespace. It acknowledges events with their arguments, and sends those without an id back. The event `leave`
/// makes it end the namespace.
///
/// Binary packets are written as in polling, `b` and base64.
pub(super) struct Pair {
    pub(super) now: Timestamp,
    pub(super) session: Session,
    pub(super) client: Client,
    pub(super) delay_ms: u64,
    closed: Option<CloseReason>,
    to_server: VecDeque<(Timestamp, String)>,
    to_client: VecDeque<(Timestamp, String)>,
    /// What happened: `->` when the server receives, `<-` when it sends, times in milliseconds.
    log: String,
}

/// The client's heartbeat.
pub(super) struct Client {
    pub(super) answers_pings: bool,
    /// An interval and a timeout: without a ping for so long it gives the server up.
    patience_ms: u64,
    ping_expected_until: Timestamp,
    pub(super) gave_up: bool,
}

impl Pair {
    pub(super) fn new(config: Config) -> Self {
        Self::of(Revision::V4, config)
    }

    /// A client of another revision. Its own heartbeat is the test's to send.
    pub(super) fn of(revision: Revision, config: Config) -> Self {
        let now = Timestamp(0);
        let patience_ms = config.ping_interval_ms + config.ping_timeout_ms;
        Self {
            now,
            session: Session::new(Arc::new(config), revision, now),
            client: Client {
                answers_pings: true,
                patience_ms,
                ping_expected_until: now.plus_ms(patience_ms),
                gave_up: false,
            },
            delay_ms: 0,
            closed: None,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            log: String::new(),
        }
    }

    /// The session begins; with revision 3 that joins the main namespace.
    pub(super) fn begin(&mut self) -> &mut Self {
        if let Some(incoming) = self.session.begin() {
            self.serve(incoming);
        }
        self
    }

    /// The client sends these packets.
    pub(super) fn send(&mut self, packets: &[&str]) -> &mut Self {
        let arrival = self.now.plus_ms(self.delay_ms);
        self.to_server.extend(packets.iter().map(|packet| (arrival, (*packet).to_owned())));
        self.run_until(self.now.0)
    }

    /// Lets time pass, up to and including this instant.
    pub(super) fn run_until(&mut self, ms: u64) -> &mut Self {
        while let Some(next) = self.next_instant().filter(|next| next.0 <= ms) {
            self.now = self.now.max(next);
            self.step();
        }
        self.now = Timestamp(ms);
        self
    }

    pub(super) fn close_reason(&self) -> Option<CloseReason> {
        self.closed
    }

    /// Compares what happened since the last check.
    #[expect(clippy::needless_pass_by_value, reason = "that is how expectations are written")]
    pub(super) fn check(&mut self, expected: Expect) -> &mut Self {
        expected.assert_eq(&std::mem::take(&mut self.log));
        self
    }

    /// What the server does for itself: ends the namespace.
    pub(super) fn expel(&mut self, namespace: &str) -> &mut Self {
        assert!(self.session.disconnect(namespace));
        self.reply(socket::encode_disconnect(namespace));
        self
    }

    /// What the server does when it has made up its mind about `/slow`.
    pub(super) fn admit(&mut self, namespace: &str) -> &mut Self {
        assert!(self.session.accept(namespace));
        self.reply(socket::encode_connect(namespace, "sid", None));
        self
    }

    fn next_instant(&self) -> Option<Timestamp> {
        let arrivals =
            [self.to_server.front(), self.to_client.front()].into_iter().flatten().map(|(at, _)| *at);
        let timers = [
            self.closed.is_none().then(|| self.session.deadline()),
            (!self.client.gave_up && self.closed.is_none()).then_some(self.client.ping_expected_until),
        ];
        arrivals.chain(timers.into_iter().flatten()).min()
    }

    fn step(&mut self) {
        if self.closed.is_none() && self.now >= self.session.deadline() {
            match self.session.on_timer(self.now) {
                Ok(Some(TimerAction::SendPing)) => self.reply("2".to_owned()),
                Ok(None) => panic!("the deadline had come"),
                Err(reason) => self.close(reason),
            }
        } else if let Some((_, packet)) = self.to_server.pop_front_if(|(at, _)| *at <= self.now) {
            self.receive(&packet);
        } else if let Some((_, packet)) = self.to_client.pop_front_if(|(at, _)| *at <= self.now) {
            self.client_receives(&packet);
        } else if self.now >= self.client.ping_expected_until {
            self.client.gave_up = true;
            writeln!(self.log, "{} the client gives up", self.now.0).expect("a string");
        }
    }

    fn client_receives(&mut self, packet: &str) {
        if packet == "2" {
            self.client.ping_expected_until = self.now.plus_ms(self.client.patience_ms);
            if self.client.answers_pings {
                self.to_server.push_back((self.now.plus_ms(self.delay_ms), "3".to_owned()));
            }
        }
    }

    fn receive(&mut self, text: &str) {
        if self.closed.is_some() {
            return;
        }
        writeln!(self.log, "{} -> {text}", self.now.0).expect("a string");
        let result = self
            .session
            .revision()
            .decode(text)
            .map_err(CloseReason::from)
            .and_then(|packet| self.session.receive(packet, self.now));
        match result {
            Ok(Some(incoming)) => self.serve(incoming),
            Ok(None) => {}
            Err(reason) => self.close(reason),
        }
    }

    fn serve(&mut self, incoming: Incoming) {
        match incoming {
            Incoming::Connect { namespace, auth } => match (&*namespace, auth.as_deref()) {
                (_, Some(r#"{"token":"bad"}"#)) => {
                    assert!(self.session.reject(&namespace));
                    let data = serde_json::json!({"code": "TOKEN_INVALID"});
                    let error = socket::encode_connect_error(&namespace, "not authorized", Some(&data));
                    self.reply(error.expect("it serializes"));
                }
                ("/" | "/custom", _) => {
                    self.admit(&namespace);
                }
                ("/slow", _) => {}
                _ => {
                    assert!(self.session.reject(&namespace));
                    let error = socket::encode_connect_error(&namespace, "Invalid namespace", None::<&()>);
                    self.reply(error.expect("it serializes"));
                }
            },
            Incoming::Event { namespace, name, .. } if &*name == "leave" => {
                self.expel(&namespace);
            }
            Incoming::Event { namespace, id, name, args } => {
                let attachments = args.attachments().to_vec();
                let reply = match id {
                    Some(id) => socket::encode_ack_raw(&namespace, id, args.json(), attachments),
                    None => socket::encode_event_raw(&namespace, None, &name, args.json(), attachments),
                };
                let reply = reply.expect("an array");
                self.reply(reply.text);
                for attachment in reply.attachments {
                    let mut text = payload::Encoder::new();
                    text.push(&Packet::Binary((&*attachment).into()));
                    self.reply(text.finish());
                }
            }
            Incoming::Ack { namespace, id, args } => {
                writeln!(self.log, "{} ack {namespace} {id} {}", self.now.0, args.json()).expect("a string");
            }
            Incoming::Ping => self.reply("3".to_owned()),
            Incoming::Disconnect { namespace } => {
                writeln!(self.log, "{} left {namespace}", self.now.0).expect("a string");
            }
        }
    }

    fn reply(&mut self, packet: String) {
        writeln!(self.log, "{} <- {packet}", self.now.0).expect("a string");
        self.to_client.push_back((self.now.plus_ms(self.delay_ms), packet));
    }

    fn close(&mut self, reason: CloseReason) {
        let left: Vec<_> = self.session.namespaces().map(|namespace| format!(" {namespace}")).collect();
        writeln!(self.log, "{} close: {}: {reason};{}", self.now.0, reason.as_str(), left.concat())
            .expect("a string");
        self.closed = Some(reason);
    }
}
