//! A client that follows a channel as docs/chat.md says sees each message once and in order, wherever its connection ends.

use std::collections::VecDeque;

use proptest::prelude::*;
use roomkey_chat::ChatConfig;
use roomkey_model::{ChannelId, Limits, Role, Visibility};
use serde_json::{Value, json};

use crate::support::{Client, World};

/// What happens beside the follower between any two of its steps.
#[derive(Clone, Copy, Debug)]
enum Meanwhile {
    Nothing,
    /// Messages are sent that are committed sooner or later.
    Sent(u8),
    /// Messages are sent, and committed before anything else happens.
    Committed(u8),
    /// The follower says something itself, as on another device.
    Said,
    /// The connection ends, and with it all that was on the way.
    Lost,
}

fn meanwhile() -> impl Strategy<Value = Meanwhile> {
    prop_oneof![
        4 => Just(Meanwhile::Nothing),
        3 => (1..6u8).prop_map(Meanwhile::Sent),
        2 => (1..6u8).prop_map(Meanwhile::Committed),
        1 => Just(Meanwhile::Said),
        2 => Just(Meanwhile::Lost),
    ]
}

struct Lost;

/// The client as documented. `shown` is all that its user ever saw.
struct Follower<'a> {
    world: &'a World,
    channel: &'a ChannelId,
    sender: Client<'a>,
    socket: Option<Client<'a>>,
    script: VecDeque<Meanwhile>,
    shown: Vec<u64>,
}

impl<'a> Follower<'a> {
    /// A point at which anything may happen.
    async fn meanwhile(&mut self) -> Result<(), Lost> {
        match self.script.pop_front().unwrap_or(Meanwhile::Nothing) {
            Meanwhile::Nothing => {}
            Meanwhile::Sent(count) => {
                (0..count).for_each(|_| drop(self.sender.emit("sendMessage", &self.message())));
            }
            Meanwhile::Committed(count) => {
                for _ in 0..count {
                    self.sender.ask("sendMessage", &self.message()).await;
                }
            }
            Meanwhile::Said => {
                if let Some(socket) = &self.socket {
                    socket.ask("sendMessage", &self.message()).await;
                }
            }
            Meanwhile::Lost => {
                if let Some(socket) = self.socket.take() {
                    socket.lose();
                }
                return Err(Lost);
            }
        }
        Ok(())
    }

    fn message(&self) -> String {
        json!([{ "channelId": self.channel, "content": "x" }]).to_string()
    }

    /// One connection, from its beginning to its end or to the end of the script.
    async fn follow(&mut self) -> Result<(), Lost> {
        self.socket = Some(self.world.connect("bob").await);
        self.meanwhile().await?;
        self.catch_up().await?;
        while !self.script.is_empty() {
            self.meanwhile().await?;
            let messages = self.live();
            if let Some(newest) = self.show(&messages) {
                self.meanwhile().await?;
                self.acknowledge(&newest).await?;
            }
        }
        Ok(())
    }

    /// Pages of what is stored, each acknowledged; what comes live waits in the socket meanwhile.
    async fn catch_up(&mut self) -> Result<(), Lost> {
        loop {
            let page = self.ask("message:getOffline", &json!({ "channelId": self.channel })).await?;
            let messages = page["messages"].as_array().expect("a list").clone();
            self.meanwhile().await?;
            self.show(&messages);
            if let Some(newest) = messages.last() {
                self.meanwhile().await?;
                self.acknowledge(&newest["id"].clone()).await?;
            }
            if page["more"] == false {
                return Ok(());
            }
        }
    }

    /// Shows what is newer than all that was shown; gives the id of the newest.
    fn show(&mut self, messages: &[Value]) -> Option<Value> {
        for message in messages {
            let seq = message["seq"].as_u64().expect("a number");
            if seq > self.shown.last().copied().unwrap_or(0) {
                self.shown.push(seq);
            }
        }
        messages.last().map(|message| message["id"].clone())
    }

    fn live(&self) -> Vec<Value> {
        let heard = self.socket.as_ref().expect("is connected").heard();
        let events = heard.iter().map(|event| serde_json::from_str::<Value>(event).expect("JSON"));
        events.filter(|event| event[0] == "message.created").map(|event| event[1].clone()).collect()
    }

    async fn acknowledge(&mut self, message: &Value) -> Result<(), Lost> {
        self.ask("message:delivered", &json!({ "messageId": message })).await.map(drop)
    }

    async fn ask(&mut self, event: &str, payload: &Value) -> Result<Value, Lost> {
        let asked = self.socket.as_ref().expect("is connected").emit(event, &json!([payload]).to_string());
        self.meanwhile().await?; // the answer is lost with the connection, and what was asked may have happened
        let ack: Value = serde_json::from_str(asked.ack().await.json()).expect("JSON");
        assert_eq!(ack["error"], Value::Null, "{event}");
        Ok(ack["data"].clone())
    }
}

async fn run(script: Vec<Meanwhile>) {
    let limits = Limits { page_entries: 3, ..Limits::default() };
    let world = World::with_config(ChatConfig { limits, ..ChatConfig::default() });
    let channel = world.channel(Visibility::Private, "ada", &[("bob", Role::Member)]).await;
    let sender = world.connect("ada").await;
    let mut follower = Follower {
        world: &world,
        channel: &channel,
        sender,
        socket: None,
        script: script.into(),
        shown: Vec::new(),
    };
    while follower.follow().await.is_err() {}
    // Whatever was sent and not waited for is committed before this is.
    follower.sender.send(&channel, "the last").await;
    let messages = follower.live();
    follower.show(&messages);

    let last = world.store.channel(&channel).await.expect("readable").expect("is there").last_seq.0;
    assert_eq!(follower.shown, (1..=last).collect::<Vec<_>>());
    let standing = data(&follower, "message:getOfflineCount").await;
    let delivered = standing["channels"][0]["deliveredSeq"].as_u64().expect("a number");
    assert!(delivered <= last, "a watermark is never ahead of the messages");
}

async fn data(follower: &Follower<'_>, event: &str) -> Value {
    let ack = follower.socket.as_ref().expect("is connected").ask(event, "[]").await;
    serde_json::from_str::<Value>(&ack).expect("JSON")["data"].clone()
}

#[test]
fn each_message_once_and_in_order_wherever_the_connection_ends() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let config = ProptestConfig { cases: 40, ..ProptestConfig::default() };
    proptest!(config, |(script in prop::collection::vec(meanwhile(), 0..60))| {
        runtime.block_on(run(script));
    });
}
