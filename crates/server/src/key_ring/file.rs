//! The files of the keys: readable by the server only, and whole or not there.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use roomkey_model::Timestamp;
use secrecy::SecretString;

use crate::private;

/// The name of a key's file: `signing-key-1795252500123.pem`, or `signing-key.pem` for the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    /// When the key was made; zero where the name does not tell.
    pub(super) created: Timestamp,
}

impl Name {
    fn parse(name: &str) -> Option<Self> {
        let stem = name.strip_prefix("signing-key")?.strip_suffix(".pem")?;
        let created = if stem.is_empty() { 0 } else { stem.strip_prefix('-')?.parse().ok()? };
        let parsed = Self { created: Timestamp(created) };
        // One name for each time: neither `+1` nor `01`.
        (parsed.to_string() == name).then_some(parsed)
    }

    pub(super) fn created_if_known(self) -> Option<Timestamp> {
        (self.created.0 > 0).then_some(self.created)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.created.0 {
            0 => f.write_str("signing-key.pem"),
            ms => write!(f, "signing-key-{ms}.pem"),
        }
    }
}

/// The keys in the directory, oldest first; none if there is no directory. Other files are not ours.
pub(super) fn names(directory: &Path) -> io::Result<Vec<Name>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().to_str().and_then(Name::parse));
    }
    names.sort_unstable();
    Ok(names)
}

pub(super) fn read(path: &Path) -> io::Result<SecretString> {
    fs::read_to_string(path).map(SecretString::from)
}

/// When this returns, the file has this content and will after a loss of power; before, it is as it was.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    private::directories().create(directory)?;
    // Left over where a write was cut short; its mode is that of a file that is made here.
    let new = directory.join(".new");
    remove_if_there(&new)?;
    let mut file = private::files().write(true).create_new(true).open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    File::open(directory)?.sync_all()
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    remove_if_there(path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
