use std::{cell::RefCell, rc::Rc, time::Duration};

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;
use roomkey_model::Timestamp;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    Report, Target,
    client::Client,
    report::{histogram, number},
    scenario::connect_all,
    token,
};

/// Tokens that all end in the same second: how long until the last of their sockets is closed, and how others fare.
#[derive(Clone, Debug, clap::Args)]
pub struct Expire {
    /// Sockets whose token ends.
    #[arg(long, default_value_t = 10_000)]
    sockets: usize,
    /// Sockets beside them whose token does not, and which wait for acks all the while.
    #[arg(long, default_value_t = 10)]
    bystanders: usize,
    /// Seconds from now to the end of the tokens: long enough to connect them all.
    #[arg(long, default_value_t = 20)]
    lead_s: u64,
}

/// The latencies that the bystanders see, before and from the end of the tokens.
struct Seen {
    ends_at: Instant,
    before: Histogram<u64>,
    during: Histogram<u64>,
}

impl Seen {
    fn note(&mut self, start: Instant, elapsed_us: u64) {
        let latency = if start < self.ends_at { &mut self.before } else { &mut self.during };
        latency.saturating_record(elapsed_us);
    }
}

impl Expire {
    pub(crate) async fn run(&self, target: &Target, now: Timestamp) -> Result<Report> {
        let exp = now.as_secs() + self.lead_s;
        let ends_at = Instant::now() + Duration::from_millis(Timestamp::from_secs(exp).since_ms(now));
        let mint = |index| token::mint_until(&target.secret, &format!("ends-{index}"), now, exp);
        let tokens: Vec<_> = (0..self.sockets).map(mint).collect();
        let lasting = token::mint_many(&target.secret, self.bystanders, now);
        let (bystanders, _) = connect_all(target.address, &lasting).await?;
        let (clients, _) = connect_all(target.address, &tokens).await?;
        ensure!(Instant::now() < ends_at, "connecting took longer than --lead-s");
        let seen = Rc::new(RefCell::new(Seen { ends_at, before: histogram(), during: histogram() }));
        let mut calling = JoinSet::new();
        for client in bystanders {
            calling.spawn_local(call(client, Rc::clone(&seen)));
        }
        let mut ending = JoinSet::new();
        for client in clients {
            ending.spawn_local(closed(client));
        }
        sleep_until(ends_at).await;
        let mut late = histogram();
        while let Some(closed_at) = ending.join_next().await {
            let after = closed_at?.saturating_duration_since(ends_at);
            late.saturating_record(u64::try_from(after.as_micros())?);
        }
        ensure!(calling.try_join_next().is_none(), "a bystander was closed, too");
        let seen = seen.borrow();
        let mut report = Report::new("expire");
        report.add("sockets", number(late.len()));
        report.add("closed_p50_us", number(late.value_at_quantile(0.5)));
        report.add("closed_max_us", number(late.max()));
        report.add("others_before_p99_us", number(seen.before.value_at_quantile(0.99)));
        report.add("others_before_max_us", number(seen.before.max()));
        report.add("others_during_p99_us", number(seen.during.value_at_quantile(0.99)));
        report.add("others_during_max_us", number(seen.during.max()));
        Ok(report)
    }
}

/// When the server has closed the client.
async fn closed(mut client: Client) -> Instant {
    while client.receiver.receive(|_text| {}).await.is_ok() {}
    Instant::now()
}

async fn call(mut client: Client, seen: Rc<RefCell<Seen>>) -> Result<()> {
    loop {
        let start = Instant::now();
        client.call(r#"["echo",1]"#).await?;
        let elapsed = u64::try_from(start.elapsed().as_micros())?;
        seen.borrow_mut().note(start, elapsed);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
