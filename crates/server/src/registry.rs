//! The sessions of this node, by their secret ids.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use roomkey_model::Entropy;
use roomkey_protocol::engine::{payload::Format, query::Transport};

use crate::mailbox::Mailbox;

/// The id of an Engine.IO session: 160 random bits. Whoever has it can speak for the session, so it is never shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Sid([u8; Self::LENGTH]);

impl Sid {
    const RANDOM_BYTES: usize = 20;
    const LENGTH: usize = 27;

    pub(crate) fn generate(entropy: &dyn Entropy) -> Self {
        let mut random = [0; Self::RANDOM_BYTES];
        entropy.fill(&mut random);
        let mut text = [0; Self::LENGTH];
        URL_SAFE_NO_PAD.encode_slice(random, &mut text).expect("20 bytes are 27 characters");
        Self(text)
    }

    fn parse(text: &str) -> Option<Self> {
        text.as_bytes().try_into().ok().map(Self)
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("made of base64url, or parsed from text")
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

/// A session, as requests with its id find it: from any shard.
pub(crate) struct Entry {
    pub(crate) mailbox: Arc<Mailbox>,
    is_websocket: AtomicBool,
    is_authenticated: AtomicBool,
    /// A POST is being received.
    is_posting: AtomicBool,
    /// The `Origin` of the handshake: another page that got hold of the id cannot use it.
    origin: Option<Box<str>>,
    format: Format,
}

impl Entry {
    pub(crate) fn new(
        mailbox: Arc<Mailbox>,
        transport: Transport,
        format: Format,
        origin: Option<&str>,
    ) -> Self {
        Self {
            mailbox,
            format,
            is_websocket: AtomicBool::new(transport == Transport::Websocket),
            is_authenticated: AtomicBool::new(false),
            is_posting: AtomicBool::new(false),
            origin: origin.map(Into::into),
        }
    }

    pub(crate) fn transport(&self) -> Transport {
        if self.is_websocket.load(Ordering::Acquire) { Transport::Websocket } else { Transport::Polling }
    }

    /// How the bodies of its requests are written.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    pub(crate) fn set_upgraded(&self) {
        self.is_websocket.store(true, Ordering::Release);
    }

    /// Whether the client has shown a token that counts, once.
    pub(crate) fn is_authenticated(&self) -> bool {
        self.is_authenticated.load(Ordering::Acquire)
    }

    pub(crate) fn set_authenticated(&self) {
        self.is_authenticated.store(true, Ordering::Release);
    }

    /// Claims the one POST there may be at a time. False: there is one already.
    pub(crate) fn begin_post(&self) -> bool {
        !self.is_posting.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn end_post(&self) {
        self.is_posting.store(false, Ordering::Release);
    }

    /// Whether a request from a page of `origin` may be of this session. A browser leaves the header out of a
    /// same-origin GET, so one that is missing says nothing.
    pub(crate) fn allows_origin(&self, origin: Option<&str>) -> bool {
        match (&self.origin, origin) {
            (Some(first), Some(now)) => **first == *now,
            _ => true,
        }
    }
}

/// All sessions, in stripes so that shards seldom meet.
#[derive(Default)]
pub(crate) struct Registry {
    stripes: [Mutex<HashMap<Sid, Arc<Entry>>>; 16],
    hasher: RandomState,
    len: AtomicUsize,
}

impl Registry {
    pub(crate) fn insert(&self, sid: Sid, entry: Arc<Entry>) {
        self.stripe(&sid).lock().insert(sid, entry);
        self.len.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn remove(&self, sid: &Sid) {
        if self.stripe(sid).lock().remove(sid).is_some() {
            self.len.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// How many sessions there are.
    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// The session of this id; anything that cannot be one is simply unknown.
    pub(crate) fn find(&self, sid: &str) -> Option<Arc<Entry>> {
        let sid = Sid::parse(sid)?;
        self.stripe(&sid).lock().get(&sid).cloned()
    }

    #[expect(clippy::cast_possible_truncation, reason = "only the low bits count")]
    fn stripe(&self, sid: &Sid) -> &Mutex<HashMap<Sid, Arc<Entry>>> {
        &self.stripes[self.hasher.hash_one(sid) as usize % self.stripes.len()]
    }
}
