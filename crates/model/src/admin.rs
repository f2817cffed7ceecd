use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::UnknownName;

/// What an admin may do on the admin page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdminRole {
    /// Sees everything and changes nothing.
    Viewer,
    /// Also disconnects, revokes, blocks and notifies.
    Admin,
}

impl AdminRole {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Admin => "admin",
        }
    }
}

impl FromStr for AdminRole {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        let role = [Self::Viewer, Self::Admin].into_iter().find(|role| role.as_str() == name);
        role.ok_or(UnknownName)
    }
}
