//! Asks a backend, again and again, whether the users of live sockets are still to be served: for identity providers that
//! tell nobody when they disable a user.

use std::{collections::HashSet, io, sync::Arc, time::Duration};

use http::StatusCode;
use roomkey_auth::Identity;
use roomkey_model::{Clock, Entropy, RevocationReason, UserId};
use serde::{Deserialize, Serialize};

use crate::{
    accounts::Accounts,
    audit,
    config::RevalidationSetup,
    context::Context,
    outbound::{Client, OutboundError, SignedClient, tls},
};

/// Users in one question.
const USERS_PER_REQUEST: usize = 100;

/// Whom to ask, and how often.
pub(crate) struct Revalidation {
    backend: SignedClient,
    interval: Duration,
}

/// Questions one after the other without an answer, after which a round ends.
const FAILURES_IN_A_ROW_MAX: usize = 3;
/// From the name to the last byte of an answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);
/// Enough for the longest names of all users of a question.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// A question that was not answered.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("the answer is not `{{\"inactive\": [..]}}`: {0}")]
    Answer(serde_json::Error),
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("the answer has status {0}")]
    Status(StatusCode),
}

#[derive(Serialize)]
struct Question<'a> {
    users: Vec<Asked<'a>>,
}

#[derive(Serialize)]
struct Asked<'a> {
    user: &'a UserId,
    issuer: &'a str,
    subject: &'a str,
}

#[derive(Deserialize)]
struct Answer {
    inactive: HashSet<Box<str>>,
}

impl Revalidation {
    /// As it was set up.
    pub(crate) fn new(
        setup: RevalidationSetup,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> io::Result<Self> {
        let tls = if setup.url.is_https() { Some(tls::client()?) } else { None };
        let client = Client::new(setup.url, tls, ANSWER_TIME_MAX, ANSWER_BYTES_MAX);
        Ok(Self {
            backend: SignedClient { client, secrets: setup.secrets, clock, entropy },
            interval: setup.interval,
        })
    }

    /// Goes on for as long as it is polled. Whoever is no longer to be served has no sockets after the next round.
    pub(crate) async fn run(&self, context: &Context, accounts: &Accounts) {
        loop {
            tokio::time::sleep(self.interval).await;
            self.round(context, accounts).await;
        }
    }

    /// Asks about everybody once, one question after the other. Users whom nobody can be asked about stay until their
    /// tokens end. One question that is never answered does not keep the others from being asked; a backend in trouble is
    /// left alone until the next round.
    async fn round(&self, context: &Context, accounts: &Accounts) {
        let mut failures_in_a_row = 0;
        for users in context.live_tokens.sockets().users() {
            for users in users.chunks(USERS_PER_REQUEST) {
                match self.ask(users, context, accounts).await {
                    Ok(()) => failures_in_a_row = 0,
                    Err(error) => {
                        failures_in_a_row += 1;
                        context.metrics.revalidation_failures.increment();
                        tracing::warn!(%error, "cannot ask whether users are still to be served");
                    }
                }
                if failures_in_a_row == FAILURES_IN_A_ROW_MAX {
                    return;
                }
            }
        }
    }

    /// Asks about some users, and ends what the inactive ones have.
    async fn ask(
        &self,
        users: &[Arc<Identity>],
        context: &Context,
        accounts: &Accounts,
    ) -> Result<(), Unanswered> {
        // What is issued while the question is on its way is not what was asked about.
        let now = self.backend.clock.now();
        for gone in self.inactive(users).await? {
            match accounts.end_all_sessions(&gone.user, Some(now), RevocationReason::Revoked).await {
                Ok(_) => record(context, gone),
                Err(failure) => tracing::error!(%failure.message, "a user who is gone keeps the sockets"),
            }
        }
        Ok(())
    }

    /// Those of these users who are not to be served any more. Names that were not asked about mean nothing.
    async fn inactive<'a>(&self, users: &'a [Arc<Identity>]) -> Result<Vec<&'a Identity>, Unanswered> {
        let asked = users.iter().map(|identity| Asked {
            user: &identity.user,
            issuer: &identity.issuer,
            subject: &identity.subject,
        });
        let question = serde_json::to_vec(&Question { users: asked.collect() }).expect("plain data");
        let answer = self.backend.post(question).await?;
        if answer.status != StatusCode::OK {
            return Err(Unanswered::Status(answer.status));
        }
        let answer: Answer = serde_json::from_slice(&answer.body).map_err(Unanswered::Answer)?;
        let is_gone = |identity: &&Identity| answer.inactive.contains(identity.user.as_str());
        Ok(users.iter().map(|identity| &**identity).filter(is_gone).collect())
    }
}

fn record(context: &Context, gone: &Identity) {
    let record = audit::Record {
        user: Some(&gone.user),
        issuer: Some(&gone.issuer),
        reason: Some("the backend says that the user is inactive"),
        ..audit::Record::new(audit::Event::TokenRevoked)
    };
    context.audit.record(&record);
}
