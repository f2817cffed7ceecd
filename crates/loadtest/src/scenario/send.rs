use std::{cell::RefCell, rc::Rc};

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;
use roomkey_model::Timestamp;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    Report, Target, chat,
    client::Client,
    report::{histogram, number},
    scenario::{Meter, all_of},
    token,
};

/// Durable chat messages, each client alone in a channel of its own.
#[derive(Clone, Debug, clap::Args)]
pub struct Send {
    /// Clients that send, one message at a time each.
    #[arg(long, default_value_t = 100)]
    sockets: usize,
    /// Messages in all.
    #[arg(long, default_value_t = 20_000)]
    messages: usize,
}

impl Send {
    pub(crate) async fn run(&self, target: &Target, now: Timestamp) -> Result<Report> {
        let tokens = token::mint_many(&target.secret, self.sockets, now);
        let mut channels = Vec::with_capacity(tokens.len());
        for token in &tokens {
            channels.push(chat::new_channel(target, token, "private").await?);
        }
        let mut clients = Vec::with_capacity(tokens.len());
        for token in &tokens {
            clients.push(Client::connect(target.address, token).await?);
        }
        let each = self.messages / clients.len();
        let latency = Rc::new(RefCell::new(histogram()));
        let commits_before = chat::commits(target).await?;
        let meter = Meter::start(target)?;
        let senders = clients.into_iter().zip(channels);
        all_of(senders.map(|(client, channel)| send_often(client, channel, each, Rc::clone(&latency))))
            .await?;
        let mut report = Report::new("send");
        meter.report(
            &mut report,
            "messages_per_s",
            "cpu_us_per_message",
            number((each * self.sockets) as u64),
        )?;
        report.add_latency(&latency.borrow());
        if let (Some((before, _)), Some((after, _))) = (commits_before, chat::commits(target).await?) {
            report.add("messages_per_commit", number((each * self.sockets) as u64) / (after - before));
        }
        Ok(report)
    }
}

async fn send_often(
    mut client: Client,
    channel: String,
    times: usize,
    latency: Rc<RefCell<Histogram<u64>>>,
) -> Result<()> {
    let content = "a message of some thirty bytes";
    let event = json!(["sendMessage", {"channelId": channel, "content": content}]).to_string();
    for _ in 0..times {
        let start = Instant::now();
        let ack = client.call(&event).await?;
        ensure!(ack.contains(r#""seq""#), "not sent: {ack}");
        let elapsed = u64::try_from(start.elapsed().as_micros())?;
        latency.borrow_mut().saturating_record(elapsed);
    }
    Ok(())
}
