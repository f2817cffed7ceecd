use anyhow::{Context, Result, ensure};
use roomkey_model::Timestamp;
use tokio::{task::JoinSet, time::Instant};

use crate::{
    Report, Target,
    client::Client,
    report::{histogram, number},
    scenario::{connect_all, keep_alive, while_running},
    token,
};

/// Users are revoked one after the other among many that are not: from the request to the last socket closed.
#[derive(Clone, Debug, clap::Args)]
pub struct Revoke {
    /// Sockets in all.
    #[arg(long, default_value_t = 10_000)]
    sockets: usize,
    /// Users that are revoked.
    #[arg(long, default_value_t = 200)]
    users: usize,
    /// Sockets of each of them.
    #[arg(long, default_value_t = 5)]
    sockets_per_user: usize,
}

impl Revoke {
    pub(crate) async fn run(&self, target: &Target, now: Timestamp) -> Result<Report> {
        let revoked = self.users * self.sockets_per_user;
        let others =
            self.sockets.checked_sub(revoked + 1).context("more sockets are revoked than there are")?;
        let tokens = token::mint_many(&target.secret, others, now);
        let mut background = JoinSet::new();
        for client in connect_all(target.address, &tokens).await?.0 {
            background.spawn_local(keep_alive(client));
        }
        let control = token::mint(&target.secret, "control", now);
        let mut control = Client::connect(target.address, &control).await?;
        let mut users = Vec::with_capacity(self.users);
        for user in 0..self.users {
            let token = token::mint(&target.secret, &format!("revoked-{user}"), now);
            let tokens = vec![token; self.sockets_per_user];
            users.push(connect_all(target.address, &tokens).await?.0);
        }
        let latency = while_running(&mut background, async {
            let (mut closed, mut answered) = (histogram(), histogram());
            for (user, clients) in users.into_iter().enumerate() {
                let mut closing = JoinSet::new();
                for client in clients {
                    closing.spawn_local(end_of(client));
                }
                let start = Instant::now();
                let ack = control.call(&format!(r#"["revoke","revoked-{user}"]"#)).await?;
                answered.saturating_record(u64::try_from(start.elapsed().as_micros())?);
                ensure!(ack == format!("[{}]", self.sockets_per_user), "revoke: {ack}");
                let mut last = start;
                while let Some(at) = closing.join_next().await {
                    last = last.max(at?);
                }
                closed.saturating_record(u64::try_from((last - start).as_micros())?);
            }
            Ok((closed, answered))
        });
        let (closed, answered) = latency.await?;
        let mut report = Report::new("revoke");
        report.add("sockets", number(self.sockets as u64));
        report.add("answered_p99_us", number(answered.value_at_quantile(0.99)));
        report.add("last_closed_p50_us", number(closed.value_at_quantile(0.5)));
        report.add("last_closed_p99_us", number(closed.value_at_quantile(0.99)));
        report.add("last_closed_max_us", number(closed.max()));
        Ok(report)
    }
}

/// When the server has closed the client.
async fn end_of(mut client: Client) -> Instant {
    while client.receiver.receive(|_text| {}).await.is_ok() {}
    Instant::now()
}
