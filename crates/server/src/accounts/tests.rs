use roomkey_auth::{BuiltinConfig, Ed25519Key, SigningKey, Verifier};
use roomkey_model::Timestamp;
use roomkey_store::{SqliteConfig, SqliteStore};
use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::*;
use crate::SystemEntropy;

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const PASSWORD: &str = "correct horse battery staple";

struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn accounts() -> (Accounts, Arc<BuiltinIssuer>, TempDir) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("roomkey.db");
    let store = SqliteStore::open(&path, &SqliteConfig::default(), Box::new(|_| ())).unwrap();
    let key = Ed25519Key::from_pem("key", Ed25519Key::generate_pem(&SystemEntropy).expose_secret()).unwrap();
    let issuer = BuiltinIssuer::new(BuiltinConfig::default(), SigningKey::Ed25519(key), Vec::new()).unwrap();
    let issuer = Arc::new(issuer);
    let accounts =
        Accounts::new(Arc::new(store), Some(issuer.clone()), Arc::new(At(NOW)), Arc::new(SystemEntropy), 16);
    (accounts, issuer, directory)
}

#[tokio::test]
async fn a_registered_user_logs_in_by_name_and_by_address() {
    let (accounts, issuer, _directory) = accounts();
    let registered =
        accounts.register("Ada@example.com", Some("ada"), PASSWORD, Some("a browser")).await.unwrap();
    assert_eq!(registered.account.email, "Ada@example.com");
    let verifier = Verifier::new(vec![issuer.profile()]).unwrap();
    let mut sessions = Vec::new();
    for name in ["ada", "ADA", "ada@example.com"] {
        let login = accounts.login(name, PASSWORD, None).await.unwrap();
        let identity = verifier.verify(login.token.expose_secret(), NOW).unwrap();
        assert_eq!(identity.user, registered.account.user);
        assert_eq!(identity.name.as_deref(), Some("ada"));
        sessions.push(identity.session.unwrap());
    }
    let stored = accounts.store.sessions_of(&registered.account.user, 10).await.unwrap();
    assert_eq!(stored.len(), 4, "each login is a session");
    assert!(sessions.iter().all(|session| stored.iter().any(|stored| stored.session == *session)));
}

#[tokio::test]
async fn every_wrong_login_looks_the_same() {
    let (accounts, _issuer, _directory) = accounts();
    accounts.create("ada@example.com", Some("ada"), PASSWORD).await.unwrap();
    let long = "x".repeat(2000);
    for (name, password) in [
        ("ada", "correct horse battery stapler"),
        ("ada", ""),
        ("ada", long.as_str()),
        ("nobody", PASSWORD),
        ("nobody@example.com", PASSWORD),
        ("", PASSWORD),
    ] {
        let failure = accounts.login(name, password, None).await.unwrap_err();
        assert_eq!(failure, ErrorCode::InvalidCredentials.into(), "{name:?}");
    }
}

#[tokio::test]
async fn a_refused_account_says_why() {
    let (accounts, _issuer, _directory) = accounts();
    accounts.create("ada@example.com", Some("ada"), PASSWORD).await.unwrap();
    let cases = [
        ("ada", None, PASSWORD, "BAD_PAYLOAD: The e-mail address must be of the form name@domain"),
        (
            "b@example.com",
            Some("b c"),
            PASSWORD,
            "BAD_PAYLOAD: The user name may have letters, digits, `.`, `_` and `-` only",
        ),
        ("b@example.com", Some("b"), "short", "BAD_PAYLOAD: The password has fewer than 8 characters"),
        ("ADA@example.com", Some("b"), PASSWORD, "CONFLICT: The email is taken"),
        ("b@example.com", Some("Ada"), PASSWORD, "CONFLICT: The username is taken"),
    ];
    for (email, username, password, expected) in cases {
        let failure = accounts.create(email, username, password).await.unwrap_err();
        assert_eq!(failure.to_string(), expected);
    }
}

#[tokio::test]
async fn nobody_logs_in_without_an_issuer() {
    let (accounts, _issuer, _directory) = accounts();
    let accounts = Accounts { issuer: None, ..accounts };
    accounts.create("ada@example.com", Some("ada"), PASSWORD).await.unwrap();
    assert_eq!(accounts.login("ada", PASSWORD, None).await.unwrap_err(), Failure::forbidden());
    let failure = accounts.register("b@example.com", None, PASSWORD, None).await.unwrap_err();
    assert_eq!(failure, Failure::forbidden());
    assert_eq!(accounts.store.account_by_email("b@example.com").await, Ok(None), "no half registration");
}
