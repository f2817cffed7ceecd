use std::time::Duration;

use anyhow::Result;
use roomkey_model::Timestamp;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    Report, Target,
    process::Process,
    report::number,
    scenario::{connect_all, keep_alive, while_running},
    token,
};

/// Connections that do nothing.
#[derive(Clone, Debug, clap::Args)]
pub struct Idle {
    /// How many.
    #[arg(long, default_value_t = 10_000)]
    sockets: usize,
    /// Seconds from the last connect to the reading of memory.
    #[arg(long, default_value_t = 2)]
    settle_s: u64,
}

impl Idle {
    pub(crate) async fn run(&self, target: &Target, now: Timestamp) -> Result<Report> {
        let tokens = token::mint_many(&target.secret, self.sockets, now);
        let process = target.pid.map(Process::new);
        let before_kib = process.map(Process::resident_kib).transpose()?;
        let (clients, _) = connect_all(target.address, &tokens).await?;
        let mut background = JoinSet::new();
        clients.into_iter().for_each(|client| {
            background.spawn_local(keep_alive(client));
        });
        while_running(&mut background, async {
            sleep(Duration::from_secs(self.settle_s)).await;
            Ok(())
        })
        .await?;
        let mut report = Report::new("idle");
        report.add("sockets", number(self.sockets as u64));
        if let (Some(process), Some(before_kib)) = (process, before_kib) {
            let grown_kib = process.resident_kib()? - before_kib;
            report.add("resident_kib_per_socket", grown_kib / number(self.sockets as u64));
        }
        Ok(report)
    }
}
