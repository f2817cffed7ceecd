use std::{
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};

use super::{SqliteConfig, lock, open};
use crate::{OpenError, StoreError};

/// Copies the database at `path` into the new file `copy`, as it was in one moment; gives the bytes of the copy.
///
/// A server may run on the database meanwhile, and neither waits for the other. The copy gets its name when it is
/// whole, has been checked, and is on disk. Blocks for as long as the copying takes.
pub fn backup(path: &Path, copy: &Path) -> Result<u64, OpenError> {
    // Unlike the rest, these would be an empty database and a lost file.
    let absent = |path: &Path| OpenError { path: path.to_owned(), cause: StoreError::NotFound };
    fs::metadata(path).map_err(|_| absent(path))?;
    if fs::symlink_metadata(copy).is_ok() {
        let cause = StoreError::Conflict { field: "name of the file" };
        return Err(OpenError { path: copy.to_owned(), cause });
    }
    let source = open::reader(path, &SqliteConfig::default())
        .and_then(|source| open::check(&source).map(|()| source))
        .map_err(|cause| OpenError { path: path.to_owned(), cause })?;
    let part = Part(with_suffix(copy, ".part"));
    part.write(&source, copy).map_err(|cause| OpenError { path: copy.to_owned(), cause })
}

/// A copy that is not whole yet; removed when it does not become so.
struct Part(PathBuf);

impl Part {
    fn write(&self, source: &Connection, copy: &Path) -> Result<u64, StoreError> {
        // SQLite takes an empty file as well as none, and this one only its owner may read.
        let file = lock::private().create(true).write(true).truncate(true).open(&self.0)?;
        let name = self.0.to_str().ok_or_else(|| StoreError::Unwritable {
            detail: "SQLite takes no file name that is not UTF-8".to_owned(),
        })?;
        source.execute("VACUUM INTO ?1", [name])?;
        check(&self.0)?;
        file.sync_all()?;
        let bytes = file.metadata()?.len();
        fs::rename(&self.0, copy)?;
        let directory = copy.parent().filter(|directory| !directory.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(bytes)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn check(copy: &Path) -> Result<(), StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let copy = Connection::open_with_flags(copy, flags)?;
    let health: String = copy.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    if health == "ok" { Ok(()) } else { Err(StoreError::Corrupt { detail: health }) }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
