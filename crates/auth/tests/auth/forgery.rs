//! F1 to F5, F11 to F15, F19 to F24, F32, F33: the token's form, its header and its key.

use aws_lc_rs::signature::KeyPair;
use base64::{Engine, prelude::BASE64_STANDARD};
use roomkey_auth::{Algorithm, IssuerProfile, IssuerRule, Verifier};
use serde_json::json;

use crate::forge::*;

#[test]
fn genuine_tokens_are_accepted() {
    check(
        &verifier(),
        [
            (shared_token(json!({})), "alice"),
            (idp_token(json!({})), "idp:alice"),
            (ec_token(json!({})), "ec:alice"),
            (ed_token(ED_HEADER), "ed:alice"),
        ],
    );
}

#[test]
fn f1_f2_only_known_algorithms_by_their_exact_name() {
    let names = [
        r#""none""#,
        r#""None""#,
        r#""NONE""#,
        r#""nOnE""#,
        r#""""#,
        r#""none ""#,
        "null",
        "1",
        r#"["RS256"]"#,
        r#""HS256\u0000""#,
        r#""hs256""#,
        r#""PS384""#,
        r#""ES512""#,
        r#""ES256K""#,
        r#""Ed448""#,
        r#""dir""#,
    ];
    for name in names {
        let header = format!(r#"{{"alg":{name},"typ":"JWT"}}"#);
        let unsigned = format!("{}.", signing_input(&header, claims(json!({}))));
        check(
            &verifier(),
            [
                (sign(&header, claims(json!({})), hs256), "AlgorithmUnknown"),
                (unsigned.clone(), "Segments"),
                (unsigned.trim_end_matches('.').to_owned(), "Segments"),
            ],
        );
    }
    check(&verifier(), [(sign("{}", claims(json!({})), hs256), "AlgorithmUnknown")]);
}

#[test]
fn f3_a_public_key_is_never_a_secret() {
    let der = spki(RSA.public_key());
    let pem = pem("PUBLIC KEY", &der);
    let pkcs1 = RSA.public_key().as_ref();
    let modulus = &pkcs1[9..pkcs1.len() - 5];
    let (n, e) = (b64(modulus), "AQAB");
    let keys: [Vec<u8>; 11] = [
        pem.clone().into(),
        pem.trim_end().into(),
        pem.replace('\n', "\r\n").into(),
        der.clone(),
        BASE64_STANDARD.encode(&der).into(),
        pkcs1.into(),
        modulus.into(),
        format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#).into(),
        format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#).into(),
        format!("\u{feff}{pem}").into(),
        Vec::new(),
    ];
    let both = idp(|profile| {
        profile.algorithms.push(Algorithm::Hs256);
        profile.keys.push(secret(SECRET).into());
    });
    for key in keys {
        let token = sign(HS256_HEADER, idp_claims(json!({})), hs256_with(&key));
        check(&verifier(), [(&token, "AlgorithmNotAllowed")]);
        check(&both, [(&token, "Signature")]);
    }
}

#[test]
fn f4_f33_the_issuer_decides_on_the_keys() {
    check(
        &verifier(),
        [
            (sign(HS256_HEADER, idp_claims(json!({})), hs256), "AlgorithmNotAllowed"),
            (sign(RS256_HEADER, claims(json!({})), rs256), "AlgorithmNotAllowed"),
            (sign(RS256_HEADER, idp_claims(json!({"iss": EC_ISSUER})), rs256), "AlgorithmNotAllowed"),
            (sign(RS256_HEADER, idp_claims(json!({"iss": "https://other.example"})), rs256), "IssuerUnknown"),
            (sign(HS256_HEADER, claims(json!({"iss": "https://other.example"})), hs256), "IssuerUnknown"),
            (sign(HS256_HEADER, claims(json!({"iss": "shared"})), hs256), "IssuerUnknown"),
        ],
    );
}

#[test]
fn f11_kid_selects_among_the_issuers_keys() {
    let token = |kid: &str| {
        let kid = if kid.is_empty() { String::new() } else { format!(r#","kid":{kid}"#) };
        sign(format!(r#"{{"alg":"RS256"{kid}}}"#), idp_claims(json!({})), rs256)
    };
    let named = idp(|profile| profile.keys = vec![rsa_public().with_key_id("rsa-1").into()]);
    let long = format!(r#""{}""#, "k".repeat(257));
    let cases = [
        ("", "idp:alice"),
        (r#""rsa-1""#, "idp:alice"),
        (r#""rsa-2""#, "KeyUnknown"),
        (r#""""#, "KeyUnknown"),
        (r#""../../../dev/null""#, "KeyUnknown"),
        (r#""' OR '1'='1""#, "KeyUnknown"),
        (r#""🔑""#, "KeyUnknown"),
        (r#""rsa-1\u0000""#, "KeyIdMalformed"),
        ("7", "KeyIdMalformed"),
        ("null", "KeyIdMalformed"),
        (&long, "KeyIdMalformed"),
    ];
    check(&named, cases.map(|(kid, expected)| (token(kid), expected)));

    let unnamed = idp(|_| ());
    check(&unnamed, [(token(""), "idp:alice"), (token(r#""any""#), "idp:alice")]);

    let key = |kid: &str| public(&spki(RSA_2.public_key())).with_key_id(kid).into();
    let two = idp(|profile| profile.keys = vec![key("b"), rsa_public().with_key_id("a").into()]);
    let cases = [("", "idp:alice"), (r#""a""#, "idp:alice"), (r#""b""#, "Signature")];
    check(&two, cases.map(|(kid, expected)| (token(kid), expected)));

    let three = idp(|profile| profile.keys = vec![key("b"), rsa_public().with_key_id("a").into(), key("c")]);
    check(&three, [(token(""), "KeyAmbiguous"), (token(r#""a""#), "idp:alice")]);

    let one_name_two_kinds = idp(|profile| {
        profile.algorithms.push(Algorithm::Es256);
        profile.keys = vec![p256_public().with_key_id("a").into(), rsa_public().with_key_id("a").into()];
    });
    check(&one_name_two_kinds, [(token(r#""a""#), "idp:alice")]);
}

#[test]
fn f12_f13_f14_no_key_extension_or_compression_in_the_header() {
    let members = [
        (r#""jku":"https://evil.example/jwks""#, "jku"),
        (r#""jwk":{"kty":"oct","k":"AAAA"}"#, "jwk"),
        (r#""x5u":"https://evil.example/cert""#, "x5u"),
        (r#""x5c":["MIIB"]"#, "x5c"),
        (r#""crit":["b64"],"b64":true"#, "crit"),
        (r#""crit":["exp"]"#, "crit"),
        (r#""crit":[]"#, "crit"),
        (r#""crit":"b64""#, "crit"),
        (r#""crit":["foo"],"foo":1"#, "crit"),
        (r#""crit":null"#, "crit"),
        (r#""b64":false"#, "b64"),
        (r#""enc":"A256GCM""#, "enc"),
        (r#""zip":"DEF""#, "zip"),
    ];
    let token = |member: &str| sign(format!(r#"{{"alg":"HS256",{member}}}"#), claims(json!({})), hs256);
    check(&verifier(), members.map(|(member, name)| (token(member), format!("HeaderMember({name:?})"))));
    let raw_payload = format!("{}.{}", b64(r#"{"alg":"HS256","b64":false}"#), "raw");
    check(
        &verifier(),
        [(format!("{raw_payload}.{}", b64(hs256(raw_payload.as_bytes()))), r#"HeaderMember("b64")"#)],
    );
    check(&verifier(), [(token(r#""x5t":"3q2-7w","cat":"cl_B7d4PD111AAA","cty":"JSON""#), "alice")]);
}

#[test]
fn f15_the_type_is_that_of_the_profile() {
    let header = |alg: &str, typ: &str| format!(r#"{{"alg":"{alg}"{typ}}}"#);
    let cases = [
        ("", "TokenType", "idp:alice"),
        (r#","typ":"JWT""#, "TokenType", "idp:alice"),
        (r#","typ":"at+jwt""#, "ed:alice", "TokenType"),
        (r#","typ":"AT+JWT""#, "ed:alice", "TokenType"),
        (r#","typ":"application/at+jwt""#, "ed:alice", "TokenType"),
        (r#","typ":"logout+jwt""#, "TokenType", "TokenType"),
        (r#","typ":"secevent+jwt""#, "TokenType", "TokenType"),
        (r#","typ":"dpop+jwt""#, "TokenType", "TokenType"),
        (r#","typ":"rt+jwt""#, "TokenType", "TokenType"),
        (r#","typ":7"#, "TokenType", "TokenType"),
        (r#","typ":null"#, "TokenType", "TokenType"),
    ];
    for (typ, access_token_only, jwt) in cases {
        check(
            &verifier(),
            [
                (ed_token(&header("EdDSA", typ)), access_token_only),
                (sign(header("RS256", typ), idp_claims(json!({})), rs256), jwt),
            ],
        );
    }
}

#[test]
fn f19_f20_headers_are_strict_json() {
    let deep = format!(r#"{{"alg":"HS256","a":{}"#, "[".repeat(700));
    let headers: [&[u8]; 11] = [
        br#"{"alg":"none","alg":"HS256"}"#,
        br#"{"alg":"HS256","\u0061lg":"HS256"}"#,
        b"\xef\xbb\xbf{\"alg\":\"HS256\"}",
        br#"{"alg":"HS256"}x"#,
        br#"{"alg":"HS256",}"#,
        br#"{"alg":"HS256"/**/}"#,
        br#"["HS256"]"#,
        br#""HS256""#,
        b"\xff",
        b"{",
        deep.as_bytes(),
    ];
    check(&verifier(), headers.map(|header| (sign(header, claims(json!({})), hs256), "HeaderJson")));
}

#[test]
fn f21_base64url_has_one_spelling() {
    let token = shared_token(json!({}));
    let parts: Vec<&str> = token.split('.').collect();
    for part in 0..3 {
        let with = |changed: String| {
            let mut parts = parts.clone();
            parts[part] = &changed;
            parts.join(".")
        };
        let good = parts[part];
        for junk in ["=", "==", "+", "/", " ", "\n", "%2B", "\0", "é"] {
            check(
                &verifier(),
                [(with(format!("{good}{junk}")), "Charset"), (with(format!("{junk}{good}")), "Charset")],
            );
        }
    }
    // 43 characters hold 32 bytes and two bits more.
    let bits = token.char_indices().next_back().expect("not empty").1;
    assert!("AEIMQUYcgkosw048".contains(bits), "the genuine one has no bits set there");
    for sibling in "BCDFGHJKLNOPRSTVWXZabdefhijlmnpqrtuvxyz1235679-_".chars() {
        let mut twin = token.clone();
        twin.pop();
        twin.push(sibling);
        check(&verifier(), [(twin, "Base64")]);
    }
}

#[test]
fn f22_f24_three_parts_and_nothing_else() {
    let token = shared_token(json!({}));
    let (input, signature) = token.rsplit_once('.').expect("three parts");
    let (header, payload) = input.split_once('.').expect("two parts");
    let cases = [
        (String::new(), "Segments"),
        (header.to_owned(), "Segments"),
        (input.to_owned(), "Segments"),
        (format!("{token}.{signature}"), "Segments"),
        (format!("{token}.{signature}.{signature}"), "Encrypted"),
        (format!("{token}.{signature}.{signature}.x"), "Segments"),
        ("..".to_owned(), "Segments"),
        (".".repeat(8000), "Segments"),
        (".".repeat(1_000_000), "TokenTooLong"),
        (format!(".{payload}.{signature}"), "Segments"),
        (format!("{header}..{signature}"), "Segments"),
        (format!("{input}."), "Segments"),
        (format!(r#"{{"payload":"{payload}","protected":"{header}","signature":"{signature}"}}"#), "Charset"),
        (token.replace('.', "%2E"), "Charset"),
        (format!("Bearer {token}"), "Charset"),
        (format!(" {token}"), "Charset"),
    ];
    check(&verifier(), cases);
}

#[test]
fn f23_sizes() {
    let padded = |pad: usize| shared_token(json!({"pad": "x".repeat(pad)}));
    let tokens: Vec<_> = (5950..6100).map(padded).collect();
    let is_short = |token: &&String| token.len() <= 8192;
    assert!(tokens.iter().any(|token| token.len() == 8192) && !tokens.iter().all(|token| is_short(&token)));
    check(
        &verifier(),
        tokens.iter().map(|token| (token, if is_short(&token) { "alice" } else { "TokenTooLong" })),
    );
    let header = |bytes: usize| {
        let start = r#"{"alg":"HS256","pad":""#;
        format!(r#"{start}{}"}}"#, "x".repeat(bytes - start.len() - 2))
    };
    check(
        &verifier(),
        [
            (sign(header(1024), claims(json!({})), hs256), "alice"),
            (sign(header(1025), claims(json!({})), hs256), "HeaderTooLong"),
            (sign(header(5000), claims(json!({})), hs256), "HeaderTooLong"),
            (shared_token(json!({"pad": "x".repeat(200_000)})), "TokenTooLong"),
        ],
    );
}

#[test]
fn f32_the_same_kid_at_two_issuers() {
    let other = IssuerProfile {
        audiences: vec!["ours".to_owned()],
        user_prefix: "b:".to_owned(),
        ..IssuerProfile::new(
            "b",
            IssuerRule::Exact("https://b.example".to_owned()),
            vec![public(&spki(RSA_2.public_key())).with_key_id("k").into()],
        )
    };
    let verifier = Verifier::new(vec![idp_profile(vec![rsa_public().with_key_id("k").into()]), other]);
    let header = r#"{"alg":"RS256","kid":"k"}"#;
    let of_b = idp_claims(json!({"iss": "https://b.example"}));
    check(
        &verifier.expect("good profiles"),
        [
            (sign(header, idp_claims(json!({})), rs256), "idp:alice"),
            (sign(header, &of_b, rs256_with(&RSA_2)), "b:alice"),
            (sign(header, &of_b, rs256), "Signature"),
            (sign(header, idp_claims(json!({})), rs256_with(&RSA_2)), "Signature"),
        ],
    );
}
