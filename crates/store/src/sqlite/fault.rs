use rusqlite::{Error, ErrorCode};

use crate::StoreError;

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt { detail },
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(ErrorCode::SystemIoFailure) => Self::DiskFailed { detail },
            Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
                Self::Unwritable { detail }
            }
            _ => match error {
                // A value that our own writes cannot have made.
                Error::FromSqlConversionFailure(..) | Error::InvalidColumnType(..) => {
                    Self::Corrupt { detail }
                }
                _ => Self::Other { detail },
            },
        }
    }
}

/// Whether the error says that a row would break a rule about this `table.column`, or one of this kind at all.
pub(super) fn is_unique_violation(error: &Error, column: &str) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) && error.to_string().contains(column)
}

/// Whether the error says that a row names another row that is not there.
pub(super) fn is_foreign_key_violation(error: &Error) -> bool {
    error.sqlite_error().map(|error| error.extended_code) == Some(rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY)
}
