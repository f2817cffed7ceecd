//! A connection on long-polling: at most one request waits for packets.

use std::task::Context as TaskContext;

use bytes::Bytes;
use roomkey_protocol::{
    engine::payload::{Body, Format, PACKETS_PER_RESPONSE_MAX},
    session::CloseReason,
};
use tokio::{sync::oneshot, time::sleep};

use super::{Connection, Ending, Link};
use crate::transport::{PollAnswer, PostAnswer, polling::SETTLING};

/// The client's side of long-polling.
#[derive(Default)]
pub(super) struct Polling {
    pub(super) held: Option<oneshot::Sender<PollAnswer>>,
}

/// Packets that a client is told to make nothing of, and to go away for.
pub(super) const NOOP: &str = "6";
pub(super) const CLOSE: &str = "1";

impl Connection {
    /// A request wants packets. A second one at a time ends the session: one of the two is not the client's.
    ///
    /// A session whose time is over ends here, if the deadline has not been noticed yet.
    pub(super) fn on_poll(&mut self, answer: oneshot::Sender<PollAnswer>) -> Result<(), Ending> {
        if self.session.deadline().0 <= self.seat.now_ms() {
            self.on_deadline()?;
        }
        let is_probed = self.is_probed();
        let format = self.seat.entry.format();
        let Link::Polling(polling) = &mut self.link else {
            // It was on its way when the upgrade completed.
            drop(answer.send(PollAnswer::Payload(format.encode_one(NOOP))));
            return Ok(());
        };
        if let Some(held) = polling.held.take() {
            let close = PollAnswer::Payload(format.encode_one(CLOSE));
            tokio::spawn(async move {
                sleep(SETTLING).await;
                if !held.is_closed() {
                    drop(held.send(close));
                    drop(answer.send(PollAnswer::Overlap));
                }
            });
            return Err(CloseReason::TransportError.into());
        }
        polling.held = Some(answer);
        self.answer_poll();
        if is_probed {
            self.release_poll_soon();
        }
        Ok(())
    }

    /// Answers the request that waits, if there is anything for it.
    pub(super) fn answer_poll(&mut self) {
        let Link::Polling(polling) = &mut self.link else { return };
        if polling.held.as_ref().is_none_or(oneshot::Sender::is_closed) {
            return;
        }
        let shard = self.seat.shard();
        let packets = shard.poll(self.seat.key, PACKETS_PER_RESPONSE_MAX);
        let Some(body) = payload(self.seat.entry.format(), &packets) else { return };
        if let Some(held) = polling.held.take() {
            // If the client has just gone, its request tells so.
            drop(held.send(PollAnswer::Payload(body)));
        }
    }

    /// Answers the request that waits with nothing.
    pub(super) fn release_poll(&mut self) {
        if let Link::Polling(polling) = &mut self.link
            && let Some(held) = polling.held.take()
        {
            self.seat.shard().stop_polling(self.seat.key);
            drop(held.send(PollAnswer::Payload(self.seat.entry.format().encode_one(NOOP))));
        }
    }

    /// A request brings packets; those before a bad one count.
    pub(super) fn on_post(
        &mut self,
        body: &Body,
        answer: oneshot::Sender<PostAnswer>,
        cx: &mut TaskContext<'_>,
    ) -> Result<(), Ending> {
        for packet in self.seat.entry.format().decode(body, self.context.limits.packets_per_payload) {
            let outcome = match packet {
                Ok(packet) => self.on_packet(packet, cx),
                Err(error) => Err(Ending::Malformed(error)),
            };
            if let Err(ending) = outcome {
                let is_malformed = matches!(ending, Ending::Malformed(_));
                drop(answer.send(if is_malformed { PostAnswer::Refused } else { PostAnswer::Taken }));
                return Err(ending);
            }
        }
        self.answer_post(answer);
        Ok(())
    }
}

/// The packets as the body of a response; `None` if there is none.
pub(super) fn payload(format: Format, packets: &[Bytes]) -> Option<Body> {
    let text = |packet| std::str::from_utf8(packet).expect("packets for polling are text");
    format.encode(packets.iter().map(|packet| text(packet)))
}
