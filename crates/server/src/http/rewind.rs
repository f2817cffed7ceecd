use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::line_ends::LineEnds;
use crate::transport::Unsent;

/// A connection of which some bytes have been read already: they are read again first.
pub(crate) struct Rewind {
    read_before: Vec<u8>,
    stream: TcpStream,
    line_ends: LineEnds,
    unsent: Unsent,
}

impl Rewind {
    pub(super) fn new(read_before: Vec<u8>, stream: TcpStream, line_ends: LineEnds, unsent: Unsent) -> Self {
        Self { read_before, stream, line_ends, unsent }
    }

    /// The connection, and what of the bytes read before nobody has read yet.
    pub(crate) fn into_parts(self) -> (Vec<u8>, TcpStream) {
        (self.read_before, self.stream)
    }
}

impl AsyncRead for Rewind {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        if this.read_before.is_empty() {
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
        } else {
            let taken = this.read_before.len().min(buf.remaining());
            buf.put_slice(&this.read_before[..taken]);
            this.read_before.drain(..taken);
        }
        this.line_ends.check(&mut buf.filled_mut()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Rewind {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Called when nothing is left to be written.
        self.unsent.finish();
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
