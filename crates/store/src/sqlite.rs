mod accounts;
mod channels;
mod columns;
mod fault;
mod lock;
mod logins;
mod messages;
mod migrate;
mod open;
mod queue;
mod reader;
mod revocations;
mod sessions;
mod writer;

use std::{path::Path, sync::Arc, thread};

use futures_util::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use roomkey_model::{ChannelId, MessageId, Revocation, SessionId, Timestamp, UserId};
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{
    Account, Channel, CommitSink, Committed, Draft, HistoryQuery, Joined, LoginFailures, Member,
    MemberPermit, Message, OpenError, PastLogin, Pending, Permit, Profile, RefreshFamily, Revoke, Role,
    Rotated, Rotation, Session, Standing, Store, StoreError,
};
use queue::Queue;
use reader::Read;
use sessions::Which;
use writer::Job;

/// How a [`SqliteStore`] is run.
#[derive(Clone, Debug)]
pub struct SqliteConfig {
    /// Threads that read, each with a connection of its own.
    pub readers: usize,
    /// Requests that wait in each of the two queues, one of writes and one of reads.
    pub queue_jobs: usize,
    /// Writes that share one commit.
    pub batch_jobs: usize,
    /// How long another program may keep the database locked.
    pub busy_timeout_ms: u32,
    /// Channels one user may be in.
    pub channels_per_user: usize,
    /// Bytes the database file may have; no limit but the volume's where there is none.
    pub database_bytes: Option<u64>,
}

impl Default for SqliteConfig {
    fn default() -> Self {
        Self {
            readers: 2,
            queue_jobs: 4096,
            batch_jobs: 512,
            busy_timeout_ms: 5000,
            channels_per_user: roomkey_model::Limits::default().channels_per_user,
            database_bytes: None,
        }
    }
}

/// The store in one SQLite file beside its write-ahead log.
///
/// One thread writes. It takes what waits in its queue, up to a batch, into one transaction, each write in a
/// savepoint of its own so that one that fails leaves the others alone, commits once, and only then answers.
/// Where SQLite itself gives the transaction up, as on a full disk, the whole batch gets that error.
/// A few threads read. All of them have connections of their own, so that no one waits for another.
pub struct SqliteStore {
    writes: Arc<Queue<Box<dyn Job>>>,
    reads: Arc<Queue<Read>>,
    channels_per_user: usize,
    /// Taken by the first [`Store::close`].
    threads: Mutex<Vec<thread::JoinHandle<()>>>,
}

impl SqliteStore {
    /// Opens the database at `path`, creating it and its directory where they are missing, and brings it to
    /// this release's version. Blocks; meant for start-up.
    pub fn open(path: &Path, config: &SqliteConfig, sink: CommitSink) -> Result<Self, OpenError> {
        Self::start(path, config, sink).map_err(|cause| OpenError { path: path.to_owned(), cause })
    }

    fn start(path: &Path, config: &SqliteConfig, sink: CommitSink) -> Result<Self, StoreError> {
        let lock = lock::acquire(path)?;
        let connection = open::writer(path, config)?;
        let writes = Arc::new(Queue::new(config.queue_jobs));
        let reads = Arc::new(Queue::new(config.queue_jobs));
        let mut threads = Vec::with_capacity(config.readers + 1);
        for _ in 0..config.readers.max(1) {
            let (connection, reads) = (open::reader(path, config)?, Arc::clone(&reads));
            threads.push(spawn("store-reader", move || reader::run(&connection, &reads))?);
        }
        let (queue, batch_jobs) = (Arc::clone(&writes), config.batch_jobs.max(1));
        threads.push(spawn("store-writer", move || {
            writer::run(&connection, &queue, batch_jobs, &sink);
            drop(connection);
            drop(lock);
        })?);
        Ok(Self { writes, reads, channels_per_user: config.channels_per_user, threads: Mutex::new(threads) })
    }

    /// Puts `work` into the writer's queue now.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, &mut Vec<Committed>) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        let (job, answer) = writer::job(work);
        answer_of(self.writes.push(job), answer)
    }

    /// Puts `work` into the readers' queue now. It sees one snapshot of the database.
    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Pending<T> {
        let (job, answer) = reader::job(work);
        answer_of(self.reads.push(job), answer)
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<thread::JoinHandle<()>, StoreError> {
    thread::Builder::new().name(name.to_owned()).spawn(body).map_err(StoreError::from)
}

fn answer_of<T: Send + 'static>(
    pushed: Result<(), StoreError>,
    answer: oneshot::Receiver<Result<T, StoreError>>,
) -> Pending<T> {
    match pushed {
        Ok(()) => async move { answer.await.unwrap_or(Err(StoreError::Unavailable)) }.boxed(),
        Err(error) => std::future::ready(Err(error)).boxed(),
    }
}

impl Drop for SqliteStore {
    /// The threads finish what was accepted and end by themselves.
    fn drop(&mut self) {
        self.writes.close();
        self.reads.close();
    }
}

impl Store for SqliteStore {
    fn create_account(&self, account: Account) -> Pending<()> {
        self.write(move |connection, _| accounts::create(connection, &account))
    }

    fn account_by_email(&self, email: &str) -> Pending<Option<Account>> {
        let key = accounts::key(email);
        self.read(move |connection| accounts::find(connection, "email_key", &key))
    }

    fn account_by_username(&self, username: &str) -> Pending<Option<Account>> {
        let key = accounts::key(username);
        self.read(move |connection| accounts::find(connection, "username_key", &key))
    }

    fn account(&self, user: &UserId) -> Pending<Option<Account>> {
        let user = user.clone();
        self.read(move |connection| accounts::find(connection, "user", user.as_str()))
    }

    fn accounts(&self, after: Option<&UserId>, limit: usize) -> Pending<Vec<Account>> {
        let after = after.cloned();
        self.read(move |connection| accounts::list(connection, after.as_ref(), limit))
    }

    fn rehash_password(&self, user: &UserId, old: &str, new: String) -> Pending<()> {
        let (user, old) = (user.clone(), old.to_owned());
        self.write(move |connection, _| accounts::replace_password(connection, &user, &old, &new))
    }

    fn change_password(
        &self,
        user: &UserId,
        old: &str,
        new: String,
        except: Option<&SessionId>,
        now: Timestamp,
        revoke: Revoke,
    ) -> Pending<usize> {
        let (user, old, except) = (user.clone(), old.to_owned(), except.cloned());
        self.write(move |connection, changes| {
            accounts::replace_password(connection, &user, &old, &new)?;
            let which = Which { except: except.as_ref(), began_by: None };
            sessions::end_all(connection, &user, &which, now, revoke, changes)
        })
    }

    fn create_session(&self, session: Session, refresh: RefreshFamily, password_hash: &str) -> Pending<()> {
        let password_hash = password_hash.to_owned();
        self.write(move |connection, _| {
            accounts::permit_login(connection, &session.user, &password_hash)?;
            sessions::create(connection, &session, &refresh)
        })
    }

    fn session(&self, session: &SessionId) -> Pending<Option<Session>> {
        let session = session.clone();
        self.read(move |connection| sessions::find(connection, &session))
    }

    fn refresh_tag_key(&self, session: &SessionId) -> Pending<Option<[u8; 32]>> {
        let session = session.clone();
        self.read(move |connection| sessions::tag_key(connection, &session))
    }

    fn rotate(&self, rotation: Rotation) -> Pending<Rotated> {
        self.write(move |connection, changes| sessions::rotate(connection, rotation, changes))
    }

    fn sessions_of(&self, user: &UserId, now: Timestamp, limit: usize) -> Pending<Vec<Session>> {
        let user = user.clone();
        self.read(move |connection| sessions::of_user(connection, &user, now, limit))
    }

    fn touch_session(&self, session: &SessionId, now: Timestamp) -> Pending<()> {
        let session = session.clone();
        self.write(move |connection, _| sessions::touch(connection, &session, now))
    }

    fn end_session(
        &self,
        session: &SessionId,
        user: &UserId,
        now: Timestamp,
        revocation: Revocation,
    ) -> Pending<bool> {
        let (session, user) = (session.clone(), user.clone());
        self.write(move |connection, changes| {
            sessions::end(connection, &session, &user, now, revocation, changes)
        })
    }

    fn end_sessions_of(
        &self,
        user: &UserId,
        began_by: Option<Timestamp>,
        now: Timestamp,
        revoke: Revoke,
    ) -> Pending<usize> {
        let user = user.clone();
        self.write(move |connection, changes| {
            let which = Which { except: None, began_by };
            sessions::end_all(connection, &user, &which, now, revoke, changes)
        })
    }

    fn forget_sessions(&self, since: Timestamp) -> Pending<usize> {
        self.write(move |connection, _| sessions::forget(connection, since))
    }

    fn revoke(&self, revocations: Vec<Revocation>) -> Pending<()> {
        self.write(move |connection, changes| {
            revocations
                .into_iter()
                .try_for_each(|revocation| revocations::add(connection, revocation, changes))
        })
    }

    fn unblock(&self, cut_off: Revocation) -> Pending<bool> {
        self.write(move |connection, changes| revocations::unblock(connection, cut_off, changes))
    }

    fn revocations(&self) -> Pending<Vec<Revocation>> {
        self.read(revocations::all)
    }

    fn purge_revocations(&self, now: Timestamp, limit: usize) -> Pending<usize> {
        self.write(move |connection, _| revocations::purge(connection, now, limit))
    }

    fn note_login_failures(&self, failures: LoginFailures) -> Pending<()> {
        self.write(move |connection, _| logins::note_failures(connection, &failures))
    }

    fn login_failures(&self, now: Timestamp, limit: usize) -> Pending<Vec<LoginFailures>> {
        self.read(move |connection| logins::failures(connection, now, limit))
    }

    fn forget_login_failures(&self, now: Timestamp, limit: usize) -> Pending<usize> {
        self.write(move |connection, _| logins::forget_failures(connection, now, limit))
    }

    fn past_logins(&self, since: Timestamp, limit: usize) -> Pending<Vec<PastLogin>> {
        self.read(move |connection| logins::past(connection, since, limit))
    }

    fn arrive(&self, profile: Profile, now: Timestamp) -> Pending<Vec<ChannelId>> {
        self.write(move |connection, _| {
            accounts::upsert_profile(connection, &profile, now)?;
            channels::ids_of(connection, &profile.user)
        })
    }

    fn profile(&self, user: &UserId) -> Pending<Option<Profile>> {
        let user = user.clone();
        self.read(move |connection| accounts::profile(connection, &user))
    }

    fn create_channel(&self, channel: Channel) -> Pending<()> {
        let channels_per_user = self.channels_per_user;
        self.write(move |connection, changes| {
            channels::create(connection, &channel, channels_per_user, changes)
        })
    }

    fn channel(&self, channel: &ChannelId) -> Pending<Option<Channel>> {
        let channel = channel.clone();
        self.read(move |connection| channels::find(connection, &channel))
    }

    fn channels_of(&self, user: &UserId, after: Option<&ChannelId>, limit: usize) -> Pending<Vec<Joined>> {
        let (user, after) = (user.clone(), after.cloned());
        self.read(move |connection| channels::of(connection, &user, after.as_ref(), limit))
    }

    fn public_channels(&self, after: Option<&ChannelId>, limit: usize) -> Pending<Vec<Channel>> {
        let after = after.cloned();
        self.read(move |connection| channels::public(connection, after.as_ref(), limit))
    }

    fn standing(&self, channel: &ChannelId, user: &UserId) -> Pending<Option<Standing>> {
        let (channel, user) = (channel.clone(), user.clone());
        self.read(move |connection| channels::standing(connection, &channel, &user))
    }

    fn join_channel(
        &self,
        channel: &ChannelId,
        user: &UserId,
        role: Role,
        now: Timestamp,
        permit: Permit,
    ) -> Pending<Role> {
        let (channel, user, channels_per_user) = (channel.clone(), user.clone(), self.channels_per_user);
        self.write(move |connection, changes| {
            let standing = channels::standing(connection, &channel, &user)?.ok_or(StoreError::NotFound)?;
            if let Some(role) = standing.role {
                return Ok(role);
            }
            if !permit(standing) {
                return Err(StoreError::Denied);
            }
            channels::add_member(connection, &channel, &user, role, now, channels_per_user, changes)?;
            Ok(role)
        })
    }

    fn add_member(
        &self,
        channel: &ChannelId,
        actor: &UserId,
        user: &UserId,
        role: Role,
        now: Timestamp,
        permit: MemberPermit,
    ) -> Pending<()> {
        let (channel, actor, user) = (channel.clone(), actor.clone(), user.clone());
        let channels_per_user = self.channels_per_user;
        self.write(move |connection, changes| {
            channels::permit_on_member(connection, &channel, &actor, &user, permit)?;
            accounts::ensure_profile(connection, &user, now)?;
            channels::add_member(connection, &channel, &user, role, now, channels_per_user, changes)
        })
    }

    fn remove_member(
        &self,
        channel: &ChannelId,
        actor: &UserId,
        user: &UserId,
        permit: MemberPermit,
    ) -> Pending<bool> {
        let (channel, actor, user) = (channel.clone(), actor.clone(), user.clone());
        self.write(move |connection, changes| {
            channels::permit_on_member(connection, &channel, &actor, &user, permit)?;
            channels::remove_member(connection, &channel, &user, changes)
        })
    }

    fn members(
        &self,
        channel: &ChannelId,
        reader: &UserId,
        after: Option<&UserId>,
        limit: usize,
        permit: Permit,
    ) -> Pending<Vec<Member>> {
        let (channel, reader, after) = (channel.clone(), reader.clone(), after.cloned());
        self.read(move |connection| {
            channels::permit(connection, &channel, &reader, permit)?;
            channels::members(connection, &channel, after.as_ref(), limit)
        })
    }

    fn append(&self, draft: Draft, permit: Permit) -> Pending<Message> {
        self.write(move |connection, changes| messages::append(connection, draft, permit, changes))
    }

    fn history(&self, query: HistoryQuery, permit: Permit) -> Pending<Vec<Message>> {
        self.read(move |connection| {
            channels::permit(connection, &query.channel, &query.reader, permit)?;
            messages::history(connection, &query)
        })
    }

    fn message(&self, message: &MessageId) -> Pending<Option<Message>> {
        let message = *message;
        self.read(move |connection| messages::find(connection, message))
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        self.writes.close();
        self.reads.close();
        let threads = std::mem::take(&mut *self.threads.lock());
        let (done, all_done) = oneshot::channel();
        // Joining blocks, so that it needs a thread; it lives as long as the last batch takes.
        let joiner = spawn("store-close", move || {
            for thread in threads {
                let _ = thread.join();
            }
            let _ = done.send(());
        });
        async move {
            if joiner.is_ok() {
                let _ = all_done.await;
            }
        }
        .boxed()
    }
}
