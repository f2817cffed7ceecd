//! Tokens that are revoked end their sockets, and open none.

use std::{sync::Arc, time::Duration};

use roomkey::{
    Namespace, Recovery, Revocation, RevocationReason, RevocationTarget, RoomName, ServerConfig, SessionId,
    Socket, Timestamp, TokenAuthentication, TokenId, UserId,
    auth::{Algorithm, HmacSecret, IssuerProfile, SecretStrength, Verifier},
};
use roomkey_testkit::{
    Client, Polling, Received, SECRET, TestClock, TestServer, authentication, eventually, token,
};
use serde_json::{Value, json};

use crate::support::{config, namespace, start_with};

const NOW: u64 = TestClock::START_SECS;
const REFUSED: &str =
    r#"44{"message":"Authentication error: Token revoked","data":{"code":"TOKEN_REVOKED","retry":"never"}}"#;

fn start_as(config: ServerConfig) -> TestServer {
    let clock = Arc::new(TestClock::default());
    start_with(ServerConfig { clock, ..config }, namespace(Namespace::new(authentication())))
}

fn start() -> TestServer {
    start_as(config())
}

fn claims(user: &str, session: &str, token: &str) -> Value {
    json!({ "id": user, "sid": session, "jti": token, "iat": NOW - 10, "exp": NOW + 600 })
}

fn connect(server: &TestServer, user: &str, session: &str, id: &str) -> Client {
    Client::connect_as(server.address(), &token(&claims(user, session, id)))
}

fn revocation(target: RevocationTarget) -> Revocation {
    Revocation {
        target,
        issued_before: None,
        revoked_at: Timestamp::from_secs(NOW),
        until: None,
        reason: RevocationReason::Revoked,
    }
}

fn user(id: &str) -> RevocationTarget {
    RevocationTarget::User(UserId::new(id).expect("a good name"))
}

fn session(id: &str) -> RevocationTarget {
    RevocationTarget::Session { issuer: "test".into(), session: SessionId::new(id).expect("a good name") }
}

fn token_id(id: &str) -> RevocationTarget {
    RevocationTarget::Token { issuer: "test".into(), token: TokenId::new(id).expect("a good name") }
}

fn revoke(server: &TestServer, revocation: Revocation) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(server.handle().revoke(revocation))
}

#[track_caller]
fn expect_end(client: &mut Client, reason: &str) {
    client.expect(&format!(
        r#"42["auth:revoked",{{"code":"TOKEN_REVOKED","message":"Authentication error: Token revoked","reason":"{reason}"}}]"#
    ));
    client.expect("41");
    assert_eq!(client.receive(), Received::Close(Some(4403)));
}

#[track_caller]
fn expect_refused(server: &TestServer, claims: &Value) {
    let mut client = Client::open(server.address());
    client.text(&format!(r#"40{{"token":"{}"}}"#, token(claims)));
    client.expect(REFUSED);
}

#[test]
fn a_token_is_revoked_and_no_other() {
    let server = start();
    let mut first = connect(&server, "ada", "s1", "t1");
    let mut second = connect(&server, "ada", "s1", "t2");
    assert_eq!(revoke(&server, revocation(token_id("t1"))), 1);
    expect_end(&mut first, "revoked");
    second.call("420[\"echo\"]", "430[]");
    expect_refused(&server, &claims("ada", "s1", "t1"));
    connect(&server, "ada", "s1", "t2");
}

/// A token without `jti` is known by what was signed.
#[test]
fn a_token_without_an_id_is_revoked_by_what_was_signed() {
    let server = start();
    let claims = json!({ "id": "ada", "exp": NOW + 600 });
    let mut client = Client::connect_as(server.address(), &token(&claims));
    let identity =
        authentication().verifier().verify(&token(&claims), Timestamp::from_secs(NOW)).expect("valid");
    let target = RevocationTarget::Token { issuer: identity.issuer, token: identity.token };
    assert_eq!(revoke(&server, revocation(target)), 1);
    expect_end(&mut client, "revoked");
    expect_refused(&server, &claims);
}

#[test]
fn a_session_is_revoked_and_the_other_devices_stay() {
    let server = start();
    let mut phone: Vec<_> =
        (0..3).map(|index| connect(&server, "ada", "phone", &format!("t{index}"))).collect();
    let mut laptop = connect(&server, "ada", "laptop", "t4");
    let mut stranger = connect(&server, "bob", "other", "t5");
    let logout = Revocation { reason: RevocationReason::LoggedOut, ..revocation(session("phone")) };
    assert_eq!(revoke(&server, logout), 3);
    for client in &mut phone {
        expect_end(client, "logged_out");
    }
    for client in [&mut laptop, &mut stranger] {
        client.call("420[\"echo\"]", "430[]");
    }
    expect_refused(&server, &claims("ada", "phone", "t9"));
}

#[test]
fn a_user_is_revoked_on_every_shard_and_transport() {
    let server = start();
    let mut clients: Vec<_> =
        (0..8).map(|index| connect(&server, "ada", "s", &format!("t{index}"))).collect();
    let mut polling = Polling::open(server.address());
    polling.post(&format!(r#"40{{"token":"{}"}}"#, token(&claims("ada", "s", "t8"))));
    assert!(polling.poll().starts_with("40{"));
    let mut bob = connect(&server, "bob", "s", "t");
    assert_eq!(revoke(&server, revocation(user("ada"))), 9);
    for client in &mut clients {
        expect_end(client, "revoked");
    }
    let mut packets = Vec::new();
    while packets.last().is_none_or(|packet| packet != "1") {
        packets.extend(polling.poll().split('\u{1e}').map(str::to_owned));
    }
    assert!(packets[0].contains("auth:revoked") && packets[1..] == ["41", "1"], "{packets:?}");
    bob.call("420[\"echo\"]", "430[]");
    assert!(server.metrics().contains("roomkey_sockets_revoked_total 9"));
    assert!(server.metrics().contains("roomkey_revocation_propagation_seconds_count 1"));
}

/// A key takes all its tokens with it, whoever has them.
#[test]
fn a_key_is_revoked_with_all_that_it_signed() {
    let secret = HmacSecret::new("SECRET", Algorithm::Hs256, SECRET.as_bytes(), SecretStrength::Required)
        .expect("a strong secret")
        .with_key_id("k1");
    let profile = IssuerProfile::shared_secret("test", vec![secret]);
    let verifier = Arc::new(Verifier::new(vec![profile]).expect("a good profile"));
    let clock = Arc::new(TestClock::default());
    let main = namespace(Namespace::new(TokenAuthentication::new(verifier)));
    let server = start_with(ServerConfig { clock, ..config() }, main);
    let mut clients = [connect(&server, "ada", "s1", "t1"), connect(&server, "bob", "s2", "t2")];
    let key = |key_id: &str| {
        let target = RevocationTarget::Key { issuer: "test".into(), key_id: key_id.into() };
        Revocation { reason: RevocationReason::KeyRevoked, ..revocation(target) }
    };
    assert_eq!(revoke(&server, key("k2")), 0);
    assert_eq!(revoke(&server, key("k1")), 2);
    for client in &mut clients {
        expect_end(client, "key_revoked");
    }
    expect_refused(&server, &claims("eve", "s3", "t3"));
}

/// What was issued at the instant of the cut-off is revoked, too: nobody knows which came first.
#[test]
fn a_cut_off_spares_newer_tokens() {
    let server = start();
    let issued = |ms: u64| json!({ "id": "ada", "iat": ms / 1000, "iat_ms": ms, "exp": NOW + 600 });
    let cut_off = (NOW - 5) * 1000 + 500;
    let mut older = Client::connect_as(server.address(), &token(&issued(cut_off)));
    let mut newer = Client::connect_as(server.address(), &token(&issued(cut_off + 1)));
    let at = Revocation { issued_before: Some(Timestamp(cut_off)), ..revocation(user("ada")) };
    assert_eq!(revoke(&server, at), 1);
    expect_end(&mut older, "revoked");
    newer.call("420[\"echo\"]", "430[]");
    expect_refused(&server, &issued(cut_off - 1));
    // Whole seconds only: a token of the same second may be older.
    expect_refused(&server, &json!({ "id": "ada", "iat": cut_off / 1000, "exp": NOW + 600 }));
    expect_refused(&server, &json!({ "id": "ada", "exp": NOW + 600 }));
    Client::connect_as(server.address(), &token(&issued(cut_off + 1)));
}

/// A token that took another's place on the socket is not revoked with it; its login is.
#[test]
fn a_renewed_token_is_judged_by_itself() {
    let server = start();
    let mut client = connect(&server, "ada", "s1", "t1");
    let newer = token(&claims("ada", "s1", "t2"));
    client.text(&format!("420{}", json!(["auth:refresh", { "token": newer }])));
    assert!(client.receive_text().starts_with("430[{\"data\""));
    assert_eq!(revoke(&server, revocation(token_id("t1"))), 0);
    client.call("421[\"echo\"]", "431[]");
    assert_eq!(revoke(&server, revocation(session("s1"))), 1);
    expect_end(&mut client, "revoked");
}

#[test]
fn a_revoked_token_renews_nothing() {
    let server = start();
    let mut client = connect(&server, "ada", "s1", "t1");
    revoke(&server, revocation(token_id("t2")));
    client.text(&format!("420{}", json!(["auth:refresh", { "token": token(&claims("ada", "s1", "t2")) }])));
    assert_eq!(
        client.receive_text(),
        r#"430[{"error":"Authentication error: Token revoked","code":"TOKEN_REVOKED","retry":"never"}]"#
    );
    client.call("421[\"echo\"]", "431[]");
}

/// Once the revocation is answered, nothing that is emitted reaches the socket, however its own task is doing.
#[test]
fn nothing_reaches_a_socket_after_its_revocation() {
    let server = start();
    let room = RoomName::new("room").expect("a good name");
    for round in 0..50 {
        let id = format!("t{round}");
        let mut ada = connect(&server, "ada", "s", &id);
        ada.call(r#"420["join","room"]"#, "430[true]");
        server.handle().to("/", &room).emit("said", &("before",)).expect("text");
        assert_eq!(revoke(&server, revocation(token_id(&id))), 1);
        server.handle().to("/", &room).emit("said", &("after",)).expect("text");
        let mut heard = Vec::new();
        loop {
            match ada.receive() {
                Received::Text(text) => heard.push(text),
                Received::Close(code) => {
                    assert_eq!(code, Some(4403));
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(!heard.iter().any(|text| text.contains("after")), "{heard:?}");
    }
}

/// A socket that is on its way in when its user is revoked does not survive it.
#[test]
fn no_socket_slips_in_beside_a_revocation() {
    let main = namespace(Namespace::new(authentication())).middleware(async |_: Socket| {
        // Lets others in between.
        tokio::task::yield_now().await;
        Ok(())
    });
    let clock = Arc::new(TestClock::default());
    let server = start_with(ServerConfig { clock, threads: 2, ..config() }, main);
    for round in 0..300 {
        let name = format!("ada{round}");
        let mut clients: Vec<_> = (0..2).map(|_| Client::open(server.address())).collect();
        for client in &mut clients {
            client.text(&format!(r#"40{{"token":"{}"}}"#, token(&claims(&name, "s", "t"))));
        }
        revoke(&server, revocation(user(&name)));
        for client in &mut clients {
            let mut heard = Vec::new();
            loop {
                match client.receive() {
                    Received::Text(text) if text == REFUSED => break,
                    Received::Text(text) => heard.push(text),
                    Received::Close(code) => {
                        assert_eq!(code, Some(4403));
                        break;
                    }
                    other => panic!("{other:?}"),
                }
            }
            assert!(heard.len() <= 3, "{heard:?}");
        }
    }
}

/// While its middleware takes its time a client is neither in nor out; a revocation puts it out.
#[test]
fn a_client_that_is_being_let_in_is_refused() {
    let (entered, enters) = std::sync::mpsc::channel();
    let main = namespace(Namespace::new(authentication())).middleware(move |_: Socket| {
        entered.send(()).expect("the test listens");
        std::future::pending()
    });
    let clock = Arc::new(TestClock::default());
    let server = start_with(ServerConfig { clock, ..config() }, main);
    let mut client = Client::open(server.address());
    client.text(&format!(r#"40{{"token":"{}"}}"#, token(&claims("ada", "s", "t"))));
    enters.recv().expect("the client comes");
    assert_eq!(revoke(&server, revocation(user("ada"))), 1);
    client.expect(REFUSED);
}

#[test]
fn who_is_away_does_not_come_back() {
    let server = start_as(ServerConfig { recovery: Some(Recovery::default()), ..config() });
    let shown = token(&claims("ada", "s1", "t1"));
    let mut client = Client::open(server.address());
    client.text(&format!(r#"40{{"token":"{shown}"}}"#));
    let welcome: Value = serde_json::from_str(&client.receive_text()[2..]).expect("JSON");
    let pid = welcome["pid"].as_str().expect("a private id").to_owned();
    drop(client);
    eventually("a parked socket", || server.metrics().contains("roomkey_parked_sockets 1"));
    revoke(&server, revocation(session("s1")));
    eventually("no parked socket", || server.metrics().contains("roomkey_parked_sockets 0"));
    let mut back = Client::open(server.address());
    back.text(&format!("40{}", json!({ "token": shown, "pid": pid, "offset": "00000000000" })));
    back.expect(REFUSED);
}

fn waiting(server: &TestServer) -> u64 {
    let counted = crate::limits::counted(server);
    counted.iter().find(|(name, _)| name == "events_in_flight_per_socket").map_or(0, |(_, count)| *count)
}

/// What was received while the token counted is not begun once it does not.
#[test]
fn what_waits_to_be_handled_is_not_begun() {
    let begun = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = begun.clone();
    let limits = roomkey::Limits { events_in_flight_per_socket: 1, ..roomkey::Limits::default() };
    let main = Namespace::new(authentication()).on("slow", move |_: Socket, (): ()| {
        counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        std::future::pending::<()>()
    });
    let clock = Arc::new(TestClock::default());
    let server =
        start_with(ServerConfig { clock, limits, drain_timeout: Duration::from_secs(20), ..config() }, main);
    let mut client = connect(&server, "ada", "s", "t");
    for _ in 0..5 {
        client.text("42[\"slow\"]");
    }
    eventually("the first to begin", || begun.load(std::sync::atomic::Ordering::SeqCst) == 1);
    eventually("the others to wait", || waiting(&server) == 4);
    revoke(&server, revocation(user("ada")));
    expect_end(&mut client, "revoked");
    assert_eq!(client.receive(), Received::End);
    assert_eq!(begun.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[test]
fn revoking_again_and_again_changes_nothing() {
    let server = start();
    let mut client = connect(&server, "ada", "s", "t");
    assert_eq!(revoke(&server, revocation(user("ada"))), 1);
    for _ in 0..1000 {
        assert_eq!(revoke(&server, revocation(user("ada"))), 0);
    }
    expect_end(&mut client, "revoked");
    assert!(server.metrics().contains("roomkey_revocations 1"));
}

/// An end in the past is forgotten with the next look at the clock.
#[test]
fn what_is_over_is_forgotten() {
    let server = start();
    for index in 0..1000 {
        let until = Some(Timestamp::from_secs(NOW - 60 + 120 * u64::from(index % 2 == 0)));
        revoke(&server, Revocation { until, ..revocation(token_id(&format!("t{index}"))) });
    }
    eventually("half of them to be forgotten", || server.metrics().contains("roomkey_revocations 500"));
}
