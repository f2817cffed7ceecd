use std::{io, path::PathBuf};

use roomkey_model::{ErrorCode, Failure, Limit};

/// Why the store did not do what it was asked.
///
/// The messages are for the operator: each says what happened and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The channel is archived: nothing can be sent to it.
    #[error("the channel is archived")]
    Archived,
    /// Another program holds a lock on the database for longer than the busy timeout.
    #[error("another program keeps the database locked; end its transaction or close it")]
    Busy,
    /// Something unique is taken already.
    #[error("the {field} is taken")]
    Conflict {
        /// What is taken: `email`, `username`, `id`, ...
        field: &'static str,
    },
    /// The file is not a database, or a part of it is damaged.
    #[error("the database is damaged ({detail}); restore the file and its -wal file from a backup")]
    Corrupt {
        /// What SQLite found.
        detail: String,
    },
    /// The [`Permit`](crate::Permit) said no.
    #[error("not allowed")]
    Denied,
    /// The disk, or the system around it, failed at reading or writing.
    #[error("the disk failed ({detail}); see the system's log, nothing that was acknowledged is lost")]
    DiskFailed {
        /// What SQLite said.
        detail: String,
    },
    /// There is no space for what was to be written.
    #[error("no space is left for the database; free some space on its volume, nothing is lost")]
    DiskFull,
    /// The file is a database, but of another program.
    #[error("the database belongs to another program; give another --data-dir")]
    Foreign,
    /// The channel would be left without an owner.
    #[error("the last owner of a channel stays one")]
    LastOwner,
    /// A named limit was reached.
    #[error("the limit {limit} is reached")]
    Limit {
        /// Which one.
        limit: Limit,
    },
    /// Another server uses the same data directory.
    #[error("another server{} uses the same data; stop it, or give another --data-dir", holder(.process))]
    Locked {
        /// The process id of the other server, where it is known.
        process: Option<u32>,
    },
    /// A migration that was applied differs from the one this program knows.
    #[error(
        "migration {version} of the database is not the one of this release; use the release that made it"
    )]
    MigrationChanged {
        /// The number of the migration.
        version: u32,
    },
    /// A newer release wrote the database.
    #[error(
        "the database has version {found}, this release knows {known}; use the newer release that made it"
    )]
    NewerSchema {
        /// The version of the database.
        found: u32,
        /// The newest version this program knows.
        known: u32,
    },
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// SQLite failed in a way that has no name here.
    #[error("the database failed: {detail}")]
    Other {
        /// What SQLite said.
        detail: String,
    },
    /// The store is closed, or has more to do than its queue can hold.
    #[error("the store is closed or overloaded; try again in a moment")]
    Unavailable,
    /// The directory or the file cannot be written.
    #[error("the database cannot be written ({detail}); give this user write access to the directory")]
    Unwritable {
        /// What the system said.
        detail: String,
    },
}

impl StoreError {
    /// Whether the database or the machine is at fault, and not what was asked of it. Somebody has to look.
    pub(crate) fn is_fault(&self) -> bool {
        matches!(
            self,
            Self::Busy
                | Self::Corrupt { .. }
                | Self::DiskFailed { .. }
                | Self::DiskFull
                | Self::Other { .. }
                | Self::Unwritable { .. }
        )
    }
}

fn holder(process: &Option<u32>) -> String {
    process.map(|id| format!(" (process {id})")).unwrap_or_default()
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Unwritable { detail: error.to_string() },
        }
    }
}

impl From<&StoreError> for Failure {
    /// What a client is told: a denied and a missing thing look the same.
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Archived => Self::new(ErrorCode::ChannelArchived),
            StoreError::LastOwner => Self::new(ErrorCode::LastOwner),
            StoreError::Conflict { field: "password" } => {
                Self::with_message(ErrorCode::Conflict, "The password was changed meanwhile")
            }
            StoreError::Conflict { field } => {
                Self::with_message(ErrorCode::Conflict, format!("The {field} is taken"))
            }
            StoreError::Denied | StoreError::NotFound => Self::forbidden(),
            StoreError::Limit { limit } => {
                Self::with_message(ErrorCode::LimitExceeded, format!("The limit {limit} is reached"))
                    .at(*limit)
            }
            // All of these pass, some when an operator has done something about it.
            StoreError::Busy
            | StoreError::DiskFailed { .. }
            | StoreError::DiskFull
            | StoreError::Unavailable
            | StoreError::Unwritable { .. } => Self::new(ErrorCode::Unavailable),
            _ => Self::new(ErrorCode::Internal),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::from(&error)
    }
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the store {}: {cause}", path.display())]
pub struct OpenError {
    /// The file that was to be opened.
    pub path: PathBuf,
    /// What is wrong with it.
    pub cause: StoreError,
}
