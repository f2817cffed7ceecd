use std::net::SocketAddr;

use anyhow::{Result, bail};
use clap::Subcommand;
use futures_util::{StreamExt, TryStreamExt, stream};
use hdrhistogram::Histogram;
use roomkey_model::Timestamp;
use tokio::{
    task::{JoinSet, LocalSet},
    time::Instant,
};

use crate::{Report, Target, client::Client, process::Process, report::histogram};

mod broadcast;
mod catch_up;
mod connect;
mod echo;
mod expire;
mod idle;
mod refresh;
mod revoke;
mod send;

/// Handshakes that are under way at the same time.
const HANDSHAKES: usize = 64;

/// One kind of load.
#[derive(Clone, Debug, Subcommand)]
pub enum Scenario {
    /// One client broadcasts to a room of many: cost, latency and order of the deliveries.
    Broadcast(broadcast::Broadcast),
    /// Clients that come back at once and have missed messages: until they have them all (needs `roomkey serve`).
    CatchUp(catch_up::CatchUp),
    /// Authenticated connects, as fast as the server takes them.
    Connect(connect::Connect),
    /// Events with an ack, one at a time from each client.
    Echo(echo::Echo),
    /// Tokens that all end at once: until when their sockets are closed, and how others fare meanwhile.
    Expire(expire::Expire),
    /// Connections that do nothing: what each costs in memory.
    Idle(idle::Idle),
    /// Tokens that are all renewed at once, in the midst of broadcasts.
    Refresh(refresh::Refresh),
    /// Users that are revoked: until when their sockets are closed.
    Revoke(revoke::Revoke),
    /// Durable chat messages, one at a time from each client (needs `roomkey serve`).
    Send(send::Send),
}

/// Puts the load on the target and measures. `now` is the time tokens are issued at.
pub async fn run(scenario: &Scenario, target: &Target, now: Timestamp) -> Result<Report> {
    let run = async {
        match scenario {
            Scenario::Broadcast(broadcast) => broadcast.run(target, now).await,
            Scenario::CatchUp(catch_up) => catch_up.run(target, now).await,
            Scenario::Connect(connect) => connect.run(target, now).await,
            Scenario::Echo(echo) => echo.run(target, now).await,
            Scenario::Expire(expire) => expire.run(target, now).await,
            Scenario::Idle(idle) => idle.run(target, now).await,
            Scenario::Refresh(refresh) => refresh.run(target, now).await,
            Scenario::Revoke(revoke) => revoke.run(target, now).await,
            Scenario::Send(send) => send.run(target, now).await,
        }
    };
    LocalSet::new().run_until(run).await
}

/// Connects one client per token, in their order; also how long each took, in microseconds.
async fn connect_all(address: SocketAddr, tokens: &[String]) -> Result<(Vec<Client>, Histogram<u64>)> {
    let connect = async |token: &String| {
        let start = Instant::now();
        Client::connect(address, token).await.map(|client| (client, start.elapsed()))
    };
    let mut connecting = stream::iter(tokens).map(connect).buffered(HANDSHAKES);
    let mut clients = Vec::with_capacity(tokens.len());
    let mut latency = histogram();
    while let Some((client, elapsed)) = connecting.try_next().await? {
        clients.push(client);
        latency.saturating_record(u64::try_from(elapsed.as_micros())?);
    }
    Ok((clients, latency))
}

/// Keeps idle clients alive: reads, answers heartbeats. Ends only with an error.
async fn keep_alive(mut client: Client) -> Result<()> {
    loop {
        client.receiver.receive(|_text| {}).await?;
    }
}

/// Runs the clients side by side to their ends; stops at the first error.
async fn all_of(clients: impl Iterator<Item = impl Future<Output = Result<()>> + 'static>) -> Result<()> {
    let mut running = JoinSet::new();
    clients.for_each(|client| {
        running.spawn_local(client);
    });
    while let Some(ended) = running.join_next().await {
        ended??;
    }
    Ok(())
}

/// Waits for `work` while `background` goes on; an error if a background task ends, for none should.
async fn while_running<T>(
    background: &mut JoinSet<Result<()>>,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::select! {
        result = work => result,
        Some(ended) = background.join_next() => {
            ended??;
            bail!("a client stopped")
        }
    }
}

/// CPU time and wall-clock time of a stretch of work.
struct Meter {
    process: Option<Process>,
    cpu_s: f64,
    start: Instant,
}

impl Meter {
    fn start(target: &Target) -> Result<Self> {
        let process = target.pid.map(Process::new);
        let cpu_s = process.map_or(Ok(0.0), Process::cpu_s)?;
        Ok(Self { process, cpu_s, start: Instant::now() })
    }

    /// Adds `<what>_per_s`, and what one of `count` cost the server.
    fn report(
        &self,
        report: &mut Report,
        per_s: &'static str,
        cpu_us_each: &'static str,
        count: f64,
    ) -> Result<()> {
        report.add(per_s, count / self.start.elapsed().as_secs_f64());
        if let Some(process) = self.process {
            report.add(cpu_us_each, (process.cpu_s()? - self.cpu_s) * 1e6 / count);
        }
        Ok(())
    }
}
