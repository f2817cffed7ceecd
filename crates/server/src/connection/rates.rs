//! What comes too often. Events are refused, and who does not stop is disconnected; tokens that are no good are answered
//! later and later.

use std::{sync::Arc, task::Context as TaskContext};

use futures_util::FutureExt;
use roomkey_hub::Frame;
use roomkey_model::{Failure, Limit, RevocationReason};
use roomkey_protocol::{session::Incoming, socket::encode_event};
use serde_json::json;
use tokio::time::sleep;

use super::{Connection, Ending, incoming::Done, token::REFRESH};
use crate::{
    Socket,
    audit::Event as Decision,
    namespace::answer,
    rates::{Gcra, Penalty, UserShare},
};

/// What is remembered of a connection's events.
#[derive(Default)]
pub(super) struct EventRates {
    events: Gcra,
    /// Of those that were refused. They may come as fast as others, so that a client that is a little too fast is
    /// slowed down, and one that does not care is closed.
    refused: Gcra,
    /// Once the client is known.
    user: Option<UserShare>,
}

impl Connection {
    /// The client is known now: it has a share in the rate of its user, and where the user has too many sockets, the
    /// oldest make room for it.
    pub(super) fn enter_user(&mut self, socket: &Socket) {
        let Some(user) = socket.user() else { return };
        if self.event_rates.user.is_none() {
            self.event_rates.user = Some(self.context.rates.user_events.enter(&user));
        }
        let sockets_max = self.context.limits.sockets_per_user;
        if sockets_max == 0 {
            return;
        }
        for oldest in self.context.live_tokens.sockets().surplus_of_user(&user, sockets_max) {
            self.context.metrics.limit_reached(Limit::SocketsPerUser);
            let reason = Some(Limit::SocketsPerUser.name());
            self.record(Decision::TooManySessions, oldest.identity().as_deref(), reason);
            oldest.revoke(RevocationReason::SessionLimit);
        }
    }

    /// Whether this is an event too many. Then it has been refused.
    pub(super) fn is_too_much(&mut self, incoming: &Incoming, now_ms: u64) -> Result<bool, Ending> {
        if let Incoming::Connect { .. } = incoming {
            if self.seat.newcomer.is_some() {
                // Guesses have limits of their own.
                return Ok(false);
            }
            // A look at a token costs more than most events. Nobody needs to come and go as often.
            let taken = self.event_rates.events.take(self.context.rates.events, now_ms);
            return taken.map_or(Err(Ending::EventFlood), |()| Ok(false));
        }
        let Incoming::Event { namespace, id, name, .. } = incoming else { return Ok(false) };
        if &**name == REFRESH && self.client(namespace).is_some_and(|client| client.has_token()) {
            // Has a rate of its own, so that a busy client can go on to be one.
            return Ok(false);
        }
        let rate = self.context.rates.events;
        let EventRates { events, refused, user } = &mut self.event_rates;
        let outcome = events.take(rate, now_ms).map_err(|wait_ms| (wait_ms, Limit::EventsPerSocket));
        let of_user = || user.as_ref().map_or(Ok(()), |user| user.take(now_ms));
        let outcome = outcome.and_then(|()| of_user().map_err(|wait_ms| (wait_ms, Limit::EventsPerUser)));
        let Err((wait_ms, limit)) = outcome else { return Ok(false) };
        let is_flood = refused.take(rate, now_ms).is_err();
        self.context.metrics.limit_reached(limit);
        if is_flood {
            let identity = self.client(namespace).and_then(|client| client.socket.identity());
            self.record(Decision::RateLimited, identity.as_deref(), Some(limit.name()));
            return Err(Ending::EventFlood);
        }
        self.refuse_event(namespace, *id, wait_ms);
        Ok(true)
    }

    /// Tells the client, by the ack if it wants one.
    fn refuse_event(&self, namespace: &str, id: Option<u64>, wait_ms: u64) {
        let Some(client) = self.client(namespace) else { return };
        let failure = Failure::rate_limited(wait_ms);
        let frame = match id {
            Some(_) => answer(id, &client.socket, failure),
            None => {
                let error = json!({ "code": failure.code, "message": failure.message });
                encode_event(namespace, None, "error", &(error,)).ok()
            }
        };
        if let Some(frame) = frame {
            self.seat.send(Frame::new(&frame.text, &frame.attachments));
        }
    }

    /// Answers a token that is no good: later, where many of them come from.
    pub(super) fn refuse_token(
        &mut self,
        name: Arc<str>,
        failure: Failure,
        cx: &mut TaskContext<'_>,
    ) -> Result<(), Ending> {
        match self.context.count_refusal(self.handshake.address, &failure) {
            Penalty::None => self.refuse(&name, &failure),
            Penalty::Wait(time, place) => {
                let refused = sleep(time).map(|()| {
                    drop(place);
                    Done::Refused { name, failure }
                });
                self.start(refused.boxed(), cx)
            }
            Penalty::TooMany(_) => Err(Ending::Unavailable),
        }
    }
}
