use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use roomkey_model::Entropy;

/// The private id of a socket: 120 random bits. Whoever has it can, with the right token, become that socket.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Pid([u8; Self::LENGTH]);

impl Pid {
    const LENGTH: usize = 20;

    pub(crate) fn generate(entropy: &dyn Entropy) -> Self {
        let mut random = [0; 15];
        entropy.fill(&mut random);
        let mut text = [0; Self::LENGTH];
        URL_SAFE_NO_PAD.encode_slice(random, &mut text).expect("15 bytes are 20 characters");
        Self(text)
    }

    /// What a client says its id is; whether there is such a socket is another matter.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        text.as_bytes().try_into().ok().map(Self)
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("made of base64url, or parsed from text")
    }
}

impl fmt::Debug for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}
