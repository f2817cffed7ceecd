use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicU64, Ordering},
};

use roomkey_auth::{BuiltinConfig, Ed25519Key, Identity, SigningKey, Verifier};
use roomkey_model::{Retry, RevocationReason, Timestamp};
use roomkey_store::{Committed, SqliteConfig, SqliteStore};
use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::*;
use crate::{SystemEntropy, revocation::LiveTokens};

const NOW: Timestamp = Timestamp(1_800_000_000_000);
const PASSWORD: &str = "correct horse battery staple";

const DAY_MS: u64 = 24 * 3600 * 1000;

struct At(AtomicU64);

impl At {
    fn advance(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

const DEVICE: Device<'static> =
    Device { address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), user_agent: Some("a browser") };

/// Accounts on a store in a directory, with a clock that is set by hand. What is revoked takes effect at once.
struct Fixture {
    accounts: Accounts,
    issuer: Arc<BuiltinIssuer>,
    live: Arc<LiveTokens>,
    clock: Arc<At>,
    directory: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let key = Ed25519Key::generate_pem(&SystemEntropy);
        let key = Ed25519Key::from_pem("key", key.expose_secret()).unwrap();
        let issuer =
            BuiltinIssuer::new(BuiltinConfig::default(), SigningKey::Ed25519(key), Vec::new()).unwrap();
        Self::open(Arc::new(issuer), Arc::new(At(AtomicU64::new(NOW.0))), TempDir::new().unwrap())
    }

    fn open(issuer: Arc<BuiltinIssuer>, clock: Arc<At>, directory: TempDir) -> Self {
        let live = Arc::new(LiveTokens::new().0);
        let path = directory.path().join("roomkey.db");
        let sink = live.clone();
        let sink = move |changes: &[Committed]| {
            for change in changes {
                match change {
                    Committed::Revoked(revocation) => sink.apply(revocation.clone()),
                    Committed::Unblocked(cut_off) => sink.unblock(cut_off.clone()),
                    _ => {}
                }
            }
        };
        let store = SqliteStore::open(&path, &SqliteConfig::default(), Box::new(sink)).unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        let verifier = Arc::new(Verifier::new(vec![issuer.profile()]).unwrap());
        let revoker = Revoker::new(store.clone(), live.clone(), verifier, clock.clone());
        let accounts = Accounts::new(AccountsParts {
            store,
            issuer: Some(issuer.clone()),
            revoker: Arc::new(revoker),
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
            lifetimes: SessionLifetimes { idle_ms: 7 * DAY_MS, absolute_ms: 30 * DAY_MS },
            hashes_waiting: 16,
        });
        Self { accounts, issuer, live, clock, directory }
    }

    /// The same, after a restart that took so long.
    async fn restart(self, away_ms: u64) -> Self {
        self.accounts.store.close().await;
        self.clock.advance(away_ms);
        Self::open(self.issuer, self.clock, self.directory)
    }

    async fn register(&self) -> LoggedIn {
        self.accounts.register("ada@example.com", Some("ada"), PASSWORD, DEVICE).await.unwrap()
    }

    async fn login(&self) -> LoggedIn {
        self.accounts.login("ada", PASSWORD, DEVICE).await.unwrap()
    }

    async fn refresh(&self, token: &str) -> Result<LoggedIn, ErrorCode> {
        self.accounts.refresh(token, DEVICE).await.map_err(|refused| refused.failure.code)
    }

    fn identity(&self, login: &LoggedIn) -> Identity {
        let verifier = Verifier::new(vec![self.issuer.profile()]).unwrap();
        verifier.verify(login.token.expose_secret(), self.clock.now()).unwrap()
    }

    /// Why the access token of a login does not count.
    fn revoked(&self, login: &LoggedIn) -> Option<RevocationReason> {
        self.live.check(&self.identity(login)).err()
    }
}

fn refresh_token(login: &LoggedIn) -> &str {
    login.refresh_token.expose_secret()
}

#[tokio::test]
async fn a_registered_user_logs_in_by_name_and_by_address() {
    let fixture = Fixture::new();
    let accounts = &fixture.accounts;
    let registered = accounts.register("Ada@example.com", Some("ada"), PASSWORD, DEVICE).await.unwrap();
    assert_eq!(registered.account.email, "Ada@example.com");
    let mut sessions = vec![registered.session.session];
    for name in ["ada", "ADA", "ada@example.com"] {
        let login = accounts.login(name, PASSWORD, DEVICE).await.unwrap();
        let identity = fixture.identity(&login);
        assert_eq!(identity.user, registered.account.user);
        assert_eq!(identity.name.as_deref(), Some("ada"));
        assert_eq!(login.expires_in_s, 600);
        sessions.push(identity.session.unwrap());
    }
    let stored = accounts.sessions(&registered.account.user).await.unwrap();
    assert_eq!(stored.len(), 4, "each login is a session");
    assert!(sessions.iter().all(|session| stored.iter().any(|stored| stored.session == *session)));
    assert_eq!(stored[0].user_agent.as_deref(), Some("a browser"));
    assert_eq!(stored[0].address.as_deref(), Some("192.0.2.1"));
}

#[tokio::test]
async fn every_wrong_login_looks_the_same() {
    let fixture = Fixture::new();
    let accounts = &fixture.accounts;
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
        let failure = accounts.login(name, password, DEVICE).await.unwrap_err();
        assert_eq!(failure, ErrorCode::InvalidCredentials.into(), "{name:?}");
    }
}

#[tokio::test]
async fn a_refused_account_says_why() {
    let fixture = Fixture::new();
    let accounts = &fixture.accounts;
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
    let fixture = Fixture::new();
    let accounts = Accounts { issuer: None, ..fixture.accounts };
    accounts.create("ada@example.com", Some("ada"), PASSWORD).await.unwrap();
    assert_eq!(accounts.login("ada", PASSWORD, DEVICE).await.unwrap_err(), Failure::forbidden());
    let failure = accounts.register("b@example.com", None, PASSWORD, DEVICE).await.unwrap_err();
    assert_eq!(failure, Failure::forbidden());
    assert_eq!(accounts.store.account_by_email("b@example.com").await, Ok(None), "no half registration");
    assert_eq!(accounts.refresh("rkr_", DEVICE).await.unwrap_err().failure, Failure::forbidden());
}

#[tokio::test]
async fn a_login_goes_on_with_a_new_token_each_time() {
    let fixture = Fixture::new();
    let mut login = fixture.register().await;
    for _ in 0..3 {
        fixture.clock.advance(DAY_MS);
        let next = fixture.refresh(refresh_token(&login)).await.unwrap();
        assert_eq!(next.session.session, login.session.session);
        assert_eq!(next.account.user, login.account.user);
        assert_ne!(refresh_token(&next), refresh_token(&login));
        assert_ne!(fixture.identity(&next).token, fixture.identity(&fixture.login().await).token);
        assert_eq!(fixture.revoked(&next), None, "to go on revokes nothing");
        login = next;
    }
}

#[tokio::test]
async fn a_client_that_asks_again_gets_the_same_token() {
    let fixture = Fixture::new();
    let login = fixture.register().await;
    let first = fixture.refresh(refresh_token(&login)).await.unwrap();
    fixture.clock.advance(10_000);
    let again = fixture.refresh(refresh_token(&login)).await.unwrap();
    assert_eq!(refresh_token(&again), refresh_token(&first));
    fixture.refresh(refresh_token(&again)).await.unwrap();
}

#[tokio::test]
async fn a_token_that_is_used_again_later_ends_the_session() {
    for waits_ms in [10_001, DAY_MS] {
        let fixture = Fixture::new();
        let login = fixture.register().await;
        let other = fixture.login().await;
        let next = fixture.refresh(refresh_token(&login)).await.unwrap();
        fixture.clock.advance(waits_ms);
        let refused = fixture.accounts.refresh(refresh_token(&login), DEVICE).await.unwrap_err();
        assert_eq!(refused.failure.code, ErrorCode::TokenRevoked);
        assert_eq!(refused.reused.unwrap().session, login.session.session);
        assert_eq!(fixture.refresh(refresh_token(&next)).await.unwrap_err(), ErrorCode::TokenRevoked);
        fixture.refresh(refresh_token(&other)).await.expect("other sessions go on");
    }
}

#[tokio::test]
async fn the_token_before_the_last_ends_the_session_even_at_once() {
    let fixture = Fixture::new();
    let first = fixture.register().await;
    let second = fixture.refresh(refresh_token(&first)).await.unwrap();
    let third = fixture.refresh(refresh_token(&second)).await.unwrap();
    assert_eq!(fixture.refresh(refresh_token(&first)).await.unwrap_err(), ErrorCode::TokenRevoked);
    assert_eq!(fixture.revoked(&third), Some(RevocationReason::RefreshReused));
    assert_eq!(fixture.refresh(refresh_token(&third)).await.unwrap_err(), ErrorCode::TokenRevoked);
}

#[tokio::test]
async fn a_token_that_was_never_issued_ends_nothing() {
    let fixture = Fixture::new();
    let login = fixture.register().await;
    let token = refresh_token(&login);
    let mut mangled = token.to_owned().into_bytes();
    for index in [10, 40, 80] {
        mangled[index] = if mangled[index] == b'A' { b'B' } else { b'A' };
        let mangled = String::from_utf8(mangled.clone()).unwrap();
        assert_eq!(fixture.refresh(&mangled).await.unwrap_err(), ErrorCode::TokenInvalid);
    }
    for bad in ["", "rkr_", login.token.expose_secret(), &token[..89]] {
        assert_eq!(fixture.refresh(bad).await.unwrap_err(), ErrorCode::TokenInvalid, "{bad}");
    }
    fixture.refresh(token).await.unwrap();
}

#[tokio::test]
async fn a_login_ends_by_itself() {
    let fixture = Fixture::new();
    let unused = fixture.register().await;
    let mut used = fixture.login().await;
    fixture.clock.advance(7 * DAY_MS - 1);
    used = fixture.refresh(refresh_token(&used)).await.unwrap();
    fixture.clock.advance(1);
    let refused = fixture.accounts.refresh(refresh_token(&unused), DEVICE).await.unwrap_err().failure;
    assert_eq!((refused.code, refused.retry), (ErrorCode::TokenExpired, Retry::Never));
    for _ in 0..3 {
        fixture.clock.advance(6 * DAY_MS);
        used = fixture.refresh(refresh_token(&used)).await.unwrap();
    }
    // The login is 25 days old, and has five left.
    fixture.clock.advance(5 * DAY_MS - 60_000);
    used = fixture.refresh(refresh_token(&used)).await.unwrap();
    assert_eq!(used.expires_in_s, 60, "no token outlives its session");
    fixture.clock.advance(60_000);
    assert_eq!(fixture.refresh(refresh_token(&used)).await.unwrap_err(), ErrorCode::TokenExpired);
    assert_eq!(fixture.accounts.sessions(&used.account.user).await.unwrap(), []);
    fixture.clock.advance(DAY_MS + 1);
    fixture.accounts.forget_sessions(fixture.clock.now()).await.unwrap();
    assert_eq!(fixture.accounts.store.session(&used.session.session).await, Ok(None));
}

#[tokio::test]
async fn what_the_server_was_away_for_does_not_count() {
    let fixture = Fixture::new();
    let login = fixture.register().await;
    let first = fixture.refresh(refresh_token(&login)).await.unwrap();
    let first = refresh_token(&first).to_owned();
    let fixture = fixture.restart(50_000).await;
    let again = fixture.refresh(refresh_token(&login)).await.unwrap();
    assert_eq!(refresh_token(&again), first);
    // Once it is back for a while, it does.
    fixture.clock.advance(10_000);
    assert_eq!(fixture.refresh(refresh_token(&login)).await.unwrap_err(), ErrorCode::TokenRevoked);
}

#[tokio::test]
async fn after_a_long_absence_nobody_asks_again() {
    let fixture = Fixture::new();
    let login = fixture.register().await;
    fixture.refresh(refresh_token(&login)).await.unwrap();
    let fixture = fixture.restart(60_001).await;
    assert_eq!(fixture.refresh(refresh_token(&login)).await.unwrap_err(), ErrorCode::TokenRevoked);
}

#[tokio::test]
async fn a_session_that_is_ended_is_over_at_once() {
    let fixture = Fixture::new();
    let (login, other) = (fixture.register().await, fixture.login().await);
    let (user, session) = (&login.account.user, &login.session.session);
    let stranger = UserId::new("stranger").unwrap();
    let ended = fixture.accounts.end_session(&stranger, session, RevocationReason::LoggedOut).await;
    assert_eq!(ended, Ok(None), "somebody else's");
    fixture.accounts.log_out(&fixture.identity(&login)).await.unwrap();
    fixture.accounts.log_out(&fixture.identity(&login)).await.unwrap();
    assert_eq!(fixture.revoked(&login), Some(RevocationReason::LoggedOut));
    assert_eq!(fixture.refresh(refresh_token(&login)).await.unwrap_err(), ErrorCode::TokenRevoked);
    assert_eq!(fixture.revoked(&other), None);
    let listed = fixture.accounts.sessions(user).await.unwrap();
    assert_eq!(listed.iter().map(|one| &one.session).collect::<Vec<_>>(), [&other.session.session]);
}

#[tokio::test]
async fn a_refresh_token_logs_its_own_session_out_only() {
    let fixture = Fixture::new();
    let ada = fixture.register().await;
    let bob = fixture.accounts.register("bob@example.com", None, PASSWORD, DEVICE).await.unwrap();
    let log_out = |token, user| fixture.accounts.log_out_by_refresh_token(token, user);
    let theirs = log_out(refresh_token(&bob), Some(&ada.account.user)).await.unwrap();
    assert_eq!((theirs, fixture.revoked(&bob)), (None, None));
    assert_eq!(log_out("rkr_nonsense", None).await, Ok(None));
    for _ in 0..2 {
        assert!(log_out(refresh_token(&bob), None).await.unwrap().is_some());
        assert_eq!(fixture.revoked(&bob), Some(RevocationReason::LoggedOut));
    }
    assert_eq!(fixture.revoked(&ada), None);
}

#[tokio::test]
async fn logging_out_everywhere_ends_what_there_is_and_not_what_comes() {
    let fixture = Fixture::new();
    let logins = [fixture.register().await, fixture.login().await];
    let user = &logins[0].account.user;
    let now = fixture.clock.now();
    fixture.accounts.end_all_sessions(user, Some(now), RevocationReason::LoggedOut).await.unwrap();
    for login in &logins {
        assert_eq!(fixture.revoked(login), Some(RevocationReason::LoggedOut));
        assert_eq!(fixture.refresh(refresh_token(login)).await.unwrap_err(), ErrorCode::TokenRevoked);
    }
    fixture.clock.advance(1);
    let login = fixture.login().await;
    assert_eq!(fixture.revoked(&login), None, "a millisecond later");
    fixture.refresh(refresh_token(&login)).await.unwrap();
}

#[tokio::test]
async fn sessions_that_began_before_a_time_end_with_what_they_were_given_since() {
    let fixture = Fixture::new();
    let old = fixture.register().await;
    fixture.clock.advance(60_000);
    let cut_off = fixture.clock.now();
    fixture.clock.advance(60_000);
    let renewed = fixture.refresh(refresh_token(&old)).await.unwrap();
    let new = fixture.login().await;
    let user = &old.account.user;
    fixture.accounts.end_all_sessions(user, Some(cut_off), RevocationReason::Revoked).await.unwrap();
    assert_eq!(fixture.revoked(&renewed), Some(RevocationReason::Revoked));
    assert_eq!(fixture.refresh(refresh_token(&renewed)).await.unwrap_err(), ErrorCode::TokenRevoked);
    assert_eq!(fixture.revoked(&new), None);
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let fixture = Fixture::new();
    let (here, other) = (fixture.register().await, fixture.login().await);
    let (user, session) = (&here.account.user, &here.session.session);
    let new = "another long password";
    let others = OtherSessions::End { kept: Some(session) };
    let change = |current, new| fixture.accounts.change_password(user, current, new, others);
    let wrong = change("not my password", new).await.unwrap_err();
    assert_eq!(wrong.code, ErrorCode::InvalidCredentials);
    assert_eq!(change(PASSWORD, "short").await.unwrap_err().code, ErrorCode::BadPayload);
    assert_eq!(fixture.revoked(&other), None);
    change(PASSWORD, new).await.unwrap();
    assert_eq!(fixture.revoked(&here), None);
    assert_eq!(fixture.revoked(&other), Some(RevocationReason::PasswordChanged));
    assert_eq!(fixture.refresh(refresh_token(&other)).await.unwrap_err(), ErrorCode::TokenRevoked);
    fixture.refresh(refresh_token(&here)).await.unwrap();
    let old = fixture.accounts.login("ada", PASSWORD, DEVICE).await.unwrap_err();
    assert_eq!(old.code, ErrorCode::InvalidCredentials);
    fixture.accounts.login("ada", new, DEVICE).await.unwrap();
}

#[tokio::test]
async fn an_operator_sets_a_password_and_all_sessions_end() {
    let fixture = Fixture::new();
    let login = fixture.register().await;
    let account = fixture.accounts.named("ada@example.com").await.unwrap();
    assert_eq!(fixture.accounts.named(account.user.as_str()).await, Ok(account.clone()));
    assert_eq!(fixture.accounts.named("nobody").await.unwrap_err().code, ErrorCode::NotFound);
    assert_eq!(fixture.accounts.list(None, 9).await, Ok(vec![account.clone()]));
    fixture.accounts.set_password(&account.user, "another long password").await.unwrap();
    assert_eq!(fixture.revoked(&login), Some(RevocationReason::PasswordChanged));
    fixture.accounts.login("ada", "another long password", DEVICE).await.unwrap();
}

#[tokio::test]
async fn a_blocked_user_stays_out_until_unblocked() {
    let fixture = Fixture::new();
    let login = fixture.register().await;
    let user = &login.account.user;
    fixture.accounts.block(user).await.unwrap();
    assert!(fixture.accounts.is_blocked(user));
    assert_eq!(fixture.revoked(&login), Some(RevocationReason::Blocked));
    assert_eq!(fixture.refresh(refresh_token(&login)).await.unwrap_err(), ErrorCode::TokenRevoked);
    let refused = fixture.accounts.login("ada", PASSWORD, DEVICE).await.unwrap_err();
    assert_eq!(refused, ErrorCode::InvalidCredentials.into(), "as a wrong password");
    assert_eq!(fixture.accounts.unblock(user).await, Ok(true));
    assert_eq!(fixture.accounts.unblock(user).await, Ok(false));
    fixture.clock.advance(1);
    assert_eq!(fixture.revoked(&fixture.login().await), None);
    assert_eq!(fixture.refresh(refresh_token(&login)).await.unwrap_err(), ErrorCode::TokenRevoked);
}

#[tokio::test]
async fn a_weak_hash_is_replaced_at_the_next_login() {
    let fixture = Fixture::new();
    let account = fixture.accounts.create("ada@example.com", Some("ada"), PASSWORD).await.unwrap();
    let stored = async || fixture.accounts.named("ada").await.unwrap().password_hash;
    fixture.login().await;
    assert_eq!(stored().await, account.password_hash, "a good one stays");
    let params = argon2::Params::new(64, 1, 1, None).unwrap();
    let weak = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let weak =
        argon2::PasswordHasher::hash_password_with_salt(&weak, PASSWORD.as_bytes(), b"sixteen bytes...");
    let weak = weak.unwrap().to_string();
    let store = &fixture.accounts.store;
    store.rehash_password(&account.user, &account.password_hash, weak.clone()).await.unwrap();
    fixture.login().await;
    assert_ne!(stored().await, weak);
    fixture.login().await;
}
