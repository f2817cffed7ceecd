use std::fs;

use roomkey_auth::{BuiltinConfig, BuiltinIssuer, Grant, TokenError, Verifier};
use roomkey_model::{Clock, SessionId, UserId};
use roomkey_testkit::TestClock;
use serde_json::Value;
use tempfile::TempDir;

use super::*;
use crate::{SystemEntropy, TokenAuthentication};

const HOUR_MS: u64 = 3_600_000;
const LEEWAY_MS: u64 = 15_000;

/// A data directory, and a server's keys in it.
struct Site {
    directory: TempDir,
    clock: Arc<TestClock>,
}

struct Running {
    keys: LiveKeys,
    issuer: Arc<BuiltinIssuer>,
    authentication: Arc<TokenAuthentication>,
    clock: Arc<TestClock>,
}

impl Site {
    fn new() -> Self {
        Self { directory: TempDir::new().unwrap(), clock: Arc::default() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("data/keys")
    }

    fn config() -> BuiltinConfig {
        BuiltinConfig { lifetime_ms: HOUR_MS, ..BuiltinConfig::default() }
    }

    fn ring(&self) -> KeyRing {
        KeyRing::read(&self.path(), Self::config().key_outlives_ms(), Vec::new()).unwrap()
    }

    fn start(&self) -> Running {
        let mut ring = self.ring();
        if !ring.has_active_key() {
            ring.rotate(self.clock.now(), &SystemEntropy).unwrap();
        }
        ring.tidy(self.clock.now()).unwrap();
        let keys = ring.issuer_keys(self.clock.now()).unwrap();
        let issuer = Arc::new(BuiltinIssuer::new(Self::config(), keys.active, keys.retired).unwrap());
        let verifier = Verifier::new(vec![issuer.profile()]).unwrap();
        let authentication = Arc::new(TokenAuthentication::new(Arc::new(verifier)));
        let (clock, entropy) = (self.clock.clone(), Arc::new(SystemEntropy));
        let keys = LiveKeys::new(ring, issuer.clone(), authentication.clone(), clock.clone(), entropy);
        Running { keys, issuer, authentication, clock }
    }

    fn files(&self) -> Vec<String> {
        let mut files: Vec<_> = fs::read_dir(self.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        files
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path().join(file)).unwrap()
    }
}

impl Running {
    fn token(&self) -> String {
        let (user, session) = (UserId::new("ada").unwrap(), SessionId::new("s").unwrap());
        let grant = Grant {
            user: &user,
            session: &session,
            username: None,
            email: None,
            roles: &[],
            session_ends_at: None,
        };
        self.issuer.issue(&grant, self.clock.now(), &SystemEntropy).token.expose_secret().to_owned()
    }

    /// The key that the token was verified with.
    fn verify(&self, token: &str) -> Result<String, TokenError> {
        let identity = self.authentication.verifier().verify(token, self.clock.now())?;
        Ok(identity.key_id.unwrap().to_string())
    }

    fn published(&self) -> Vec<String> {
        let set: Value = serde_json::from_str(&self.issuer.jwks()).unwrap();
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    fn kids(&self) -> Vec<String> {
        self.keys.list().into_iter().map(|key| key.kid).collect()
    }
}

#[test]
fn a_rotation_logs_nobody_out() {
    let site = Site::new();
    let server = site.start();
    let before = server.token();
    let old = server.verify(&before).unwrap();
    site.clock.advance_secs(60);

    let rotation = server.keys.rotate().unwrap();
    let (active, retired) = (rotation.active, rotation.retired.unwrap());
    assert_eq!((active.active, retired.active, &retired.kid), (true, false, &old));
    assert_eq!(active.created, Some(site.clock.now()));
    assert_eq!(retired.retired, active.created);
    assert_eq!(retired.verifies_until, Some(site.clock.now().plus_ms(HOUR_MS + 2 * LEEWAY_MS)));

    let after = server.token();
    assert_eq!(server.verify(&before), Ok(old.clone()));
    assert_eq!(server.verify(&after), Ok(active.kid.clone()));
    assert_eq!(server.published(), [active.kid.clone(), old.clone()]);

    let again = site.start();
    assert_eq!(again.keys.list(), server.keys.list(), "a restart changes nothing");
    assert_eq!(again.verify(&before), Ok(old));
    assert_eq!(again.verify(&again.token()), Ok(active.kid));
}

#[test]
fn a_retired_key_is_forgotten_with_its_last_token() {
    let site = Site::new();
    let server = site.start();
    let old = server.kids().remove(0);
    let stolen = site.ring();
    site.clock.advance_secs(60);
    server.keys.rotate().unwrap();

    site.clock.advance_secs((HOUR_MS + 2 * LEEWAY_MS) / 1000 - 1);
    server.keys.tidy(server.clock.now()).unwrap();
    assert_eq!(server.published().len(), 2);
    // Somebody else signs with it in the meantime.
    let thief =
        BuiltinIssuer::new(Site::config(), stolen.issuer_keys(site.clock.now()).unwrap().active, Vec::new());
    let thief = Running { issuer: Arc::new(thief.unwrap()), ..site.start() };
    let forged = thief.token();
    assert_eq!(server.verify(&forged), Ok(old));

    site.clock.advance_secs(1);
    server.keys.tidy(server.clock.now()).unwrap();
    assert_eq!(server.published(), server.kids());
    assert_eq!(server.kids().len(), 1);
    assert_eq!(server.verify(&forged).unwrap_err().to_string(), "the issuer has no such key");
    assert_eq!(site.files().len(), 1);
}

#[test]
fn a_start_after_a_long_time_forgets_too() {
    let site = Site::new();
    site.start().keys.rotate().unwrap();
    site.clock.advance_secs(24 * 3600);
    assert_eq!(
        site.ring().issuer_keys(site.clock.now()).unwrap().retired.len(),
        0,
        "also before it is tidied"
    );
    assert_eq!(site.start().kids().len(), 1);
    assert_eq!(site.files().len(), 1);
}

#[test]
fn the_key_of_an_earlier_release_is_taken_over() {
    let site = Site::new();
    let pem = Ed25519Key::generate_pem(&SystemEntropy);
    file::write(&site.path().join("signing-key.pem"), pem.expose_secret()).unwrap();
    let server = site.start();
    let token = server.token();
    let kid = server.verify(&token).unwrap();
    assert_eq!(site.files(), ["signing-key.pem"]);
    assert_eq!(site.text("signing-key.pem"), pem.expose_secret(), "unchanged");
    assert_eq!(server.keys.list()[0].created, None, "nobody knows");

    let rotation = server.keys.rotate().unwrap();
    assert_eq!(rotation.retired.unwrap().kid, kid);
    assert_eq!(server.verify(&token), Ok(kid.clone()));
    assert_eq!(site.start().verify(&token), Ok(kid));
}

#[test]
fn a_retired_key_can_sign_nothing_any_more() {
    let site = Site::new();
    let server = site.start();
    let first = site.files().remove(0);
    server.keys.rotate().unwrap();
    assert!(site.text(&first).starts_with("-----BEGIN PUBLIC KEY-----\n"), "{}", site.text(&first));

    // The process ended between the two steps of a rotation.
    site.clock.advance_secs(1);
    site.ring().rotate(site.clock.now(), &SystemEntropy).unwrap();
    let is_private = |file: &String| site.text(file).contains("PRIVATE");
    assert_eq!(site.files().iter().filter(|file| is_private(file)).count(), 2);
    let kids = site.start().kids();
    assert_eq!(kids.len(), 3);
    assert_eq!(site.files().iter().filter(|file| is_private(file)).count(), 1);
    assert_eq!(site.start().kids(), kids, "the public half has the same name");
}

#[test]
fn a_removed_key_verifies_nothing() {
    let site = Site::new();
    let server = site.start();
    let token = server.token();
    let kid = server.verify(&token).unwrap();
    server.keys.rotate().unwrap();
    server.keys.remove(&kid).unwrap();
    assert_eq!(server.verify(&token).unwrap_err().to_string(), "the issuer has no such key");
    assert_eq!(server.published(), server.kids());
    assert_eq!(site.start().kids(), server.kids());
    let active = server.kids();
    server.keys.remove(&active[0]).unwrap();
    assert_eq!(server.kids(), active, "the active key stays");
}

/// Clocks go back, and rotations may come faster than milliseconds.
#[test]
fn the_order_of_keys_does_not_depend_on_the_clock() {
    let site = Site::new();
    let server = site.start();
    let mut kids = server.kids();
    for back_ms in [0, 0, 5000] {
        site.clock.set(Timestamp(site.clock.now().0 - back_ms));
        kids.insert(0, server.keys.rotate().unwrap().active.kid);
        assert_eq!(server.kids(), kids);
        assert_eq!(site.start().kids(), kids);
    }
}

#[test]
fn secrets_of_before_outlast_rotations() {
    let site = Site::new();
    let secret = roomkey_auth::HmacSecret::new(
        "s",
        Algorithm::Hs256,
        b"R5j9wZ3kq8Xc7Vb2Nm4Lp6Ts1Yd0Gh_f",
        roomkey_auth::SecretStrength::Required,
    );
    let mut ring = KeyRing::read(&site.path(), 1000, vec![secret.unwrap().into()]).unwrap();
    for retired in [1, 2] {
        ring.rotate(site.clock.now(), &SystemEntropy).unwrap();
        assert_eq!(ring.issuer_keys(site.clock.now()).unwrap().retired.len(), retired);
    }
}

#[test]
fn other_files_are_left_alone_and_broken_ones_refused() {
    let site = Site::new();
    let server = site.start();
    let names = ["notes.txt", "signing-key-1.pem.bak", "signing-key-01.pem", "signing-key-+1.pem", ".new"];
    for name in names {
        fs::write(site.path().join(name), "x").unwrap();
    }
    assert_eq!(site.ring().list(), server.keys.list());
    server.keys.rotate().unwrap();
    assert!(!site.path().join(".new").exists());
    for (name, text) in [
        ("signing-key-1.pem", ""),
        ("signing-key-1.pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"),
        ("signing-key-9999999999999.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"),
    ] {
        let path = site.path().join(name);
        fs::write(&path, text).unwrap();
        let error = KeyRing::read(&site.path(), 0, Vec::new()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: ", path.display())), "{error}");
        fs::remove_file(path).unwrap();
    }
}

#[test]
#[cfg(unix)]
fn the_files_are_readable_by_the_server_only() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::new();
    site.start().keys.rotate().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&site.path()), 0o700);
    assert_eq!(mode(site.path().parent().unwrap()), 0o700);
    for file in site.files() {
        assert_eq!(mode(&site.path().join(&file)), 0o600, "{file}");
    }
}
