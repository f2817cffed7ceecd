use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use clap::Args;
use roomkey_model::Entropy;
use serde_json::json;

use super::Outcome;

#[derive(Args)]
pub(super) struct Generate {
    /// Random bytes in it: 32 for HS256, 48 for HS384, 64 for HS512
    #[arg(long, value_name = "N", default_value = "32", value_parser = clap::value_parser!(u16).range(32..=1024))]
    bytes: u16,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Generate {
    /// Prints the secret and nothing else. Nothing is stored.
    pub(super) fn run(&self, entropy: &dyn Entropy) -> Outcome {
        let secret = random(entropy, self.bytes.into());
        let text = match self.json {
            true => json!({ "secret": secret, "bytes": self.bytes }).to_string(),
            false => secret,
        };
        format!("{text}\n").into()
    }
}

/// This many random bytes, in base64url.
pub(super) fn random(entropy: &dyn Entropy, bytes: usize) -> String {
    let mut random = vec![0; bytes];
    entropy.fill(&mut random);
    BASE64_URL_SAFE_NO_PAD.encode(random)
}
