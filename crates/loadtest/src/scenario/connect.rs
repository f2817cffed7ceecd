use anyhow::Result;
use roomkey_model::Timestamp;

use crate::{
    Report, Target,
    report::number,
    scenario::{Meter, connect_all},
    token,
};

/// Authenticated connects; the connections stay open until all are made.
#[derive(Clone, Debug, clap::Args)]
pub struct Connect {
    /// How many.
    #[arg(long, default_value_t = 5_000)]
    connects: usize,
}

impl Connect {
    pub(crate) async fn run(&self, target: &Target, now: Timestamp) -> Result<Report> {
        let tokens = token::mint_many(&target.secret, self.connects, now);
        let meter = Meter::start(target)?;
        let (clients, latency) = connect_all(target.address, &tokens).await?;
        let mut report = Report::new("connect");
        meter.report(&mut report, "connects_per_s", "cpu_us_per_connect", number(clients.len() as u64))?;
        report.add_latency(&latency);
        Ok(report)
    }
}
