//! Rules of the configuration in the whole product: what tokens say, what REST answers, and other rules while it runs.

use roomkey_testkit::{Client, SECRET, TestClock, token};
use serde_json::{Value, json};

use crate::product::{API_KEY, Call, TestProduct, USERS_KEY};

/// A backend's tokens, with roles and organizations, and these rules.
fn start(rules: &str) -> TestProduct {
    let auth = format!(
        "builtin = false\n[[auth.issuers]]\nname = 'test'\nsecrets = ['{SECRET}']\nuser_prefix = ''\n\
         roles_claim = 'roles'\n{rules}"
    );
    TestProduct::start(&auth)
}

fn rule(name: &str, effect: &str, actions: &str, rooms: &str, condition: &str) -> String {
    format!(
        "[[policy.rules]]\nname = '{name}'\neffect = '{effect}'\nactions = {actions}\nrooms = '{rooms}'\n{condition}\n"
    )
}

/// A token of this user that says this, too.
fn token_of(user: &str, more: Value) -> String {
    let mut claims =
        json!({ "sub": user, "iat": TestClock::START_SECS, "exp": TestClock::START_SECS + 3600 });
    let Value::Object(more) = more else { panic!("an object") };
    claims.as_object_mut().expect("an object").extend(more);
    token(&claims)
}

/// Sends an event; gives what comes before its ack, and the ack.
#[track_caller]
fn ask(client: &mut Client, event: &Value) -> (Vec<String>, Value) {
    client.text(&format!("420{event}"));
    let mut events = Vec::new();
    loop {
        let packet = client.receive_text();
        match packet.strip_prefix("430") {
            Some(ack) => {
                let ack: Value = serde_json::from_str(ack).expect("JSON");
                return (events, ack[0].clone());
            }
            None => events.push(packet),
        }
    }
}

#[track_caller]
fn code(client: &mut Client, event: &Value) -> Value {
    ask(client, event).1["code"].clone()
}

fn new_channel(product: &TestProduct, token: &str) -> String {
    let call = Call::json(&json!({ "name": "harbour", "visibility": "public" })).token(token);
    let answer = product.send("POST", "/api/channels", &call);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json["channel"]["id"].as_str().expect("an id").to_owned()
}

/// A23
#[test]
fn a_role_that_a_newer_token_lacks_takes_rooms_and_rights_with_it() {
    let rules = rule("staff", "allow", "['join']", "room:staff", "roles = ['staff']")
        + &rule("guests", "deny", "['send', 'read']", "channel:*", "roles = ['guest']");
    let product = start(&rules);
    let staff = token_of("ada", json!({ "roles": ["staff"] }));
    let mut ada = product.connect(&staff);
    let channel = new_channel(&product, &staff);
    assert_eq!(ask(&mut ada, &json!(["joinRoom", "room:staff"])).1, json!({ "data": "room:staff" }));
    let send = json!(["sendMessage", { "channelId": channel, "content": "one" }]);
    assert_eq!(code(&mut ada, &send), Value::Null);
    let guest = token_of("ada", json!({ "roles": ["guest"] }));
    let (told, ack) = ask(&mut ada, &json!(["auth:refresh", { "token": guest }]));
    assert!(ack["data"].is_object(), "{ack}");
    for room in ["room:staff".to_owned(), format!("channel:{channel}")] {
        assert!(told.contains(&format!(r#"42["room:evicted",{{"room":"{room}"}}]"#)), "{room}: {told:?}");
    }
    assert_eq!(code(&mut ada, &send), "FORBIDDEN");
    assert_eq!(code(&mut ada, &json!(["joinRoom", "room:staff"])), "FORBIDDEN");
    assert_eq!(code(&mut ada, &json!(["joinRoom", channel])), "FORBIDDEN");
    // What is sent there now is not heard.
    let mut other = product.connect(&staff);
    assert_eq!(code(&mut other, &send), Value::Null);
    assert_eq!(ask(&mut ada, &json!(["leaveRoom", "room:staff"])).0, [""; 0]);
}

/// A24
#[test]
fn a_token_for_reading_changes_nothing() {
    let product = start("");
    let full = token_of("ada", json!({ "scope": "openid profile" }));
    let channel = new_channel(&product, &full);
    let mut ada = product.connect(&full);
    let reading = token_of("ada", json!({ "scope": "openid chat:read" }));
    let mut reader = product.connect(&reading);
    let send = json!(["sendMessage", { "channelId": channel, "content": "one" }]);
    assert_eq!(code(&mut reader, &send), "FORBIDDEN");
    let forbidden = |method, path: &str, body: Value| {
        let answer = product.send(method, path, &Call::json(&body).token(&reading));
        assert_eq!(answer.refusal(), (403, "FORBIDDEN"), "{path}");
    };
    forbidden("POST", "/api/channels", json!({ "name": "x" }));
    forbidden("POST", &format!("/api/channels/{channel}/members"), json!({ "userId": "bob" }));
    let path = format!("/api/channels/{channel}/messages");
    assert_eq!(product.get(&path, &reading).json["messages"], json!([]));
    // It hears what others send, and the one that may write is told nothing of what was refused.
    assert_eq!(ask(&mut ada, &send).0.len(), 1);
    assert!(reader.receive_text().starts_with(r#"42["message.created""#));
    let malformed = token_of("ada", json!({ "scope": 5 }));
    assert_eq!(product.get("/api/auth/me", &malformed).refusal(), (401, "TOKEN_INVALID"));
}

/// A11
#[test]
fn a_room_of_another_tenant_is_like_one_that_is_not_there() {
    let rules = rule("tenants", "allow", "['join']", "room:{claim.org}:*", "");
    let product = start(&format!("[policy]\nwithout = ['public-channels']\n{rules}"));
    let mut ada = product.connect(&token_of("ada", json!({ "org": "acme" })));
    let eve_token = token_of("eve", json!({ "org": "evil" }));
    let mut eve = product.connect(&eve_token);
    let channel = new_channel(&product, &token_of("ada", json!({ "org": "acme" })));
    assert_eq!(code(&mut ada, &json!(["joinRoom", "room:acme:x"])), Value::Null);
    let refusal = |eve: &mut Client, room: &str| ask(eve, &json!(["joinRoom", room])).1;
    let nowhere = refusal(&mut eve, "channel:nowhere");
    assert_eq!(nowhere["code"], "FORBIDDEN");
    for room in ["room:acme:x", "room:acme:nowhere", &channel, &format!("channel:{channel}")] {
        assert_eq!(refusal(&mut eve, room), nowhere, "{room}");
    }
    let of_eve = |path: &str| product.get(path, &eve_token);
    let (there, not_there) =
        (of_eve(&format!("/api/channels/{channel}/members")), of_eve("/api/channels/nowhere/members"));
    assert_eq!((there.status, &there.json), (not_there.status, &not_there.json));
    assert_eq!(of_eve("/api/channels").json["channels"], json!([]));
    // A claim of a form that no rule could mean is no token at all.
    let malformed = token_of("eve", json!({ "org": { "name": "acme" } }));
    assert_eq!(product.get("/api/auth/me", &malformed).refusal(), (401, "TOKEN_INVALID"));
}

/// A26
#[test]
fn other_rules_are_in_force_when_the_command_is_done() {
    let product = start(&rule("lobby", "allow", "['join']", "room:lobby", ""));
    let (ada_token, bob_token) = (token_of("ada", json!({})), token_of("bob", json!({})));
    let channel = new_channel(&product, &ada_token);
    let (mut ada, mut bob) = (product.connect(&ada_token), product.connect(&bob_token));
    for room in ["room:lobby", &channel] {
        assert_eq!(code(&mut bob, &json!(["joinRoom", room])), Value::Null);
    }
    let quiet = json!({ "name": "quiet", "effect": "deny", "actions": ["send", "read"], "rooms": "channel:*",
        "membership": ["member"] });
    let (status, answer) = product.operate("/policy/reload", &json!({ "policy": { "rules": [quiet] } }));
    assert_eq!((status, answer), (200, json!({ "rules": 1, "evicted": 2 })));
    let send = json!(["sendMessage", { "channelId": channel, "content": "one" }]);
    let (told, ack) = ask(&mut bob, &send);
    assert_eq!(ack["code"], "FORBIDDEN");
    assert_eq!(told.iter().filter(|event| event.contains("room:evicted")).count(), 2, "{told:?}");
    assert_eq!(code(&mut ada, &send), Value::Null);
    assert_eq!(code(&mut bob, &json!(["joinRoom", "room:lobby"])), "FORBIDDEN");
    // Back again. What is wrong changes nothing, and neither does a claim that live tokens have not kept.
    for (rules, expected) in [
        (json!([{ "name": "x", "effect": "deny", "actions": ["send"] }]), 422),
        (json!([{ "name": "x", "effect": "deny", "actions": ["fly"], "rooms": "*" }]), 422),
        (
            json!([{ "name": "x", "effect": "deny", "actions": ["send"], "rooms": "*", "claims": { "org": ["a"] } }]),
            409,
        ),
    ] {
        let (status, answer) = product.operate("/policy/reload", &json!({ "policy": { "rules": rules } }));
        assert_eq!(status, expected, "{answer}");
        assert_eq!(code(&mut bob, &send), "FORBIDDEN");
    }
    let (status, _) = product.operate("/policy/reload", &json!({ "policy": {} }));
    assert_eq!(status, 200);
    assert_eq!(code(&mut bob, &send), Value::Null);
    roomkey_testkit::eventually("it is recorded", || product.times_audited("authz_admin") == 2);
}

#[test]
fn explanations_are_ones_own_or_a_backends() {
    let rules = rule("staff", "allow", "['manage']", "channel:*", "roles = ['staff']");
    let key = "[[auth.api_keys]]\nname = 'explainer'\nkey = 'rk_explainer_explainer_explainer_0'\nscopes = ['policy']\n";
    let product = start(&(rules + key));
    let key = "rk_explainer_explainer_explainer_0";
    let ada = token_of("ada", json!({ "roles": ["staff"], "scope": "x chat:read chat:write" }));
    let channel = new_channel(&product, &token_of("bob", json!({})));
    let path = format!("/api/authz/explain?action=manage&room=channel:{channel}");
    let own = product.get(&path, &ada);
    assert_eq!(own.status, 200, "{own:?}");
    assert_eq!((&own.json["decision"], &own.json["rule"]), (&json!("allowed"), &json!("staff")));
    let facts = json!({ "user": "ada", "token": true, "roles": ["staff"], "scopes": ["chat:read", "chat:write"],
        "claims": {}, "action": "manage", "room": format!("channel:{channel}"), "membership": "visitor" });
    assert_eq!(own.json["facts"], facts);
    let staff = json!({ "rule": "staff", "effect": "allow", "origin": "configured", "matches": true });
    assert_eq!(own.json["considered"][1], staff);
    let scopes = json!({ "rule": "scopes", "effect": "deny", "origin": "builtin", "matches": false, "mismatch": "scope" });
    assert_eq!(own.json["considered"][0], scopes);
    // A backend asks about others: by what a live socket has shown, or without any token.
    let of_ada = format!("{path}&user=ada");
    let with_key = |path: &str, key| product.send("GET", path, &Call::default().key(key));
    let absent = with_key(&of_ada, key);
    assert_eq!(
        (&absent.json["decision"], &absent.json["rule"]),
        (&json!("denied"), &Value::Null),
        "{absent:?}"
    );
    assert_eq!(absent.json["facts"]["token"], false);
    let _socket = product.connect(&ada);
    assert_eq!(with_key(&of_ada, key).json, own.json);
    for (answer, expected) in [
        (product.get(&of_ada, &ada), (401, "API_KEY_INVALID")),
        (with_key(&of_ada, API_KEY), (403, "INSUFFICIENT_SCOPE")),
        (with_key(&of_ada, USERS_KEY), (403, "INSUFFICIENT_SCOPE")),
        (with_key(&path, key), (401, "TOKEN_MISSING")),
        (product.get("/api/authz/explain?action=fly", &ada), (422, "BAD_PAYLOAD")),
        (product.get("/api/authz/explain?action=send", &ada), (422, "BAD_PAYLOAD")),
        (product.get("/api/authz/explain?room=room:x", &ada), (422, "BAD_PAYLOAD")),
        (product.get("/api/authz/explain?action=send&room=%20", &ada), (422, "BAD_PAYLOAD")),
        (product.get("/api/authz/explain?action=send&room=a&x=1", &ada), (422, "BAD_PAYLOAD")),
    ] {
        assert_eq!(answer.refusal(), expected);
    }
    // What may not be seen looks like what is not there.
    let hidden = |room: &str| {
        let answer = product.get(&format!("/api/authz/explain?action=read&room={room}"), &ada);
        (answer.json["decision"].clone(), answer.json["facts"]["membership"].clone())
    };
    let private = {
        let call = Call::json(&json!({ "name": "den" })).token(&token_of("bob", json!({})));
        product.send("POST", "/api/channels", &call).json["channel"]["id"].as_str().expect("an id").to_owned()
    };
    assert_eq!(hidden(&private), hidden("nowhere"));
    // Others of the command line, over the socket.
    let asked = json!({ "user": { "name": "ada", "is_id": false }, "asked": { "action": "manage", "room": channel } });
    assert_eq!(product.operate("/policy/explain", &asked), (200, own.json));
}

/// Who comes back gets what was sent to a free room meanwhile, if the rules still let them in.
#[test]
fn free_rooms_are_recovered_by_the_rules_that_are_in_force_then() {
    let emits =
        "[[auth.api_keys]]\nname = 'shop'\nkey = 'rk_shop_shop_shop_shop_shop_shop_0'\nscopes = ['emit']\n";
    let lobby = rule("lobby", "allow", "['join']", "room:lobby", "");
    let product = start(&(lobby + emits + "[engine]\nrecovery = true\n"));
    let bob = token_of("bob", json!({}));
    let connect = |auth: Value| {
        let mut client = Client::open(product.server().address());
        client.text(&format!("40{auth}"));
        let mut missed = Vec::new();
        loop {
            let packet = client.receive_text();
            match packet.strip_prefix("40") {
                Some(answer) => {
                    let answer: Value = serde_json::from_str(answer).expect("is let in");
                    return (client, answer, missed);
                }
                None => missed.push(packet),
            }
        }
    };
    let away = |client: Client| {
        let before = product.server().handle().connection_count();
        drop(client);
        roomkey_testkit::eventually("is gone", || product.server().handle().connection_count() < before);
        let emit = json!({ "to": ["room:lobby"], "event": "news", "args": [1] });
        let key = "rk_shop_shop_shop_shop_shop_shop_0";
        assert_eq!(product.send("POST", "/api/emit", &Call::json(&emit).key(key)).status, 200);
    };
    let (mut client, first, _) = connect(json!({ "token": bob }));
    assert_eq!(code(&mut client, &json!(["joinRoom", "room:lobby"])), Value::Null);
    away(client);
    let (client, again, missed) = connect(json!({ "token": bob, "pid": first["pid"] }));
    assert_eq!(again["sid"], first["sid"], "it was recovered");
    assert!(missed.iter().any(|packet| packet.contains("news")), "{missed:?}");
    away(client);
    assert_eq!(product.operate("/policy/reload", &json!({ "policy": {} })).0, 200);
    let (_client, again, missed) = connect(json!({ "token": bob, "pid": again["pid"] }));
    assert_eq!(again["sid"], first["sid"], "it was recovered");
    // It has not said what it had received, so that the first of the two would come again, too.
    assert!(!missed.iter().any(|packet| packet.contains("news")), "{missed:?}");
}
