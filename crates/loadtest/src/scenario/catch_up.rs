use std::{cell::RefCell, rc::Rc};

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use hdrhistogram::Histogram;
use roomkey_model::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    Report, Target, chat,
    client::Client,
    report::{histogram, number},
    scenario::Meter,
    token,
};

/// Clients that come back at once, each with messages that it has missed.
#[derive(Clone, Debug, clap::Args)]
pub struct CatchUp {
    /// Clients that come back.
    #[arg(long, default_value_t = 1_000)]
    clients: usize,
    /// Members of each channel, all of whom have missed its messages.
    #[arg(long, default_value_t = 10)]
    members: usize,
    /// Messages that each has missed.
    #[arg(long, default_value_t = 100)]
    missed: usize,
    /// Clients that are coming back at the same time.
    #[arg(long, default_value_t = 64)]
    at_once: usize,
}

impl CatchUp {
    pub(crate) async fn run(&self, target: &Target, now: Timestamp) -> Result<Report> {
        let mint = |index| token::mint(&target.secret, &format!("back-{index}"), now);
        let tokens: Vec<_> = (0..self.clients).map(mint).collect();
        let mut places = Vec::with_capacity(tokens.len());
        for (number, tokens) in tokens.chunks(self.members.max(1)).enumerate() {
            let writer = token::mint(&target.secret, &format!("writer-{number}"), now);
            let channel = chat::new_channel(target, &writer, "public").await?;
            for token in tokens {
                let mut client = Client::connect(target.address, token).await?;
                chat::ask(&mut client, &json!(["joinRoom", format!("channel:{channel}")])).await?;
                places.push((token.clone(), channel.clone()));
            }
            let mut client = Client::connect(target.address, &writer).await?;
            for number in 1..=self.missed {
                let message = json!({ "channelId": channel, "content": format!("message {number} of some") });
                chat::ask(&mut client, &json!(["sendMessage", message])).await?;
            }
        }
        let latency = Rc::new(RefCell::new(histogram()));
        let meter = Meter::start(target)?;
        stream::iter(&places)
            .map(|(token, channel)| self.come_back(target, token, channel, &latency))
            .buffer_unordered(self.at_once.max(1))
            .try_for_each(async |()| Ok(()))
            .await?;
        let mut report = Report::new("catch-up");
        meter.report(&mut report, "clients_per_s", "cpu_us_per_client", number(self.clients as u64))?;
        report.add_latency(&latency.borrow());
        Ok(report)
    }

    /// From the connect to the ack that all is received: counts first, then the messages, in order and without a gap.
    async fn come_back(
        &self,
        target: &Target,
        token: &str,
        channel: &str,
        latency: &RefCell<Histogram<u64>>,
    ) -> Result<()> {
        let start = Instant::now();
        let mut client = Client::connect(target.address, token).await?;
        let counts = chat::ask(&mut client, &json!(["message:getOfflineCount", {}])).await?;
        ensure!(counts["total"] == self.missed, "not {} messages: {counts}", self.missed);
        let mut received: Vec<Value> = Vec::new();
        let mut has_more = true;
        while has_more {
            let page =
                chat::ask(&mut client, &json!(["message:getOffline", { "channelId": channel }])).await?;
            has_more = page["more"] == true;
            received.extend(page["messages"].as_array().context("no messages")?.iter().cloned());
            let last = received.last().context("no message")?;
            chat::ask(&mut client, &json!(["message:delivered", { "messageId": last["id"] }])).await?;
        }
        let is_next = |(index, message): (usize, &Value)| message["seq"] == index + 1;
        ensure!(received.len() == self.missed, "{} messages came", received.len());
        ensure!(received.iter().enumerate().all(is_next), "the messages have gaps");
        latency.borrow_mut().saturating_record(u64::try_from(start.elapsed().as_micros())?);
        Ok(())
    }
}
