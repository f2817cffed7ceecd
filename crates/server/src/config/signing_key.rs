//! The key that the built-in issuer signs with, in a file that only the server can read.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

use anyhow::Context as _;
use roomkey_auth::Ed25519Key;
use roomkey_model::Entropy;
use secrecy::ExposeSecret;

/// The key in the file, if there is one.
pub(super) fn read(path: &Path) -> anyhow::Result<Option<Ed25519Key>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(Ed25519Key::from_pem(&path.to_string_lossy(), &text)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read the signing key {}", path.display())),
    }
}

/// Makes a new key and its file.
pub(super) fn create(path: &Path, entropy: &dyn Entropy) -> anyhow::Result<Ed25519Key> {
    let pem = Ed25519Key::generate_pem(entropy);
    write(path, pem.expose_secret())
        .with_context(|| format!("cannot create the signing key {}", path.display()))?;
    Ok(Ed25519Key::from_pem(&path.to_string_lossy(), pem.expose_secret())?)
}

/// Never overwrites a file, and returns when the new one will survive a loss of power.
fn write(path: &Path, pem: &str) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    private_directories().create(directory)?;
    let mut file = private_files().open(path)?;
    file.write_all(pem.as_bytes())?;
    file.sync_all()?;
    File::open(directory)?.sync_all()
}

fn private_directories() -> DirBuilder {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true);
    builder
}

fn private_files() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create_new(true);
    options
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::*;
    use crate::SystemEntropy;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_new_key_is_readable_by_the_server_only_and_reads_back() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("data/keys/signing-key.pem");
        assert!(read(&path).unwrap().is_none());
        let created = create(&path, &SystemEntropy).unwrap();
        let found = read(&path).unwrap().unwrap();
        assert_eq!(created.public().thumbprint(), found.public().thumbprint());
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(mode(&directory.path().join("data")), 0o700);
    }

    #[test]
    fn an_existing_file_is_never_replaced() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("signing-key.pem");
        create(&path, &SystemEntropy).unwrap();
        let before = fs::read(&path).unwrap();
        assert!(create(&path, &SystemEntropy).is_err());
        assert_eq!(fs::read(&path).unwrap(), before);
        fs::write(&path, "").unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert_eq!(error, format!("{}: is not one PEM block", path.display()));
    }
}
