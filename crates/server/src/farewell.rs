use std::{io, net::Shutdown, time::Duration};

use socket2::SockRef;
use tokio::{net::TcpStream, time::timeout};

/// How long a peer has to read our last words and to close, too.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// Ends our side of a connection. What the peer still sends is read for a moment: closing with bytes unread would
/// reset the connection, and the peer might lose what it was told last.
pub(crate) async fn farewell(stream: &TcpStream) {
    if SockRef::from(stream).shutdown(Shutdown::Write).is_ok() {
        // Whoever goes on sending after that is reset.
        _ = timeout(GRACE, discard(stream)).await;
    }
}

async fn discard(stream: &TcpStream) {
    let mut bytes = [0; 1024];
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut bytes) {
            Ok(0) => return,
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
            _ => {}
        }
    }
}
