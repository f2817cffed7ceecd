//! Which sockets are meant, among a hundred thousand.

use std::{
    collections::{BTreeMap, HashSet},
    net::IpAddr,
    sync::Arc,
};

use roomkey_hub::{RoomKey, SocketKey};
use roomkey_model::{RoomName, UserId};
use tokio::task::yield_now;

use crate::{Socket, context::Context, recovery::Parked, revocation::SocketIndex, serve::NAMESPACE};

/// What sockets have in common; with nothing said, all are meant.
#[derive(Debug, Default)]
pub(super) struct Filter {
    /// How the user's id or name, the address or the socket's id begins, in whatever case.
    pub(super) text: Option<String>,
    pub(super) user: Option<UserId>,
    /// A room that they are in; of the chat's namespace, unless another is said.
    pub(super) room: Option<RoomName>,
    pub(super) namespace: Option<String>,
    pub(super) address: Option<IpAddr>,
}

/// A page of sockets, the newest first.
pub(super) struct Found {
    pub(super) sockets: Vec<Socket>,
    /// The serial of the last, if there are more.
    pub(super) next: Option<u64>,
    /// How many there are on all pages.
    pub(super) total: usize,
}

impl Filter {
    /// The newest sockets that came before the one of the serial `before`; at most `count`.
    ///
    /// A socket keeps its serial, so that whoever stays is on one page and no other, however many come and go between
    /// two pages. The sockets of the page are the only ones that are copied, and the others are looked at in parts.
    pub(super) async fn page(&self, context: &Context, before: Option<u64>, count: usize) -> Found {
        let (mut newest, mut total) = (Newest::new(count), 0);
        let look = |socket: &Socket| {
            total += 1;
            if before.is_none_or(|before| socket.serial() < before) {
                newest.offer(socket.serial(), || socket.clone());
            }
        };
        self.each(context, look).await;
        let (sockets, next) = newest.into_page();
        Found { sockets, next, total }
    }

    /// All sockets that are meant and match.
    pub(super) async fn collect(&self, context: &Context, matches: impl Fn(&Socket) -> bool) -> Vec<Socket> {
        let mut all = Vec::new();
        self.each(context, |socket| all.extend(matches(socket).then(|| socket.clone()))).await;
        all
    }

    /// How many are meant.
    pub(super) async fn count(&self, context: &Context) -> usize {
        let mut count = 0;
        self.each(context, |_| count += 1).await;
        count
    }

    /// Forgets the sockets that are meant and match whose clients are away, so that none of them comes back as what it
    /// was; tells how many. From where a client came that was away before a restart is not known.
    pub(super) async fn forget_parked(&self, context: &Context, matches: impl Fn(&Parked) -> bool) -> usize {
        let Some(recoverable) = &context.recoverable else { return 0 };
        let members = match &self.room {
            Some(room) => Some(members(context, &self.room_key(room)).await),
            None => None,
        };
        let is_from = |parked: &Parked, address| {
            parked.socket.as_ref().is_some_and(|socket| socket.handshake().address == address)
        };
        recoverable.forget(|parked| {
            members.as_ref().is_none_or(|members| members.contains(&parked.key))
                && self.user.as_ref().is_none_or(|user| parked.owner.user() == Some(user))
                && self.namespace.as_ref().is_none_or(|namespace| **namespace == **parked.key.namespace())
                && self.address.is_none_or(|address| is_from(parked, address))
                && matches(parked)
        })
    }

    /// Looks at those that are meant. Those of a user are found by the index; else all are looked at, in parts, so that
    /// who comes or goes waits for a moment only, and others on this thread have their turn in between.
    async fn each(&self, context: &Context, mut look: impl FnMut(&Socket)) {
        let members = match &self.room {
            Some(room) => Some(members(context, &self.room_key(room)).await),
            None => None,
        };
        let text = self.text.as_ref().map(|text| text.to_lowercase());
        let is_meant = |socket: &Socket| {
            members.as_ref().is_none_or(|members| members.contains(socket.key()))
                && self.namespace.as_ref().is_none_or(|namespace| **namespace == **socket.namespace())
                && self.address.is_none_or(|address| address == socket.handshake().address)
                && text.as_ref().is_none_or(|text| begins_with(socket, text))
        };
        let index = context.live_tokens.sockets();
        if let Some(user) = &self.user {
            return index.of_user(user).iter().filter(|socket| is_meant(socket)).for_each(look);
        }
        for part in 0..SocketIndex::PARTS {
            index.look_at_part(part, |socket| {
                if is_meant(socket) {
                    look(socket);
                }
            });
            yield_now().await;
        }
    }

    fn room_key(&self, room: &RoomName) -> RoomKey {
        let namespace: Arc<str> = self.namespace.as_deref().unwrap_or(NAMESPACE).into();
        RoomKey::room(&namespace, room)
    }
}

/// The sockets in a room, of all shards.
async fn members(context: &Context, room: &RoomKey) -> HashSet<SocketKey> {
    let mut all = Vec::new();
    for shard in context.node.hub().shards() {
        for part in shard.copy_members(room).parts() {
            shard.sockets_at(room, part, &mut all);
            yield_now().await;
        }
    }
    all.into_iter().collect()
}

fn begins_with(socket: &Socket, text: &str) -> bool {
    let begins = |value: &str| {
        // ASCII, as nearly all are, is compared where it is.
        match value.get(..text.len()) {
            Some(start) if start.eq_ignore_ascii_case(text) => true,
            _ => !value.is_ascii() && value.to_lowercase().starts_with(text),
        }
    };
    let Some(identity) = socket.identity() else { return false };
    begins(identity.user.as_str())
        || identity.name.as_deref().is_some_and(begins)
        || begins(socket.id().as_str())
        || begins(&socket.handshake().address.to_string())
}

/// The greatest of many, by a number that each of them has alone, and one more.
struct Newest<T> {
    kept: BTreeMap<u64, T>,
    count_max: usize,
}

impl<T> Newest<T> {
    fn new(count_max: usize) -> Self {
        Self { kept: BTreeMap::new(), count_max }
    }

    fn offer(&mut self, serial: u64, value: impl FnOnce() -> T) {
        let is_full = self.kept.len() > self.count_max;
        if is_full && self.kept.first_key_value().is_some_and(|(least, _)| serial < *least) {
            return;
        }
        self.kept.insert(serial, value());
        if self.kept.len() > self.count_max + 1 {
            self.kept.pop_first();
        }
    }

    /// Those, the greatest first, and the number of the last if there was one more.
    fn into_page(mut self) -> (Vec<T>, Option<u64>) {
        let has_more = self.kept.len() > self.count_max;
        if has_more {
            self.kept.pop_first();
        }
        let next = self.kept.first_key_value().filter(|_| has_more).map(|(serial, _)| *serial);
        (self.kept.into_values().rev().collect(), next)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use roomkey_auth::Identity;
    use roomkey_hub::Wire;
    use roomkey_model::{SocketId, Timestamp};
    use roomkey_testkit::Stopwatch;

    use super::*;
    use crate::{
        Handshake, Server, ServerBuilder, ServerConfig, SystemEntropy, mailbox::Mailbox, socket::NewSocket,
    };

    fn page(all: &[u64], before: u64, count: usize) -> (Vec<u64>, Option<u64>) {
        let mut newest = Newest::new(count);
        for serial in all.iter().filter(|serial| **serial < before) {
            newest.offer(*serial, || *serial);
        }
        newest.into_page()
    }

    #[test]
    fn pages_are_complete_and_nobody_is_on_two() {
        // In an order that has nothing to do with the numbers.
        let mut all: Vec<u64> = (0..1000_u64).map(|number| number * 617 % 1000).collect();
        let (mut before, mut seen) = (u64::MAX, Vec::new());
        loop {
            let (entries, next) = page(&all, before, 64);
            seen.extend(entries);
            // Others come, and some of those that were not seen go.
            all.push(1000 + before % 1000);
            all.retain(|serial| serial % 10 != 3 || seen.contains(serial));
            let Some(next) = next else { break };
            before = next;
        }
        let stayed: Vec<_> = seen.iter().filter(|serial| **serial % 10 != 3).copied().collect();
        assert_eq!(stayed, (0..1000).rev().filter(|serial| serial % 10 != 3).collect::<Vec<_>>());
        assert!(seen.is_sorted_by(|one, next| one > next));
    }

    #[test]
    fn the_last_page_says_that_it_is() {
        let all: Vec<u64> = (0..10).collect();
        assert_eq!(page(&all, 100, 10), ((0..10).rev().collect(), None));
        assert_eq!(page(&all, 100, 9), ((1..10).rev().collect(), Some(1)));
        assert_eq!(page(&all, 1, 9), (vec![0], None));
        assert_eq!(page(&[], 1, 9), (vec![], None));
    }

    /// A server that does not run, with so many sockets of half as many users, a tenth of them in the room `lobby`.
    fn with_sockets(count: usize) -> (Server, Vec<Socket>) {
        let config =
            ServerConfig { threads: 1, address: ([127, 0, 0, 1], 0).into(), ..ServerConfig::default() };
        let server = ServerBuilder::new(config).bind().unwrap();
        let context = server.handle().context;
        let shard = &context.node.hub().shards()[0];
        shard.enter();
        let namespace: Arc<str> = NAMESPACE.into();
        let sockets = (0..count).map(|number| {
            let key =
                shard.open_socket(shard.insert(Arc::new(Mailbox::default()), Wire::Polling), &namespace);
            let address = [10, 0, u8::try_from(number % 256).unwrap(), 1].into();
            let handshake = Handshake::new(address, Timestamp(0), "", &HeaderMap::new(), false);
            let user = UserId::new(format!("user-{}", number / 2)).unwrap();
            let socket = Socket::new(NewSocket {
                id: SocketId::generate(&SystemEntropy),
                key: key.clone(),
                context: context.clone(),
                handshake: Arc::new(handshake),
                identity: Some(Arc::new(Identity::without_token(user))),
                auth: None,
                before: None,
            });
            context.live_tokens.register(&socket).unwrap();
            if number % 10 == 0 {
                let lobby = RoomKey::room(&namespace, &RoomName::new("lobby").unwrap());
                context.node.hub().join(&key, &lobby).unwrap();
            }
            socket
        });
        let sockets = sockets.collect();
        (server, sockets)
    }

    async fn serials(context: &Context, filter: &Filter, count: usize) -> Vec<u64> {
        let (mut before, mut all) = (None, Vec::new());
        loop {
            let found = filter.page(context, before, count).await;
            all.extend(found.sockets.iter().map(Socket::serial));
            before = found.next;
            if before.is_none() {
                return all;
            }
        }
    }

    #[tokio::test]
    async fn every_socket_that_is_meant_is_on_one_page() {
        let (server, sockets) = with_sockets(1000);
        let context = &server.handle().context;
        let index = context.live_tokens.sockets();
        assert_eq!((index.len(), index.user_count()), (1000, 500));
        let expected = |is_meant: &dyn Fn(usize) -> bool| {
            let meant = sockets.iter().enumerate().rev().filter(|(number, _)| is_meant(*number));
            meant.map(|(_, socket)| socket.serial()).collect::<Vec<_>>()
        };
        assert_eq!(serials(context, &Filter::default(), 64).await, expected(&|_| true));
        let room = Filter { room: Some(RoomName::new("lobby").unwrap()), ..Filter::default() };
        assert_eq!(serials(context, &room, 7).await, expected(&|number| number % 10 == 0));
        let text = Filter { text: Some("USER-12".to_owned()), ..Filter::default() };
        let begins = |number: usize| (number / 2).to_string().starts_with("12");
        assert_eq!(serials(context, &text, 7).await, expected(&begins));
        let user = Filter { user: Some(UserId::new("user-12").unwrap()), ..Filter::default() };
        assert_eq!(serials(context, &user, 7).await, expected(&|number| number / 2 == 12));
        let address = Filter { address: Some([10, 0, 3, 1].into()), ..Filter::default() };
        assert_eq!(address.count(context).await, expected(&|number| number % 256 == 3).len());
        context.live_tokens.remove(&sockets[0]);
        context.live_tokens.remove(&sockets[0]);
        assert_eq!((index.len(), index.user_count()), (999, 500));
    }

    /// Not a test: `cargo test --release -p roomkey --lib -- --ignored selection::tests::measure --nocapture`.
    #[tokio::test]
    #[ignore = "measures"]
    async fn measure() {
        let (server, _sockets) = with_sockets(100_000);
        let context = &server.handle().context;
        let room = Filter { room: Some(RoomName::new("lobby").unwrap()), ..Filter::default() };
        let text = Filter { text: Some("user-77".to_owned()), ..Filter::default() };
        for (name, filter) in [("all", Filter::default()), ("a room of 10,000", room), ("by text", text)] {
            for _ in 0..3 {
                let watch = Stopwatch::start();
                let found = filter.page(context, None, 50).await;
                println!("{name}: {} of {} in {:?}", found.sockets.len(), found.total, watch.elapsed());
            }
        }
        let index = context.live_tokens.sockets();
        let parts = (0..SocketIndex::PARTS).map(|part| {
            let watch = Stopwatch::start();
            index.look_at_part(part, |socket| drop(std::hint::black_box(socket.identity())));
            watch.elapsed()
        });
        println!("the longest lock of the index: {:?}", parts.max());
        let shard = &context.node.hub().shards()[0];
        let watch = Stopwatch::start();
        let members = shard.copy_members(&RoomKey::room(&NAMESPACE.into(), &RoomName::new("lobby").unwrap()));
        println!("{} members copied under one lock in {:?}", members.len(), watch.elapsed());
    }
}
