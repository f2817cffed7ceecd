use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;
use roomkey_model::Timestamp;
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Duration, Instant, sleep, timeout},
};

use crate::{
    Report, Target,
    client::Receiver,
    report::{histogram, number},
    scenario::{connect_all, while_running},
    token,
};

/// How long the last messages may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// All sockets of a busy room renew their tokens at once; nobody may lose a message.
#[derive(Clone, Debug, clap::Args)]
pub struct Refresh {
    /// Sockets, all in one room.
    #[arg(long, default_value_t = 1_000)]
    sockets: usize,
    /// Broadcasts to the room, a millisecond apart; in their midst the tokens are renewed.
    #[arg(long, default_value_t = 400)]
    broadcasts: usize,
}

/// What all the sockets have seen.
struct Seen {
    deliveries: Cell<usize>,
    expected: usize,
    renewed: Cell<usize>,
    refused: Cell<usize>,
    sent_at: Cell<Option<Instant>>,
    latency: RefCell<Histogram<u64>>,
    complete: Notify,
}

impl Refresh {
    pub(crate) async fn run(&self, target: &Target, now: Timestamp) -> Result<Report> {
        let mint = |index, exp| token::mint_until(&target.secret, &format!("load-{index}"), now, exp);
        let tokens: Vec<_> = (0..self.sockets).map(|index| mint(index, now.as_secs() + 3600)).collect();
        let (mut clients, _) = connect_all(target.address, &tokens).await?;
        for client in &mut clients {
            let ack = client.call(r#"["join","load"]"#).await?;
            ensure!(ack == r#"["ok"]"#, "join: {ack}");
        }
        let seen = Rc::new(Seen {
            deliveries: Cell::new(0),
            expected: self.sockets * self.broadcasts,
            renewed: Cell::new(0),
            refused: Cell::new(0),
            sent_at: Cell::new(None),
            latency: RefCell::new(histogram()),
            complete: Notify::new(),
        });
        let mut senders = Vec::with_capacity(clients.len());
        let mut receiving = JoinSet::new();
        for client in clients {
            receiving.spawn_local(receive(client.receiver, Rc::clone(&seen)));
            senders.push(client.sender);
        }
        while_running(&mut receiving, async {
            for number in 0..self.broadcasts {
                senders[0].send(&format!(r#"42["bcast","load",{number}]"#)).await?;
                if number == self.broadcasts / 2 {
                    seen.sent_at.set(Some(Instant::now()));
                    for (index, sender) in senders.iter().enumerate() {
                        let token = mint(index, now.as_secs() + 7200);
                        sender.send(&format!(r#"421["auth:refresh",{{"token":"{token}"}}]"#)).await?;
                    }
                }
                sleep(Duration::from_millis(1)).await;
            }
            let complete = async {
                while seen.deliveries.get() < seen.expected
                    || seen.renewed.get() + seen.refused.get() < self.sockets
                {
                    seen.complete.notified().await;
                }
            };
            // What has not come by then is lost.
            _ = timeout(PATIENCE, complete).await;
            Ok(())
        })
        .await?;
        let mut report = Report::new("refresh");
        report.add("renewed", number(seen.renewed.get() as u64));
        report.add("refused", number(seen.refused.get() as u64));
        report.add("lost", number((seen.expected - seen.deliveries.get()) as u64));
        report.add_latency(&seen.latency.borrow());
        Ok(report)
    }
}

async fn receive(mut receiver: Receiver, seen: Rc<Seen>) -> Result<()> {
    loop {
        let on_text = |text: &str| {
            if text.starts_with(r#"42["msg","#) {
                seen.deliveries.set(seen.deliveries.get() + 1);
            } else if text.starts_with(r#"431[{"data""#) {
                seen.renewed.set(seen.renewed.get() + 1);
                let elapsed = seen.sent_at.get().map_or(0, |sent_at| sent_at.elapsed().as_micros());
                seen.latency.borrow_mut().saturating_record(u64::try_from(elapsed).unwrap_or(u64::MAX));
            } else if text.starts_with("431[") {
                seen.refused.set(seen.refused.get() + 1);
            }
        };
        receiver.receive(on_text).await?;
        seen.complete.notify_one();
    }
}
