use std::net::SocketAddr;

/// The server under load.
#[derive(Clone, Debug, clap::Args)]
pub struct Target {
    /// Where it listens.
    #[arg(long, default_value = "127.0.0.1:4000")]
    pub address: SocketAddr,
    /// Its process, on this machine: adds what it cost in CPU and memory to the report.
    #[arg(long)]
    pub pid: Option<u32>,
    /// The HS256 secret that the clients' tokens are signed with.
    #[arg(
        long,
        env = "JWT_SECRET",
        hide_env_values = true,
        default_value = "perf-secret-perf-secret-perf-secret-32"
    )]
    pub secret: String,
}
