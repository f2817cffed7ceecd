use std::{collections::HashMap, sync::Arc};

use roomkey_cluster::Node;
use roomkey_model::{Clock, Entropy, Limits};
use roomkey_protocol::session;

use crate::{Namespace, http::OriginPolicy, metrics::Metrics, registry::Registry};

/// What every connection of a server shares.
pub(crate) struct Context {
    pub(crate) node: Node,
    pub(crate) namespaces: HashMap<Arc<str>, Arc<Namespace>>,
    pub(crate) registry: Registry,
    pub(crate) origins: OriginPolicy,
    /// Whether a request whose `Host` is not ours is refused.
    pub(crate) check_host: bool,
    /// Where Engine.IO is served, with a slash at both ends.
    pub(crate) path: Box<str>,
    pub(crate) transports: Transports,
    pub(crate) limits: Limits,
    pub(crate) session: Arc<session::Config>,
    pub(crate) upgrade_timeout_ms: u64,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) metrics: Metrics,
}

/// Which transports are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transports {
    /// HTTP long-polling.
    pub polling: bool,
    /// WebSocket, at once or as an upgrade.
    pub websocket: bool,
}

impl Default for Transports {
    fn default() -> Self {
        Self { polling: true, websocket: true }
    }
}
