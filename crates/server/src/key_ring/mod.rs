//! The keys that the built-in issuer signs with: one that is active, and retired ones whose tokens may still be out.
//!
//! A directory holds them, a file for each, named by when it was made: `signing-key-1795252500123.pem`. The newest is
//! active, and each was retired when the next was made. Nothing else has to be kept, so that nothing can disagree: a
//! rotation is one file that appears, and it has happened or it has not. `signing-key.pem`, the only key of earlier
//! releases, is older than all others.
//!
//! A retired key loses its private half at once: whoever comes to read the directory later can sign nothing with it.

mod file;
mod live;
#[cfg(test)]
mod tests;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, bail};
use roomkey_auth::{Algorithm, Ed25519Key, IssuerKeys, PublicKey, SigningKey, VerifyingKey};
use roomkey_model::{Entropy, Timestamp};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use file::Name;

/// Why the key that signs is not revoked by itself.
pub(crate) const SIGNS: &str = "this key signs the tokens of new logins, which would all be refused: \
     `roomkey keys revoke` puts another one in its place";

pub(crate) use live::{LiveKeys, Rotation};

/// The keys in a directory, as they were read or last changed.
#[derive(Debug)]
pub(crate) struct KeyRing {
    directory: PathBuf,
    /// How long after it was retired a key may still be needed.
    outlives_ms: u64,
    /// Oldest first.
    retired: Vec<Retired>,
    active: Option<Active>,
    /// Secrets from before there were keys (`auth.jwt_secret_previous`).
    secrets: Vec<VerifyingKey>,
}

#[derive(Debug)]
struct Active {
    name: Name,
    key: Ed25519Key,
}

#[derive(Debug)]
struct Retired {
    name: Name,
    key: PublicKey,
    has_private_half: bool,
    /// When the next one was made.
    at: Timestamp,
}

/// What there is to tell about a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyInfo {
    /// The `kid` in the header of its tokens.
    pub(crate) kid: String,
    /// Whether it signs.
    pub(crate) active: bool,
    /// When it was made; `None` for the key of an earlier release.
    pub(crate) created: Option<Timestamp>,
    /// When it stopped signing.
    pub(crate) retired: Option<Timestamp>,
    /// When the last token it signed is over, and it is forgotten.
    pub(crate) verifies_until: Option<Timestamp>,
}

impl KeyRing {
    /// Reads the directory, which need not exist. Changes nothing.
    pub(crate) fn read(
        directory: &Path,
        outlives_ms: u64,
        secrets: Vec<VerifyingKey>,
    ) -> anyhow::Result<Self> {
        let directory = directory.to_owned();
        let mut ring = Self { directory, outlives_ms, retired: Vec::new(), active: None, secrets };
        let names = file::names(&ring.directory)
            .with_context(|| format!("cannot read the keys in {}", ring.directory.display()))?;
        for (index, name) in names.iter().enumerate() {
            let path = ring.path(*name);
            let text =
                file::read(&path).with_context(|| format!("cannot read the key {}", path.display()))?;
            let (setting, text) = (path.to_string_lossy(), text.expose_secret());
            let has_private_half = text.contains("PRIVATE KEY");
            let private = has_private_half.then(|| Ed25519Key::from_pem(&setting, text)).transpose()?;
            let next = names.get(index + 1);
            match (private, next) {
                (Some(key), None) => ring.active = Some(Active { name: *name, key }),
                (private, next) => {
                    let public = || PublicKey::from_pem(&setting, text);
                    let key = private.map_or_else(public, |key| Ok(key.public().clone()))?;
                    if key.algorithm() != Algorithm::EdDsa {
                        bail!("{setting}: is not an Ed25519 key");
                    }
                    // The newest has been the active one until it lost its private half, and nobody knows when.
                    let at = next.unwrap_or(name).created;
                    ring.retired.push(Retired { name: *name, key: named(key), has_private_half, at });
                }
            }
        }
        Ok(ring)
    }

    /// Whether anything can be signed.
    pub(crate) fn has_active_key(&self) -> bool {
        self.active.is_some()
    }

    /// What the issuer signs and is verified with at `now`, if there is an active key.
    pub(crate) fn issuer_keys(&self, now: Timestamp) -> Option<IssuerKeys> {
        let active = SigningKey::Ed25519(self.active.as_ref()?.key.clone());
        let retired = self.retired.iter().filter(|key| now < self.end(key));
        let retired = retired.map(|key| VerifyingKey::from(key.key.clone()));
        Some(IssuerKeys { active, retired: retired.chain(self.secrets.iter().cloned()).collect() })
    }

    /// All keys, the active one first and then the last retired.
    pub(crate) fn list(&self) -> Vec<KeyInfo> {
        let active = self.active.iter().map(|active| KeyInfo {
            kid: active.key.public().thumbprint().to_string(),
            active: true,
            created: active.name.created_if_known(),
            retired: None,
            verifies_until: None,
        });
        let retired = self.retired.iter().rev().map(|retired| KeyInfo {
            kid: retired.key.thumbprint().to_string(),
            active: false,
            created: retired.name.created_if_known(),
            retired: Some(retired.at),
            verifies_until: Some(self.end(retired)),
        });
        active.chain(retired).collect()
    }

    /// Makes a new key, which is the active one when this returns and after every restart, and retires the one before.
    pub(crate) fn rotate(&mut self, now: Timestamp, entropy: &dyn Entropy) -> anyhow::Result<()> {
        // Also where the clock has gone back since the last one: order is what matters.
        let newest = self.active.as_ref().map(|active| active.name);
        let newest = newest.into_iter().chain(self.retired.iter().map(|key| key.name)).max();
        let name = newest.map_or(now, |newest| now.max(newest.created.plus_ms(1)));
        let name = Name { created: name };
        let path = self.path(name);
        let pem = Ed25519Key::generate_pem(entropy);
        file::write(&path, pem.expose_secret())
            .with_context(|| format!("cannot create the signing key {}", path.display()))?;
        let key = Ed25519Key::from_pem(&path.to_string_lossy(), pem.expose_secret())?;
        if let Some(before) = self.active.replace(Active { name, key }) {
            let key = before.key.public().clone();
            self.retired.push(Retired { name: before.name, key, has_private_half: true, at: name.created });
        }
        Ok(())
    }

    /// Removes what nobody needs any more: retired keys whose time is over, and the private halves of the others. True
    /// if there are fewer keys than before.
    pub(crate) fn tidy(&mut self, now: Timestamp) -> io::Result<bool> {
        let count = self.retired.len();
        let over: Vec<_> =
            self.retired.iter().filter(|key| self.end(key) <= now).map(|key| key.name).collect();
        for name in over {
            file::remove(&self.path(name))?;
            self.retired.retain(|key| key.name != name);
        }
        let directory = &self.directory;
        for key in self.retired.iter_mut().filter(|key| key.has_private_half) {
            file::write(&directory.join(key.name.to_string()), &key.key.to_pem())?;
            key.has_private_half = false;
        }
        Ok(self.retired.len() < count)
    }

    /// Removes a retired key.
    pub(crate) fn remove(&mut self, kid: &str) -> io::Result<()> {
        if let Some(index) = self.retired.iter().position(|key| **key.key.thumbprint() == *kid) {
            file::remove(&self.path(self.retired[index].name))?;
            self.retired.remove(index);
        }
        Ok(())
    }

    /// The files with a private half.
    pub(crate) fn private_files(&self) -> impl Iterator<Item = PathBuf> {
        let retired = self.retired.iter().filter(|key| key.has_private_half).map(|key| key.name);
        self.active.iter().map(|active| active.name).chain(retired).map(|name| self.path(name))
    }

    fn end(&self, key: &Retired) -> Timestamp {
        key.at.plus_ms(self.outlives_ms)
    }

    fn path(&self, name: Name) -> PathBuf {
        self.directory.join(name.to_string())
    }
}

/// Under its thumbprint, as its private half names it.
fn named(key: PublicKey) -> PublicKey {
    let thumbprint: Arc<str> = key.thumbprint().clone();
    key.with_key_id(thumbprint)
}
