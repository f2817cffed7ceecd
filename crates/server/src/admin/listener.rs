//! The listener of the admin page: there while there is an admin.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use roomkey_model::Limit;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::sleep,
};
use tower::ServiceExt;

use super::{AdminPage, PageState, routes, samples};
use crate::{
    ClientAddress,
    rates::{Network, Place, Places},
};

/// How long it waits before it tries again to listen, or to accept where the system has no descriptor to give.
const BACK_OFF: Duration = Duration::from_secs(2);

/// Listens whenever there is an admin, for as long as it is polled.
pub(super) async fn run(page: Arc<AdminPage>) {
    let mut exist = page.admins.exist();
    let router = routes::router(page.clone());
    loop {
        until(&mut exist, true).await;
        let listener = tokio::select! {
            listener = bind(&page) => listener,
            () = until(&mut exist, false) => {
                // Why it could not be opened is not why it will not be the next time.
                page.admins.page_is(PageState::Closed);
                continue;
            }
        };
        tokio::select! {
            () = serve(&page, listener, &router) => {}
            () = samples::take(&page) => {}
            () = until(&mut exist, false) => {}
        }
        page.admins.page_is(PageState::Closed);
        tracing::info!("the admin page is closed: there is no admin");
    }
}

/// Waits until there are admins, or none.
async fn until(exist: &mut watch::Receiver<bool>, they_do: bool) {
    if exist.wait_for(|exist| *exist == they_do).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Listens, sooner or later. Clients are served meanwhile.
async fn bind(page: &AdminPage) -> TcpListener {
    let mut was_told = false;
    loop {
        match listen(page.listen).await {
            Ok((listener, address)) => {
                let url = page.url.as_ref().map_or_else(|| format!("http://{address}"), ToString::to_string);
                tracing::info!(%url, "the admin page is open");
                page.admins.page_is_open(url);
                return listener;
            }
            Err(error) => {
                if !was_told {
                    let problem = format!(
                        "cannot listen on {} for the admin page: {error}; set admin.listen to an address and port that \
                         are free, or stop who has them",
                        page.listen
                    );
                    tracing::error!("{problem}");
                    page.admins.page_is(PageState::Failed { problem });
                }
                was_told = true;
                sleep(BACK_OFF).await;
            }
        }
    }
}

async fn listen(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Accepts until it is dropped, and with it all connections.
async fn serve(page: &Arc<AdminPage>, listener: TcpListener, router: &Router) {
    let (mut connections, peers) = (JoinSet::new(), Places::default());
    loop {
        let accepted = listener.accept().await;
        // What has ended meanwhile takes no room.
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, peer)) => match admit(page, connections.len(), &peers, peer) {
                Ok(place) => {
                    let answering = answer(page.clone(), stream, peer, router.clone());
                    connections.spawn(async move {
                        let _place = place;
                        answering.await;
                    });
                }
                Err(limit) => page.context().metrics.limit_reached(limit),
            },
            Err(error) => {
                tracing::warn!(%error, "the admin page cannot accept connections for now");
                sleep(BACK_OFF).await;
            }
        }
    }
}

/// Whether there is room for a connection, and none that others are to have. Behind a trusted proxy are many.
fn admit(
    page: &AdminPage,
    count: usize,
    peers: &Places<Network>,
    peer: SocketAddr,
) -> Result<Option<Place<Network>>, Limit> {
    let (limits, address) = (&page.api.limits, peer.ip().to_canonical());
    if count >= limits.admin_connections {
        return Err(Limit::AdminConnections);
    }
    if page.context().trusted_proxies.trusts(address) {
        return Ok(None);
    }
    let place = peers.admit(Network::of(address), limits.admin_connections_per_address);
    place.map(Some).ok_or(Limit::AdminConnectionsPerAddress)
}

async fn answer(page: Arc<AdminPage>, stream: TcpStream, peer: SocketAddr, router: Router) {
    let limits = &page.api.limits;
    let respond = service_fn(|request: Request<Incoming>| {
        let (mut head, body) = request.into_parts();
        let proxies = &page.context().trusted_proxies;
        let address = proxies.client_address(peer.ip().to_canonical(), &head.headers);
        head.extensions.insert(ClientAddress(address));
        router.clone().oneshot(Request::from_parts(head, Body::new(body)))
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits.http_head_ms))
        .max_headers(limits.http_headers)
        .max_buf_size(limits.http_head_bytes.max(8192))
        .serve_connection(TokioIo::new(stream), respond)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, %peer, "a connection to the admin page failed");
    }
}
