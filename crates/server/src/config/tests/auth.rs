use std::{fs, path::Path};

use roomkey_auth::Grant;
use roomkey_model::{SessionId, Timestamp, UserId};
use secrecy::ExposeSecret;

use super::{SECRET, Site, UNSET};
use crate::{
    SystemEntropy,
    config::{AuthSetup, MissingKey},
};

#[test]
fn a_weak_secret_needs_to_be_allowed() {
    let hint = "make a new one with `roomkey secret generate`, or, while you migrate, allow it with \
        `auth.allow_weak_secret = true` (ROOMKEY__AUTH__ALLOW_WEAK_SECRET=true)";
    let problem = format!("must have at least 32 bytes for HS256; {hint}");
    let site = Site::new("[auth]\njwt_secret = 'hunter2'");
    assert_eq!(site.refusal(UNSET), format!("roomkey.toml:2: auth.jwt_secret: {problem}"));
    assert_eq!(Site::new("").refusal([("JWT_SECRET", "hunter2")]), format!("JWT_SECRET: {problem}"));
    let site = Site::new("[auth]\njwt_secret = 'hunter2'\nallow_weak_secret = true");
    make_private(&site.path("roomkey.toml"));
    assert_eq!(
        site.warnings(),
        [
            "issuer builtin: a weak secret is allowed; anybody may guess it and sign tokens",
            "auth.allow_weak_secret is on: secrets that anybody may guess are accepted",
        ]
    );
}

#[test]
#[cfg(unix)]
fn files_with_secrets_that_others_can_read_are_warned_about() {
    let site = Site::new(&format!("[auth]\njwt_secret = '{SECRET}'"));
    set_mode(&site.path("roomkey.toml"), 0o644);
    let warning = "roomkey.toml holds a secret and can be read by others: chmod 600";
    assert_eq!(site.warnings(), [warning]);
    make_private(&site.path("roomkey.toml"));
    assert!(site.warnings().is_empty());

    let site = Site::new("");
    set_mode(&site.path("roomkey.toml"), 0o644);
    site.setup(MissingKey::Create);
    assert!(site.warnings().is_empty(), "without a secret, the file may be read");
    let key = only_file(&site.path("data/keys"));
    set_mode(&key, 0o644);
    let name = key.file_name().unwrap().to_str().unwrap();
    let warning = format!("data/keys/{name} holds a secret and can be read by others: chmod 600");
    assert_eq!(site.warnings(), [warning]);
}

#[test]
fn rules_that_are_switched_off_are_warned_about() {
    let site = Site::new("[auth]\nquery_token = true\n[http]\norigins = ['*']");
    assert_eq!(
        site.warnings(),
        [
            "auth.query_token is on: tokens in URLs end up in logs",
            "http.origins is `*`: every web page may connect, without cookies",
        ]
    );
    let site = Site::new("[server]\nlisten = '0.0.0.0:3000'");
    assert_eq!(site.warnings(), ["http.origins is empty: no web page may connect, only programs"]);
    assert!(Site::new("").warnings().is_empty());
}

#[test]
fn only_a_start_makes_a_key() {
    let site = Site::new("");
    let config = site.load(UNSET).unwrap();
    AuthSetup::new(&config, MissingKey::Pretend).unwrap();
    let refused = AuthSetup::new(&config, MissingKey::Refuse).err().expect("there is none").to_string();
    assert!(refused.starts_with("there is no signing key in "), "{refused}");
    assert!(!site.path("data").exists());
    let key_id = |missing| AuthSetup::new(&config, missing).unwrap().issuer.unwrap().jwks();
    assert_eq!(key_id(MissingKey::Create), key_id(MissingKey::Refuse));
    assert_eq!(key_id(MissingKey::Create), key_id(MissingKey::Pretend));
}

#[test]
fn a_new_secret_and_the_one_before_it_are_accepted() {
    let old = Site::new(&format!("[auth]\njwt_secret = '{SECRET}'")).setup(MissingKey::Refuse);
    let file = format!("[auth]\njwt_secret = 'x{SECRET}'\njwt_secret_previous = ['{SECRET}']");
    let new = Site::new(&file).setup(MissingKey::Refuse);
    let [old_token, new_token] = [&old, &new].map(token_of);
    let accepts = |setup: &AuthSetup, token: &str| setup.verifier.verify(token, NOW).is_ok();
    assert!(accepts(&new, &old_token) && accepts(&new, &new_token));
    assert!(accepts(&old, &old_token) && !accepts(&old, &new_token));
}

#[test]
fn a_backend_with_the_secret_needs_no_accounts_of_ours() {
    let site = Site::new(&format!("[auth]\nbuiltin = false\njwt_secret = '{SECRET}'"));
    let setup = site.setup(MissingKey::Refuse);
    assert!(setup.issuer.is_none());
    // {"alg":"HS256","typ":"JWT"} {"id":7,"iat":1800000000,"exp":1800003600}
    let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZCI6NywiaWF0IjoxODAwMDAwMDAwLCJleHAiOjE4MDAwMDM2MDB9.\
        Jq1xIjhD5zvlCncycbZbzqpyVSVsPwY9GJDd1WfevJg";
    assert_eq!(setup.verifier.verify(token, NOW).unwrap().user.as_str(), "7");
}

pub(super) const NOW: Timestamp = Timestamp(1_800_000_000_000);

/// A token of the built-in issuer.
pub(super) fn token_of(auth: &AuthSetup) -> String {
    let user = UserId::new("ada").unwrap();
    let session = SessionId::new("login").unwrap();
    let grant = Grant {
        user: &user,
        session: &session,
        username: None,
        email: None,
        roles: &[],
        session_ends_at: None,
    };
    let issuer = auth.issuer.as_ref().unwrap();
    issuer.issue(&grant, NOW, &SystemEntropy).token.expose_secret().to_owned()
}

fn make_private(path: &Path) {
    #[cfg(unix)]
    set_mode(path, 0o600);
}

#[cfg(unix)]
fn only_file(directory: &Path) -> std::path::PathBuf {
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
