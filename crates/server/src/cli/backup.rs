use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{ConfigArgs, Outcome};
use crate::config::Environment;

#[derive(Args)]
pub(super) struct Backup {
    #[command(flatten)]
    config: ConfigArgs,
    /// The new file; one that is there already is not touched
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Backup {
    /// Reads the files itself, also while a server runs on them: other programs may.
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let database = self.config.load(environment)?.database_path();
        let bytes = roomkey_store::backup(&database, &self.file)?;
        let text = if self.json {
            json!({ "file": self.file, "bytes": bytes }).to_string()
        } else {
            format!("{} is a copy of the database: {bytes} bytes.", self.file.display())
        };
        Ok(format!("{text}\n").into())
    }
}
