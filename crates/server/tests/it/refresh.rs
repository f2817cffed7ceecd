//! A token that is about to end is renewed on the socket it was shown on.

use std::{sync::Arc, time::Duration};

use roomkey::{Limits, Namespace, RoomName, ServerConfig, Socket, TokenAuthentication};
use roomkey_testkit::{Client, Received, TestClock, TestServer, authentication, token};
use serde_json::{Value, json};

use crate::support::{clocked, config, namespace, next, start_with};

const NOW: u64 = TestClock::START_SECS;

fn main_namespace(authentication: impl Into<roomkey::Authentication>) -> Namespace {
    namespace(Namespace::new(authentication))
        .on("who", async |socket: Socket, (): ()| {
            let identity = socket.identity().expect("a token was asked for");
            json!({ "user": identity.user, "roles": identity.roles.iter().map(|role| &**role).collect::<Vec<_>>() })
        })
        .on("rooms", async |socket: Socket, (): ()| {
            let mut rooms: Vec<_> = socket.rooms().iter().map(|room| room.as_str().to_owned()).collect();
            rooms.sort();
            json!(rooms)
        })
}

fn start(config: ServerConfig) -> TestServer {
    start_with(config, main_namespace(authentication()))
}

/// A token of `ada` that was issued now and lives so long.
fn token_for(seconds: u64) -> String {
    token(&json!({ "id": "ada", "sid": "s1", "iat": NOW, "exp": NOW + seconds }))
}

fn refresh(id: u64, token: &str) -> String {
    format!("42{id}{}", json!(["auth:refresh", { "token": token }]))
}

#[track_caller]
fn expect(client: &mut Client, packet: &str) {
    assert_eq!(next(client), Received::Text(packet.to_owned()));
}

/// The code of the refusal that is the next packet.
#[track_caller]
fn refusal(client: &mut Client, ack: &str) -> String {
    let Received::Text(text) = next(client) else { panic!("no packet") };
    let body: Value = serde_json::from_str(text.strip_prefix(ack).expect("the ack")).expect("JSON");
    assert!(body[0]["error"].is_string(), "{body}");
    body[0]["code"].as_str().expect("a code").to_owned()
}

fn expires(seconds: u64) -> String {
    roomkey::Timestamp::from_secs(NOW + seconds).to_string()
}

#[test]
fn a_client_is_warned_and_renews_its_token_without_losing_anything() {
    let (config, clock) = clocked();
    let server = start(config);
    let mut ada = Client::connect_as(server.address(), &token_for(600));
    ada.text(r#"420["join","room"]"#);
    expect(&mut ada, "430[true]");
    clock.advance_secs(540);
    expect(&mut ada, &format!(r#"42["auth:expiring",{{"expiresAt":"{}"}}]"#, expires(600)));
    ada.text(r#"421["say","room","before"]"#);
    ada.text(&refresh(2, &token_for(1200)));
    ada.text(r#"423["say","room","after"]"#);
    expect(&mut ada, r#"42["said","before"]"#);
    expect(&mut ada, "431[true]");
    expect(&mut ada, &format!(r#"432[{{"data":{{"expiresAt":"{}"}}}}]"#, expires(1200)));
    expect(&mut ada, r#"42["said","after"]"#);
    expect(&mut ada, "433[true]");
    // The old end passes; the new one does not.
    clock.advance_secs(61);
    ada.text(r#"424["say","room","later"]"#);
    expect(&mut ada, r#"42["said","later"]"#);
    expect(&mut ada, "434[true]");
    clock.advance_secs(599);
    assert!(matches!(next(&mut ada), Received::Text(text) if text.starts_with(r#"42["auth:expired","#)));
    assert_eq!(next(&mut ada), Received::Close(Some(4401)));
}

/// Twelve seconds before the end of a minute, as with tokens of some providers.
#[test]
fn short_tokens_are_warned_of_in_their_last_fifth() {
    let (config, clock) = clocked();
    let server = start(config);
    let mut ada = Client::connect_as(server.address(), &token_for(60));
    clock.advance_secs(47);
    ada.text("420[\"echo\"]");
    expect(&mut ada, "430[]");
    clock.advance_secs(1);
    expect(&mut ada, &format!(r#"42["auth:expiring",{{"expiresAt":"{}"}}]"#, expires(60)));
    ada.text("421[\"echo\"]");
    expect(&mut ada, "431[]");
}

#[test]
fn a_token_that_cannot_take_its_place_leaves_the_old_one_in_force() {
    let (config, clock) = clocked();
    let server = start(config);
    let mut ada = Client::connect_as(server.address(), &token_for(600));
    let claims = |claims: Value| token(&claims);
    let forged = format!("{}x", token_for(1200));
    for (id, shown, code) in [
        (0, forged, "TOKEN_INVALID"),
        (1, claims(json!({ "id": "ada", "sid": "s1", "iat": NOW, "exp": NOW - 1 })), "TOKEN_EXPIRED"),
        (2, claims(json!({ "id": "ada", "sid": "s1", "iat": NOW - 1, "exp": NOW + 1200 })), "TOKEN_INVALID"),
        (3, String::new(), "TOKEN_MISSING"),
        (4, claims(json!({ "id": "bob", "sid": "s1", "iat": NOW, "exp": NOW + 1200 })), "PRINCIPAL_MISMATCH"),
        (5, claims(json!({ "id": "ada", "sid": "s2", "iat": NOW, "exp": NOW + 1200 })), "PRINCIPAL_MISMATCH"),
    ] {
        ada.text(&refresh(id, &shown));
        assert_eq!(refusal(&mut ada, &format!("43{id}")), code, "{id}");
    }
    for (id, argument) in [(6, "5"), (7, "{\"token\":5}"), (8, "[]"), (9, "\"x\"")] {
        ada.text(&format!("42{id}[\"auth:refresh\",{argument}]"));
        assert_eq!(refusal(&mut ada, &format!("43{id}")), "BAD_PAYLOAD", "{argument}");
    }
    ada.text("4210[\"auth:refresh\"]");
    assert_eq!(refusal(&mut ada, "4310"), "BAD_PAYLOAD");
    ada.text("4211[\"who\"]");
    expect(&mut ada, r#"4311[{"roles":[],"user":"ada"}]"#);
    clock.advance_secs(600);
    while !matches!(next(&mut ada), Received::Close(Some(4401))) {}
}

/// The third token of somebody else is the last.
#[test]
fn who_tries_the_tokens_of_others_is_put_out() {
    let (config, _) = clocked();
    let server = start(config);
    let mut ada = Client::connect_as(server.address(), &token_for(600));
    let of_bob = token(&json!({ "id": "bob", "iat": NOW, "exp": NOW + 600 }));
    for id in 0..3 {
        ada.text(&refresh(id, &of_bob));
        assert_eq!(refusal(&mut ada, &format!("43{id}")), "PRINCIPAL_MISMATCH");
    }
    assert_eq!(next(&mut ada), Received::Close(Some(1008)));
}

#[test]
fn tokens_can_be_shown_only_so_often() {
    let (config, _) = clocked();
    let limits = Limits { token_refreshes_per_minute: 2, ..Limits::default() };
    let server = start(ServerConfig { limits, ..config });
    let mut ada = Client::connect_as(server.address(), &token_for(600));
    for id in 0..2 {
        ada.text(&refresh(id, &token_for(600)));
        expect(&mut ada, &format!(r#"43{id}[{{"data":{{"expiresAt":"{}"}}}}]"#, expires(600)));
    }
    for id in 2..4 {
        ada.text(&refresh(id, &token_for(600)));
        assert_eq!(refusal(&mut ada, &format!("43{id}")), "RATE_LIMITED");
    }
    ada.text(&refresh(4, &token_for(600)));
    assert_eq!(next(&mut ada), Received::Close(Some(1008)));
    let counted = crate::limits::counted(&server);
    assert!(counted.contains(&("token_refreshes_per_minute".to_owned(), 3)), "{counted:?}");
}

/// Roles in the claim `roles`, and a room `staff` for those who have the role.
fn with_roles() -> TokenAuthentication {
    let secret = roomkey::auth::HmacSecret::new(
        "SECRET",
        roomkey::auth::Algorithm::Hs256,
        roomkey_testkit::SECRET.as_bytes(),
        roomkey::auth::SecretStrength::Required,
    )
    .expect("a strong secret");
    let profile = roomkey::auth::IssuerProfile {
        roles_claim: Some(roomkey::auth::ClaimPath::new("roles")),
        ..roomkey::auth::IssuerProfile::shared_secret("test", vec![secret])
    };
    let verifier = roomkey::auth::Verifier::new(vec![profile]).expect("a good profile");
    TokenAuthentication::new(Arc::new(verifier))
}

#[test]
fn whoever_loses_a_role_leaves_the_rooms_that_need_it() {
    let (config, _) = clocked();
    let main = main_namespace(with_roles())
        .room_check(async |socket: Socket, room: RoomName| {
            assert_ne!(room.as_str(), "broken", "the panic that this test is about");
            let identity = socket.identity().expect("a token was asked for");
            room.as_str() != "staff" || identity.roles.iter().any(|role| &**role == "staff")
        })
        .on_refresh(async |socket: Socket| {
            socket.emit("renewed", &(socket.identity().expect("a token").roles.len(),)).expect("a number");
        });
    let server = start_with(config, main);
    let shown = |roles: Value| token(&json!({ "id": "ada", "iat": NOW, "exp": NOW + 600, "roles": roles }));
    let mut ada = Client::connect_as(server.address(), &shown(json!(["staff", "editor"])));
    let mut bob = Client::connect_as(server.address(), &shown(json!([])));
    for (id, room) in ["staff", "lobby", "broken"].into_iter().enumerate() {
        ada.text(&format!(r#"42{id}["join","{room}"]"#));
        expect(&mut ada, &format!("43{id}[true]"));
    }
    // The same roles: nobody asks.
    ada.text(&refresh(3, &shown(json!(["staff", "editor"]))));
    expect(&mut ada, r#"42["renewed",2]"#);
    assert!(matches!(next(&mut ada), Received::Text(ack) if ack.starts_with("433[{\"data\"")));
    // The ack comes last: by then the rooms are left.
    ada.text(&refresh(4, &shown(json!(["editor"]))));
    let heard: Vec<_> = (0..4).map(|_| next(&mut ada)).collect();
    for packet in [
        r#"42["renewed",1]"#,
        r#"42["room:evicted",{"room":"staff"}]"#,
        r#"42["room:evicted",{"room":"broken"}]"#,
    ] {
        assert!(heard.contains(&Received::Text(packet.to_owned())), "{packet}: {heard:?}");
    }
    bob.text(r#"420["say","staff","for the staff"]"#);
    expect(&mut bob, "430[true]");
    bob.text(r#"421["say","lobby","for all"]"#);
    expect(&mut bob, "431[true]");
    expect(&mut ada, r#"42["said","for all"]"#);
    ada.text("425[\"rooms\"]");
    expect(&mut ada, r#"435[["lobby"]]"#);
    // A role that is won back opens no room by itself.
    ada.text(&refresh(6, &shown(json!(["staff"]))));
    expect(&mut ada, r#"42["renewed",1]"#);
    assert!(matches!(next(&mut ada), Received::Text(ack) if ack.starts_with("436[{\"data\"")));
    ada.text("427[\"rooms\"]");
    expect(&mut ada, r#"437[["lobby"]]"#);
}

/// A role that is lost is lost in all of them.
#[test]
fn rooms_are_left_in_all_namespaces_of_the_authority() {
    let (config, _) = clocked();
    let authority = Arc::new(with_roles());
    let staff_only = |authority: Arc<TokenAuthentication>| {
        main_namespace(authority).room_check(async |socket: Socket, _: RoomName| {
            socket.identity().expect("a token was asked for").roles.iter().any(|role| &**role == "staff")
        })
    };
    let server = TestServer::start(
        roomkey::ServerBuilder::new(config)
            .namespace("/", main_namespace(authority.clone()))
            .namespace("/staff", staff_only(authority))
            .bind()
            .expect("a free port"),
    );
    let shown = |roles: Value| token(&json!({ "id": "ada", "iat": NOW, "exp": NOW + 600, "roles": roles }));
    let mut ada = Client::connect_as(server.address(), &shown(json!(["staff"])));
    ada.text(&format!(r#"40/staff,{{"token":"{}"}}"#, shown(json!(["staff"]))));
    assert!(matches!(next(&mut ada), Received::Text(text) if text.starts_with("40/staff,")));
    ada.text(r#"42/staff,0["join","office"]"#);
    expect(&mut ada, "43/staff,0[true]");
    ada.text(&refresh(1, &shown(json!([]))));
    expect(&mut ada, r#"42/staff,["room:evicted",{"room":"office"}]"#);
    assert!(matches!(next(&mut ada), Received::Text(text) if text.starts_with("431[{\"data\"")));
    ada.text(r#"42/staff,2["rooms"]"#);
    expect(&mut ada, "43/staff,2[[]]");
}

/// Where the same authority asks for tokens in two namespaces, a newer one counts in both.
#[test]
fn a_newer_token_counts_in_all_namespaces_of_its_authority() {
    let (config, clock) = clocked();
    let authority = Arc::new(authentication());
    let server = TestServer::start(
        roomkey::ServerBuilder::new(config)
            .namespace("/", main_namespace(authority.clone()))
            .namespace("/other", main_namespace(authority))
            .namespace("/stranger", main_namespace(authentication()))
            .bind()
            .expect("a free port"),
    );
    let mut ada = Client::connect_as(server.address(), &token_for(600));
    ada.text(&format!(r#"40/other,{{"token":"{}"}}"#, token_for(600)));
    assert!(matches!(next(&mut ada), Received::Text(text) if text.starts_with("40/other,")));
    ada.text(&refresh(0, &token_for(1200)));
    assert!(matches!(next(&mut ada), Received::Text(text) if text.starts_with("430[{\"data\"")));
    clock.advance_secs(600);
    ada.text("421[\"echo\"]");
    expect(&mut ada, "431[]");
    ada.text("42/other,2[\"echo\"]");
    expect(&mut ada, "43/other,2[]");
    let mut bob =
        Client::connect_as(server.address(), &token(&json!({ "id": "bob", "iat": NOW, "exp": NOW + 1200 })));
    bob.text(&format!(
        r#"40/stranger,{}"#,
        json!({ "token": token(&json!({ "id": "bob", "iat": NOW, "exp": NOW + 700 })) })
    ));
    assert!(matches!(next(&mut bob), Received::Text(text) if text.starts_with("40/stranger,")));
    bob.text(&refresh(0, &token(&json!({ "id": "bob", "iat": NOW, "exp": NOW + 1300 }))));
    loop {
        match next(&mut bob) {
            Received::Text(text) if text.starts_with("430[{\"data\"") => break,
            Received::Text(text) => assert!(text.contains("auth:expiring"), "{text}"),
            other => panic!("{other:?}"),
        }
    }
    clock.advance_secs(100);
    while !matches!(next(&mut bob), Received::Close(Some(4401))) {}
}

/// A newer token and the end of the old one at about the same time: the connection goes on as a whole, or ends as one.
#[test]
fn a_token_renewed_at_the_last_moment_is_renewed_or_over() {
    let (config, clock) = clocked();
    let server = start(ServerConfig { expiry_warning: Duration::ZERO, ..config });
    for round in 0..150_u64 {
        let end = NOW + (round + 1) * 100;
        let mut ada =
            Client::connect_as(server.address(), &token(&json!({ "id": "ada", "iat": NOW, "exp": end })));
        let newer = token(&json!({ "id": "ada", "iat": NOW, "exp": end + 100 }));
        let time_is_over = || clock.set(roomkey::Timestamp::from_secs(end));
        // In time, too late, and so that nobody knows which comes first.
        let in_time = match round % 3 {
            0 => {
                ada.text(&refresh(0, &newer));
                assert!(matches!(next(&mut ada), Received::Text(text) if text.starts_with("430[{\"data\"")));
                time_is_over();
                Some(true)
            }
            1 => {
                time_is_over();
                ada.text(&refresh(0, &newer));
                Some(false)
            }
            _ => {
                ada.text(&refresh(0, &newer));
                time_is_over();
                None
            }
        };
        if in_time == Some(true) {
            ada.text("421[\"echo\"]");
        }
        let is_renewed = loop {
            match next(&mut ada) {
                Received::Text(text) if text.starts_with("430[{\"data\"") => ada.text("421[\"echo\"]"),
                Received::Text(text) if text == "431[]" => break true,
                Received::Text(text) => assert!(text.contains("auth:expired"), "{text}"),
                Received::Close(code) => {
                    assert_eq!(code, Some(4401));
                    break false;
                }
                other => panic!("{other:?}"),
            }
        };
        assert!(in_time.is_none_or(|in_time| in_time == is_renewed), "round {round}");
    }
}

#[test]
fn in_an_open_namespace_it_is_an_event_like_any_other() {
    let server = start_with(
        config(),
        namespace(Namespace::open()).on("auth:refresh", async |_: Socket, (): ()| "mine"),
    );
    let mut client = Client::connect(server.address());
    client.call("420[\"auth:refresh\"]", "430[\"mine\"]");
}
