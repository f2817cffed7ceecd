//! A chat with users whose sockets are polling connections of a real hub.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;
use roomkey_auth::{Identity, KeptClaims, Scopes, policy::Policy};
use roomkey_chat::{Access, Caller, Chat, ChatConfig, NewChannel, Reply, Typing, commit_sink};
use roomkey_cluster::Node;
use roomkey_hub::{Attention, Hub, HubConfig, Notice, RoomKey, SocketKey, Wire};
use roomkey_model::{ChannelId, Clock, Entropy, Failure, RoomName, Timestamp, TokenId, UserId};
use roomkey_store::{Role, SqliteConfig, SqliteStore, Store, Visibility};
use tempfile::TempDir;

pub(crate) struct World {
    pub(crate) chat: Chat,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<HandClock>,
    hub: Arc<Hub>,
    sockets: Sockets,
    _directory: TempDir,
}

/// Every socket, and what it has shown.
type Sockets = Arc<Mutex<Vec<(SocketKey, Arc<Identity>)>>>;

impl World {
    pub(crate) fn new() -> Self {
        Self::with_config(ChatConfig::default())
    }

    /// The calling thread becomes the hub's only shard.
    pub(crate) fn with_config(config: ChatConfig) -> Self {
        let sockets = Sockets::default();
        let known = sockets.clone();
        let policy = (*config.access.policy()).clone();
        let access = Access::new(policy).with_sockets(Box::new(move |user| {
            let sockets = known.lock();
            sockets.iter().filter(|(_, identity)| identity.user == *user).cloned().collect()
        }));
        let config = ChatConfig { access: Arc::new(access), ..config };
        let hub = Arc::new(Hub::new(&HubConfig::new(1, &config.limits)));
        hub.shards()[0].enter();
        let clock = Arc::new(HandClock::default());
        let node = Node::new(Arc::clone(&hub), clock.clone());
        let namespace = Arc::clone(&config.namespace);
        let typing = Arc::new(Typing::new(node.clone(), namespace, clock.clone(), &config.limits));
        let directory = tempfile::tempdir().expect("a directory");
        let (namespace, access) = (Arc::clone(&config.namespace), config.access.clone());
        let sink = commit_sink(node.clone(), namespace, access, typing.clone(), &config.limits);
        let store_config =
            SqliteConfig { channels_per_user: config.limits.channels_per_user, ..SqliteConfig::default() };
        let path = directory.path().join("roomkey.db");
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&path, &store_config, sink).expect("a new store opens"));
        let entropy = Arc::new(Counting::default());
        let chat = Chat::new(Arc::clone(&store), node, typing, clock.clone(), entropy, config);
        Self { chat, store, clock, hub, sockets, _directory: directory }
    }

    /// A socket that is not welcomed yet.
    pub(crate) fn socket(&self, user: &str) -> Client<'_> {
        self.socket_of(identity(user))
    }

    pub(crate) fn socket_of(&self, identity: Arc<Identity>) -> Client<'_> {
        let shard = &self.hub.shards()[0];
        let socket = shard.open_socket(shard.insert(Arc::new(Deaf), Wire::Polling), &"/".into());
        self.sockets.lock().push((socket.clone(), identity.clone()));
        Client { world: self, caller: Caller::new(identity, socket) }
    }

    /// The socket shows a newer token, as the server does it.
    pub(crate) async fn renew(&self, client: &mut Client<'_>, identity: Arc<Identity>) {
        let key = client.caller.socket.clone();
        for (socket, shown) in self.sockets.lock().iter_mut() {
            if *socket == key {
                *shown = identity.clone();
            }
        }
        client.caller = client.caller.renewed(identity.clone());
        self.chat.recheck(&identity, &key).await;
    }

    /// Takes a socket out of a room, by hand.
    pub(crate) fn take_out_of(&self, client: &Client<'_>, room: &str) {
        let key = &client.caller.socket;
        let room = RoomName::new(room).expect("a good name");
        self.hub.leave(key, &RoomKey::room(key.namespace(), &room));
    }

    /// Other rules are in force, as the server does it.
    pub(crate) async fn govern(&self, policy: Policy) {
        self.chat.access().replace(policy);
        let sockets = self.sockets.lock().clone();
        for (socket, identity) in sockets {
            self.chat.recheck(&identity, &socket).await;
        }
    }

    /// A connected socket.
    pub(crate) async fn connect(&self, user: &str) -> Client<'_> {
        self.connect_as(identity(user)).await
    }

    /// A connected socket whose token says this.
    pub(crate) async fn connect_as(&self, identity: Arc<Identity>) -> Client<'_> {
        let client = self.socket_of(identity);
        self.chat.connected(&client.caller).await.expect("is welcome");
        self.chat.arrived(&client.caller);
        client.heard();
        client
    }

    /// Lets so much time pass.
    pub(crate) async fn pass_ms(&self, ms: u64) {
        self.clock.advance_ms(ms);
        self.chat.tick().await.expect("the store works");
    }

    /// A channel of `owner` with these members.
    pub(crate) async fn channel(
        &self,
        visibility: Visibility,
        owner: &str,
        members: &[(&str, Role)],
    ) -> ChannelId {
        let new = NewChannel { name: "harbour".to_owned(), visibility };
        let channel =
            self.chat.create_channel(&identity(owner), new).await.expect("is created").channel.channel;
        for (user, role) in members {
            self.add(owner, &channel, user, *role).await.expect("is added");
        }
        channel
    }

    pub(crate) async fn add(
        &self,
        actor: &str,
        channel: &ChannelId,
        user: &str,
        role: Role,
    ) -> Result<(), Failure> {
        self.chat.add_member(&identity(actor), channel, &user_id(user), role).await
    }
}

/// Somebody's socket.
pub(crate) struct Client<'a> {
    world: &'a World,
    pub(crate) caller: Caller,
}

impl Client<'_> {
    /// What the server has begun to do about an event.
    pub(crate) fn emit(&self, event: &str, args_json: &str) -> Reply {
        self.world.chat.handle(&self.caller, event, args_json).expect("there is such an event")
    }

    /// The acknowledgement of an event.
    pub(crate) async fn ask(&self, event: &str, args_json: &str) -> String {
        self.emit(event, args_json).ack().await.json().to_owned()
    }

    pub(crate) async fn send(&self, channel: &ChannelId, content: &str) -> String {
        self.ask("sendMessage", &format!(r#"[{{"channelId":"{channel}","content":"{content}"}}]"#)).await
    }

    /// Ends the connection, as the network does: what was on the way is lost.
    pub(crate) fn lose(self) {
        self.world.hub.shards()[0].remove(self.caller.socket.connection());
    }

    /// What has come since the last call: the name and the arguments of each event.
    pub(crate) fn heard(&self) -> Vec<String> {
        let poll = || self.world.hub.shards()[0].poll(self.caller.socket.connection(), 10_000);
        let mut packets = poll();
        // The last poll waits for what comes: volatile events are for who is listening. The store's thread may have
        // brought something in between.
        loop {
            let more = poll();
            if more.is_empty() {
                break;
            }
            packets.extend(more);
        }
        packets.iter().map(|packet| event(packet)).collect()
    }

    /// Goes away.
    pub(crate) fn disconnect(&self) {
        let shard = &self.world.hub.shards()[0];
        shard.close_socket(&self.caller.socket);
        self.world.chat.disconnected(&self.caller);
    }

    /// The contents of the messages that have come since the last call.
    pub(crate) fn contents(&self) -> Vec<String> {
        let content = |event: &String| {
            let event: serde_json::Value = serde_json::from_str(event).expect("JSON");
            (event[0] == "message.created").then(|| event[1]["content"].as_str().map(str::to_owned)).flatten()
        };
        self.heard().iter().filter_map(content).collect()
    }
}

fn event(packet: &[u8]) -> String {
    let packet = std::str::from_utf8(packet).expect("text");
    packet.strip_prefix("42").expect("an event of the main namespace").to_owned()
}

pub(crate) fn user_id(user: &str) -> UserId {
    UserId::new(user).expect("a good name")
}

/// A user whose name is the id with a capital letter.
pub(crate) fn identity(user: &str) -> Arc<Identity> {
    let (first, rest) = user.split_at(1);
    Arc::new(Identity {
        user: user_id(user),
        issuer: "test".into(),
        subject: user.into(),
        session: None,
        token: TokenId::new("t1").expect("a good name"),
        issued_at: None,
        expires_at: None,
        deadline: None,
        name: Some(format!("{}{rest}", first.to_uppercase()).into()),
        email: Some(format!("{user}@example.com").into()),
        roles: [].into(),
        scopes: Scopes::ALL,
        claims: KeptClaims::default(),
        key_id: None,
    })
}

struct Deaf;

impl Attention for Deaf {
    fn notify(&self, _: Notice) {}
}

/// Noon, until it is moved.
pub(crate) struct HandClock(AtomicU64);

impl Default for HandClock {
    fn default() -> Self {
        Self(AtomicU64::new(1_794_484_800_000))
    }
}

impl HandClock {
    pub(crate) fn advance_ms(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        bytes.fill(0);
        let start = bytes.len() - 8;
        bytes[start..].copy_from_slice(&number.to_be_bytes());
    }
}
