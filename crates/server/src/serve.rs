//! `roomkey serve`: everything put together.

use std::{
    io::{self, Write},
    sync::Arc,
};

use anyhow::Context as _;
use roomkey_chat::{Chat, ChatConfig, commit_sink};
use roomkey_store::{SqliteConfig, SqliteStore, Store};

use crate::{
    Server, ServerBuilder,
    accounts::Accounts,
    chat,
    config::{AuthSetup, Config},
    pages,
    rest::{self, Api},
};

/// The one namespace that the chat is served in.
const NAMESPACE: &str = "/";

/// Runs a server until it is told to stop.
pub(crate) fn serve(config: &Config, auth: AuthSetup) -> anyhow::Result<()> {
    let server_config = config.server_config();
    let (clock, entropy) = (server_config.clock.clone(), server_config.entropy.clone());
    let limits = server_config.limits.clone();
    let address = server_config.address;
    let builder = ServerBuilder::new(server_config);
    let store = open_store(config, &builder)?;
    let chat = Arc::new(Chat::new(
        store.clone(),
        builder.node().clone(),
        clock.clone(),
        entropy.clone(),
        ChatConfig {
            namespace: NAMESPACE.into(),
            dashed_personal_rooms: config.chat.dashed_personal_rooms,
            limits: limits.clone(),
        },
    ));
    let accounts =
        Accounts::new(store.clone(), auth.issuer.clone(), clock.clone(), entropy, limits.hashes_waiting);
    let server = builder
        .namespace(NAMESPACE, chat::namespace(&chat, &auth.authentication))
        .bind()
        .with_context(|| format!("cannot listen on {address}"))?;
    let api = Arc::new(Api {
        accounts,
        issuer: auth.issuer,
        registration: config.auth.registration,
        authentication: auth.authentication,
        chat,
        store: store.clone(),
        clock,
        limits,
        warnings: auth.warnings,
        server: server.handle(),
    });
    let router = rest::router(api);
    let router = if config.chat.demo_page { router.merge(pages::router()) } else { router };
    let server = server.router(router);
    announce(&server, config)?;
    server.run(asked_to_stop())?;
    // Every connection is gone: what was accepted for storing is stored now.
    tokio::runtime::Builder::new_current_thread().build()?.block_on(store.close());
    tracing::info!("stopped");
    Ok(())
}

fn open_store(config: &Config, builder: &ServerBuilder) -> anyhow::Result<Arc<dyn Store>> {
    let sink = commit_sink(builder.node().clone(), NAMESPACE.into());
    let path = config.server.data_dir.join("roomkey.db");
    Ok(Arc::new(SqliteStore::open(&path, &SqliteConfig::default(), sink)?))
}

/// Says on standard output where to go; programs that start a server wait for this line.
fn announce(server: &Server, config: &Config) -> io::Result<()> {
    let address = server.local_addr();
    let mut out = io::stdout().lock();
    writeln!(out, "Roomkey is running: http://{address}")?;
    if config.chat.demo_page {
        writeln!(out, "Open it in a browser to register and chat. Stop it with Ctrl-C.")?;
    }
    out.flush()
}

/// Done at SIGINT or SIGTERM.
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        },
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "cannot wait for signals");
            std::future::pending().await
        }
    }
}
