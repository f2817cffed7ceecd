use roomkey_model::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    SqliteStore,
    columns::{name, optional_time, signed, time},
    fault,
};
use crate::{Admin, AdminStore, Pending, StoreError};

impl AdminStore for SqliteStore {
    fn create_admin(&self, admin: Admin) -> Pending<()> {
        self.write(move |connection, _| create(connection, &admin))
    }

    fn admin(&self, name: &str) -> Pending<Option<Admin>> {
        let name = name.to_owned();
        self.read(move |connection| {
            let sql = format!("{SELECT} WHERE name = ?1");
            Ok(connection.prepare_cached(&sql)?.query_row([name], admin).optional()?)
        })
    }

    fn admins(&self, limit: usize) -> Pending<Vec<Admin>> {
        self.read(move |connection| {
            let mut statement = connection.prepare_cached(&format!("{SELECT} ORDER BY name LIMIT ?1"))?;
            let rows = statement.query_map([signed(limit)], admin)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn remove_admin(&self, name: &str) -> Pending<bool> {
        let name = name.to_owned();
        self.write(move |connection, _| {
            Ok(connection.prepare_cached("DELETE FROM admins WHERE name = ?1")?.execute([name])? > 0)
        })
    }

    fn replace_admin_password(&self, name: &str, old: &str, new: String) -> Pending<()> {
        let (name, old) = (name.to_owned(), old.to_owned());
        self.write(move |connection, _| {
            let replaced = connection
                .prepare_cached(
                    "UPDATE admins SET password_hash = ?3 WHERE name = ?1 AND password_hash = ?2",
                )?
                .execute([name, old, new])?;
            if replaced > 0 { Ok(()) } else { Err(StoreError::Conflict { field: "password" }) }
        })
    }

    fn note_admin_login(
        &self,
        name: &str,
        password_hash: &str,
        address: String,
        now: Timestamp,
    ) -> Pending<()> {
        let (name, password_hash) = (name.to_owned(), password_hash.to_owned());
        self.write(move |connection, _| {
            let noted = connection
                .prepare_cached(
                    "UPDATE admins SET seen = ?3, address = ?4 WHERE name = ?1 AND password_hash = ?2",
                )?
                .execute(params![name, password_hash, signed(now.0), address])?;
            if noted > 0 { Ok(()) } else { Err(StoreError::Denied) }
        })
    }
}

const SELECT: &str = "SELECT name, password_hash, role, created, seen, address FROM admins";

fn create(connection: &Connection, admin: &Admin) -> Result<(), StoreError> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO admins (name, password_hash, role, created, seen, address)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            admin.name,
            admin.password_hash,
            admin.role.as_str(),
            signed(admin.created.0),
            admin.seen.map(|seen| signed(seen.0)),
            admin.address,
        ]);
    match inserted {
        Ok(_) => Ok(()),
        Err(error) if fault::is_unique_violation(&error, "admins.name") => {
            Err(StoreError::Conflict { field: "name" })
        }
        Err(error) => Err(error.into()),
    }
}

fn admin(row: &Row<'_>) -> rusqlite::Result<Admin> {
    Ok(Admin {
        name: row.get("name")?,
        password_hash: row.get("password_hash")?,
        role: name(row, "role")?,
        created: time(row, "created")?,
        seen: optional_time(row, "seen")?,
        address: row.get("address")?,
    })
}
