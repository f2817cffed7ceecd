use std::{cell::RefCell, rc::Rc};

use anyhow::Result;
use hdrhistogram::Histogram;
use roomkey_model::Timestamp;
use tokio::time::Instant;

use crate::{
    Report, Target,
    client::Client,
    report::{histogram, number},
    scenario::{Meter, all_of, connect_all},
    token,
};

/// Events with an ack, one at a time from each client.
#[derive(Clone, Debug, clap::Args)]
pub struct Echo {
    /// Clients that send.
    #[arg(long, default_value_t = 100)]
    sockets: usize,
    /// Events in all.
    #[arg(long, default_value_t = 200_000)]
    events: usize,
}

impl Echo {
    pub(crate) async fn run(&self, target: &Target, now: Timestamp) -> Result<Report> {
        let tokens = token::mint_many(&target.secret, self.sockets, now);
        let (clients, _) = connect_all(target.address, &tokens).await?;
        let each = self.events / clients.len();
        let latency = Rc::new(RefCell::new(histogram()));
        let meter = Meter::start(target)?;
        let calls = clients.into_iter().map(|client| call_often(client, each, Rc::clone(&latency)));
        all_of(calls).await?;
        let mut report = Report::new("echo");
        meter.report(
            &mut report,
            "events_per_s",
            "cpu_us_per_event",
            number((each * self.sockets) as u64),
        )?;
        report.add_latency(&latency.borrow());
        Ok(report)
    }
}

async fn call_often(mut client: Client, times: usize, latency: Rc<RefCell<Histogram<u64>>>) -> Result<()> {
    for _ in 0..times {
        let start = Instant::now();
        client.call(r#"["echo","0123456789abcdef0123456789abcdef"]"#).await?;
        let elapsed = u64::try_from(start.elapsed().as_micros())?;
        latency.borrow_mut().saturating_record(elapsed);
    }
    Ok(())
}
