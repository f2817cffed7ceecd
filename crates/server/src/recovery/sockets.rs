use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use roomkey_hub::{Attention, Hub, Notice, Past, SocketKey};
use roomkey_model::{Revocation, RevocationTarget, SessionId, SocketId, Timestamp, UserId};
use tokio::sync::{mpsc, oneshot};

use super::{Owner, Pid};
use crate::{Socket, mailbox::Mailbox, transport::Letter};

/// The sockets that can be recovered, by their private ids: those whose client is there, and those that are parked.
pub(crate) struct RecoverableSockets {
    sockets: Mutex<Sockets>,
    parked_max: usize,
    /// Parked sockets whose time is over.
    gone: mpsc::UnboundedSender<(Pid, SocketKey)>,
}

/// Parked sockets whose time is over, as it comes.
pub(crate) type Going = mpsc::UnboundedReceiver<(Pid, SocketKey)>;

#[derive(Default)]
struct Sockets {
    by_pid: HashMap<Pid, State>,
    /// Those that are parked, by whose they are.
    of_user: HashMap<UserId, Vec<Pid>>,
    of_session: HashMap<SessionId, Vec<Pid>>,
    parked: usize,
    registered: u64,
}

enum State {
    Live {
        /// Which of all that were ever live.
        serial: u64,
        owner: Owner,
        namespace: Arc<str>,
        /// The connection that has the client.
        mailbox: Weak<Mailbox>,
        /// Connections that wait for this one to give the socket up.
        waiting: Vec<oneshot::Sender<()>>,
    },
    Parked(Box<Parked>),
}

/// A socket whose client is away.
pub(crate) struct Parked {
    pub(crate) id: SocketId,
    pub(crate) owner: Owner,
    /// Its place in the hub.
    pub(crate) key: SocketKey,
    pub(crate) past: Past,
    /// When it is forgotten, by the wall clock.
    pub(crate) until: Timestamp,
    /// As the application knew it; `None` if that was before a restart.
    pub(crate) socket: Option<Socket>,
}

impl Parked {
    /// What is known of a token that was used before a restart is whose it was.
    fn is_revoked_by(&self, revocation: &Revocation) -> bool {
        match self.socket.as_ref().and_then(Socket::identity) {
            Some(identity) => identity.is_revoked_by(revocation),
            None => self.owner.is_revoked_by(revocation),
        }
    }
}

/// What a client gets that names a private id.
pub(crate) enum Claim {
    /// The socket. Nobody else can claim it now.
    Parked(Box<Parked>),
    /// The client has another connection that seems to be alive. It was told to end: resolves when it has.
    Live(oneshot::Receiver<()>),
    /// There is no such socket, or it is not this client's.
    Unknown,
}

/// A recoverable socket whose client is there. Dropped without being parked, it is forgotten.
pub(crate) struct Live {
    sockets: Arc<RecoverableSockets>,
    pub(crate) pid: Pid,
    serial: u64,
    pub(crate) past: Past,
    /// Pings sent since the client was sent what it had missed.
    pings: u8,
}

impl RecoverableSockets {
    /// No sockets, and the end of those that are parked, as it comes.
    pub(crate) fn new(parked_max: usize) -> (Self, Going) {
        let (gone, going) = mpsc::unbounded_channel();
        (Self { sockets: Mutex::default(), parked_max, gone }, going)
    }

    /// How many are parked.
    pub(crate) fn parked_count(&self) -> usize {
        self.sockets.lock().parked
    }

    pub(crate) fn register(
        self: &Arc<Self>,
        pid: Pid,
        owner: Owner,
        namespace: &Arc<str>,
        mailbox: &Arc<Mailbox>,
        past: Past,
    ) -> Live {
        let mut sockets = self.sockets.lock();
        sockets.registered += 1;
        let serial = sockets.registered;
        let (namespace, mailbox) = (namespace.clone(), Arc::downgrade(mailbox));
        let waiting = Vec::new();
        sockets.by_pid.insert(pid, State::Live { serial, owner, namespace, mailbox, waiting });
        Live { sockets: self.clone(), pid, serial, past, pings: 0 }
    }

    /// Takes the socket of a client that comes back, if it is parked and theirs.
    pub(crate) fn claim(&self, pid: &Pid, owner: &Owner, namespace: &str) -> Claim {
        let mut sockets = self.sockets.lock();
        match sockets.by_pid.get_mut(pid) {
            Some(State::Live { owner: whose, namespace: its, mailbox, waiting, .. })
                if whose == owner && **its == *namespace =>
            {
                let (sender, receiver) = oneshot::channel();
                waiting.push(sender);
                if let Some(mailbox) = mailbox.upgrade() {
                    // If it has just ended, it parks the socket by itself.
                    drop(mailbox.post(Letter::Cede));
                }
                Claim::Live(receiver)
            }
            Some(State::Parked(parked))
                if parked.owner == *owner && **parked.key.namespace() == *namespace =>
            {
                match sockets.take_parked(pid) {
                    Some(parked) => Claim::Parked(parked),
                    None => Claim::Unknown,
                }
            }
            _ => Claim::Unknown,
        }
    }

    /// Parks a socket, unless there are too many.
    pub(crate) fn park(&self, pid: Pid, parked: Box<Parked>) -> Result<(), Box<Parked>> {
        let mut sockets = self.sockets.lock();
        if sockets.parked >= self.parked_max {
            sockets.by_pid.remove(&pid);
            return Err(parked);
        }
        sockets.parked += 1;
        if let Some(user) = parked.owner.user() {
            sockets.of_user.entry(user.clone()).or_default().push(pid);
        }
        if let Some(session) = parked.owner.session() {
            sockets.of_session.entry(session.clone()).or_default().push(pid);
        }
        sockets.by_pid.insert(pid, State::Parked(parked));
        Ok(())
    }

    /// What the hub has to say to a parked socket reaches this.
    pub(crate) fn attention(self: &Arc<Self>, pid: Pid) -> Arc<Absence> {
        Arc::new(Absence { sockets: self.clone(), pid, key: Mutex::new(None) })
    }

    /// Forgets a parked socket whose time is over; one whose client is just coming back begins anew.
    pub(crate) fn expire(&self, hub: &Hub, pid: &Pid, key: &SocketKey) {
        // In this order: whoever parks it once more looks whether it is still there.
        hub.shard_of(key.connection()).remove(key.connection());
        let mut sockets = self.sockets.lock();
        if matches!(sockets.by_pid.get(pid), Some(State::Parked(parked)) if parked.key == *key) {
            sockets.take_parked(pid);
        }
    }

    /// Forgets the parked sockets that a revocation is about. Their tokens would not be accepted any more.
    pub(crate) fn revoke(&self, revocation: &Revocation) {
        let sockets = self.sockets.lock();
        let of = match &revocation.target {
            RevocationTarget::User(user) => sockets.of_user.get(user),
            RevocationTarget::Session { session, .. } => sockets.of_session.get(session),
            // Rare enough to look at them all.
            RevocationTarget::Key { .. } | RevocationTarget::Token { .. } => None,
        };
        let is_rare =
            matches!(revocation.target, RevocationTarget::Key { .. } | RevocationTarget::Token { .. });
        let all = sockets.of_user.values().flatten().filter(|_| is_rare);
        for pid in of.into_iter().flatten().chain(all) {
            if let Some(State::Parked(parked)) = sockets.by_pid.get(pid)
                && parked.is_revoked_by(revocation)
            {
                // When nobody listens, the server has stopped.
                _ = self.gone.send((*pid, parked.key.clone()));
            }
        }
    }

    /// Forgets parked sockets of which this is true, and tells how many. Their clients begin anew.
    pub(crate) fn forget(&self, is_meant: impl Fn(&Parked) -> bool) -> usize {
        let sockets = self.sockets.lock();
        let parked = sockets.by_pid.iter().filter_map(|(pid, state)| match state {
            State::Parked(parked) if is_meant(parked) => Some((*pid, parked.key.clone())),
            _ => None,
        });
        // When nobody listens, the server has stopped.
        parked.map(|gone| _ = self.gone.send(gone)).count()
    }

    /// Takes all that are parked.
    pub(crate) fn take_all_parked(&self) -> Vec<(Pid, Box<Parked>)> {
        let mut sockets = self.sockets.lock();
        let pids: Vec<Pid> = sockets.by_pid.keys().copied().collect();
        pids.into_iter().filter_map(|pid| sockets.take_parked(&pid).map(|parked| (pid, parked))).collect()
    }
}

impl Sockets {
    fn take_parked(&mut self, pid: &Pid) -> Option<Box<Parked>> {
        match self.by_pid.entry(*pid) {
            Entry::Occupied(entry) if matches!(entry.get(), State::Parked(_)) => match entry.remove() {
                State::Parked(parked) => {
                    self.parked -= 1;
                    self.forget_owner(pid, &parked.owner);
                    Some(parked)
                }
                State::Live { .. } => None,
            },
            _ => None,
        }
    }
}

impl Sockets {
    fn forget_owner(&mut self, pid: &Pid, owner: &Owner) {
        if let Some(user) = owner.user() {
            forget(&mut self.of_user, user, pid);
        }
        if let Some(session) = owner.session() {
            forget(&mut self.of_session, session, pid);
        }
    }
}

fn forget<K: Clone + Eq + Hash>(pids: &mut HashMap<K, Vec<Pid>>, key: &K, pid: &Pid) {
    if let Entry::Occupied(mut pids) = pids.entry(key.clone()) {
        pids.get_mut().retain(|other| other != pid);
        if pids.get().is_empty() {
            pids.remove();
        }
    }
}

impl Live {
    /// The server does not listen for now: that a ping is followed by another is no sign of an answer.
    pub(crate) fn on_excuse(&mut self) {
        self.pings = 0;
    }

    /// A ping is sent. The one before was answered, and so its client had received everything sent before it.
    pub(crate) fn on_ping(&mut self) {
        self.pings = self.pings.saturating_add(1);
        if self.pings == 2 {
            self.past.confirm();
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Entry::Occupied(entry) = self.sockets.sockets.lock().by_pid.entry(self.pid)
            && matches!(entry.get(), State::Live { serial, .. } if *serial == self.serial)
        {
            // Whoever waits for it learns so.
            entry.remove();
        }
    }
}

/// In the place of a parked socket's client.
pub(crate) struct Absence {
    sockets: Arc<RecoverableSockets>,
    pid: Pid,
    key: Mutex<Option<SocketKey>>,
}

impl Absence {
    /// The parked socket it stands for.
    pub(crate) fn stand_for(&self, key: &SocketKey) {
        *self.key.lock() = Some(key.clone());
    }
}

impl Attention for Absence {
    fn notify(&self, notice: Notice) {
        match notice {
            // Its time is over, or it is not wanted any more.
            Notice::Deadline
            | Notice::Disconnect { .. }
            | Notice::DisconnectSocket { .. }
            | Notice::Revoked { .. } => {
                if let Some(key) = self.key.lock().clone() {
                    // When nobody listens, the server has stopped.
                    _ = self.sockets.gone.send((self.pid, key));
                }
            }
            Notice::ClockSet
            | Notice::Shutdown
            | Notice::SlowReader
            | Notice::WantsWrite
            | Notice::WriteFailed => {}
        }
    }
}
