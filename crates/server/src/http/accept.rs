//! A shard's own accept loop. The first request of a connection decides: a WebSocket stays here, on the short way;
//! everything else goes to hyper with the bytes already read.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::Router;
use futures_util::FutureExt;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use roomkey_model::Limit;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    head::{self, Head, HeadError},
    line_ends::LineEnds,
    rewind::Rewind,
    service,
};
use crate::{
    context::Context,
    farewell::farewell,
    transport::{
        Unsent,
        websocket::{self, Arrival},
    },
};

/// How long accepting pauses when the system has no descriptor to give.
const ACCEPT_BACK_OFF: Duration = Duration::from_millis(50);
/// Connections that the kernel may hold for us.
const BACKLOG: i32 = 4096;

/// A bound address, not yet served.
pub(crate) struct Listener(std::net::TcpListener);

impl Listener {
    /// Binds so that each shard can have a listener of its own on the same address.
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = new_socket(address)?;
        socket.set_reuse_port(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(Self(socket.into()))
    }

    /// Fails if the address is in use, be it by another server that would share it.
    pub(crate) fn check_free(address: SocketAddr) -> io::Result<()> {
        new_socket(address)?.bind(&address.into())
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Accepts until `stop` says true.
    pub(crate) async fn serve(
        self,
        context: Arc<Context>,
        shard: usize,
        router: Router,
        open: OpenConnections,
        mut stop: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let listener = TcpListener::from_std(self.0)?;
        let mut is_failing = false;
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = stopped(&mut stop) => return Ok(()),
            };
            match accepted {
                Ok((stream, address)) => {
                    is_failing = false;
                    let Some(guard) = open.admit(context.limits.http_connections) else {
                        context.metrics.limit_reached(Limit::HttpConnections);
                        continue;
                    };
                    let incoming = Incoming {
                        context: context.clone(),
                        shard,
                        router: router.clone(),
                        address: address.ip().to_canonical(),
                        stop: stop.clone(),
                    };
                    tokio::spawn(incoming.serve(stream, guard));
                }
                Err(error) => {
                    if !is_failing {
                        tracing::warn!(%error, "cannot accept connections for now");
                    }
                    is_failing = true;
                    sleep(ACCEPT_BACK_OFF).await;
                }
            }
        }
    }
}

fn new_socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    Ok(socket)
}

/// How many connections speak HTTP at the moment, over all shards.
#[derive(Clone, Default)]
pub(crate) struct OpenConnections(Arc<AtomicUsize>);

/// Counts for one connection until it is dropped.
pub(crate) struct OpenGuard(OpenConnections);

impl OpenConnections {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    fn admit(&self, max: usize) -> Option<OpenGuard> {
        let guard = OpenGuard(self.clone());
        (self.0.fetch_add(1, Ordering::AcqRel) < max).then_some(guard)
    }
}

impl Drop for OpenGuard {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A connection that has said nothing yet.
struct Incoming {
    context: Arc<Context>,
    shard: usize,
    router: Router,
    address: IpAddr,
    stop: watch::Receiver<bool>,
}

impl Incoming {
    async fn serve(self, stream: TcpStream, _guard: OpenGuard) {
        let mut read = Vec::new();
        // An answer leaves when it is ready: nothing is gained by waiting for more.
        let outcome = match stream.set_nodelay(true) {
            Ok(()) => self.first_request(stream, &mut read).await,
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            tracing::debug!(%error, address = %self.address, "a connection failed before its first answer");
        }
    }

    async fn first_request(&self, stream: TcpStream, read: &mut Vec<u8>) -> io::Result<()> {
        let limits = &self.context.limits;
        let deadline = Duration::from_millis(limits.http_head_ms);
        let mut stop = self.stop.clone();
        let head = tokio::select! {
            head = timeout(deadline, head::read(&stream, read, limits)) => head,
            () = stopped(&mut stop) => return Ok(()),
        };
        match head {
            Err(_) => {
                self.context.metrics.limit_reached(Limit::HttpHead);
                Err(io::ErrorKind::TimedOut.into())
            }
            Ok(Ok(head)) => self.dispatch(stream, head, std::mem::take(read)).await,
            Ok(Err(HeadError::Io(error))) => Err(error),
            Ok(Err(HeadError::Malformed)) => refuse(&stream, "400 Bad Request", "", "").await,
            Ok(Err(HeadError::TooLarge(limit))) => {
                self.context.metrics.limit_reached(limit);
                refuse(&stream, "431 Request Header Fields Too Large", "", "").await
            }
        }
    }

    async fn dispatch(&self, stream: TcpStream, head: Head, read: Vec<u8>) -> io::Result<()> {
        let head_len = head.len;
        let parts = head.into_parts();
        let is_websocket =
            websocket::is_upgrade(&parts.headers) && service::is_engine_path(&self.context, &parts);
        if !is_websocket || !service::is_for_us(&self.context, &parts) {
            // More than hyper, which reads a little beyond its limit, can take for one head.
            let line_ends = LineEnds::new(2 * self.context.limits.http_head_bytes.max(8192));
            let unsent = Unsent::default();
            let io = Rewind::new(read, stream, line_ends, unsent.clone());
            let outcome = self.serve_http(io, &unsent).await;
            unsent.give_up();
            return outcome;
        }
        let address = self.context.trusted_proxies.client_address(self.address, &parts.headers);
        match websocket::check(&self.context, &parts, address) {
            Ok(opening) => {
                let mut answer = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                     Sec-WebSocket-Accept: {}\r\n",
                    opening.accept
                );
                if let Some(extensions) = opening.extensions {
                    answer.extend(["Sec-WebSocket-Extensions: ", extensions, "\r\n"]);
                }
                answer.push_str("\r\n");
                let shard = &self.context.node.hub().shards()[self.shard];
                let arrival = Arrival {
                    request_head: &parts,
                    address,
                    stream,
                    unread: read[head_len..].to_vec(),
                    answer: answer.into_bytes(),
                };
                websocket::begin(&self.context, shard, opening, arrival).await
            }
            Err(refusal) => {
                let mut headers = "Content-Type: text/html\r\nSec-WebSocket-Version: 13\r\n".to_owned();
                for (name, value) in &*refusal.headers {
                    let value = value.to_str().expect("our own headers are text");
                    headers.extend([name.as_str(), ": ", value, "\r\n"]);
                }
                refuse(&stream, &refusal.status.to_string(), &headers, &refusal.message).await
            }
        }
    }

    async fn serve_http(&self, io: Rewind, unsent: &Unsent) -> io::Result<()> {
        let limits = &self.context.limits;
        let respond = service_fn(|mut request| {
            request.extensions_mut().insert(unsent.clone());
            let (context, router) = (self.context.clone(), self.router.clone());
            let mut answer = Box::pin(service::respond(context, self.shard, router, self.address, request));
            // Begun now: hyper drops a request of a connection that has ended, and a session must know of it.
            let at_once = answer.as_mut().now_or_never();
            async { if let Some(answer) = at_once { answer } else { answer.await } }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(limits.http_head_ms))
            .max_headers(limits.http_headers)
            .max_buf_size(limits.http_head_bytes.max(8192))
            .serve_connection(TokioIo::new(io), respond)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let mut stop = self.stop.clone();
        let outcome = tokio::select! {
            outcome = connection.as_mut() => outcome,
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        outcome.map_err(|error| {
            // hyper does not tell too many lines from too many bytes.
            if error.is_parse_too_large() {
                self.context.metrics.limit_reached(Limit::HttpHeadBytes);
            } else if error.is_timeout() {
                self.context.metrics.limit_reached(Limit::HttpHead);
            }
            io::Error::other(error)
        })
    }
}

/// Done once the server is to stop, or is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    _ = stop.wait_for(|stop| *stop).await;
}

/// Answers a request that goes no further, as far as the kernel takes it, and closes the connection: what was sent
/// behind the request is never looked at.
async fn refuse(stream: &TcpStream, status: &str, headers: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    let answer =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
    stream.try_write(answer.as_bytes())?;
    farewell(stream).await;
    Ok(())
}
