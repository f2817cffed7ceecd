//! permessage-deflate (RFC 7692): messages that are compressed each by itself.
//!
//! Both sides are held to `no_context_takeover`, so nothing of a message is needed for the next one: no connection owns
//! a compressor, and the bytes of one compressed message can be sent to any number of peers. What compresses and
//! inflates belongs to the thread and is used again for every message.
//!
//! - [`negotiate`] answers the offers of the opening handshake.
//! - [`compress`] and [`encode`] make compressed messages.
//! - [`Decoder::with_deflate`](crate::Decoder::with_deflate) reads them.

mod offer;

use std::cell::RefCell;

use miniz_oxide::{
    DataFormat, MZFlush,
    deflate::{CompressionLevel, core::CompressorOxide, stream::deflate},
    inflate::{
        TINFLStatus,
        core::{
            DecompressorOxide, decompress,
            inflate_flags::{TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF},
        },
    },
};

use crate::{Opcode, ProtocolError};

pub use offer::{MalformedOffer, negotiate};

/// The end of every compressed message, which is not sent (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// The same, and a last block with nothing in it: a whole message ends exactly there.
const TAIL_AND_END: [u8; 9] = [0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff];

thread_local! {
    static COMPRESSOR: RefCell<Box<CompressorOxide>> = RefCell::new(Box::new(
        CompressorOxide::with_format_and_level(DataFormat::Raw, CompressionLevel::BestSpeed),
    ));
    static DECOMPRESSOR: RefCell<Box<DecompressorOxide>> = RefCell::default();
}

/// The payload of a compressed message; `None` if it would not be shorter.
pub fn compress(payload: &[u8]) -> Option<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|compressor| {
        compressor.reset();
        // Whatever fills this is, without its tail, as long as the payload.
        let mut out = vec![0; payload.len() + TAIL.len()];
        let result = deflate(compressor, payload, &mut out, MZFlush::Sync);
        if result.bytes_consumed < payload.len() || result.bytes_written == out.len() {
            return None;
        }
        out.truncate(out[..result.bytes_written].strip_suffix(&TAIL)?.len());
        Some(out)
    })
}

/// Appends a server's message as one frame, compressed if that makes it shorter; whether it did.
pub fn encode(opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) -> bool {
    const COMPRESSED: u8 = 0x40;
    let Some(compressed) = compress(payload) else {
        crate::encode(opcode, payload, out);
        return false;
    };
    let start = out.len();
    crate::encode(opcode, &compressed, out);
    out[start] |= COMPRESSED;
    true
}

/// The payload that was compressed, of at most `bytes_max` bytes: where there are more, one of them is inflated.
pub(crate) fn inflate(compressed: &[u8], bytes_max: usize) -> Result<Vec<u8>, ProtocolError> {
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        let mut inflater = Inflater::new(decompressor, bytes_max);
        let is_whole = match inflater.take(compressed)? {
            // The sender ended its stream. It then owes one byte, which begins the block that the tail completes.
            Some(rest) => matches!(rest, [] | [0]),
            None => matches!(inflater.take(&TAIL_AND_END)?, Some([])),
        };
        inflater.out.truncate(inflater.len);
        if is_whole { Ok(inflater.out) } else { Err(ProtocolError::InvalidDeflate) }
    })
}

/// One message being inflated, to one piece of memory that is the window, too: what came before the message, which
/// was another's, cannot be referred to.
struct Inflater<'d> {
    decompressor: &'d mut DecompressorOxide,
    bytes_max: usize,
    /// Twice as long whenever it is full.
    out: Vec<u8>,
    /// How much of `out` is inflated.
    len: usize,
}

impl<'d> Inflater<'d> {
    fn new(decompressor: &'d mut DecompressorOxide, bytes_max: usize) -> Self {
        decompressor.init();
        Self { decompressor, bytes_max, out: Vec::new(), len: 0 }
    }

    /// Inflates the next piece; if the stream ends in it, what is behind the end.
    fn take<'i>(&mut self, mut piece: &'i [u8]) -> Result<Option<&'i [u8]>, ProtocolError> {
        const FLAGS: u32 = TINFL_FLAG_HAS_MORE_INPUT | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        const BYTES_MIN: usize = 256;
        loop {
            let (status, read, written) =
                decompress(self.decompressor, piece, &mut self.out, self.len, FLAGS);
            piece = &piece[read..];
            self.len += written;
            if self.len > self.bytes_max {
                return Err(ProtocolError::MessageTooBig);
            }
            match status {
                TINFLStatus::Done => return Ok(Some(piece)),
                TINFLStatus::NeedsMoreInput => return Ok(None),
                TINFLStatus::HasMoreOutput => {
                    let room = self.out.len().max(piece.len()).max(BYTES_MIN);
                    let len = self.out.len().saturating_add(room).min(self.bytes_max.saturating_add(1));
                    self.out.reserve_exact(len - self.out.len());
                    self.out.resize(len, 0);
                }
                _ => return Err(ProtocolError::InvalidDeflate),
            }
        }
    }
}

#[cfg(test)]
mod tests;
