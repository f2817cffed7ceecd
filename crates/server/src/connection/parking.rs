//! What a client sent while as many of its events are being handled as may be: kept in order, up to a limit, behind
//! which the connection is not read. Acks pass, so that a handler may wait for one.

use std::{collections::VecDeque, task::Context as TaskContext};

use roomkey_model::Limit;
use roomkey_protocol::session::Incoming;
use tokio::sync::oneshot;

use super::{Connection, Ending};
use crate::transport::PostAnswer;

/// Packets that wait for a handler to finish.
#[derive(Default)]
pub(super) struct Parking {
    packets: VecDeque<Incoming>,
    bytes: usize,
    /// A POST that brought more than there is room for is answered later, which keeps the next one away.
    post: Option<oneshot::Sender<PostAnswer>>,
}

impl Connection {
    /// Whether so many events are being handled that the next must wait.
    fn is_busy(&self) -> bool {
        let busy_at = self.context.limits.events_in_flight_per_socket;
        self.work.as_ref().is_some_and(|work| work.len() >= busy_at)
    }

    /// Whether so much waits that the connection is not read.
    pub(super) fn is_parking_full(&self) -> bool {
        let limits = &self.context.limits;
        self.parking.as_ref().is_some_and(|parking| {
            parking.packets.len() >= limits.events_waiting_per_socket || parking.bytes >= limits.message_bytes
        })
    }

    pub(super) fn park_or_handle(
        &mut self,
        incoming: Incoming,
        cx: &mut TaskContext<'_>,
    ) -> Result<(), Ending> {
        let may_pass = matches!(incoming, Incoming::Ack { .. } | Incoming::Ping);
        if may_pass || self.parking.is_none() && !self.is_busy() {
            return self.on_incoming(incoming, cx);
        }
        let parking = self.parking.get_or_insert_default();
        parking.bytes += size(&incoming);
        parking.packets.push_back(incoming);
        self.context.metrics.limit_reached(Limit::EventsInFlight);
        if self.is_parking_full() {
            self.context.metrics.limit_reached(Limit::EventsWaiting);
        }
        Ok(())
    }

    /// Handles what waits, as far as there is room again.
    pub(super) fn unpark(&mut self, cx: &mut TaskContext<'_>) -> Result<(), Ending> {
        while !self.is_busy()
            && let Some(parking) = &mut self.parking
        {
            match parking.packets.pop_front() {
                Some(incoming) => {
                    parking.bytes -= size(&incoming);
                    self.on_incoming(incoming, cx)?;
                }
                None => self.parking = None,
            }
            if !self.is_parking_full()
                && let Some(post) = self.parking.as_mut().and_then(|parking| parking.post.take())
            {
                // A client that has gone needs no answer.
                _ = post.send(PostAnswer::Taken);
            }
        }
        Ok(())
    }

    /// Answers a POST now, or when there is room for what the next one brings.
    pub(super) fn answer_post(&mut self, answer: oneshot::Sender<PostAnswer>) {
        let is_full = self.is_parking_full();
        match &mut self.parking {
            Some(parking) if is_full => parking.post = Some(answer),
            _ => _ = answer.send(PostAnswer::Taken),
        }
    }

    /// The packets that still wait when the connection ends.
    pub(super) fn take_parked(&mut self) -> VecDeque<Incoming> {
        self.parking.take().map(|parking| parking.packets).unwrap_or_default()
    }
}

/// What a packet holds in memory, roughly.
fn size(incoming: &Incoming) -> usize {
    match incoming {
        Incoming::Event { args, .. } | Incoming::Ack { args, .. } => {
            args.json().len() + args.attachments().iter().map(|attachment| attachment.len()).sum::<usize>()
        }
        Incoming::Connect { auth, .. } => auth.as_ref().map_or(0, |auth| auth.len()),
        Incoming::Disconnect { .. } | Incoming::Ping => 0,
    }
}
