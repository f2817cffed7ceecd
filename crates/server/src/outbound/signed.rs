use std::sync::Arc;

use roomkey_model::{Clock, Entropy, MessageId};

use super::{Answer, Client, OutboundError, signature::SigningSecrets};

/// Posts signed questions to a backend, and waits for the answers.
pub(crate) struct SignedClient {
    pub(crate) client: Client,
    pub(crate) secrets: SigningSecrets,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl SignedClient {
    /// The answer to a body of JSON, whatever its status.
    pub(crate) async fn post(&self, json: Vec<u8>) -> Result<Answer, OutboundError> {
        let now = self.clock.now();
        let id = MessageId::generate(now, &*self.entropy).to_string();
        self.client.post_json(self.secrets.headers(&id, now, &json), json.into()).await
    }
}
