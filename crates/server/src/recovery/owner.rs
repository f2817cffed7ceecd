use roomkey_auth::Identity;
use roomkey_model::{SessionId, UserId};
use serde::{Deserialize, Serialize};

/// Whose a socket is: only they can recover it. Nobody's in an open namespace, where the private id alone counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner {
    user: Option<UserId>,
    session: Option<SessionId>,
}

impl Owner {
    pub(crate) fn new(identity: Option<&Identity>) -> Self {
        Self {
            user: identity.map(|identity| identity.user.clone()),
            session: identity.and_then(|identity| identity.session.clone()),
        }
    }
}
