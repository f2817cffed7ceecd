use std::sync::Arc;

use roomkey_auth::Identity;
use roomkey_chat::{Asked, Explained};
use roomkey_model::{ErrorCode, Failure};
use serde::{Deserialize, Serialize};

use crate::{
    audit::Event,
    config::PolicySection,
    control::{Command, Named, Operator},
};

/// Says who may do what here, and by which rule.
#[derive(Serialize, Deserialize)]
pub(crate) struct Explain {
    pub(crate) user: Named,
    pub(crate) asked: Asked,
}

impl Command for Explain {
    type Answer = Explained;

    const PATH: &'static str = "/policy/explain";

    async fn run(self, operator: Arc<Operator>) -> Result<Explained, Failure> {
        let user = operator.user(&self.user).await?;
        let live = operator.access.live_identity(&user);
        let is_shown = live.is_some();
        let identity = live.unwrap_or_else(|| Arc::new(Identity::without_token(user)));
        operator.access.explain(&*operator.store, &identity, is_shown, &self.asked).await
    }
}

/// Puts other rules in force, and takes sockets out of rooms that they may not hear any more.
#[derive(Serialize, Deserialize)]
pub(crate) struct Reload {
    pub(crate) policy: PolicySection,
}

/// What that did.
#[derive(Serialize, Deserialize)]
pub(crate) struct Reloaded {
    /// Rules of the configuration.
    pub(crate) rules: usize,
    /// How many rooms sockets were taken out of.
    pub(crate) evicted: usize,
}

impl Command for Reload {
    type Answer = Reloaded;

    const PATH: &'static str = "/policy/reload";

    async fn run(self, operator: Arc<Operator>) -> Result<Reloaded, Failure> {
        self.policy.check().map_err(|(key, problem)| {
            Failure::with_message(ErrorCode::BadPayload, format!("policy.{key}: {problem}"))
        })?;
        let policy = self.policy.policy();
        if let Some(claim) = policy.claims().iter().find(|claim| !operator.kept_claims.contains(*claim)) {
            // Live sockets have forgotten it: a rule that denies would pass over them.
            return Err(Failure::with_message(
                ErrorCode::Conflict,
                format!("no rule has spoken of the claim `{claim}` before: restart the server"),
            ));
        }
        operator.access.replace(policy);
        let evicted = operator.recheck_all().await;
        let rules = self.policy.rules.len();
        operator.record(Event::AdminAction, "policy reload", &format!("{rules} rules"));
        Ok(Reloaded { rules, evicted })
    }
}
