use std::{future::Future, sync::Arc};

use roomkey_auth::Identity;
use roomkey_cluster::Node;
use roomkey_model::{Clock, Entropy, Failure, Limits};
use roomkey_store::{Profile, Store};

use crate::{
    Access, Caller, Reply, Typing, events,
    presence::{CHANGES_AT_ONCE, Presence},
    rooms::{self, joined},
};

/// How the chat is run.
#[derive(Clone, Debug)]
pub struct ChatConfig {
    /// The namespace it lives in.
    pub namespace: Arc<str>,
    /// Whether the room `user-<id>` is a personal room, beside `user:<id>`.
    pub dashed_personal_rooms: bool,
    /// Whether members see only what was sent since they came, and nobody else anything.
    pub history_since_join: bool,
    /// How long after it was sent a message can be edited; none: for ever.
    pub edit_window_ms: Option<u64>,
    /// The limits it keeps to.
    pub limits: Limits,
    /// Who may do what. The [`commit_sink`](crate::commit_sink) has the same.
    pub access: Arc<Access>,
}

impl Default for ChatConfig {
    fn default() -> Self {
        Self {
            namespace: "/".into(),
            dashed_personal_rooms: false,
            history_since_join: false,
            edit_window_ms: Some(24 * 60 * 60 * 1000),
            limits: Limits::default(),
            access: Arc::default(),
        }
    }
}

/// The chat of this node.
pub struct Chat {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) node: Node,
    pub(crate) typing: Arc<Typing>,
    pub(crate) presence: Arc<Presence>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) config: ChatConfig,
}

impl Chat {
    /// A chat on `store`, which must have been opened with the [`commit_sink`](crate::commit_sink) of `node` and
    /// `typing`.
    pub fn new(
        store: Arc<dyn Store>,
        node: Node,
        typing: Arc<Typing>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        config: ChatConfig,
    ) -> Self {
        Self { store, node, typing, presence: Arc::default(), clock, entropy, config }
    }

    /// Does what an event asks for. `None`: there is no such event.
    ///
    /// What must happen in the order a socket sent its events has happened when this returns; the rest is in the
    /// reply. Replies to one caller may wait for those given before them, so that they must be polled together.
    pub fn handle(&self, caller: &Caller, event: &str, args_json: &str) -> Option<Reply> {
        events::handle(self, caller, event, args_json)
    }

    /// Welcomes a socket: its user's profile is brought up to date, and it joins the rooms that are the user's.
    ///
    /// To be awaited before the client is told that it is connected, so that it misses nothing after that.
    pub fn connected(&self, caller: &Caller) -> impl Future<Output = Result<(), Failure>> + Send + use<> {
        let (store, node, socket) = (Arc::clone(&self.store), self.node.clone(), caller.socket.clone());
        let profile = profile_of(&caller.identity);
        let personal_rooms = rooms::personal_rooms(&profile.user, self.config.dashed_personal_rooms);
        let (now, channels_max) = (self.clock.now(), self.config.limits.channels_per_user);
        let (access, identity) = (self.config.access.clone(), caller.identity.clone());
        async move {
            for room in personal_rooms? {
                joined(node.join(&socket, &room))?;
            }
            let mut channels = store.arrive(profile, now).await?;
            channels.retain(|(channel, role)| access.may_hear(&identity, channel, *role));
            for (channel, _) in &channels {
                joined(node.join(&socket, &rooms::channel_room(channel)))?;
            }
            if channels.is_empty() {
                return Ok(());
            }
            // A removal that is committed later finds the socket in the room and takes it out itself, and so does
            // another policy. What has changed while it joined is seen here.
            let still_in = store.channels_of(&identity.user, None, channels_max).await?;
            for (channel, _) in &channels {
                let now_in = still_in.iter().find(|one| one.channel.channel == *channel);
                if !now_in.is_some_and(|one| access.may_hear(&identity, channel, one.role)) {
                    node.leave(&socket, &rooms::channel_room(channel));
                }
            }
            Ok(())
        }
    }

    /// Counts a socket as here, once its client is in.
    pub fn arrived(&self, caller: &Caller) {
        if caller.enter() {
            self.presence.connected(&caller.identity.user);
        }
    }

    /// Ends what only lived as long as the socket, which is gone.
    pub fn disconnected(&self, caller: &Caller) {
        self.typing.gone(&caller.identity.user, &caller.socket);
        if caller.exit() {
            self.presence.disconnected(&caller.identity.user, self.clock.now());
        }
    }

    /// Does what time brings: whose typing is over, who came and who went. To be called by one task, some times in a
    /// second. What the store could not take in is tried again the next time.
    pub async fn tick(&self) -> Result<(), Failure> {
        self.typing.tick();
        let changes = self.presence.changes(self.clock.now());
        if changes.is_empty() {
            return Ok(());
        }
        let recorded = self.store.record_presence(changes.clone(), self.config.limits.presence_members).await;
        match recorded {
            Ok(()) => self.presence.told(changes),
            Err(_) => self.presence.not_told(changes),
        }
        Ok(recorded?)
    }

    /// Everybody was here until now: the server stops, and all connections are gone, so that no channel is to be told.
    pub async fn stop(&self) -> Result<(), Failure> {
        for changes in self.presence.end(self.clock.now()).chunks(CHANGES_AT_ONCE) {
            self.store.record_presence(changes.to_vec(), 0).await?;
        }
        Ok(())
    }
}

/// What others see of the user: the name from the token, or the id where it has none. Never the e-mail address.
pub(crate) fn profile_of(identity: &Identity) -> Profile {
    let name = identity.name.as_deref().unwrap_or(identity.user.as_str());
    Profile { user: identity.user.clone(), name: name.to_owned(), avatar: None }
}
