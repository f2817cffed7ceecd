//! The life of a token on its socket: a warning before its end, a newer one in its place, and the end.

use std::{sync::Arc, task::Context as TaskContext};

use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use roomkey_auth::Identity;
use roomkey_hub::{Frame, SocketKey};
use roomkey_model::{ErrorCode, Failure, Limit, RevocationReason, Timestamp};
use roomkey_protocol::{
    session::DisconnectReason,
    socket::{Payload, encode_disconnect, encode_event},
};
use serde_json::{json, value::RawValue};
use tokio::time::Instant;

use super::{Connection, Ending, incoming::Done};
use crate::{
    Authentication, Json, Socket, TokenAuthentication,
    audit::{Event as Decision, Record},
    namespace::answer,
};

/// The event that brings a newer token.
pub(super) const REFRESH: &str = "auth:refresh";

/// Of the time that a token has left when it is shown, the last part in which its client is warned.
const WARNING_PART: u64 = 5;
const MINUTE_MS: u64 = 60_000;

/// When a client's token wants attention, in milliseconds of the hub's clock. The end of time where it does not.
#[derive(Debug)]
pub(super) struct TokenTimes {
    /// When to warn the client, unless that is done.
    warns_ms: u64,
    expires_ms: u64,
    /// How long before the end the warning comes.
    lead_ms: u64,
}

/// The tokens that a client has shown since it came, to keep it from showing too many.
#[derive(Debug, Default)]
pub(super) struct Refreshes {
    since_ms: u64,
    shown: u32,
    /// Tokens of somebody else.
    mismatched: u32,
}

impl TokenTimes {
    /// A client is warned so long before the end, or in the last part of what its token has left if that is later.
    pub(super) fn new(identity: Option<&Identity>, warning_ms: u64, now: Timestamp, now_ms: u64) -> Self {
        let left_ms = identity.and_then(|identity| identity.expires_at).map_or(0, |end| end.since_ms(now));
        let lead_ms = warning_ms.min(left_ms / WARNING_PART);
        let warns_ms = if warning_ms == 0 { u64::MAX } else { 0 };
        let mut times = Self { warns_ms, expires_ms: u64::MAX, lead_ms };
        times.reckon(identity, now, now_ms);
        times
    }

    /// Reckons anew, by the time of day, which may have been set.
    fn reckon(&mut self, identity: Option<&Identity>, now: Timestamp, now_ms: u64) {
        let (end, deadline) = identity.map_or((None, None), |found| (found.expires_at, found.deadline));
        let at = |time: Timestamp| now_ms.saturating_add(time.since_ms(now));
        self.expires_ms = deadline.map_or(u64::MAX, at);
        if self.warns_ms != u64::MAX {
            self.warns_ms = end.map_or(u64::MAX, |end| at(Timestamp(end.0.saturating_sub(self.lead_ms))));
        }
    }

    /// When there is something to do next.
    pub(super) fn next_ms(&self) -> u64 {
        self.warns_ms.min(self.expires_ms)
    }

    pub(super) fn expires_ms(&self) -> u64 {
        self.expires_ms
    }
}

impl Refreshes {
    /// Counts one more token.
    fn count(&mut self, now_ms: u64, per_minute: u32) -> Result<(), TooMany> {
        if now_ms >= self.since_ms.saturating_add(MINUTE_MS) {
            (self.shown, self.since_ms) = (0, now_ms);
        }
        self.shown = self.shown.saturating_add(1);
        if self.shown > per_minute.saturating_mul(2) {
            return Err(TooMany::Flood);
        }
        let wait_ms = self.since_ms + MINUTE_MS - now_ms;
        if self.shown > per_minute { Err(TooMany::Wait(wait_ms)) } else { Ok(()) }
    }
}

/// More tokens than a client may show.
#[derive(Debug, PartialEq, Eq)]
enum TooMany {
    /// It may again after so many milliseconds.
    Wait(u64),
    /// It was told so, and does not stop.
    Flood,
}

impl Connection {
    /// When the first token of this connection ends.
    pub(super) fn first_expiry_ms(&self) -> u64 {
        self.clients.iter().map(|client| client.times.expires_ms()).fold(u64::MAX, u64::min)
    }

    /// Warns clients whose token is about to end, and ends the connection if the time of one is over: by the time of
    /// day, which may have been set since.
    pub(super) fn look_at_tokens(&mut self) -> Result<(), Ending> {
        let (now, now_ms) = (self.context.clock.now(), self.seat.now_ms());
        let mut is_expired = false;
        for client in &mut self.clients {
            let Some(identity) = client.socket.identity() else { continue };
            client.times.reckon(Some(&identity), now, now_ms);
            if identity.deadline.is_some_and(|deadline| deadline <= now) {
                is_expired = true;
                let failure = Failure::new(ErrorCode::TokenExpired);
                let expired = json!({ "code": failure.code, "message": failure.message });
                // Not recoverable: who comes back has another token.
                let event = encode_event(client.socket.namespace(), None, "auth:expired", &(expired,));
                self.seat.send(Frame::text(&event.expect("plain data always serializes").text));
                self.context.audit.record(&Record {
                    user: Some(&identity.user),
                    session: identity.session.as_ref(),
                    address: Some(self.handshake.address),
                    ..Record::new(Decision::SessionExpired)
                });
            } else if client.times.warns_ms <= now_ms {
                client.times.warns_ms = u64::MAX;
                let expiring = json!({ "expiresAt": identity.expires_at.map(|end| end.to_string()) });
                let event = encode_event(client.socket.namespace(), None, "auth:expiring", &(expiring,));
                self.seat.send(Frame::text(&event.expect("plain data always serializes").text));
            }
        }
        if is_expired { Err(Ending::Expired) } else { Ok(()) }
    }

    /// A client shows a newer token. Whatever comes of it, until then the one it has goes on to count.
    pub(super) fn on_refresh(
        &mut self,
        socket: &Socket,
        id: Option<u64>,
        args: &Payload,
        cx: &mut TaskContext<'_>,
    ) -> Result<(), Ending> {
        // One that is over is not renewed, also where the clock was set and nobody has looked since.
        self.look_at_tokens()?;
        let per_minute = self.context.limits.token_refreshes_per_minute;
        let now_ms = self.seat.now_ms();
        let Some(client) = self.client_mut(socket.namespace()) else { return Ok(()) };
        let Authentication::Token(authentication) = client.authentication().clone() else { return Ok(()) };
        if let Err(too_many) = client.refreshes.get_or_insert_default().count(now_ms, per_minute) {
            self.context.metrics.limit_reached(Limit::TokenRefreshes);
            return match too_many {
                TooMany::Wait(ms) => {
                    self.ack(socket, id, Failure::rate_limited(ms).at(Limit::TokenRefreshes));
                    Ok(())
                }
                TooMany::Flood => Err(Ending::TokenFlood),
            };
        }
        let Ok(shown) = args.argument::<Box<RawValue>>(0) else {
            self.ack(socket, id, Failure::bad_payload("auth:refresh: the argument must be {token}"));
            return Ok(());
        };
        let (context, handshake, socket) = (self.context.clone(), self.handshake.clone(), socket.clone());
        let looked_at = async move {
            let outcome = authentication.authenticate_payload(&context, &handshake, shown.get()).await;
            Done::Reauthenticated { socket, id, outcome }
        };
        self.start(looked_at.boxed(), cx)
    }

    /// The newer token was looked at.
    pub(super) fn on_reauthenticated(
        &mut self,
        socket: Socket,
        id: Option<u64>,
        outcome: Result<Arc<Identity>, Failure>,
        cx: &mut TaskContext<'_>,
    ) -> Result<(), Ending> {
        self.look_at_tokens()?;
        let (Some(client), Some(current)) = (self.client_of(&socket), socket.identity()) else {
            return Ok(());
        };
        let Authentication::Token(authentication) = client.authentication().clone() else { return Ok(()) };
        let renewed = outcome
            .and_then(|newer| may_succeed(&current, &newer).map(|()| newer))
            .and_then(|newer| self.renew(&authentication, &newer).map(|settling| (newer, settling)));
        let (newer, settling) = match renewed {
            Ok(renewed) => renewed,
            Err(failure) => {
                let is_mismatch = failure.code == ErrorCode::PrincipalMismatch;
                self.ack(&socket, id, failure);
                return if is_mismatch { self.on_mismatch(&socket) } else { Ok(()) };
            }
        };
        self.record(Decision::SessionRenewed, Some(&newer), None);
        let expires_at = newer.expires_at.map(|end| end.to_string());
        let received = Instant::now();
        let done = join_all(settling).map(move |_| {
            let ack = answer(id, &socket, Json(json!({ "data": { "expiresAt": expires_at } })));
            Done::Handled { socket, ack, received }
        });
        self.start(done.boxed(), cx)
    }

    /// Puts a newer token in the place of the older ones that were shown to the same authority by the same login. What
    /// follows from that in their namespaces is still to be done.
    fn renew(
        &mut self,
        authority: &Arc<TokenAuthentication>,
        newer: &Arc<Identity>,
    ) -> Result<Vec<BoxFuture<'static, ()>>, Failure> {
        let (now, now_ms) = (self.context.clock.now(), self.seat.now_ms());
        let warning_ms = self.context.expiry_warning_ms;
        let mut settling = Vec::new();
        for client in &mut self.clients {
            let is_same_authority =
                matches!(client.authentication(), Authentication::Token(its) if Arc::ptr_eq(its, authority));
            let Some(older) = client
                .socket
                .identity()
                .filter(|older| is_same_authority && may_succeed(older, newer).is_ok())
            else {
                continue;
            };
            client.socket.set_identity(newer.clone());
            // In this order: a revocation meanwhile either finds the socket or is found here.
            if self.context.live_tokens.check(newer).is_err() {
                // In this order, too: the older one may have been revoked while it was not to be found.
                client.socket.set_identity(older.clone());
                if let Err(reason) = self.context.live_tokens.check(&older) {
                    client.socket.revoke(reason);
                }
                return Err(Failure::new(ErrorCode::TokenRevoked));
            }
            client.times = TokenTimes::new(Some(newer), warning_ms, now, now_ms);
            let has_other_rights = !older.has_rights_of(newer);
            settling.push(client.namespace().renewed(client.socket.clone(), has_other_rights));
        }
        Ok(settling)
    }

    /// The token of somebody else was shown.
    fn on_mismatch(&mut self, socket: &Socket) -> Result<(), Ending> {
        let mismatches_max = self.context.limits.auth_failures_per_connection;
        self.record(Decision::PrincipalMismatch, socket.identity().as_deref(), None);
        let Some(client) = self.client_mut(socket.namespace()) else { return Ok(()) };
        let refreshes = client.refreshes.get_or_insert_default();
        refreshes.mismatched += 1;
        if refreshes.mismatched >= mismatches_max {
            self.context.metrics.limit_reached(Limit::AuthFailures);
            return Err(Ending::TokenFlood);
        }
        Ok(())
    }

    fn ack(&self, socket: &Socket, id: Option<u64>, failure: Failure) {
        if let Some(ack) = answer(id, socket, failure) {
            self.seat.send(Frame::text(&ack.text));
        }
    }

    /// The token of a socket no longer counts: its client is told why, and that it need not come back with it.
    pub(super) fn on_revoked(&mut self, socket: &SocketKey, reason: RevocationReason) -> Result<(), Ending> {
        let namespace = socket.namespace();
        let Some(client) = self.client(namespace).filter(|client| client.socket.key() == socket) else {
            return Ok(());
        };
        self.record(Decision::SessionExpired, client.socket.identity().as_deref(), Some(reason.as_str()));
        let failure = Failure::new(ErrorCode::TokenRevoked);
        if !self.session.disconnect(namespace) {
            self.forget_client(namespace, DisconnectReason::ServerNamespaceDisconnect);
            return self.refuse(namespace, &failure);
        }
        let revoked = json!({ "code": failure.code, "reason": reason, "message": failure.message });
        let event = encode_event(namespace, None, "auth:revoked", &(revoked,));
        self.seat.send(Frame::text(&event.expect("plain data always serializes").text));
        self.seat.send(Frame::text(&encode_disconnect(namespace)));
        self.drop_client(namespace, DisconnectReason::ServerNamespaceDisconnect);
        Err(Ending::Revoked)
    }

    /// Records a decision about this client.
    pub(super) fn record(&self, event: Decision, identity: Option<&Identity>, reason: Option<&str>) {
        self.context.audit.record(&Record {
            user: identity.map(|identity| &identity.user),
            session: identity.and_then(|identity| identity.session.as_ref()),
            address: Some(self.handshake.address),
            origin: self.handshake.header("origin"),
            reason,
            ..Record::new(event)
        });
    }
}

/// Whether a token may take the place of another: it is of the same login, and not an older one.
fn may_succeed(older: &Identity, newer: &Identity) -> Result<(), Failure> {
    let is_same_user = older.user == newer.user && older.issuer == newer.issuer;
    if !is_same_user || older.session != newer.session {
        return Err(ErrorCode::PrincipalMismatch.into());
    }
    match (older.issued_at, newer.issued_at) {
        (Some(older), Some(newer)) if newer < older => Err(Failure::with_message(
            ErrorCode::TokenInvalid,
            "Authentication error: The token is older than the one in use",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_a_rate() {
        let mut refreshes = Refreshes::default();
        let counted: Vec<_> = (0..5).map(|_| refreshes.count(100_000, 2)).collect();
        let wait = Err(TooMany::Wait(MINUTE_MS));
        assert_eq!(counted, [Ok(()), Ok(()), Err(TooMany::Wait(MINUTE_MS)), wait, Err(TooMany::Flood)]);
        assert_eq!(refreshes.count(100_000 + MINUTE_MS - 1, 2), Err(TooMany::Flood));
        assert_eq!(refreshes.count(100_000 + MINUTE_MS, 2), Ok(()));
    }
}
