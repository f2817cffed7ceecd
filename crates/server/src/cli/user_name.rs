use clap::Args;

use crate::control::Named;

/// How an operator names a user.
#[derive(Args)]
pub(super) struct UserName {
    /// Id, e-mail address or user name of the user
    #[arg(value_name = "USER", allow_hyphen_values = true)]
    name: String,
    /// USER is the id, as tokens have it, and nothing else
    #[arg(long)]
    id: bool,
}

impl UserName {
    pub(super) fn named(&self) -> Named {
        Named { name: self.name.clone(), is_id: self.id }
    }
}
