//! Issuers whose keys are fetched, as a client sees it.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use roomkey::{
    KeySet, KeySets, Namespace, Origin, OriginPolicy, OutboundUrl, ServerConfig, TokenAuthentication,
    auth::{
        Algorithm, AuthJsProfile, AuthJsVersion, BuiltinConfig, BuiltinIssuer, Ed25519Key, Grant, HmacSecret,
        IssuerProfile, IssuerRule, RemoteKeys, SecretStrength, SigningKey, TokenType, Verifier,
    },
};
use roomkey_testkit::{
    Client, Endpoint, HttpClient, Polling, Received, SECRET, SeededEntropy, TestClock, TestServer,
    WebSocketClient, token,
};
use serde_json::{Value, json};

use crate::support::{config, namespace, start_with};

const DAY_S: u64 = 24 * 3600;
const INVALID: &str =
    r#"44{"message":"Authentication error: Invalid token","data":{"code":"TOKEN_INVALID","retry":"never"}}"#;

/// An issuer with a key of its own, of which there are as many as there are seeds.
fn issuer(seed: u64) -> BuiltinIssuer {
    let pem = Ed25519Key::generate_pem(&SeededEntropy::new(seed));
    let key =
        Ed25519Key::from_pem("key", secrecy::ExposeSecret::expose_secret(&pem)).expect("a key made here");
    BuiltinIssuer::new(BuiltinConfig::default(), SigningKey::Ed25519(key), Vec::new()).expect("good")
}

fn token_of(issuer: &BuiltinIssuer, clock: &TestClock) -> String {
    let grant = Grant {
        user: &"ada".to_owned().try_into().expect("an id"),
        session: &"login".to_owned().try_into().expect("an id"),
        username: None,
        email: None,
        roles: &[],
        session_ends_at: None,
    };
    let signed = issuer.issue(&grant, roomkey::Clock::now(clock), &SeededEntropy::new(1));
    secrecy::ExposeSecret::expose_secret(&signed.token).to_owned()
}

/// The token with another `kid` in its header.
fn with_kid(token: &str, kid: &str) -> String {
    let (_, rest) = token.split_once('.').expect("three parts");
    let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid}).to_string();
    format!("{}.{rest}", BASE64_URL_SAFE_NO_PAD.encode(header))
}

struct Site {
    server: TestServer,
    endpoint: Endpoint,
    clock: Arc<TestClock>,
}

impl Site {
    /// A server that fetches its keys from an endpoint with this answer, and also knows those with a secret.
    fn start(answer: Vec<u8>) -> Self {
        let (endpoint, clock) = (Endpoint::start(answer), Arc::new(TestClock::default()));
        let keys = RemoteKeys::new(DAY_S * 1000);
        let profile = IssuerProfile {
            audiences: vec!["roomkey".to_owned()],
            algorithms: vec![Algorithm::EdDsa],
            token_type: TokenType::AccessToken,
            remote_keys: Some(keys.clone()),
            user_prefix: "idp:".to_owned(),
            ..IssuerProfile::new("idp", IssuerRule::Exact("roomkey".to_owned()), Vec::new())
        };
        let secret = HmacSecret::new("SECRET", Algorithm::Hs256, SECRET.as_bytes(), SecretStrength::Required)
            .expect("strong");
        let others = IssuerProfile::shared_secret("others", vec![secret]);
        let verifier = Verifier::new(vec![profile, others]).expect("good profiles");
        let url = OutboundUrl::on_loopback(&format!("http://127.0.0.1:{}/", endpoint.port())).expect("a URL");
        let set = KeySet { name: "idp".to_owned(), url, keys };
        let sets = KeySets::start(vec![set], clock.clone()).expect("a thread");
        let authentication = TokenAuthentication::new(verifier.into()).with_key_sets(sets);
        let config = ServerConfig { clock: clock.clone(), ..config() };
        Self { server: start_with(config, namespace(Namespace::new(authentication))), endpoint, clock }
    }

    fn publishes(&self, issuer: &BuiltinIssuer) {
        self.endpoint.answer(Endpoint::ok("", issuer.jwks()));
    }

    /// What comes first after a CONNECT with this token.
    fn answer(&self, token: &str) -> Received {
        let mut client = Client::open(self.server.address());
        client.text(&format!(r#"40{{"token":"{token}"}}"#));
        client.receive()
    }

    #[track_caller]
    fn check_in(&self, token: &str) {
        let answer = self.answer(token);
        assert!(matches!(&answer, Received::Text(text) if text.starts_with(r#"40{"sid":""#)), "{answer:?}");
    }

    fn own_token(&self) -> String {
        token(&json!({ "id": "bob", "exp": roomkey::Clock::now(&*self.clock).as_secs() + 3600 }))
    }
}

fn metric(server: &TestServer, name: &str) -> u64 {
    let metrics = server.metrics();
    let line = metrics.lines().find_map(|line| line.strip_prefix(&format!("{name}_total ")));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {metrics}"))
}

#[test]
fn a_token_with_a_new_key_waits_for_one_fetch() {
    let (old, new) = (issuer(1), issuer(2));
    let site = Site::start(Endpoint::ok("", old.jwks()));
    site.check_in(&token_of(&old, &site.clock));
    let before = site.endpoint.count();
    site.publishes(&new);
    site.check_in(&token_of(&new, &site.clock));
    assert_eq!(site.endpoint.count(), before + 1);
    assert_eq!(
        site.answer(&token_of(&old, &site.clock)),
        Received::Text(INVALID.to_owned()),
        "it was taken out"
    );
    assert_eq!(metric(&site.server, "roomkey_key_set_fetches"), site.endpoint.count() as u64);
    assert_eq!(metric(&site.server, "roomkey_key_set_failures"), 0);
}

/// F30: whoever makes up keys makes no work for the issuer, and nobody else waits.
#[test]
fn a_flood_of_made_up_keys_harms_nobody() {
    let own = issuer(1);
    let site = Site::start(Endpoint::ok("", own.jwks()));
    let good = token_of(&own, &site.clock);
    site.check_in(&good);
    let before = site.endpoint.count();
    for connection in 0..100 {
        let mut client = Client::open(site.server.address());
        for attempt in 0..3 {
            let forged = with_kid(&good, &format!("made-up-{connection}-{attempt}"));
            client.call(&format!(r#"40{{"token":"{forged}"}}"#), INVALID);
        }
        if connection % 10 == 0 {
            site.check_in(&good);
            site.check_in(&site.own_token());
        }
    }
    assert!(site.endpoint.count() <= before + 1);
    site.clock.advance_secs(30);
    assert_eq!(site.answer(&with_kid(&good, "another")), Received::Text(INVALID.to_owned()));
    assert!((before + 1..=before + 2).contains(&site.endpoint.count()));
}

/// F29, F31: keys are used for a day when they cannot be confirmed. Then a client is told to come back: were it refused
/// by a packet, it would stay away.
#[test]
fn without_keys_clients_are_told_to_come_back() {
    let own = issuer(1);
    let site = Site::start(Endpoint::ok("", own.jwks()));
    site.check_in(&token_of(&own, &site.clock));
    for broken in [Vec::new(), Endpoint::ok("", r#"{"keys":[]}"#), Endpoint::ok("", "<html>")] {
        site.endpoint.answer(broken);
        site.check_in(&token_of(&own, &site.clock));
    }
    site.clock.advance_secs(DAY_S - 60);
    site.check_in(&token_of(&own, &site.clock));
    let unknown = with_kid(&token_of(&own, &site.clock), "new");
    assert_eq!(
        site.answer(&unknown),
        Received::Close(Some(1013)),
        "whether there is such a key cannot be said"
    );

    site.clock.advance_secs(120);
    let good = token_of(&own, &site.clock);
    assert_eq!(site.answer(&good), Received::Close(Some(1013)));
    let mut polling = Polling::open(site.server.address());
    polling.post(&format!(r#"40{{"token":"{good}"}}"#));
    assert!(!polling.poll().contains("44"), "no refusal");
    assert!(polling.is_gone());
    site.check_in(&site.own_token());

    site.publishes(&own);
    site.clock.advance_secs(30);
    site.check_in(&good);
}

/// A server starts although its issuer is down, and serves others meanwhile.
#[test]
fn an_issuer_that_is_down_is_waited_for() {
    let own = issuer(1);
    let site = Site::start(Vec::new());
    assert_eq!(site.answer(&token_of(&own, &site.clock)), Received::Close(Some(1013)));
    site.check_in(&site.own_token());
    site.publishes(&own);
    site.clock.advance_secs(30);
    site.check_in(&token_of(&own, &site.clock));
    assert!(metric(&site.server, "roomkey_key_set_failures") > 0);
}

/// F24, F28: the session of an Auth.js application counts as any cookie does: for pages that are known.
#[test]
fn an_encrypted_session_counts_only_for_a_known_page() {
    const SESSION: &str = include_str!("../data/auth_js_session");
    const COOKIE: &str = "__Secure-authjs.session-token";
    let mut profile = AuthJsProfile::new("web", AuthJsVersion::V5, COOKIE);
    profile.add_secret("AUTH_SECRET", SECRET.as_bytes(), SecretStrength::Required).expect("strong");
    let clock = Arc::new(TestClock::default());
    clock.set(roomkey::Timestamp::from_secs(1_800_000_000));
    let verifier = Verifier::with_sessions(Vec::new(), vec![profile]).expect("a good profile");
    let app = Origin::parse("https://app.example.com").expect("an origin");
    let config = ServerConfig { clock, origins: OriginPolicy::listed(vec![app]), ..config() };
    let server = start_with(config, namespace(Namespace::new(TokenAuthentication::new(verifier.into()))));
    let answer = |headers: &str, connect: &str| {
        let http = HttpClient::connect(server.address());
        let mut client = WebSocketClient::ask(http, Client::TARGET, headers).expect("a WebSocket");
        assert!(client.receive_text().starts_with("0{"));
        client.text(connect);
        let answer = client.receive_text();
        match answer.strip_prefix("44") {
            Some(error) => {
                let error: Value = serde_json::from_str(error).expect("JSON");
                error["data"]["code"].as_str().expect("a code").to_owned()
            }
            None => answer[..2].to_owned(),
        }
    };
    let own = "Origin: https://app.example.com\r\n";
    let whole = format!("Cookie: a=b; {COOKIE}={SESSION}\r\n");
    let (first, second) = SESSION.split_at(SESSION.len() / 2);
    let in_pieces = format!("Cookie: {COOKIE}.1={second}; {COOKIE}.0={first}\r\n");
    let cases = [
        (format!("{own}{whole}"), "40", "40"),
        (format!("{own}{in_pieces}"), "40", "40"),
        (whole.clone(), "40", "TOKEN_MISSING"),
        (in_pieces.clone(), "40", "TOKEN_MISSING"),
        (format!("Sec-Fetch-Site: cross-site\r\n{whole}"), "40", "TOKEN_MISSING"),
        (format!("{own}{whole}{in_pieces}"), "40", "TOKEN_INVALID"),
        (format!("{own}{whole}{whole}"), "40", "TOKEN_AMBIGUOUS"),
        (format!("{own}{whole}"), r#"40{"token":"x"}"#, "TOKEN_AMBIGUOUS"),
        (format!("{own}Cookie: session={SESSION}\r\n"), "40", "TOKEN_MISSING"),
        (own.to_owned(), &format!(r#"40{{"token":"{SESSION}"}}"#), "TOKEN_INVALID"),
        (format!("{own}{whole}"), &format!(r#"40{{"token":"{SESSION}"}}"#), "40"),
    ];
    for (headers, connect, expected) in cases {
        assert_eq!(answer(&headers, connect), expected, "{headers} {connect}");
    }
}
