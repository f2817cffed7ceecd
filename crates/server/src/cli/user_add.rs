use std::{path::PathBuf, sync::Arc};

use anyhow::{anyhow, bail};
use clap::Args;
use roomkey_store::{SqliteConfig, SqliteStore, Store, StoreError};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{ConfigArgs, Outcome, password_input};
use crate::{
    SystemClock, SystemEntropy,
    accounts::Accounts,
    config::{Config, Environment},
    logging,
};

#[derive(Args)]
pub(super) struct Add {
    #[command(flatten)]
    config: ConfigArgs,
    /// E-mail address to log in with
    #[arg(long)]
    email: String,
    /// Name to log in with and to show
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// File with the password [default: ask on a terminal, else the first line of standard input]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Add {
    /// Creates the account in the store itself, so that it works while registration is closed.
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let config = self.config.load(environment)?;
        logging::start(&config.log, environment)?;
        let store = open_store(&config)?;
        let password = password_input::read(self.password_file.as_deref())?;
        let accounts = Accounts::new(
            store.clone(),
            None,
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
            config.limits.hashes_waiting,
        );
        let created = tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
            let created =
                accounts.create(&self.email, self.username.as_deref(), password.expose_secret()).await;
            store.close().await;
            created
        });
        let account = created.map_err(|failure| anyhow!(failure.message))?;
        let text = if self.json {
            json!({ "id": account.user, "email": account.email, "username": account.username }).to_string()
        } else {
            account.user.to_string()
        };
        Ok(format!("{text}\n").into())
    }
}

fn open_store(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    let opened = SqliteStore::open(&config.database_path(), &SqliteConfig::default(), Box::new(|_| ()));
    match opened {
        Ok(store) => Ok(Arc::new(store)),
        Err(error) => match error.cause {
            StoreError::Locked { process } => {
                let process = process.map(|id| format!(" (process {id})")).unwrap_or_default();
                bail!("the server is running{process}; stop it first, or register over its HTTP API")
            }
            _ => Err(error.into()),
        },
    }
}
