//! A client that follows its channels as docs/chat.md says, over real connections that end at any moment, on both threads of
//! a server: each message once and in order, with and without connection state recovery.

use roomkey_testkit::Client;
use serde_json::{Value, json};

use crate::product::{Call, Login, TestProduct};

/// Numbers from a seed: the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What the stock client remembers of a connection, to come back to it.
#[derive(Clone, Debug, Default)]
struct Memory {
    sid: String,
    pid: Option<String>,
    offset: Option<String>,
}

struct Lost;

struct Follower<'a> {
    product: &'a TestProduct,
    login: Login,
    channel: String,
    client: Option<Client>,
    memory: Memory,
    acks: u64,
    /// Messages that came live and are not shown yet.
    waiting: Vec<Value>,
    shown: Vec<u64>,
    recovered: usize,
    begun_anew: usize,
    dice: Dice,
}

impl Follower<'_> {
    fn come_back(&mut self) {
        let mut client = Client::open(self.product.server().address());
        let mut auth = json!({ "token": self.login.token });
        if let Some(pid) = &self.memory.pid {
            auth["pid"] = json!(pid);
            if let Some(offset) = &self.memory.offset {
                auth["offset"] = json!(offset);
            }
        }
        client.text(&format!("40{auth}"));
        let answer = loop {
            let packet = client.receive_text();
            match packet.strip_prefix("40") {
                Some(answer) => break serde_json::from_str::<Value>(answer).expect("JSON"),
                None => self.event(&packet),
            }
        };
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        let (sid, pid) = (text("sid").expect("an id"), text("pid"));
        if sid == self.memory.sid {
            self.recovered += 1;
            self.memory.pid = pid;
        } else {
            self.begun_anew += 1;
            self.memory = Memory { sid, pid, offset: None };
        }
        self.client = Some(client);
    }

    /// Takes an event; its last argument is its offset where there is recovery.
    fn event(&mut self, packet: &str) {
        let event: Vec<Value> =
            serde_json::from_str(packet.strip_prefix("42").expect("an event")).expect("JSON");
        if let (Some(_), Some(Value::String(offset))) = (&self.memory.pid, event.last()) {
            self.memory.offset = Some(offset.clone());
        }
        if event[0] == "message.created" {
            self.waiting.push(event[1].clone());
        }
    }

    /// Asks, and may lose the connection before the answer comes; what was asked then happens or not.
    fn ask(&mut self, event: &str, payload: &Value) -> Result<Value, Lost> {
        self.acks += 1;
        let id = self.acks;
        let client = self.client.as_mut().ok_or(Lost)?;
        client.text(&format!("42{id}{}", json!([event, payload])));
        if self.dice.roll(12) == 0 {
            self.client = None;
            return Err(Lost);
        }
        loop {
            let packet = self.client.as_mut().ok_or(Lost)?.receive_text();
            match packet.strip_prefix(&format!("43{id}")) {
                Some(ack) => {
                    let ack: Value = serde_json::from_str(ack).expect("JSON");
                    assert_eq!(ack[0]["error"], Value::Null, "{event}");
                    return Ok(ack[0]["data"].clone());
                }
                None => self.event(&packet),
            }
        }
    }

    fn follow(&mut self) -> Result<(), Lost> {
        self.come_back();
        let waits = self.ask("message:getOfflineCount", &json!({}))?;
        let standing = &waits["channels"][0];
        if standing["lastSeq"] != standing["deliveredSeq"] {
            loop {
                let page =
                    self.ask("message:getOffline", &json!({ "channelId": self.channel, "limit": 5 }))?;
                self.receive(page["messages"].as_array().expect("a list"))?;
                if page["more"] == false {
                    break;
                }
            }
        }
        for _ in 0..=self.dice.roll(4) {
            let messages = std::mem::take(&mut self.waiting);
            self.receive(&messages)?;
            // The answer comes behind all that was emitted before it.
            self.ask("message:getOfflineCount", &json!({}))?;
        }
        Ok(())
    }

    fn receive(&mut self, messages: &[Value]) -> Result<(), Lost> {
        for message in messages {
            let seq = message["seq"].as_u64().expect("a number");
            if seq > self.shown.last().copied().unwrap_or(0) {
                self.shown.push(seq);
            }
        }
        match messages.last() {
            Some(newest) => self.ask("message:delivered", &json!({ "messageId": newest["id"] })).map(drop),
            None => Ok(()),
        }
    }
}

fn each_message_once_and_in_order(recovery: bool, seed: u64) -> (usize, usize) {
    let config = format!(
        "[engine]\nrecovery = {recovery}\n[limits]\nevents_per_socket_per_s = 0\nevents_per_user_per_s = 0\n\
         handshakes_per_address_per_s = 0"
    );
    let product = TestProduct::start(&config);
    let (ada, bob) = (product.register("ada"), product.register("bob"));
    let channel =
        product.send("POST", "/api/channels", &Call::json(&json!({ "name": "den" })).token(&ada.token));
    let channel = channel.json["channel"]["id"].as_str().expect("an id").to_owned();
    let member = Call::json(&json!({ "userId": bob.user })).token(&ada.token);
    let added = product.send("POST", &format!("/api/channels/{channel}/members"), &member);
    assert!(added.status < 300, "{added:?}");

    let mut sender = product.connect(&ada.token);
    let message = json!(["sendMessage", { "channelId": channel, "content": "x" }]);
    let mut follower = Follower {
        product: &product,
        login: bob,
        channel: channel.clone(),
        client: None,
        memory: Memory::default(),
        acks: 0,
        waiting: Vec::new(),
        shown: Vec::new(),
        recovered: 0,
        begun_anew: 0,
        dice: Dice(seed),
    };
    let mut dice = Dice(!seed);
    for _ in 0..60 {
        // While the follower does the next things, or before, or as it comes back.
        (0..dice.roll(8)).for_each(|_| sender.text(&format!("42{message}")));
        if follower.follow().is_ok() && dice.roll(2) == 0 {
            follower.client = None;
        }
        if dice.roll(8) == 0 {
            follower.memory = Memory::default(); // a client that cannot recover
        }
    }
    sender.text(&format!("420{message}"));
    while !sender.receive_text().starts_with("430") {}
    while follower.follow().is_err() {}
    let messages = std::mem::take(&mut follower.waiting);
    let _ = follower.receive(&messages);

    let history = format!("/api/channels/{channel}/messages?limit=1");
    let last = product.get(&history, &ada.token).json["messages"][0]["seq"].as_u64().expect("a number");
    assert!(last > 100, "{last}");
    assert_eq!(follower.shown, (1..=last).collect::<Vec<_>>(), "seed {seed}");
    (follower.recovered, follower.begun_anew)
}

#[test]
fn without_recovery() {
    for seed in 1..=3 {
        let (recovered, begun_anew) = each_message_once_and_in_order(false, seed);
        assert!(recovered == 0 && begun_anew > 30, "{recovered} {begun_anew}");
    }
}

#[test]
fn with_recovery() {
    for seed in 1..=3 {
        let (recovered, begun_anew) = each_message_once_and_in_order(true, seed);
        assert!(recovered > 20 && begun_anew > 3, "{recovered} {begun_anew}");
    }
}
