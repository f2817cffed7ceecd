//! Whatever arrives: no panic, and no change of a token is another valid token.

use std::sync::LazyLock;

use proptest::{prelude::*, sample::Index};
use roomkey_auth::{
    Verifier,
    credentials::{Credentials, cookie, pick},
};
use roomkey_model::Timestamp;
use serde_json::{Map, Value, json};

use crate::forge::*;

static VERIFIER: LazyLock<Verifier> = LazyLock::new(verifier);
static TOKENS: LazyLock<[String; 4]> = LazyLock::new(|| {
    [shared_token(json!({})), idp_token(json!({})), ec_token(json!({})), ed_token(ED_HEADER)]
});

/// Any JSON, of a size that fits in a token.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        (NOW - 100..NOW + 100).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..5).prop_map(|map| json!(map)),
        ]
    })
}

/// Claims of which any may be anything.
fn any_claims() -> impl Strategy<Value = Map<String, Value>> {
    const NAMES: &[&str] = &[
        "iss", "sub", "id", "aud", "azp", "exp", "nbf", "iat", "iat_ms", "jti", "sid", "name", "email",
        "roles", "cnf",
    ];
    prop::collection::hash_map(prop::sample::select(NAMES), any_json(), 0..4)
        .prop_map(|map| map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Three parts of base64url, of the lengths that parts have.
const DOTTED: &str = "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,90}";

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_changed_byte_makes_a_token_invalid(which in 0..4_usize, at in any::<Index>(), byte in 0..128_u8) {
        let token = &TOKENS[which];
        let mut changed = token.clone().into_bytes();
        let at = at.index(changed.len());
        prop_assume!(changed[at] != byte);
        changed[at] = byte;
        let changed = String::from_utf8(changed).expect("ASCII");
        prop_assert!(verify(&VERIFIER, &changed).is_err(), "{changed}");
    }

    #[test]
    fn a_cut_or_longer_token_is_invalid(which in 0..4_usize, at in any::<Index>(), tail in "[A-Za-z0-9_.-]{1,8}") {
        let token = &TOKENS[which];
        prop_assert!(verify(&VERIFIER, &token[..at.index(token.len())]).is_err());
        prop_assert!(verify(&VERIFIER, &token[1 + at.index(token.len() - 1)..]).is_err());
        let longer = format!("{token}{tail}");
        prop_assert!(verify(&VERIFIER, &longer).is_err());
    }

    #[test]
    fn text_is_no_token(text in any::<String>(), dotted in DOTTED) {
        prop_assert!(verify(&VERIFIER, &text).is_err());
        prop_assert!(verify(&VERIFIER, &dotted).is_err());
        let _ = VERIFIER.inspect(&text, now());
        let _ = VERIFIER.inspect(&dotted, now());
    }

    #[test]
    fn signed_bytes_do_not_panic(header in any_bytes(), claims in any_bytes()) {
        prop_assert!(verify(&VERIFIER, &sign(header, &claims, hs256)).is_err());
        prop_assert!(verify(&VERIFIER, &sign(HS256_HEADER, &claims, hs256)).is_err());
    }

    #[test]
    fn an_identity_is_what_the_claims_say(changes in any_claims(), at in any::<u64>()) {
        let Ok(Value::Object(mut all)) = serde_json::from_str(&claims(json!({}))) else { panic!("an object") };
        all.extend(changes);
        let token = sign(HS256_HEADER, serde_json::to_vec(&all).expect("JSON"), hs256);
        let _ = VERIFIER.verify(&token, Timestamp(at));
        if let Ok(identity) = verify(&VERIFIER, &token) {
            let subject = match &all["sub"] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            prop_assert_eq!(subject, identity.user.as_str());
            prop_assert!(!all.contains_key("iss") && !all.contains_key("cnf"));
            prop_assert!(identity.deadline.is_some_and(|deadline| deadline > now()));
        }
    }

    #[test]
    fn credentials_do_not_panic(payload in any::<String>(), json in any_json(), header in any::<String>()) {
        let json = json.to_string();
        for payload in [&payload, &json] {
            let authorization = [header.as_str(), payload];
            let cookie = cookie(&authorization, "s").unwrap_or(None);
            let credentials =
                Credentials { auth_payload: Some(payload), authorization: &authorization, cookie, query: Some(&header) };
            let _ = pick(&credentials);
        }
    }
}
