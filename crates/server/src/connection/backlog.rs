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
pub(super) struct Backlog {
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
    pub(super) fn is_backlog_full(&self) -> bool {
        let limits = &self.context.limits;
        self.backlog.as_ref().is_some_and(|backlog| {
            backlog.packets.len() >= limits.events_waiting_per_socket || backlog.bytes >= limits.message_bytes
        })
    }

    pub(super) fn handle_or_keep(
        &mut self,
        incoming: Incoming,
        cx: &mut TaskContext<'_>,
    ) -> Result<(), Ending> {
        let may_pass = matches!(incoming, Incoming::Ack { .. } | Incoming::Ping);
        if may_pass || self.backlog.is_none() && !self.is_busy() {
            return self.on_incoming(incoming, cx);
        }
        let backlog = self.backlog.get_or_insert_default();
        backlog.bytes += size(&incoming);
        backlog.packets.push_back(incoming);
        self.context.metrics.limit_reached(Limit::EventsInFlight);
        if self.is_backlog_full() {
            self.context.metrics.limit_reached(Limit::EventsWaiting);
        }
        Ok(())
    }

    /// Handles what waits, as far as there is room again.
    pub(super) fn work_off(&mut self, cx: &mut TaskContext<'_>) -> Result<(), Ending> {
        while !self.is_busy()
            && let Some(backlog) = &mut self.backlog
        {
            match backlog.packets.pop_front() {
                Some(incoming) => {
                    backlog.bytes -= size(&incoming);
                    self.on_incoming(incoming, cx)?;
                }
                None => self.backlog = None,
            }
            if !self.is_backlog_full()
                && let Some(post) = self.backlog.as_mut().and_then(|backlog| backlog.post.take())
            {
                // A client that has gone needs no answer.
                _ = post.send(PostAnswer::Taken);
            }
        }
        Ok(())
    }

    /// Answers a POST now, or when there is room for what the next one brings.
    pub(super) fn answer_post(&mut self, answer: oneshot::Sender<PostAnswer>) {
        let is_full = self.is_backlog_full();
        match &mut self.backlog {
            Some(backlog) if is_full => backlog.post = Some(answer),
            _ => _ = answer.send(PostAnswer::Taken),
        }
    }

    /// The packets that still wait when the connection ends.
    pub(super) fn take_backlog(&mut self) -> VecDeque<Incoming> {
        self.backlog.take().map(|backlog| backlog.packets).unwrap_or_default()
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
