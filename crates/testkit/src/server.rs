use std::{io, net::SocketAddr, thread, thread::JoinHandle};

use roomkey::{Server, ServerHandle};
use tokio::sync::oneshot;

/// A server that runs in threads of its own until it is dropped.
pub struct TestServer {
    address: SocketAddr,
    handle: ServerHandle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl TestServer {
    /// Runs a server that is bound to port 0 of a loopback address, which is any free one.
    pub fn start(server: Server) -> Self {
        let (address, handle) = (server.local_addr(), server.handle());
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(|| {
            server.run(async {
                // Whether it is asked to stop or forgotten makes no difference.
                _ = stopped.await;
            })
        });
        Self { address, handle, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The running server.
    pub fn handle(&self) -> &ServerHandle {
        &self.handle
    }

    /// Everything that is counted.
    pub fn metrics(&self) -> String {
        self.handle.metrics()
    }

    /// Asks the server to stop, without waiting for it.
    pub fn begin_stop(&mut self) {
        self.stop = None;
    }

    /// Whether the server has stopped.
    pub fn is_stopped(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.begin_stop();
        let outcome = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            assert!(matches!(outcome, Some(Ok(Ok(())))), "the server failed: {outcome:?}");
        }
    }
}
