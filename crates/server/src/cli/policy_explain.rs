use std::fmt::{self, Write};

use clap::Args;
use roomkey_chat::{Asked, Explained};

use super::{ConfigArgs, Outcome, words::printable};
use crate::{
    config::Environment,
    control::{self, Named, commands::policy},
};

#[derive(Args)]
pub(super) struct Explain {
    #[command(flatten)]
    config: ConfigArgs,
    /// Id, e-mail address or user name of the user
    #[arg(long, allow_hyphen_values = true)]
    user: String,
    /// The user is named by the id, as tokens have it, and nothing else
    #[arg(long)]
    id: bool,
    /// What the user wants to do: create, delete, edit, join, leave, manage, read, send or update
    #[arg(long)]
    action: String,
    /// Where, such as `channel:ID` or `room:NAME`
    #[arg(long)]
    room: Option<String>,
    /// Whose message it is, for delete and edit; the user's own if it is not said
    #[arg(long, value_name = "ID")]
    author: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Explain {
    /// Succeeds if it is allowed.
    pub(super) fn run(&self, environment: &Environment) -> anyhow::Result<Outcome> {
        let asked =
            Asked { action: self.action.clone(), room: self.room.clone(), author: self.author.clone() };
        let user = Named { name: self.user.clone(), is_id: self.id };
        let explained = control::ask(&self.config.load(environment)?, policy::Explain { user, asked })?;
        let mut text = String::new();
        if self.json {
            writeln!(text, "{}", serde_json::to_string(&explained)?)?;
        } else {
            in_words(&explained, &mut text)?;
        }
        Ok(Outcome { text, is_success: explained.decision == "allowed" })
    }
}

fn in_words(explained: &Explained, text: &mut String) -> fmt::Result {
    let facts = &explained.facts;
    let by = match &explained.rule {
        Some(rule) => format!("by the rule {}", printable(rule)),
        None => "as no rule allows it".to_owned(),
    };
    writeln!(text, "{}, {by}.", if explained.decision == "allowed" { "Allowed" } else { "Denied" })?;
    let mut line = |name: &str, value: &str| writeln!(text, "  {name:<10} {}", printable(value));
    line("user", &facts.user)?;
    line("action", &facts.action)?;
    if let Some(room) = &facts.room {
        line("room", room)?;
        line("membership", &facts.membership)?;
    }
    if let Some(author) = &facts.author {
        line("author", author)?;
    }
    if facts.token {
        line("roles", &facts.roles.join(", "))?;
        line("scopes", &facts.scopes.join(", "))?;
        for (name, values) in &facts.claims {
            line("claim", &format!("{name} = {}", values.join(", ")))?;
        }
    } else {
        line("token", "none: the user is not connected, so that no role and no claim is known")?;
    }
    writeln!(text, "Rules, in the order in which they are asked:")?;
    for said in &explained.considered {
        let verdict = match &said.mismatch {
            None => "matches".to_owned(),
            Some(mismatch) => format!("other {mismatch}"),
        };
        writeln!(
            text,
            "  {:<5}  {:<10}  {:<16}  {}",
            said.effect,
            said.origin,
            verdict,
            printable(&said.rule)
        )?;
    }
    Ok(())
}
