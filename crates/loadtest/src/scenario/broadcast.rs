use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;
use roomkey_model::Timestamp;
use serde_json::json;
use tokio::{sync::Notify, task::JoinSet, time::Instant};

use crate::{
    Report, Target, chat,
    client::{Receiver, Sender},
    report::{histogram, number},
    scenario::{Meter, connect_all, while_running},
    token,
};

/// What surrounds the payload in a delivered frame.
const DELIVERED: (&str, &str) = (r#"42["msg",""#, r#""]"#);
/// How a delivered chat message begins, and what its payload comes after.
const MESSAGE: (&str, &str) = (r#"42["message.created","#, r#""content":""#);
/// A payload begins with the number of its broadcast.
const NUMBER_DIGITS: usize = 8;
/// Of all broadcasts, the first tenth is not measured.
const WARM_UP: usize = 10;

/// One client broadcasts to a room that all are in.
#[derive(Clone, Debug, clap::Args)]
pub struct Broadcast {
    /// Members of the room, the sender among them.
    #[arg(long, default_value_t = 1_000)]
    sockets: usize,
    /// Broadcasts under way: the next is sent when everyone has the oldest of them.
    #[arg(long, default_value_t = 1)]
    in_flight: usize,
    /// Deliveries in all, over all sockets.
    #[arg(long, default_value_t = 300_000)]
    deliveries: usize,
    /// Length of a delivered text frame.
    #[arg(long, default_value_t = 140)]
    frame_bytes: usize,
    /// Send chat messages, which are stored first (needs `roomkey serve`). Their frames are longer than those of the same
    /// payload.
    #[arg(long)]
    durable: bool,
}

impl Broadcast {
    pub(crate) async fn run(&self, target: &Target, now: Timestamp) -> Result<Report> {
        let overhead = DELIVERED.0.len() + NUMBER_DIGITS + DELIVERED.1.len();
        ensure!(self.frame_bytes >= overhead, "a frame has at least {overhead} bytes");
        let padding = "x".repeat(self.frame_bytes - overhead);

        let tokens = token::mint_many(&target.secret, self.sockets, now);
        let (mut clients, _) = connect_all(target.address, &tokens).await?;
        let channel =
            if self.durable { Some(chat::new_channel(target, &tokens[0], "public").await?) } else { None };
        for client in &mut clients {
            match &channel {
                Some(channel) => {
                    chat::ask(client, &json!(["joinRoom", format!("channel:{channel}")])).await?;
                }
                None => {
                    let ack = client.call(r#"["join","load"]"#).await?;
                    ensure!(ack == r#"["ok"]"#, "join: {ack}");
                }
            }
        }
        let broadcasts = (self.deliveries / self.sockets).max(WARM_UP);
        let progress = Rc::new(Progress::new(broadcasts, self.sockets));
        let mut senders = Vec::with_capacity(clients.len());
        let mut receiving = JoinSet::new();
        for client in clients {
            receiving.spawn_local(receive(client.receiver, Rc::clone(&progress)));
            senders.push(client.sender);
        }
        let meter =
            while_running(&mut receiving, self.send(&senders[0], channel, &padding, &progress, target))
                .await?;

        let measured = number(((broadcasts - broadcasts / WARM_UP) * self.sockets) as u64);
        let mut report = Report::new("broadcast");
        meter.report(&mut report, "deliveries_per_s", "cpu_us_per_delivery", measured)?;
        report.add_latency(&progress.latency.borrow());
        report.add("out_of_order", number(progress.out_of_order.get()));
        report.add("frame_bytes", number(progress.frame_bytes.get()));
        Ok(report)
    }

    /// Sends them all and waits for the last; the meter runs from the end of the warm-up.
    async fn send(
        &self,
        sender: &Sender,
        channel: Option<String>,
        padding: &str,
        progress: &Progress,
        target: &Target,
    ) -> Result<Meter> {
        let broadcasts = progress.missing.len();
        let mut meter = Meter::start(target)?;
        for number in 0..broadcasts {
            if number == broadcasts / WARM_UP {
                progress.wait_for(number).await;
                meter = Meter::start(target)?;
                progress.latency.borrow_mut().reset();
            }
            progress.wait_for((number + 1).saturating_sub(self.in_flight)).await;
            progress.sent_at[number].set(Some(Instant::now()));
            let payload = format!("{number:0NUMBER_DIGITS$}{padding}");
            let event = match &channel {
                Some(channel) => json!(["sendMessage", { "channelId": channel, "content": payload }]),
                None => json!(["bcast", "load", payload]),
            };
            sender.send(&format!("42{event}")).await?;
        }
        progress.wait_for(broadcasts).await;
        Ok(meter)
    }
}

/// How far the deliveries have come.
struct Progress {
    /// For each broadcast, how many sockets have not seen it.
    missing: Vec<Cell<usize>>,
    sent_at: Vec<Cell<Option<Instant>>>,
    /// Broadcasts from the first on that everyone has seen.
    complete: Cell<usize>,
    advanced: Notify,
    latency: RefCell<Histogram<u64>>,
    /// Deliveries that came after a later one.
    out_of_order: Cell<u64>,
    /// Length of the last frame.
    frame_bytes: Cell<u64>,
}

impl Progress {
    fn new(broadcasts: usize, sockets: usize) -> Self {
        Self {
            missing: vec![Cell::new(sockets); broadcasts],
            sent_at: vec![Cell::new(None); broadcasts],
            complete: Cell::new(0),
            advanced: Notify::new(),
            latency: RefCell::new(histogram()),
            out_of_order: Cell::new(0),
            frame_bytes: Cell::new(0),
        }
    }

    /// Waits until everyone has seen the first `count` broadcasts.
    async fn wait_for(&self, count: usize) {
        while self.complete.get() < count {
            self.advanced.notified().await;
        }
    }

    /// One socket has seen a broadcast.
    fn delivered(&self, number: usize, now: Instant) {
        let (Some(missing), Some(sent_at)) = (self.missing.get(number), self.sent_at[number].get()) else {
            return;
        };
        let elapsed = u64::try_from(now.duration_since(sent_at).as_micros()).unwrap_or(u64::MAX);
        self.latency.borrow_mut().saturating_record(elapsed);
        missing.set(missing.get() - 1);
        while self.missing.get(self.complete.get()).is_some_and(|missing| missing.get() == 0) {
            self.complete.set(self.complete.get() + 1);
            self.advanced.notify_one();
        }
    }
}

/// Reads one socket's deliveries and checks that they come in the order they were sent.
async fn receive(mut receiver: Receiver, progress: Rc<Progress>) -> Result<()> {
    let mut expected = 0;
    loop {
        let mut now = None;
        let on_text = |text: &str| {
            let Some(number) = delivered_number(text) else { return };
            if number < expected {
                progress.out_of_order.set(progress.out_of_order.get() + 1);
            }
            expected = expected.max(number + 1);
            progress.frame_bytes.set(text.len() as u64);
            progress.delivered(number, *now.get_or_insert_with(Instant::now));
        };
        receiver.receive(on_text).await?;
    }
}

/// Which broadcast a frame is of.
fn delivered_number(text: &str) -> Option<usize> {
    let payload = match text.strip_prefix(DELIVERED.0) {
        Some(payload) => payload,
        None => text.strip_prefix(MESSAGE.0)?.split_once(MESSAGE.1)?.1,
    };
    payload.get(..NUMBER_DIGITS)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_read_from_the_frame() {
        assert_eq!(delivered_number(r#"42["msg","00000042xxx"]"#), Some(42));
        assert_eq!(delivered_number(r#"42["message.created",{"id":"a","content":"00000042xxx"}]"#), Some(42));
        for other in ["2", r#"42["msg"]"#, r#"42["msg","short"]"#, r#"430["ok"]"#] {
            assert_eq!(delivered_number(other), None, "{other}");
        }
    }

    #[test]
    fn progress_waits_for_the_slowest() {
        let now = Instant::now();
        let progress = Progress::new(2, 2);
        progress.sent_at.iter().for_each(|sent_at| sent_at.set(Some(now)));
        progress.delivered(0, now);
        progress.delivered(1, now);
        progress.delivered(1, now);
        assert_eq!(progress.complete.get(), 0);
        progress.delivered(0, now);
        assert_eq!(progress.complete.get(), 2);
    }
}
