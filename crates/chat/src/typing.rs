//! Who is typing where. Only in memory: it is over after some seconds anyway.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use parking_lot::Mutex;
use roomkey_cluster::Node;
use roomkey_hub::{RoomKey, Selection, SocketKey};
use roomkey_model::{ChannelId, Clock, ErrorCode, Failure, Limit, Limits, Timestamp, UserId};

use crate::{
    rooms::{channel_room, personal_room},
    sink::emission,
    view::TypingView,
};

/// How long a user is typing who says it once.
const TYPING_MS: u64 = 5_000;
/// How soon a channel may be told again that a user is typing. That a user stopped is told at once.
const PAUSE_MS: u64 = 500;
/// How often a channel is told of a user who goes on typing, for those who came later or missed it.
const REPEAT_MS: u64 = 2_500;

/// Who is typing in the channels of this node. The server makes one, for the chat and for its commit sink.
pub struct Typing {
    node: Node,
    namespace: Arc<str>,
    clock: Arc<dyn Clock>,
    users_per_channel: usize,
    /// Updates are emitted under the lock, so that a channel hears them in the order in which they happened.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    users: HashMap<UserId, HashMap<ChannelId, Typer>>,
    /// Those of `users` who are typing, and nobody else.
    channels: HashMap<ChannelId, BTreeSet<UserId>>,
    last_request: u64,
}

/// A user in a channel, from the first request until the channel may be told of the user again.
#[derive(Default)]
struct Typer {
    /// A request whose permission is being looked up, and its number.
    request: Option<(u64, Moment)>,
    /// The last request that was granted, while the user is typing.
    typing: Option<Moment>,
    /// What the channel was told last, and when.
    told: Option<(bool, Timestamp)>,
}

/// Where and when somebody typed.
struct Moment {
    socket: SocketKey,
    at: Timestamp,
}

/// Somebody who is typing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TypingUser {
    pub(crate) user: UserId,
    pub(crate) typed: Timestamp,
}

/// A wish to be shown as typing, which whatever clears the user's typing meanwhile takes back.
pub(crate) struct TypingRequest {
    typing: Arc<Typing>,
    channel: ChannelId,
    user: UserId,
    number: u64,
}

impl Typing {
    /// Nobody is typing yet.
    pub fn new(node: Node, namespace: Arc<str>, clock: Arc<dyn Clock>, limits: &Limits) -> Self {
        let users_per_channel = limits.typing_users_per_channel;
        Self { node, namespace, clock, users_per_channel, state: Mutex::default() }
    }

    /// Takes in a wish, before it is known whether it is allowed.
    pub(crate) fn request(
        self: &Arc<Self>,
        channel: &ChannelId,
        user: &UserId,
        socket: &SocketKey,
    ) -> TypingRequest {
        let moment = Moment { socket: socket.clone(), at: self.clock.now() };
        let mut state = self.state.lock();
        state.last_request += 1;
        let number = state.last_request;
        let typer = state.users.entry(user.clone()).or_default().entry(channel.clone()).or_default();
        typer.request = Some((number, moment));
        TypingRequest { typing: self.clone(), channel: channel.clone(), user: user.clone(), number }
    }

    /// The user has stopped, on whatever socket.
    pub(crate) fn stop(&self, channel: &ChannelId, user: &UserId) {
        self.clear(user, |candidate, _| candidate == channel);
    }

    /// The user sent a message at this time; what was typed later is of the next one.
    pub(crate) fn sent(&self, channel: &ChannelId, user: &UserId, at: Timestamp) {
        self.clear(user, |candidate, moment| candidate == channel && moment.at <= at);
    }

    /// The socket hears the channel no more.
    pub(crate) fn left(&self, channel: &ChannelId, user: &UserId, socket: &SocketKey) {
        self.clear(user, |candidate, moment| candidate == channel && moment.socket == *socket);
    }

    /// The socket is gone.
    pub(crate) fn gone(&self, user: &UserId, socket: &SocketKey) {
        self.clear(user, |_, moment| moment.socket == *socket);
    }

    /// Who is typing in the channel, by user id.
    pub(crate) fn users(&self, channel: &ChannelId) -> Vec<TypingUser> {
        let now = self.clock.now();
        let state = self.state.lock();
        let users = state.channels.get(channel).into_iter().flatten();
        let typing = |user| state.users.get(user)?.get(channel)?.typing.as_ref();
        let users = users.filter_map(|user| Some((user, typing(user)?.at)));
        users
            .filter(|(_, typed)| !is_over(*typed, now))
            .map(|(user, typed)| TypingUser { user: user.clone(), typed })
            .collect()
    }

    /// Ends what is over, and tells what had to wait. To be called some times in a second.
    pub(crate) fn tick(&self) {
        let now = self.clock.now();
        self.change(|state, tell| {
            let State { users, channels, .. } = state;
            for (user, typers) in users.iter_mut() {
                for (channel, typer) in typers.iter_mut() {
                    if typer.typing.as_ref().is_some_and(|typing| is_over(typing.at, now)) {
                        end(channels, channel, user, typer, now, tell);
                    } else {
                        announce(channel, user, typer, now, tell);
                    }
                }
                typers.retain(|_, typer| !typer.is_forgotten(now));
            }
            users.retain(|_, typers| !typers.is_empty());
        });
    }

    /// Ends the user's typing, and takes back the wishes, where `which` says so.
    fn clear(&self, user: &UserId, which: impl Fn(&ChannelId, &Moment) -> bool) {
        self.change(|state, tell| {
            let Some(typers) = state.users.get_mut(user) else { return };
            let now = self.clock.now();
            for (channel, typer) in typers.iter_mut() {
                typer.request.take_if(|(_, moment)| which(channel, moment));
                if typer.typing.as_ref().is_some_and(|moment| which(channel, moment)) {
                    end(&mut state.channels, channel, user, typer, now, tell);
                }
            }
            typers.retain(|_, typer| !typer.is_forgotten(now));
            if typers.is_empty() {
                state.users.remove(user);
            }
        });
    }

    /// Changes the state and tells the channels of it.
    fn change<T>(&self, change: impl FnOnce(&mut State, &mut Tell<'_>) -> T) -> T {
        change(&mut self.state.lock(), &mut |channel, user, is_typing, now| {
            let Ok(personal) = personal_room(user) else { return };
            let update = TypingView::new(channel, user, is_typing, now);
            let update = emission(&self.namespace, "typing.update", &(update,)).volatile();
            let room = RoomKey::room(&self.namespace, &channel_room(channel));
            let own = RoomKey::room(&self.namespace, &personal);
            self.node.emit_to(&Selection::from(room).except_room(own), &update);
        })
    }
}

impl TypingRequest {
    /// It is allowed: the user is typing, unless the wish was taken back.
    pub(crate) fn grant(self) -> Result<Option<TypingUser>, Failure> {
        let typing = &*self.typing;
        let now = typing.clock.now();
        typing.change(|state, tell| {
            let typers = state.users.get_mut(&self.user);
            let Some(typer) = typers.and_then(|typers| typers.get_mut(&self.channel)) else {
                return Ok(None);
            };
            let Some((_, moment)) = typer.request.take_if(|(number, _)| *number == self.number) else {
                return Ok(None);
            };
            let others = state.channels.get(&self.channel).map_or(0, BTreeSet::len);
            if typer.typing.is_none() && others >= typing.users_per_channel {
                let message = "Too many are typing in this channel";
                let failure = Failure::with_message(ErrorCode::LimitExceeded, message);
                return Err(failure.at(Limit::TypingUsersPerChannel));
            }
            let typed = moment.at;
            typer.typing = Some(moment);
            state.channels.entry(self.channel.clone()).or_default().insert(self.user.clone());
            announce(&self.channel, &self.user, typer, now, tell);
            Ok(Some(TypingUser { user: self.user.clone(), typed }))
        })
    }
}

impl Drop for TypingRequest {
    /// What was not granted leaves nothing behind.
    fn drop(&mut self) {
        let mut state = self.typing.state.lock();
        let Some(typers) = state.users.get_mut(&self.user) else { return };
        if let Some(typer) = typers.get_mut(&self.channel) {
            typer.request.take_if(|(number, _)| *number == self.number);
            if typer.is_nothing() {
                typers.remove(&self.channel);
            }
        }
        if typers.is_empty() {
            state.users.remove(&self.user);
        }
    }
}

/// Emits an update: channel, user, whether the user is typing, and since when.
type Tell<'a> = dyn FnMut(&ChannelId, &UserId, bool, Timestamp) + 'a;

impl Typer {
    fn is_nothing(&self) -> bool {
        self.typing.is_none() && self.request.is_none() && self.told.is_none()
    }

    /// Whether nothing of it matters any more.
    fn is_forgotten(&self, now: Timestamp) -> bool {
        let may_be_told = self.told.is_none_or(|(_, at)| has_passed(PAUSE_MS, at, now));
        self.typing.is_none() && self.request.is_none() && may_be_told
    }
}

fn end(
    channels: &mut HashMap<ChannelId, BTreeSet<UserId>>,
    channel: &ChannelId,
    user: &UserId,
    typer: &mut Typer,
    now: Timestamp,
    tell: &mut Tell<'_>,
) {
    typer.typing = None;
    if let Some(users) = channels.get_mut(channel) {
        users.remove(user);
        if users.is_empty() {
            channels.remove(channel);
        }
    }
    if matches!(typer.told, Some((true, _))) {
        typer.told = Some((false, now));
        tell(channel, user, false, now);
    }
}

/// Tells the channel that the user is typing, where that is news.
fn announce(channel: &ChannelId, user: &UserId, typer: &mut Typer, now: Timestamp, tell: &mut Tell<'_>) {
    let Some(typing) = &typer.typing else { return };
    let is_news = match typer.told {
        None => true,
        Some((false, at)) => has_passed(PAUSE_MS, at, now),
        Some((true, at)) => has_passed(REPEAT_MS, at, now) && typing.at > at,
    };
    if is_news {
        typer.told = Some((true, now));
        tell(channel, user, true, now);
    }
}

fn is_over(typed: Timestamp, now: Timestamp) -> bool {
    has_passed(TYPING_MS, typed, now)
}

/// Whether so much time has passed; also where the clock was set back, so that nothing waits for the time to come again.
fn has_passed(ms: u64, since: Timestamp, now: Timestamp) -> bool {
    now < since || now.since_ms(since) >= ms
}
