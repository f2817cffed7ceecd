//! A27: a backend acts with the rights of the user that it names, and of nobody else.

use roomkey_testkit::eventually;
use serde_json::{Value, json};

use crate::product::{API_KEY, Answer, Call, TestProduct, USERS_KEY};

fn call_as(user: &str, body: Option<&Value>) -> Call {
    body.map(Call::json).unwrap_or_default().key(API_KEY).header("Roomkey-User", user)
}

fn post_as(product: &TestProduct, user: &str, path: &str, body: &Value) -> Answer {
    product.send("POST", path, &call_as(user, Some(body)))
}

fn get_as(product: &TestProduct, user: &str, path: &str) -> Answer {
    product.send("GET", path, &call_as(user, None))
}

#[test]
fn a27_the_rights_are_those_of_the_user() {
    let product = TestProduct::start("");
    let (ada, bob) = (product.register("ada"), product.register("bob"));
    let created = post_as(&product, &ada.user, "/api/channels", &json!({ "name": "Den" }));
    assert_eq!(created.status, 201, "{}", created.response.body);
    assert_eq!(created.json["channel"]["createdBy"], *ada.user);
    let channel = created.json["channel"]["id"].as_str().expect("an id");
    let (members, messages) =
        (format!("/api/channels/{channel}/members"), format!("/api/channels/{channel}/messages"));

    // The key alone opens nothing: whoever is not a member is refused as with a token.
    assert_eq!(get_as(&product, &bob.user, &messages).refusal(), (403, "FORBIDDEN"));
    let add = json!({ "userId": bob.user, "role": "reader" });
    assert_eq!(post_as(&product, &bob.user, &members, &add).refusal(), (403, "FORBIDDEN"));
    assert_eq!(post_as(&product, &ada.user, &members, &add).status, 201);
    assert_eq!(get_as(&product, &bob.user, &messages).status, 200);
    let promote = json!({ "userId": bob.user, "role": "owner" });
    assert_eq!(post_as(&product, &bob.user, &members, &promote).refusal(), (403, "FORBIDDEN"));
    // What others see of the user is as before.
    let listed = product.get(&members, &ada.token).json;
    assert!(
        listed.to_string().contains(r#""username":"ada""#) || listed.to_string().contains(r#""name":"ada""#),
        "{listed}"
    );

    eventually("it is recorded", || product.audited("authz_on_behalf"));
    let audit = product.audit();
    let record = audit
        .lines()
        .find(|line| line.contains("authz_on_behalf") && line.contains("POST /api/channels for user"))
        .expect("a record");
    assert!(record.contains("API key backend") && record.contains(&ada.user), "{record}");
}

#[test]
fn a27_a_user_that_is_blocked_does_nothing_by_a_backend() {
    let product = TestProduct::start("");
    let ada = product.register("ada");
    let path = format!("/api/users/{}/block", ada.user);
    assert_eq!(product.send("POST", &path, &Call::default().key(API_KEY)).status, 200);
    assert_eq!(get_as(&product, &ada.user, "/api/channels").refusal(), (403, "FORBIDDEN"));
}

#[test]
fn a27_only_a_key_with_the_scope_and_only_in_the_chat() {
    let product = TestProduct::start("");
    let (ada, bob) = (product.register("ada"), product.register("bob"));
    let channels = |call: Call| product.send("GET", "/api/channels", &call).response.status;
    let named = |call: Call| call.header("Roomkey-User", &ada.user);
    assert_eq!(channels(named(Call::default().key(API_KEY))), 200);
    assert_eq!(channels(named(Call::default().token(API_KEY))), 200);
    assert_eq!(channels(named(Call::default().key(USERS_KEY))), 403);
    assert_eq!(
        channels(named(Call::default().token(&bob.token))),
        401,
        "a token does not become another user's"
    );
    assert_eq!(channels(named(Call::default())), 401);
    assert_eq!(channels(Call::default().key(API_KEY)), 401, "for nobody");
    assert_eq!(channels(named(named(Call::default().key(API_KEY)))), 422);
    assert_eq!(channels(Call::default().key(API_KEY).header("Roomkey-User", "")), 422);
    for path in ["/api/auth/me", "/api/auth/sessions"] {
        let answer = get_as(&product, &ada.user, path);
        assert_eq!(answer.refusal(), (422, "BAD_PAYLOAD"), "{path} {}", answer.response.body);
    }
}
