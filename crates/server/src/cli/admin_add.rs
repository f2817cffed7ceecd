use std::path::PathBuf;

use clap::{Args, ValueEnum};
use roomkey_model::AdminRole;
use secrecy::ExposeSecret;
use serde_json::json;

use super::{ConfigArgs, Outcome, password_input};
use crate::{
    admin::{Page, PageState},
    config::Environment,
    control::{self, commands::admins},
};

#[derive(Args)]
pub(super) struct Add {
    #[command(flatten)]
    config: ConfigArgs,
    /// Name to log in with
    #[arg(value_name = "NAME")]
    name: String,
    /// What the admin may do: everything, or only look
    #[arg(long, value_enum, default_value = "admin")]
    role: Role,
    /// File with the password [default: ask on a terminal, else the first line of standard input]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Role {
    Admin,
    Viewer,
}

impl Add {
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let config = self.config.load(environment)?;
        let password = password_input::read(self.password_file.as_deref())?;
        let role = match self.role {
            Role::Admin => AdminRole::Admin,
            Role::Viewer => AdminRole::Viewer,
        };
        let password = password.expose_secret().to_owned();
        let added = control::ask(&config, admins::Add { name: self.name.clone(), role, password })?;
        let text = match self.json {
            true => {
                json!({ "name": added.admin.name, "role": added.admin.role, "page": added.page }).to_string()
            }
            false => format!(
                "Added {} ({}). {}",
                added.admin.name,
                added.admin.role.as_str(),
                where_to(&added.page)
            ),
        };
        Ok(format!("{text}\n").into())
    }
}

/// Where to log in, or why not yet.
pub(super) fn where_to(page: &Page) -> String {
    let url = page.url.as_deref().unwrap_or_default();
    match &page.state {
        PageState::Closed => format!("With the server the admin page is there: {url}"),
        PageState::Failed { problem } => format!("The admin page is not there: {problem}."),
        PageState::Off => "The admin page is switched off: admin.enabled.".to_owned(),
        PageState::Open => format!("The admin page: {url}"),
    }
}
