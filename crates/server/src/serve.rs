//! `roomkey serve`: everything put together.

use std::{
    fs,
    io::{self, Write},
    mem::take,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use roomkey_chat::{Access, Chat, ChatConfig, Typing, commit_sink};
use roomkey_model::{Clock, Timestamp};
use roomkey_store::{CommitSink, Committed, Retention, SqliteConfig, SqliteStore, Store};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{
    KeySets, Server, ServerBuilder, ServerConfig, ServerHandle, SystemClock,
    accounts::{Accounts, AccountsParts},
    admin::{AdminPage, Admins, AdminsParts, Page, PageState},
    audit,
    backends::Backends,
    chat,
    clock::SteadyClock,
    config::{AuthSetup, Config, Environment, Flags, MissingKey},
    control::{ControlSocket, Operator, Parts, commands::personal},
    pages,
    rest::{self, Api},
    revocation::{Revalidation, Revoker},
};

/// The one namespace that the chat is served in.
pub(crate) const NAMESPACE: &str = "/";

/// Runs a server until it is told to stop.
pub(crate) fn serve(config: &Config, auth: AuthSetup) -> anyhow::Result<()> {
    let product = Product::new(config, auth, Arc::new(SystemClock))?;
    let page = product.operator.admins.page();
    let asked = until_asked_to_stop(product.local_addr(), config.chat.demo_page, page);
    product.run(asked)?;
    tracing::info!("stopped");
    Ok(())
}

/// All that `roomkey serve` is, put together and not running yet.
#[doc(hidden)]
pub struct Product {
    server: Server,
    store: Arc<dyn Store>,
    chat: Arc<Chat>,
    operator: Operator,
    admin_page: Option<AdminPage>,
    revalidation: Option<Revalidation>,
    backends: Backends,
    control_path: PathBuf,
    retention: Retention,
    dead_letter_days: u64,
}

const DAY_MS: u64 = 24 * 3600 * 1000;

impl Product {
    /// As a configuration file with this text in a data directory says, on any free port of the loopback address.
    pub fn in_directory(directory: &Path, text: &str, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let file = directory.join("roomkey.toml");
        fs::write(&file, text)?;
        let flags = Flags {
            config: Some(file),
            listen: Some(([127, 0, 0, 1], 0).into()),
            data_dir: Some(directory.to_owned()),
        };
        let config = Config::load(flags, &Environment::default())?;
        let auth = AuthSetup::new(&config, MissingKey::Create)?;
        Self::new(&config, auth, clock)
    }

    /// The address it is bound to.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// What stays useful while it runs.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    fn new(config: &Config, mut auth: AuthSetup, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let server_config = ServerConfig { clock: clock.clone(), ..config.server_config() };
        let entropy = server_config.entropy.clone();
        let limits = server_config.limits.clone();
        let (address, dead_letter_days) = (server_config.address, limits.dead_letter_days);
        let builder = ServerBuilder::new(server_config);
        let typing = Arc::new(Typing::new(builder.node().clone(), NAMESPACE.into(), clock.clone(), &limits));
        let sockets_of = chat::sockets_of(builder.live_tokens().clone(), NAMESPACE);
        let access = Arc::new(Access::new(config.policy.policy()).with_sockets(sockets_of));
        let backends =
            Backends::start(take(&mut auth.backends), clock.clone(), entropy.clone(), limits.clone());
        let backends = backends.context("cannot start what speaks to backends")?;
        let store = open_store(config, &builder, &backends, access.clone(), typing.clone())?;
        block_on(backends.give_up_others(&*store))?.context("the webhooks that wait cannot be read")?;
        let live_tokens = builder.live_tokens().clone();
        let revoker = Revoker::new(store.clone(), live_tokens.clone(), auth.verifier.clone(), clock.clone());
        block_on(revoker.load())?.context("the revocations cannot be read")?;
        let chat = Arc::new(Chat::new(
            store.clone(),
            builder.node().clone(),
            typing,
            clock.clone(),
            entropy.clone(),
            ChatConfig {
                namespace: NAMESPACE.into(),
                dashed_personal_rooms: config.chat.dashed_personal_rooms,
                edit_window_ms: config.chat.edit_window_ms(),
                history_since_join: config.chat.history_since_join(),
                limits: limits.clone(),
                access: access.clone(),
            },
        ));
        let revoker = Arc::new(revoker);
        let accounts = Arc::new(Accounts::new(AccountsParts {
            store: store.clone(),
            issuer: auth.issuer.clone(),
            revoker: revoker.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            lifetimes: config.auth.session_lifetimes(),
            hashes_waiting: limits.hashes_waiting,
        }));
        let admins = Arc::new(Admins::new(AdminsParts {
            store: store.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            limits: &limits,
            page: config.admin_page(),
        }));
        block_on(admins.load(&limits))?.context("the admins cannot be read")?;
        if !auth.key_sets.is_empty() {
            let key_sets = KeySets::start(auth.key_sets.clone(), clock.clone());
            auth.authentication.set_key_sets(key_sets.context("cannot start to fetch the keys of issuers")?);
        }
        let server = builder
            .namespace(NAMESPACE, chat::namespace(&chat, &auth.authentication, backends.handlers.clone()))
            .bind()
            .with_context(|| format!("cannot serve on {address}"))?;
        let parts = Parts {
            accounts: accounts.clone(),
            admins: admins.clone(),
            store: store.clone(),
            revoker: revoker.clone(),
            live_tokens,
            access,
            chat: Some(chat.clone()),
            clock: clock.clone(),
            audit: server.handle().context.audit.clone(),
        };
        for warning in &auth.warnings {
            let target = Some(&**warning);
            let record = audit::Record { target, ..audit::Record::new(audit::Event::InsecureSetting) };
            server.handle().context.audit.record(&record);
        }
        let operator = Operator::new(config, &auth, parts);
        backends.deliver(&store, &server.handle().context);
        let revalidation = auth.revalidation.map(|setup| Revalidation::new(setup, clock.clone(), entropy));
        let revalidation = revalidation.transpose().context("cannot ask about users")?;
        let api = Arc::new(Api {
            accounts,
            revoker,
            issuer: auth.issuer,
            registration: config.auth.registration,
            session_cookies: config.auth.session_cookies,
            token_cookie: config.auth.token_cookie().map(Into::into),
            api_keys: auth.api_keys,
            authentication: auth.authentication,
            chat: chat.clone(),
            store: store.clone(),
            clock,
            limits,
            warnings: auth.warnings,
            server: server.handle(),
            ring: Box::new(backends.bell()),
        });
        block_on(rest::attempts::restore(&api))?.context("the logins cannot be read")?;
        let admin_page = AdminPage::new(config, api.clone(), admins);
        let router = rest::router(api);
        let router = if config.chat.demo_page { router.merge(pages::router()) } else { router };
        let server = server.router(router);
        let (control_path, retention) = (config.control_path(), config.chat.retention());
        Ok(Self {
            server,
            store,
            chat,
            operator,
            admin_page,
            revalidation,
            backends,
            control_path,
            retention,
            dead_letter_days,
        })
    }

    /// Serves until `stop` is done, and until every connection is gone and all is on disk.
    pub fn run(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let context = self.handle().context;
        let (audit, accounts) = (context.audit.clone(), self.operator.accounts.clone());
        let revalidating = async move {
            match self.revalidation {
                Some(revalidation) => revalidation.run(&context, &accounts).await,
                None => std::future::pending().await,
            }
        };
        let admin_page = async move {
            match self.admin_page {
                Some(page) => page.run().await,
                None => std::future::pending().await,
            }
        };
        // Before anybody is told that the server runs.
        let socket = ControlSocket::bind(&self.control_path);
        let operators = serve_operators(socket, self.operator, self.retention, self.dead_letter_days);
        self.server.run(async {
            tokio::select! {
                () = stop => {}
                () = operators => {}
                () = admin_page => {}
                () = revalidating => {}
                () = chat::keep_time(&self.chat) => {}
            }
        })?;
        if let Err(failure) = block_on(self.chat.stop())? {
            tracing::warn!(error = %failure.message, "when users were last here cannot be recorded");
        }
        // Nobody is told or asked any more, so that what was taken is known.
        drop(self.backends);
        // Every connection is gone: what was accepted for storing is stored now.
        block_on(self.store.close())?;
        audit.close();
        Ok(())
    }
}

/// Does what operators say, for as long as it is polled. A server without the socket still serves its clients.
async fn serve_operators(
    socket: anyhow::Result<ControlSocket>,
    operator: Operator,
    retention: Retention,
    dead_letter_days: u64,
) {
    let operator = Arc::new(operator);
    let commands = async {
        let served = match socket {
            Ok(socket) => socket.serve(operator.clone()).await.map_err(Into::into),
            Err(error) => Err(error),
        };
        if let Err(error) = served {
            tracing::error!(
                error = format!("{error:#}"),
                "no commands can be given to the running server: it must be stopped for each"
            );
        }
    };
    let forgetting = async {
        let steady = SteadyClock::new(operator.clock.clone());
        loop {
            tokio::time::sleep(Duration::from_secs(60)).await;
            let now = steady.now();
            if let Some(Err(error)) = operator.keys.as_ref().map(|keys| keys.tidy(now)) {
                tracing::error!(error = format!("{error:#}"), "retired keys cannot be removed");
            }
            if let Err(failure) = operator.revoker.purge(now).await {
                tracing::warn!(error = %failure.message, "revocations that are over cannot be removed");
            }
            if let Err(error) = rest::attempts::forget(&*operator.store, now).await {
                tracing::warn!(%error, "failed logins that count no more cannot be removed");
            }
            if let Err(failure) = operator.accounts.forget_sessions(now).await {
                tracing::warn!(error = %failure.message, "sessions that are over cannot be removed");
            }
        }
    };
    let trimming = async {
        let steady = SteadyClock::new(operator.clock.clone());
        loop {
            if let Err(error) = roomkey_chat::trim(&*operator.store, retention, steady.now()).await {
                tracing::warn!(%error, "old messages cannot be removed");
            }
            if let Err(error) = personal::empty_all(&*operator.store, &steady).await {
                tracing::warn!(%error, "messages of users who were erased cannot be removed");
            }
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    };
    let burying = async {
        let steady = SteadyClock::new(operator.clock.clone());
        loop {
            let before = Timestamp(steady.now().0.saturating_sub(dead_letter_days.saturating_mul(DAY_MS)));
            if let Err(error) = operator.store.forget_dead_letters(before).await {
                tracing::warn!(%error, "webhooks that were given up cannot be removed");
            }
            tokio::time::sleep(Duration::from_secs(3600)).await;
        }
    };
    tokio::join!(commands, forgetting, trimming, burying);
}

fn block_on<T>(future: impl Future<Output = T>) -> io::Result<T> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future))
}

fn open_store(
    config: &Config,
    builder: &ServerBuilder,
    backends: &Backends,
    access: Arc<Access>,
    typing: Arc<Typing>,
) -> anyhow::Result<Arc<dyn Store>> {
    let (live_tokens, chat) = (
        builder.live_tokens().clone(),
        commit_sink(builder.node().clone(), NAMESPACE.into(), access, typing),
    );
    let ring = backends.bell();
    let commits = builder.commits().clone();
    let sink: CommitSink = Box::new(move |changes| {
        let messages = changes.iter().filter(|change| matches!(change, Committed::MessageCreated(_)));
        commits.observe(changes.len(), messages.count());
        for change in changes {
            match change {
                Committed::Revoked(revocation) => live_tokens.apply(revocation.clone()),
                Committed::Unblocked(cut_off) => live_tokens.unblock(cut_off.clone()),
                _ => {}
            }
        }
        chat(changes);
        ring();
    });
    let store_config = SqliteConfig {
        channels_per_user: config.limits.channels_per_user,
        members_per_channel: config.limits.members_per_channel,
        outbox_rows: config.limits.webhooks_waiting,
        ..SqliteConfig::default()
    };
    let path = config.database_path();
    Ok(Arc::new(match backends.encoder() {
        Some(encoder) => SqliteStore::open_with_outbox(&path, &store_config, sink, encoder)?,
        None => SqliteStore::open(&path, &store_config, sink)?,
    }))
}

/// Says on standard output where to go, and is done at SIGINT or SIGTERM. Whoever has read the line may already
/// send a signal.
async fn until_asked_to_stop(address: SocketAddr, has_demo_page: bool, page: watch::Receiver<Page>) {
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    if let Err(error) = announce(address, has_demo_page) {
        tracing::warn!(%error, "cannot say where to go");
    }
    tokio::spawn(announce_admin_page(page));
    match signals {
        (Ok(mut interrupt), Ok(mut terminate)) => tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        },
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "cannot wait for signals");
            std::future::pending::<()>().await;
        }
    }
}

/// Says where the admin page is, whenever it opens.
async fn announce_admin_page(mut page: watch::Receiver<Page>) {
    while let Ok(open) = page.wait_for(|page| page.state == PageState::Open).await.map(|page| page.clone()) {
        let said = writeln!(io::stdout(), "Admin page: {}", open.url.as_deref().unwrap_or_default());
        if let Err(error) = said {
            tracing::warn!(%error, "cannot say where the admin page is");
        }
        if page.wait_for(|page| page.state != PageState::Open).await.is_err() {
            return;
        }
    }
}

fn announce(address: SocketAddr, has_demo_page: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "Roomkey is running: http://{address}")?;
    if has_demo_page {
        writeln!(out, "Open it in a browser to register and chat. Stop it with Ctrl-C.")?;
    }
    out.flush()
}
