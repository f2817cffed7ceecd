use std::{io, net::SocketAddr, pin::Pin, thread, thread::JoinHandle};

use roomkey::{Product, Server, ServerHandle};
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
        Self::spawn(address, handle, |stop| server.run(stop))
    }

    /// Runs all of `roomkey serve`.
    pub fn start_product(product: Product) -> Self {
        let (address, handle) = (product.local_addr(), product.handle());
        Self::spawn(address, handle, |stop| product.run(stop))
    }

    fn spawn(
        address: SocketAddr,
        handle: ServerHandle,
        run: impl FnOnce(Pin<Box<dyn Future<Output = ()> + Send>>) -> io::Result<()> + Send + 'static,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        // Whether it is asked to stop or forgotten makes no difference.
        let thread = thread::spawn(|| run(Box::pin(async { _ = stopped.await })));
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

    /// Waits until the server stops by itself, and says why it did.
    ///
    /// # Panics
    ///
    /// If the server was not able to tell.
    pub fn outcome(mut self) -> io::Result<()> {
        self.thread.take().expect("a thread until it is dropped").join().expect("a server does not panic")
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.begin_stop();
        let Some(thread) = self.thread.take() else { return };
        let outcome = thread.join();
        if !thread::panicking() {
            assert!(matches!(outcome, Ok(Ok(()))), "the server failed: {outcome:?}");
        }
    }
}
