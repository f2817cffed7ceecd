use std::fmt::Write;

use clap::Args;
use serde_json::json;

use super::{
    ConfigArgs, Outcome,
    user_name::UserName,
    words::{count, printable},
};
use crate::{
    config::Environment,
    control::{self, commands::personal},
};

#[derive(Args)]
pub(super) struct Erase {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    user: UserName,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Erase {
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let command = personal::Erase { user: self.user.named() };
        let config = self.config.load(environment)?;
        let erased = control::ask(&config, command)?;
        // A server goes on with it also by itself.
        while control::ask(&config, personal::Empty {})? {}
        let mut text = String::new();
        if self.json {
            let heirs = erased.inherited.iter();
            let heirs: Vec<_> =
                heirs.map(|(channel, user)| json!({ "id": channel, "owner": user })).collect();
            let json = json!({
                "user": erased.user,
                "socketsClosed": erased.sockets,
                "messages": erased.messages,
                "channels": erased.channels,
                "inherited": heirs,
            });
            writeln!(text, "{json}")?;
        } else {
            writeln!(
                text,
                "Erased {}: {}, {}; {} closed.",
                printable(erased.user.as_str()),
                count(usize::try_from(erased.messages)?, "message"),
                count(erased.channels, "membership"),
                count(erased.sockets, "socket"),
            )?;
            for (channel, owner) in &erased.inherited {
                writeln!(
                    text,
                    "{} belongs to {} now.",
                    printable(channel.as_str()),
                    printable(owner.as_str())
                )?;
            }
        }
        Ok(text.into())
    }
}
