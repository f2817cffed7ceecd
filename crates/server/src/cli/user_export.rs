use clap::Args;
use serde_json::Value;

use super::{ConfigArgs, Outcome, user_name::UserName};
use crate::{
    config::Environment,
    control::{self, commands::personal},
};

#[derive(Args)]
pub(super) struct Export {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    user: UserName,
}

impl Export {
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let config = self.config.load(environment)?;
        let personal::Exported { user, mut data } =
            control::ask(&config, personal::Export { user: self.user.named() })?;
        let (mut messages, mut after) = (Vec::new(), None);
        loop {
            let page = control::ask(&config, personal::Messages { user: user.clone(), after })?;
            messages.extend(page.messages);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        messages.sort_by_cached_key(|message| (message["channelId"].to_string(), message["seq"].as_u64()));
        data["messages"] = Value::Array(messages);
        Ok(format!("{}\n", serde_json::to_string_pretty(&data)?).into())
    }
}
