//! F15 to F20 and F37 to F42: what a correctly signed token says.

use roomkey_auth::{ClaimPath, IssuerRule, RequiredClaim, Verifier};
use serde_json::{Value, json};

use crate::forge::*;

#[test]
fn f16_id_tokens_and_refresh_tokens_are_not_access_tokens() {
    for claim in ["nonce", "at_hash", "c_hash"] {
        check(&verifier(), [(idp_token(json!({ claim: "x" })), "IdToken")]);
        let lenient = idp(|profile| profile.accept_id_tokens = true);
        check(&lenient, [(idp_token(json!({ claim: "x" })), "idp:alice")]);
    }
    let demands = |name: &str, value: &str| {
        let required = RequiredClaim { path: ClaimPath::new(name), value: value.to_owned() };
        idp(|profile| profile.required_claims = vec![required])
    };
    check(
        &demands("token_use", "access"),
        [
            (idp_token(json!({"token_use": "access"})), "idp:alice"),
            (idp_token(json!({"token_use": "id"})), "RequiredClaim"),
            (idp_token(json!({"token_use": ["access"]})), "RequiredClaim"),
            (idp_token(json!({})), "RequiredClaim"),
        ],
    );
    check(
        &demands("typ", "Bearer"),
        [
            (idp_token(json!({"typ": "Bearer"})), "idp:alice"),
            (idp_token(json!({"typ": "ID"})), "RequiredClaim"),
            (idp_token(json!({"typ": "Refresh"})), "RequiredClaim"),
        ],
    );
}

#[test]
fn f17_the_audience_is_ours() {
    let many = |count: usize| Value::from(vec!["ours"; count]);
    let cases = [
        (json!("ours"), "idp:alice"),
        (json!(["x", "ours"]), "idp:alice"),
        (many(64), "idp:alice"),
        (Value::Null, "Audience"),
        (json!(""), "Audience"),
        (json!([]), "Audience"),
        (json!(["x"]), "Audience"),
        (json!("OURS"), "Audience"),
        (json!("ours/"), "Audience"),
        (json!(5), r#"ClaimMalformed("aud")"#),
        (json!({}), r#"ClaimMalformed("aud")"#),
        (json!(["ours", 5]), r#"ClaimMalformed("aud")"#),
        (json!([["ours"]]), r#"ClaimMalformed("aud")"#),
        (many(65), r#"ClaimMalformed("aud")"#),
        (many(500), r#"ClaimMalformed("aud")"#),
    ];
    check(&verifier(), cases.map(|(aud, expected)| (idp_token(json!({ "aud": aud })), expected)));
    let null = idp_claims(json!({})).replace(r#""aud":"ours""#, r#""aud":null"#);
    check(&verifier(), [(sign(RS256_HEADER, null, rs256), r#"ClaimMalformed("aud")"#)]);

    // Malformed is malformed, also where nobody asks for an audience.
    check(
        &verifier(),
        [
            (shared_token(json!({"aud": "anything"})), "alice"),
            (shared_token(json!({"aud": 5})), r#"ClaimMalformed("aud")"#),
        ],
    );
    let optional = shared(|profile| {
        profile.audiences = vec!["ours".to_owned()];
        profile.require_audience = false;
    });
    check(
        &optional,
        [
            (shared_token(json!({})), "alice"),
            (shared_token(json!({"aud": "ours"})), "alice"),
            (shared_token(json!({"aud": "other"})), "Audience"),
        ],
    );
}

#[test]
fn f17_the_authorized_party_is_known() {
    let verifier = idp(|profile| {
        profile.audiences.clear();
        profile.authorized_parties = vec!["https://app.example".to_owned(), "web".to_owned()];
    });
    let cases = [
        (json!({"azp": "https://app.example"}), "idp:alice"),
        (json!({"client_id": "web"}), "idp:alice"),
        (json!({"azp": "https://app.example", "client_id": "web"}), "idp:alice"),
        (json!({}), "AuthorizedParty"),
        (json!({"azp": "https://evil.example"}), "AuthorizedParty"),
        (json!({"azp": "https://app.example.evil"}), "AuthorizedParty"),
        (json!({"azp": "https://evil.example", "client_id": "web"}), "AuthorizedParty"),
        (json!({"azp": ["web"]}), r#"ClaimMalformed("azp")"#),
        (json!({"client_id": 1}), r#"ClaimMalformed("client_id")"#),
    ];
    check(&verifier, cases.map(|(changes, expected)| (idp_token(changes), expected)));
}

#[test]
fn f18_the_issuer_is_compared_byte_by_byte() {
    let cases = [
        (json!(RSA_ISSUER), "idp:alice"),
        (json!([RSA_ISSUER]), "IssuerMalformed"),
        (json!(5), "IssuerMalformed"),
        (json!("https://idp.example"), "IssuerUnknown"),
        (json!("https://idp.example//"), "IssuerUnknown"),
        (json!("https://idp.example/.evil"), "IssuerUnknown"),
        (json!("https://IDP.example/"), "IssuerUnknown"),
        (json!("https://іdp.example/"), "IssuerUnknown"),
        (json!(" https://idp.example/"), "IssuerUnknown"),
        (json!(""), "IssuerUnknown"),
        (Value::Null, "IssuerUnknown"),
    ];
    let only_idp = idp(|_| ());
    check(&only_idp, cases.map(|(iss, expected)| (idp_token(json!({ "iss": iss })), expected)));
    let null = idp_claims(json!({})).replace(&format!("\"{RSA_ISSUER}\""), "null");
    check(&only_idp, [(sign(RS256_HEADER, null, rs256), "IssuerMalformed")]);
}

#[test]
fn f19_f20_claims_are_strict_json() {
    let end = format!(r#""exp":{}}}"#, NOW + 600);
    let deep = format!(r#"{{"sub":"alice","a":{}{}"#, "[".repeat(3000), &end);
    let nested = format!(r#"{{"sub":"alice","a":{}{},{end}"#, "[".repeat(200), "]".repeat(200));
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (format!(r#"{{"sub":"mallory","sub":"alice",{end}"#).into(), "ClaimsJson"),
        (format!(r#"{{"sub":"mallory","s\u0075b":"alice",{end}"#).into(), "ClaimsJson"),
        (format!(r#"{{"sub":"alice","exp":1,{end}"#).into(), "ClaimsJson"),
        (format!(r#"{{"sub":"alice","roles":[],"roles":["admin"],{end}"#).into(), "ClaimsJson"),
        (format!(r#"{{"sub":"alice","a":{{"b":1,"b":2}},{end}"#).into(), "ClaimsJson"),
        (format!(r#"{{"sub":"\ud800",{end}"#).into(), "ClaimsJson"),
        (format!(r#"{{"sub":"alice","n":1e400,{end}"#).into(), "ClaimsJson"),
        (nested.into(), "ClaimsJson"),
        (format!(r#"{{"iss":"a","iss":"b","sub":"alice",{end}"#).into(), "IssuerMalformed"),
        (format!("\u{feff}{{\"sub\":\"alice\",{end}").into(), "IssuerMalformed"),
        (format!(r#"{{"sub":"alice",{end}x"#).into(), "IssuerMalformed"),
        (format!(r#"{{"sub":"alice",{end}"#).replace('}', ",}").into(), "IssuerMalformed"),
        (format!(r#"{{"sub":"alice",/**/{end}"#).into(), "IssuerMalformed"),
        (format!(r#"{{"sub":"alice","n":NaN,{end}"#).into(), "IssuerMalformed"),
        (deep.into(), "IssuerMalformed"),
        (b"{\"sub\":\"\xc0\xaf\"}".to_vec(), "ClaimsJson"),
        ("{}".encode_utf16().flat_map(u16::to_be_bytes).collect(), "IssuerMalformed"),
        (b"null".to_vec(), "IssuerMalformed"),
        (b"[]".to_vec(), "ClaimsJson"),
    ];
    check(
        &verifier(),
        cases.into_iter().map(|(claims, expected)| (sign(HS256_HEADER, claims, hs256), expected)),
    );
}

#[test]
fn f37_subjects_are_never_folded_together() {
    let long = "x".repeat(256);
    for bad in ["", " ", "\t", "alice\0", "alice\n[audit] ok", "\u{7f}", &long] {
        check(&verifier(), [(idp_token(json!({ "sub": bad })), "SubjectMalformed")]);
    }
    for bad in [json!(5), json!(["alice"]), json!({}), json!(true)] {
        check(&verifier(), [(idp_token(json!({ "sub": bad })), "SubjectMalformed")]);
    }
    check(&verifier(), [(idp_token(json!({"sub": null})), "SubjectMissing")]);

    let longest = "x".repeat(255);
    let different = [
        "alice",
        "Alice",
        "alice ",
        "é",
        "e\u{301}",
        "a\u{200d}lice",
        "\u{202e}alice",
        "user:*",
        "../alice",
        &longest,
    ];
    let users: std::collections::HashSet<_> = different
        .iter()
        .map(|sub| verify(&verifier(), &idp_token(json!({ "sub": sub }))).expect("a good subject").user)
        .collect();
    assert_eq!(users.len(), different.len());
}

#[test]
fn f37_a_shared_secret_has_subjects_by_other_names_and_numbers() {
    let cases = [
        (json!({"sub": null, "id": "u1"}), "u1"),
        (json!({"sub": null, "id": 42}), "42"),
        (json!({"sub": null, "userId": "u2"}), "u2"),
        (json!({"sub": null, "username": "user"}), "user"),
        (json!({"sub": "s", "id": "u1", "username": "user"}), "s"),
        (json!({"sub": null, "id": "u1", "username": "user"}), "u1"),
        (json!({"sub": null, "id": u64::MAX}), "18446744073709551615"),
        (json!({"sub": null, "id": -1}), "-1"),
        (json!({"sub": null, "id": 1.5}), "SubjectMalformed"),
        (json!({"sub": null, "id": 1e300}), "SubjectMalformed"),
        (json!({"sub": null, "id": true}), "SubjectMalformed"),
        (json!({"sub": null, "id": "", "username": "user"}), "SubjectMalformed"),
        (json!({"sub": null, "id": {"x": 1}, "username": "user"}), "SubjectMalformed"),
        (json!({"sub": null}), "SubjectMissing"),
    ];
    check(&verifier(), cases.map(|(changes, expected)| (shared_token(changes), expected)));
    let null = claims(json!({})).replace(r#""alice""#, "null");
    check(&verifier(), [(sign(HS256_HEADER, null, hs256), "SubjectMalformed")]);
}

#[test]
fn f38_the_same_subject_of_two_issuers_is_two_users() {
    let (one, other) = (shared_token(json!({})), idp_token(json!({})));
    let (one, other) = (verify(&verifier(), &one).expect("good"), verify(&verifier(), &other).expect("good"));
    assert_eq!(one.subject, other.subject);
    assert_ne!(one.user, other.user);
    assert_ne!(one.issuer, other.issuer);

    check(
        &verifier(),
        [
            (shared_token(json!({"sub": "idp:alice"})), "SubjectForeign"),
            (shared_token(json!({"sub": "ec:"})), "SubjectForeign"),
            (shared_token(json!({"sub": "id"})), "id"),
            (shared_token(json!({"sub": "IDP:alice"})), "IDP:alice"),
            (idp_token(json!({"sub": "ec:alice"})), "idp:ec:alice"),
        ],
    );
    let mut nested = profiles();
    nested[1].user_prefix = "ec:x".to_owned();
    let nested = Verifier::new(nested).expect("good profiles");
    check(
        &nested,
        [(ec_token(json!({"sub": "xalice"})), "SubjectForeign"), (ec_token(json!({})), "ec:alice")],
    );
}

#[test]
fn f39_roles_are_an_array_of_texts_in_one_place() {
    let verifier = |path: &str| idp(|profile| profile.roles_claim = Some(ClaimPath::new(path)));
    let roles = |path: &str, changes: Value| match verify(&verifier(path), &idp_token(changes)) {
        Ok(identity) => Ok(identity.roles),
        Err(error) => Err(outcome(Err(error))),
    };
    let good = [
        ("roles", json!({"roles": ["admin", "user"]}), &["admin", "user"][..]),
        ("roles", json!({"roles": []}), &[]),
        ("roles", json!({}), &[]),
        ("roles", json!({"role": ["admin"], "user_metadata": {"roles": ["admin"]}}), &[]),
        ("/realm_access/roles", json!({"realm_access": {"roles": ["mod"]}, "roles": ["admin"]}), &["mod"]),
        ("https://app.example/roles", json!({"https://app.example/roles": ["mod"]}), &["mod"]),
    ];
    for (path, changes, expected) in good {
        assert_eq!(roles(path, changes.clone()), Ok(texts(expected)), "{path} {changes}");
    }
    let many = vec!["r"; 65];
    let bad = [
        json!("admin"),
        json!("user admin"),
        json!({"admin": true}),
        json!(["admin", 1]),
        json!([""]),
        json!(1),
        json!(many),
        json!(["x".repeat(129)]),
    ];
    for bad in bad {
        assert_eq!(roles("roles", json!({ "roles": bad })), Err(r#"ClaimMalformed("roles")"#.to_owned()));
    }
}

#[test]
fn f40_supabases_public_key_is_not_a_user() {
    let verifier = shared(|profile| {
        profile.issuer = IssuerRule::Exact("supabase".to_owned());
        profile.audiences = vec!["authenticated".to_owned()];
        profile.lifetime_max_ms = None;
    });
    let anon =
        json!({"iss": "supabase", "ref": "abc", "role": "anon", "sub": null, "exp": NOW + 300_000_000});
    let user =
        json!({"iss": "supabase", "role": "authenticated", "aud": "authenticated", "session_id": "s-1"});
    check(&verifier, [(shared_token(anon), "Audience"), (shared_token(user.clone()), "alice")]);
    let identity = verify(&verifier, &shared_token(user)).expect("a good token");
    assert_eq!(identity.session.expect("a session").as_str(), "s-1");
}

#[test]
fn f42_a_bound_token_needs_its_proof() {
    for cnf in [json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}), json!({}), json!(5)] {
        check(&verifier(), [(idp_token(json!({ "cnf": cnf })), "Bound")]);
    }
}

#[test]
fn sessions_and_token_ids() {
    let identity = |changes: Value| verify(&verifier(), &shared_token(changes));
    let session = |changes| identity(changes).map(|identity| identity.session.map(String::from));
    assert_eq!(session(json!({})), Ok(None));
    assert_eq!(session(json!({"sid": "a", "session_id": "b"})), Ok(Some("a".to_owned())));
    assert_eq!(session(json!({"session_state": "c"})), Ok(Some("c".to_owned())));
    for (claim, value) in
        [("sid", json!(5)), ("sid", json!("")), ("session_id", json!(["x"])), ("jti", json!(7))]
    {
        check(&verifier(), [(shared_token(json!({ claim: value })), format!("ClaimMalformed({claim:?})"))]);
    }

    let id = |changes| identity(changes).expect("a good token").token;
    assert_eq!(id(json!({"jti": "t-1"})).as_str(), "t-1");
    assert_eq!(id(json!({"jti": "t-1"})), id(json!({"jti": "t-1", "x": 1})));
    assert_eq!(id(json!({})).as_str().len(), 43);
    assert_eq!(id(json!({})), id(json!({})));
    assert_ne!(id(json!({})), id(json!({"x": 1})));
}

#[test]
fn names_and_addresses_are_shown_if_fit_and_never_refused() {
    let shown = |changes: Value| {
        let identity = verify(&verifier(), &shared_token(changes)).expect("a good token");
        (identity.name.as_deref().map(str::to_owned), identity.email.as_deref().map(str::to_owned))
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(shown(json!({"name": "Alice", "email": "a@x.example"})), (text("Alice"), text("a@x.example")));
    assert_eq!(shown(json!({"name": "", "username": "al"})), (text("al"), None));
    assert_eq!(shown(json!({"name": 5, "email": ["a@x.example"]})), (None, None));
    assert_eq!(shown(json!({"name": "a\nb", "email": "x".repeat(321)})), (None, None));
}

#[test]
fn identities_keep_the_claims_that_rules_speak_of() {
    let keeping = verifier().keeping(["org".to_owned(), "/team/id".to_owned()]).expect("good profiles");
    // Also when keys are exchanged.
    let keeping = keeping.with_keys("nobody", &[]).expect("good profiles");
    let kept = |changes: Value| {
        verify(&keeping, &shared_token(changes)).map(|identity| {
            let claims = identity
                .claims
                .iter()
                .map(|(name, values)| (name.to_owned(), values.collect::<Vec<_>>().join("+")));
            claims.map(|(name, values)| format!("{name}={values}")).collect::<Vec<_>>().join(" ")
        })
    };
    for (changes, expected) in [
        (json!({}), ""),
        (json!({ "other": "x" }), ""),
        (json!({ "org": null }), ""),
        (json!({ "org": "acme" }), "org=acme"),
        (json!({ "org": ["a", 7, true], "team": { "id": 5 } }), "org=a+7+true /team/id=5"),
    ] {
        assert_eq!(kept(changes.clone()).as_deref(), Ok(expected), "{changes}");
    }
    for malformed in [json!({ "a": 1 }), json!(["a", ["b"]]), json!("x".repeat(257)), json!(vec!["x"; 65])] {
        assert!(kept(json!({ "org": malformed })).is_err(), "{malformed}");
    }
    assert_eq!(verify(&verifier(), &shared_token(json!({ "org": { "a": 1 } }))).map(|_| ()), Ok(()));
}

#[test]
fn scopes_are_where_issuers_have_them() {
    let scopes =
        |changes: Value| verify(&verifier(), &shared_token(changes)).map(|identity| identity.scopes.names());
    let (both, read) = (vec!["chat:read", "chat:write"], vec!["chat:read"]);
    for (changes, expected) in [
        (json!({}), &both),
        (json!({ "scope": "openid email" }), &both),
        (json!({ "scope": "openid chat:read" }), &read),
        (json!({ "scp": ["chat:read"] }), &read),
        (json!({ "scopes": ["x"], "scp": "chat:read" }), &read),
        (json!({ "scope": "chat:read", "scp": ["chat:write"] }), &both),
    ] {
        assert_eq!(scopes(changes.clone()).as_ref(), Ok(expected), "{changes}");
    }
    for malformed in
        [json!({ "scope": 1 }), json!({ "scp": ["a", 1] }), json!({ "scopes": { "chat:read": true } })]
    {
        assert!(scopes(malformed.clone()).is_err(), "{malformed}");
    }
}
