use roomkey_model::{Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    SqliteStore,
    columns::{seq, signed, time},
};
use crate::{
    Backlog, Claimed, Committed, DeadLetter, Delivery, NewDelivery, OutboxEncoder, OutboxStore, Pending,
    StoreError,
};

/// What the writer adds for backends to the transaction of each change.
pub(super) struct Outbox {
    /// None: nobody is to be told anything.
    pub(super) encoder: Option<OutboxEncoder>,
    /// Deliveries that may wait for one endpoint.
    pub(super) waiting_max: usize,
}

impl Outbox {
    /// Stores what backends are to be told of these changes.
    pub(super) fn add(&self, connection: &Connection, changes: &[Committed]) -> Result<(), StoreError> {
        let Some(encode) = &self.encoder else { return Ok(()) };
        for delivery in changes.iter().flat_map(encode) {
            insert(connection, &delivery, self.waiting_max)?;
        }
        Ok(())
    }
}

impl OutboxStore for SqliteStore {
    fn enqueue(&self, deliveries: Vec<NewDelivery>) -> Pending<usize> {
        let waiting_max = self.outbox_rows;
        self.write(move |connection, _| {
            let mut stored = 0;
            for delivery in &deliveries {
                stored += usize::from(insert(connection, delivery, waiting_max)?);
            }
            Ok(stored)
        })
    }

    fn deliveries(&self, endpoint: &str, limit: usize) -> Pending<Vec<Delivery>> {
        let endpoint = endpoint.to_owned();
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT number, id, body, attempts, due FROM outbox WHERE endpoint = ?1 ORDER BY number LIMIT ?2",
            )?;
            let rows = statement.query_map(params![endpoint, signed(limit)], delivery)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn delivered(&self, endpoint: &str, through: u64) -> Pending<()> {
        let endpoint = endpoint.to_owned();
        self.write(move |connection, _| {
            let taken = connection
                .prepare_cached("DELETE FROM outbox WHERE endpoint = ?1 AND number <= ?2")?
                .execute(params![endpoint, signed(through)])?;
            less_waits(connection, &endpoint, taken)
        })
    }

    fn postpone(&self, number: u64, attempts: u32, due: Timestamp) -> Pending<()> {
        self.write(move |connection, _| {
            connection
                .prepare_cached("UPDATE outbox SET attempts = ?2, due = ?3 WHERE number = ?1")?
                .execute(params![signed(number), attempts, signed(due.0)])?;
            Ok(())
        })
    }

    fn bury(&self, number: u64, reason: &str, died: Timestamp, kept: usize) -> Pending<()> {
        let reason = reason.to_owned();
        self.write(move |connection, _| bury(connection, number, &reason, died, kept))
    }

    fn dead_letters(&self, before: Option<u64>, limit: usize) -> Pending<Vec<DeadLetter>> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT number, endpoint, id, body, created, attempts, died, reason FROM dead_letters
                 WHERE number < ?1 ORDER BY number DESC LIMIT ?2",
            )?;
            let before = before.map_or(i64::MAX, signed);
            let rows = statement.query_map(params![before, signed(limit)], dead_letter)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn revive(&self, number: u64, now: Timestamp) -> Pending<bool> {
        let waiting_max = self.outbox_rows;
        self.write(move |connection, _| revive(connection, number, now, waiting_max))
    }

    fn backlogs(&self) -> Pending<Vec<Backlog>> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT endpoint, waiting, dropped,
                 (SELECT count(*) FROM dead_letters WHERE dead_letters.endpoint = outbox_endpoints.endpoint) AS dead
                 FROM outbox_endpoints ORDER BY endpoint",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(Backlog {
                    endpoint: row.get("endpoint")?,
                    waiting: number(row, "waiting")?,
                    dropped: number(row, "dropped")?,
                    dead: number(row, "dead")?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn keep_endpoints(&self, names: &[&str], now: Timestamp, kept: usize) -> Pending<usize> {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        self.write(move |connection, _| keep_endpoints(connection, &names, now, kept))
    }

    fn forget_dead_letters(&self, before: Timestamp) -> Pending<()> {
        self.write(move |connection, _| {
            connection
                .prepare_cached("DELETE FROM dead_letters WHERE died < ?1")?
                .execute([signed(before.0)])?;
            Ok(())
        })
    }

    fn claim(&self, key: [u8; 32], request: [u8; 32], now: Timestamp, until: Timestamp) -> Pending<Claimed> {
        self.write(move |connection, _| claim(connection, key, request, now, until))
    }
}

/// Adds a delivery, unless too much waits for its endpoint: a backend that is down must not fill the disk.
fn insert(connection: &Connection, new: &NewDelivery, waiting_max: usize) -> Result<bool, StoreError> {
    add_endpoint(connection, &new.endpoint)?;
    let counted = connection
        .prepare_cached(
            "UPDATE outbox_endpoints SET waiting = waiting + 1 WHERE endpoint = ?1 AND waiting < ?2",
        )?
        .execute(params![new.endpoint, signed(waiting_max)])?;
    if counted == 0 {
        connection
            .prepare_cached("UPDATE outbox_endpoints SET dropped = dropped + 1 WHERE endpoint = ?1")?
            .execute([&new.endpoint])?;
        return Ok(false);
    }
    connection
        .prepare_cached("INSERT INTO outbox (endpoint, id, body, created, due) VALUES (?1, ?2, ?3, ?4, ?4)")?
        .execute(params![new.endpoint, new.id, new.body, signed(new.created.0)])?;
    Ok(true)
}

fn less_waits(connection: &Connection, endpoint: &str, count: usize) -> Result<(), StoreError> {
    connection
        .prepare_cached("UPDATE outbox_endpoints SET waiting = waiting - ?2 WHERE endpoint = ?1")?
        .execute(params![endpoint, signed(count)])?;
    Ok(())
}

fn bury(
    connection: &Connection,
    number: u64,
    reason: &str,
    died: Timestamp,
    kept: usize,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO dead_letters (number, endpoint, id, body, created, attempts, died, reason)
             SELECT number, endpoint, id, body, created, attempts + 1, ?2, ?3 FROM outbox WHERE number = ?1",
        )?
        .execute(params![signed(number), signed(died.0), reason])?;
    let endpoint: Option<String> = connection
        .prepare_cached("DELETE FROM outbox WHERE number = ?1 RETURNING endpoint")?
        .query_row([signed(number)], |row| row.get(0))
        .optional()?;
    if let Some(endpoint) = endpoint {
        less_waits(connection, &endpoint, 1)?;
    }
    keep_newest(connection, kept)
}

/// Of what was given up.
fn keep_newest(connection: &Connection, kept: usize) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "DELETE FROM dead_letters WHERE number <=
             (SELECT number FROM dead_letters ORDER BY number DESC LIMIT 1 OFFSET ?1)",
        )?
        .execute([signed(kept)])?;
    Ok(())
}

fn keep_endpoints(
    connection: &Connection,
    names: &[String],
    now: Timestamp,
    kept: usize,
) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached("SELECT endpoint FROM outbox_endpoints")?;
    let known: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut given_up = 0;
    for endpoint in known.iter().filter(|endpoint| !names.contains(endpoint)) {
        connection
            .prepare_cached(
                "INSERT INTO dead_letters (number, endpoint, id, body, created, attempts, died, reason)
                 SELECT number, endpoint, id, body, created, attempts, ?2, 'the endpoint is not configured any more'
                 FROM outbox WHERE endpoint = ?1 ORDER BY number DESC LIMIT ?3",
            )?
            .execute(params![endpoint, signed(now.0), signed(kept)])?;
        given_up +=
            connection.prepare_cached("DELETE FROM outbox WHERE endpoint = ?1")?.execute([endpoint])?;
        connection.prepare_cached("DELETE FROM outbox_endpoints WHERE endpoint = ?1")?.execute([endpoint])?;
    }
    for name in names {
        add_endpoint(connection, name)?;
    }
    keep_newest(connection, kept)?;
    Ok(given_up)
}

fn add_endpoint(connection: &Connection, name: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO outbox_endpoints (endpoint) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([name])?;
    Ok(())
}

fn revive(
    connection: &Connection,
    number: u64,
    now: Timestamp,
    waiting_max: usize,
) -> Result<bool, StoreError> {
    let dead = connection
        .prepare_cached(
            "SELECT endpoint, id, body FROM dead_letters
             WHERE number = ?1 AND endpoint IN (SELECT endpoint FROM outbox_endpoints)",
        )?
        .query_row([signed(number)], |row| {
            let (endpoint, id, body) = (row.get("endpoint")?, row.get("id")?, row.get("body")?);
            Ok(NewDelivery { endpoint, id, body, created: now })
        })
        .optional()?;
    match dead {
        Some(dead) if insert(connection, &dead, waiting_max)? => {
            connection
                .prepare_cached("DELETE FROM dead_letters WHERE number = ?1")?
                .execute([signed(number)])?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Forgets what is still to be told of a user, or was given up: it would stay for as long as the endpoint is down, or
/// nobody looks. What others have written is not about the user.
pub(super) fn forget(connection: &Connection, user: &UserId) -> Result<(), StoreError> {
    const ABOUT: &str = "instr(body, json_quote(?1)) > 0
        AND EXISTS (SELECT 1 FROM json_tree(body) WHERE atom = ?1 AND key <> 'content')";
    let endpoints: Vec<String> = connection
        .prepare_cached(&format!("DELETE FROM outbox WHERE {ABOUT} RETURNING endpoint"))?
        .query_map([user.as_str()], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for endpoint in &endpoints {
        less_waits(connection, endpoint, 1)?;
    }
    connection
        .prepare_cached(&format!("DELETE FROM dead_letters WHERE {ABOUT}"))?
        .execute([user.as_str()])?;
    Ok(())
}

/// Names that are over, of which one claim forgets so many.
const FORGOTTEN_AT_ONCE: usize = 100;

fn claim(
    connection: &Connection,
    key: [u8; 32],
    request: [u8; 32],
    now: Timestamp,
    until: Timestamp,
) -> Result<Claimed, StoreError> {
    connection
        .prepare_cached(
            "DELETE FROM idempotency_keys WHERE key IN
             (SELECT key FROM idempotency_keys WHERE until <= ?1 LIMIT ?2)",
        )?
        .execute(params![signed(now.0), signed(FORGOTTEN_AT_ONCE)])?;
    let before: Option<[u8; 32]> = connection
        .prepare_cached("SELECT request FROM idempotency_keys WHERE key = ?1 AND until > ?2")?
        .query_row(params![key, signed(now.0)], |row| row.get(0))
        .optional()?;
    match before {
        Some(before) if before == request => Ok(Claimed::Repeated),
        Some(_) => Ok(Claimed::Other),
        None => {
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO idempotency_keys (key, request, until) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![key, request, signed(until.0)])?;
            Ok(Claimed::First)
        }
    }
}

fn delivery(row: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        number: number(row, "number")?,
        id: row.get("id")?,
        body: row.get("body")?,
        attempts: row.get("attempts")?,
        due: time(row, "due")?,
    })
}

fn dead_letter(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    Ok(DeadLetter {
        number: number(row, "number")?,
        endpoint: row.get("endpoint")?,
        id: row.get("id")?,
        body: row.get("body")?,
        created: time(row, "created")?,
        attempts: row.get("attempts")?,
        died: time(row, "died")?,
        reason: row.get("reason")?,
    })
}

fn number(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    Ok(seq(row, column)?.0)
}
