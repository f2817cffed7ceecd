use std::{
    future::Future,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use axum::Router;
use roomkey_cluster::Node;
use roomkey_hub::{Hub, HubConfig, LogConfig, Notice};
use roomkey_model::{Clock, Entropy, Limits, Revocation, RoomName};
use roomkey_protocol::session;
use tokio::{
    runtime::{Builder as RuntimeBuilder, Runtime},
    sync::{Notify, watch},
    time::{sleep, timeout},
};

use crate::{
    Authentication, Broadcast, Namespace,
    audit::{self, Audit, AuditLog},
    broadcast_acks::BroadcastAcks,
    clock::{SteadyClock, SystemClock, SystemEntropy},
    context::{Context, Transports},
    deflate::{self, Deflate},
    engine::Engine,
    fd_table,
    http::{Listener, OpenConnections, OriginPolicy, TrustedProxies},
    jwks::KeySets,
    metrics::{self, Commits, Metrics},
    namespaces::Namespaces,
    newcomers::Newcomers,
    rates::Rates,
    recovery::{self, Going, RecoverableSockets, Recovery},
    registry::Registry,
    revocation::{self, LiveTokens, Sweeps},
    shard_lag,
    tickets::Tickets,
};

/// How a server is set up, with the defaults of the reference server where it has one.
#[derive(Clone)]
pub struct ServerConfig {
    /// Where to listen. Port 0 is any free one.
    pub address: SocketAddr,
    /// Threads that serve, each with its own share of the connections.
    pub threads: usize,
    /// Which web pages may connect.
    pub origins: OriginPolicy,
    /// Whether a request is refused whose `Host` is neither this machine nor an allowed origin's: against pages
    /// whose name was re-bound to a loopback address. For servers that listen on loopback.
    pub check_host: bool,
    /// The proxies in front of the server, which say where its clients are. None by default.
    pub trusted_proxies: TrustedProxies,
    /// Where Engine.IO is served, with or without the slashes around it.
    pub path: String,
    /// Which transports are offered.
    pub transports: Transports,
    /// Whether clients of Engine.IO 3 are served, too: Socket.IO clients v1 and v2, by any transport they have.
    ///
    /// They are in the namespace `/` without asking, so what they authenticate with there is in the request of their
    /// handshake.
    pub allow_eio3: bool,
    /// Whether clients may write their packets with `socket.io-msgpack-parser`. Both kinds are served side by side:
    /// the first packet of a client tells.
    pub msgpack: bool,
    /// Compression of WebSocket messages, for clients that offer it. Off by default.
    pub deflate: Option<Deflate>,
    /// Time from a pong to the next ping.
    pub ping_interval: Duration,
    /// Time in which a ping must be answered.
    pub ping_timeout: Duration,
    /// Time in which an upgrade from long-polling must be done.
    pub upgrade_timeout: Duration,
    /// How long before the end of its token a client is sent `auth:expiring`, so that it can show a newer one with
    /// `auth:refresh`. A token that lives less than five times as long is warned of in its last fifth. Zero is never.
    pub expiry_warning: Duration,
    /// Time for connections to finish what they are doing when the server stops.
    pub drain_timeout: Duration,
    /// Whether clients that come back soon get what they missed.
    pub recovery: Option<Recovery>,
    /// Where security decisions are recorded. Without it they are only said by `tracing`, under `roomkey::audit`.
    pub audit: Option<AuditLog>,
    /// Every limit.
    pub limits: Limits,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 3000)),
            threads: thread::available_parallelism().map_or(1, |cores| cores.get().min(Hub::SHARDS_MAX)),
            origins: OriginPolicy::default(),
            check_host: false,
            trusted_proxies: TrustedProxies::default(),
            path: "/socket.io/".to_owned(),
            transports: Transports::default(),
            allow_eio3: false,
            msgpack: false,
            deflate: None,
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            upgrade_timeout: Duration::from_secs(10),
            expiry_warning: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(10),
            recovery: None,
            audit: None,
            limits: Limits::default(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        }
    }
}

/// A server that is being put together.
pub struct ServerBuilder {
    config: ServerConfig,
    node: Node,
    live_tokens: Arc<LiveTokens>,
    commits: Commits,
    sweeps: Sweeps,
    namespaces: Namespaces,
    engine: Option<Arc<Engine>>,
}

/// A server that has its address, and serves as soon as it is run.
pub struct Server {
    context: Arc<Context>,
    listeners: Vec<Listener>,
    address: SocketAddr,
    router: Router,
    drain_timeout: Duration,
    recovery: Option<(Recovery, Going)>,
    sweeps: Sweeps,
}

impl ServerBuilder {
    /// Nothing is bound yet, but [`Self::node`] works.
    pub fn new(config: ServerConfig) -> Self {
        let hub = Hub::new(&HubConfig {
            dialects: config.allow_eio3 || config.msgpack || config.deflate.is_some(),
            log: config.recovery.as_ref().map(|recovery| LogConfig {
                bytes_max: config.limits.recovery_log_bytes,
                window_ms: millis(recovery.max_disconnection),
            }),
            ..HubConfig::new(config.threads, &config.limits)
        });
        let node = Node::new(Arc::new(hub), config.clock.clone());
        let (live_tokens, sweeps) = LiveTokens::new();
        let live_tokens = Arc::new(live_tokens);
        let commits = Commits::default();
        Self { config, node, live_tokens, commits, sweeps, namespaces: Namespaces::default(), engine: None }
    }

    /// Counts what is committed together, for a store that is opened before the server is.
    pub(crate) fn commits(&self) -> &Commits {
        &self.commits
    }

    /// What is told of revocations, for parts that are made before the server is.
    pub(crate) fn live_tokens(&self) -> &Arc<LiveTokens> {
        &self.live_tokens
    }

    /// What emits to rooms, for parts that are made before the server is.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Serves a namespace; its name begins with `/`, and the main one is `/`.
    #[must_use]
    pub fn namespace(mut self, name: &str, namespace: Namespace) -> Self {
        self.namespaces.add(name, namespace);
        self
    }

    /// Serves every namespace whose name `matches`, unless it has one of its own or was matched before.
    ///
    /// Each name is a namespace for itself: the rooms of `/team-1` are not those of `/team-2`, and
    /// [`Socket::namespace`](crate::Socket::namespace) tells a handler where it is. It comes into being with the
    /// first client that is let in, and nothing is left of it after the last. Clients choose the names, so `matches`
    /// says what may exist at all; who may go in is for a [`middleware`](Namespace::middleware) to decide.
    #[must_use]
    pub fn namespace_matching(
        mut self,
        matches: impl Fn(&str) -> bool + Send + Sync + 'static,
        namespace: Namespace,
    ) -> Self {
        self.namespaces.add_matching(Box::new(matches), namespace);
        self
    }

    /// Serves bare Engine.IO in place of Socket.IO, and no namespace.
    #[must_use]
    pub fn engine(self, engine: Engine) -> Self {
        Self { engine: Some(Arc::new(engine)), ..self }
    }

    /// Binds the address, once for each thread.
    pub fn bind(self) -> io::Result<Server> {
        let Self { config, node, live_tokens, commits, sweeps, namespaces, engine } = self;
        Listener::check_free(config.address)?;
        let first = Listener::bind(config.address)?;
        let address = first.local_addr()?;
        let others = (1..config.threads).map(|_| Listener::bind(address));
        let listeners = std::iter::once(Ok(first)).chain(others).collect::<io::Result<Vec<_>>>()?;
        let limits = config.limits;
        let broadcast_acks = BroadcastAcks::new(limits.broadcast_acks_pending, limits.broadcast_ack_bytes);
        let session = session::Config {
            ping_interval_ms: millis(config.ping_interval),
            ping_timeout_ms: millis(config.ping_timeout),
            connect_timeout_ms: limits.auth_deadline_ms,
            pre_auth_bytes: limits.pre_auth_bytes,
            message_bytes_max: limits.message_bytes,
            attachments_max: limits.attachments_per_packet,
            partial_message_ms: limits.partial_message_ms,
            msgpack: config.msgpack,
            namespaces_max: limits.namespaces_per_connection,
        };
        let recovery_ms = config.recovery.as_ref().map_or(0, |recovery| millis(recovery.max_disconnection));
        let recovery =
            config.recovery.map(|recovery| (recovery, RecoverableSockets::new(limits.parked_sockets)));
        let (recoverable, recovery) =
            recovery.map(|(recovery, (sockets, going))| (Arc::new(sockets), (recovery, going))).unzip();
        let hub = node.hub().clone();
        let key_sets = key_sets(&namespaces);
        let tickets = Tickets::new(limits.tickets_pending, limits.tickets_pending_per_user);
        let context = Context {
            node,
            namespaces,
            registry: Registry::default(),
            newcomers: Newcomers::default(),
            live_tokens,
            audit: Arc::new(Audit::start(config.audit.as_ref(), config.clock.clone(), &*config.entropy)?),
            rates: Rates::new(&limits, move || hub.now_ms()),
            recoverable,
            recovery_ms,
            origins: config.origins,
            check_host: config.check_host,
            trusted_proxies: config.trusted_proxies,
            path: with_slashes(&config.path),
            transports: config.transports,
            engine,
            allow_eio3: config.allow_eio3,
            deflate: config.deflate,
            limits,
            session: Arc::new(session),
            upgrade_timeout_ms: millis(config.upgrade_timeout),
            expiry_warning_ms: millis(config.expiry_warning),
            started: config.clock.now(),
            clock: config.clock,
            entropy: config.entropy,
            metrics: Metrics::new(key_sets, commits, config.threads),
            sockets_made: AtomicU64::new(0),
            tickets,
            broadcast_acks: Arc::new(broadcast_acks),
            draining: AtomicBool::new(false),
        };
        Ok(Server {
            context: Arc::new(context),
            listeners,
            address,
            router: Router::new(),
            drain_timeout: config.drain_timeout,
            recovery,
            sweeps,
        })
    }
}

impl Server {
    /// The address the server is bound to.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers HTTP requests that are not Engine.IO's.
    #[must_use]
    pub fn router(self, router: Router) -> Self {
        Self { router, ..self }
    }

    /// What stays useful while the server runs.
    pub fn handle(&self) -> ServerHandle {
        ServerHandle { context: self.context.clone() }
    }

    /// Serves on threads of its own until `stop` is done, then lets connections finish and returns.
    ///
    /// Blocks the calling thread: from async code, call it where blocking is allowed. Fails if it cannot go on: then,
    /// too, it lets the connections that are left finish.
    pub fn run(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        fd_table::grow();
        self.context.audit.record(&audit::Record::new(audit::Event::Started));
        let (recovery, going) = self.recovery.unzip();
        let snapshot = recovery.and_then(|recovery| recovery.snapshot);
        if let Some(snapshot) = &snapshot {
            recovery::load(&self.context, snapshot);
        }
        let open = OpenConnections::default();
        let thread_panicked = Arc::new(Notify::new());
        let (stop_accepting, accepting_stops) = watch::channel(false);
        let (stop_serving, serving_stops) = watch::channel(false);
        let mut threads = Vec::new();
        for (shard, listener) in self.listeners.into_iter().enumerate() {
            let (context, router, open) = (self.context.clone(), self.router.clone(), open.clone());
            let (accepting_stops, mut serving_stops) = (accepting_stops.clone(), serving_stops.clone());
            let runtime = runtime()?;
            let alarm = Alarm(thread_panicked.clone());
            let serve = move || {
                let _alarm = alarm;
                let hub = context.node.hub().clone();
                let own = &hub.shards()[shard];
                own.enter();
                deflate::enter(&context);
                runtime.block_on(async {
                    tokio::spawn(shard_lag::watch(context.clone(), shard));
                    tokio::spawn(async move {
                        if let Err(error) =
                            listener.serve(context, shard, router, open, accepting_stops).await
                        {
                            tracing::error!(%error, "cannot accept connections");
                        }
                    });
                    tokio::select! {
                        () = own.run() => {}
                        _ = serving_stops.wait_for(|stop| *stop) => {}
                    }
                });
            };
            threads.push(thread::Builder::new().name(format!("shard-{shard}")).spawn(serve)?);
        }
        runtime()?.block_on(async {
            let context = self.context.clone();
            let sweeps = self.sweeps;
            tokio::spawn(async move { revocation::sweep(&context, sweeps).await });
            let context = self.context.clone();
            tokio::spawn(async move { watch_clock(&context).await });
            if let Some(going) = going {
                let context = self.context.clone();
                tokio::spawn(async move { recovery::expire(&context, going).await });
            }
            let decision = tokio::select! {
                () = stop => {
                    tracing::info!("shutting down");
                    audit::Event::Stopped
                }
                // Whoever was connected to its shard is gone, and what is emitted to it would wait for ever.
                () = thread_panicked.notified() => {
                    tracing::error!("a serving thread panicked: shutting down");
                    audit::Event::Crashed
                }
            };
            self.context.audit.record(&audit::Record::new(decision));
            self.context.draining.store(true, Ordering::Release);
            stop_accepting.send_replace(true);
            let hub = self.context.node.hub();
            hub.notify_all(&Notice::Shutdown);
            let drained = async {
                while hub.connection_count() > 0 || open.count() > 0 {
                    sleep(Duration::from_millis(5)).await;
                }
            };
            if timeout(self.drain_timeout, drained).await.is_err() {
                tracing::warn!(
                    connections = hub.connection_count(),
                    "some connections did not finish in time"
                );
            }
            if let Some(snapshot) = &snapshot {
                recovery::save(&self.context, snapshot);
            }
            recovery::forget(&self.context);
        });
        stop_serving.send_replace(true);
        for thread in threads {
            thread.join().map_err(|_| io::Error::other("a serving thread panicked"))?;
        }
        Ok(())
    }
}

/// Tells all connections when the clock was set: what is to happen at some time of day is reckoned in time that only
/// goes forward.
async fn watch_clock(context: &Context) {
    const LOOK_EVERY: Duration = Duration::from_secs(1);
    const STEP_MS: u64 = 500;
    let hub = context.node.hub();
    let zero_ms = || context.clock.now().0.wrapping_sub(hub.now_ms());
    let mut known_ms = zero_ms();
    let steady = SteadyClock::new(context.clock.clone());
    loop {
        sleep(LOOK_EVERY).await;
        let now_ms = zero_ms();
        if now_ms.abs_diff(known_ms) >= STEP_MS {
            known_ms = now_ms;
            tracing::warn!("the clock was set");
            hub.notify_all(&Notice::ClockSet);
        }
        context.live_tokens.purge(steady.now());
    }
}

/// The key sets that any of these namespaces needs, each once.
fn key_sets(namespaces: &Namespaces) -> Vec<Arc<KeySets>> {
    let mut all: Vec<Arc<KeySets>> = Vec::new();
    for namespace in namespaces.iter() {
        if let Authentication::Token(token) = &namespace.authentication
            && let Some(key_sets) = token.key_sets()
            && !all.iter().any(|known| Arc::ptr_eq(known, key_sets))
        {
            all.push(key_sets.clone());
        }
    }
    all
}

/// Goes off when the thread that holds it panics.
struct Alarm(Arc<Notify>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.notify_one();
        }
    }
}

/// A running server, from outside its connections. Cheap to clone.
#[derive(Clone)]
pub struct ServerHandle {
    pub(crate) context: Arc<Context>,
}

impl ServerHandle {
    /// All sockets in a room of a namespace.
    pub fn to(&self, namespace: &str, room: &RoomName) -> Broadcast {
        Broadcast::new(self.context.clone(), namespace.into()).to(room)
    }

    /// All sockets of a namespace.
    pub fn everyone(&self, namespace: &str) -> Broadcast {
        Broadcast::new(self.context.clone(), namespace.into())
    }

    /// Revokes tokens: from now on they are refused, and the sockets that live by them are closed. Waits for that, and
    /// returns how many there were.
    ///
    /// It holds for as long as this server runs. Store what must outlive it, and revoke it again at the next start.
    pub async fn revoke(&self, revocation: Revocation) -> usize {
        self.context.live_tokens.revoke(revocation).await
    }

    /// Everything that is counted, in the OpenMetrics text format: what a Prometheus server reads.
    pub fn metrics(&self) -> String {
        metrics::text(&self.context)
    }

    /// How many clients are connected.
    pub fn connection_count(&self) -> usize {
        self.context.node.hub().connection_count()
    }

    /// How many rooms have members. A namespace with sockets in it counts as one, too: the room of them all.
    pub fn room_count(&self) -> usize {
        self.context.node.hub().room_count()
    }
}

fn runtime() -> io::Result<Runtime> {
    RuntimeBuilder::new_current_thread().enable_all().build()
}

/// `/a/`, so that a path that only begins alike, such as `/a-b`, is another.
fn with_slashes(path: &str) -> Box<str> {
    match path.trim_matches('/') {
        "" => "/".into(),
        path => format!("/{path}/").into(),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
