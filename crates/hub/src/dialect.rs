use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;

use crate::Frame;

/// How the frames of some connections look that do not take the standard form.
///
/// The hub knows nothing of a form but that it is made from the standard one, once for all receivers of a frame.
pub struct Dialect {
    /// Its place among all dialects, below [`Self::SLOTS`]; two of the same place are one.
    pub slot: usize,
    /// Makes the form of a packet. Never called for frames of the WebSocket protocol itself.
    pub form: fn(&Frame) -> Form,
}

impl Dialect {
    /// How many dialects there may be.
    pub const SLOTS: usize = 4;
}

impl fmt::Debug for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialect").field("slot", &self.slot).finish_non_exhaustive()
    }
}

/// A packet in another form than the standard one.
#[derive(Clone, Debug)]
pub struct Form {
    /// WebSocket frames, ready to be written.
    pub websocket: Bytes,
    /// The packets for long-polling.
    pub packets: Arc<[Bytes]>,
}

/// The forms of a frame that somebody has needed.
#[derive(Debug, Default)]
pub(crate) struct Forms([OnceLock<Form>; Dialect::SLOTS]);

impl Forms {
    pub(crate) fn get(&self, dialect: &Dialect, frame: &Frame) -> &Form {
        self.0[dialect.slot].get_or_init(|| (dialect.form)(frame))
    }
}
