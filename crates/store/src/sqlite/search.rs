//! Accounts by how their id, e-mail address or user name begins: ranges of three indexes, since a search of all accounts
//! would keep those waiting who read.

use roomkey_model::UserId;
use rusqlite::{Connection, params, types::Value};

use super::{
    accounts::{account, key, list},
    columns::{count as number, signed},
};
use crate::{Account, StoreError};

/// The users between ?1 and ?2 by id, or between ?3 and ?4 by the keys; each once.
const FOUND: &str = "SELECT user FROM accounts WHERE user >= ?1 AND user < ?2
     UNION SELECT user FROM accounts WHERE email_key >= ?3 AND email_key < ?4
     UNION SELECT user FROM accounts WHERE username_key >= ?3 AND username_key < ?4";

pub(super) fn find(
    connection: &Connection,
    text: &str,
    after: Option<&UserId>,
    limit: usize,
) -> Result<Vec<Account>, StoreError> {
    if text.is_empty() {
        return list(connection, after, limit);
    }
    let mut statement = connection.prepare_cached(&find_sql())?;
    let (key, after) = (key(text), after.map_or("", UserId::as_str));
    let rows =
        statement.query_map(params![text, end(text), key, end(&key), after, signed(limit)], account)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn count(connection: &Connection, text: &str) -> Result<usize, StoreError> {
    let key = key(text);
    let found = if text.is_empty() {
        let mut statement = connection.prepare_cached("SELECT count(*) AS accounts FROM accounts")?;
        statement.query_row([], |row| number(row, "accounts"))?
    } else {
        let mut statement = connection.prepare_cached(&count_sql())?;
        statement.query_row(params![text, end(text), key, end(&key)], |row| number(row, "accounts"))?
    };
    Ok(usize::try_from(found).unwrap_or(usize::MAX))
}

fn find_sql() -> String {
    format!(
        "SELECT user, email, username, password_hash, created FROM accounts
         WHERE user IN ({FOUND}) AND user > ?5 ORDER BY user LIMIT ?6"
    )
}

fn count_sql() -> String {
    format!("SELECT count(*) AS accounts FROM ({FOUND})")
}

/// What is greater than all that begins with `text`, and not greater than anything else that is: text is compared by its
/// bytes, which is by its characters. A blob is greater than any text.
fn end(text: &str) -> Value {
    let mut end = text.to_owned();
    while let Some(last) = end.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            end.push(next);
            return Value::Text(end);
        }
    }
    Value::Blob(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::{super::migrate, *};

    #[test]
    fn the_end_of_a_beginning_is_the_next_text_that_does_not_begin_so() {
        for (text, after) in [
            ("a", Some("b")),
            ("ab", Some("ac")),
            ("a\u{7f}", Some("a\u{80}")),
            ("\u{d7ff}", Some("\u{e000}")),
            ("a\u{10ffff}\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
        ] {
            let after = after.map_or(Value::Blob(Vec::new()), |after| Value::Text(after.to_owned()));
            assert_eq!(end(text), after, "{text:?}");
        }
    }

    #[test]
    fn nothing_is_looked_at_that_does_not_begin_so() {
        let mut connection = Connection::open_in_memory().expect("memory");
        migrate::run(&mut connection, migrate::MIGRATIONS).expect("migrates");
        for sql in [find_sql(), count_sql()] {
            let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("is valid");
            let plan = plan.raw_query().mapped(|row| row.get("detail"));
            let plan: Vec<String> = plan.collect::<Result<_, _>>().expect("a plan");
            for range in [
                "(user>? AND user<?)",
                "(email_key>? AND email_key<?)",
                "(username_key>? AND username_key<?)",
            ] {
                assert!(
                    plan.iter().any(|step| step.starts_with("SEARCH") && step.ends_with(range)),
                    "{plan:#?}"
                );
            }
            assert!(!plan.iter().any(|step| step.starts_with("SCAN accounts")), "{plan:#?}");
        }
    }
}
