//! Between the nouns of the model and the columns of a row.

use std::{error::Error, str::FromStr};

use roomkey_model::{MessageId, Seq, Timestamp};
use rusqlite::{Row, types::Type};

/// A column that holds the text of an id.
pub(super) fn id<T: TryFrom<String>>(row: &Row<'_>, column: &str) -> rusqlite::Result<T>
where
    T::Error: Error + Send + Sync + 'static,
{
    T::try_from(row.get(column)?).map_err(wrong)
}

/// A column that holds one of a few names.
pub(super) fn name<T: FromStr>(row: &Row<'_>, column: &str) -> rusqlite::Result<T>
where
    T::Err: Error + Send + Sync + 'static,
{
    row.get_ref(column)?.as_str()?.parse().map_err(wrong)
}

pub(super) fn message_id(row: &Row<'_>, column: &str) -> rusqlite::Result<MessageId> {
    row.get(column).map(MessageId::from_bytes)
}

pub(super) fn time(row: &Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    Ok(Timestamp(unsigned(row.get(column)?)?))
}

pub(super) fn optional_time(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<Timestamp>> {
    let time: Option<i64> = row.get(column)?;
    time.map(|time| unsigned(time).map(Timestamp)).transpose()
}

pub(super) fn optional_count(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<u64>> {
    row.get::<_, Option<i64>>(column)?.map(unsigned).transpose()
}

pub(super) fn seq(row: &Row<'_>, column: &str) -> rusqlite::Result<Seq> {
    Ok(Seq(unsigned(row.get(column)?)?))
}

pub(super) fn count(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    unsigned(row.get(column)?)
}

/// A number as SQLite takes it. The end of its range stands for all beyond.
pub(super) fn signed(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> rusqlite::Result<u64> {
    u64::try_from(number).map_err(wrong)
}

fn wrong(error: impl Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Null, Box::new(error))
}
