//! Tokens that operators make, look at and revoke.

use super::*;

#[test]
fn a_minted_token_is_accepted_by_inspect() {
    let site = Site::new();
    let mint = "token mint --user ada --session s1 --username Ada --email ada@example.com --role x --role y";
    let (token, is_success) = site.run(mint, SECRET);
    assert!(is_success && token.ends_with('\n'), "{token}");
    let (json, is_success) = site.run(&format!("token inspect --json {token}"), SECRET);
    assert!(is_success);
    let json: Value = serde_json::from_str(&json).unwrap();
    for (key, value) in [
        ("user", "ada"),
        ("session", "s1"),
        ("name", "Ada"),
        ("email", "ada@example.com"),
        ("profile", "builtin"),
    ] {
        assert_eq!(json[key], value, "{key}");
    }
    assert_eq!(json["accepted"], true);
    assert_eq!(json["roles"].to_string(), r#"["x","y"]"#);

    let other_key = [("JWT_SECRET", "x5j9wZ3kq8Xc7Vb2Nm4Lp6Ts1Yd0Gh_f")];
    let (text, is_success) = site.run(&format!("token inspect {token}"), other_key);
    assert!(!is_success);
    assert!(
        text.starts_with(
            "The server refuses this token: the signature is wrong. Clients see TOKEN_INVALID.\n"
        )
    );
    let (json, _) = site.run(&format!("token inspect --json {token}"), other_key);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["accepted"], &json["code"]), (&false.into(), &"TOKEN_INVALID".into()));
}

#[test]
fn a_revoked_token_is_refused_and_inspect_says_why() {
    let by = |flags: &str, reason: &str| {
        let site = Site::new();
        let mint = || site.run("token mint --user ada --session s1", SECRET).0.trim().to_owned();
        let inspect = |token: &str| {
            let (json, is_success) = site.run(&format!("token inspect --json {token}"), SECRET);
            let json: Value = serde_json::from_str(&json).unwrap();
            assert_eq!(json["accepted"], is_success);
            json
        };
        let (token, other) = (mint(), site.run("token mint --user bob", SECRET).0);
        let jti = inspect(&token)["token"].as_str().unwrap().to_owned();
        let flags = flags.replace("TOKEN", &token).replace("JTI", &jti);
        let (text, is_success) = site.run(&format!("token revoke {flags}"), SECRET);
        assert!(is_success && text == "Revoked; 0 sockets closed.\n", "{text}");
        let json = inspect(&token);
        assert_eq!((&json["code"], &json["reason"]), (&"TOKEN_REVOKED".into(), &reason.into()), "{flags}");
        assert_eq!(json["user"], "ada");
        assert_eq!(inspect(other.trim())["accepted"], true, "{flags}");
        inspect(&mint())["accepted"] == true
    };
    let revoked = "it was revoked, or its session, or all that its user had at the time";
    assert!(by("TOKEN", revoked));
    assert!(by("--jti JTI", revoked));
    assert!(by("--jti JTI --issuer roomkey", revoked));
    assert!(!by("--sid s1", revoked));
    assert!(by("--user ada", revoked), "what is issued later is accepted");
    assert!(!by("--user ada --issued-before 2100-01-01T00:00:00Z", revoked));
}

#[test]
fn what_cannot_be_revoked_is_named() {
    let site = Site::new();
    let long = format!("token revoke --jti {}", "x".repeat(300));
    for (args, expected) in [
        ("token revoke x", "it is refused anyway: the token does not have three non-empty parts"),
        (&long, "the token: must be at most 255 bytes long"),
    ] {
        assert_eq!(site.run(args, SECRET), (expected.to_owned(), false));
    }
    let (text, is_success) = site.run("token revoke --user nobody", []);
    assert_eq!((text.as_str(), is_success), ("there is no such user", false));
    let (text, is_success) =
        site.run("token revoke --sid s", [SECRET[0], ("ROOMKEY__AUTH__BUILTIN", "false")]);
    assert_eq!((text.as_str(), is_success), ("name the issuer: there is no built-in one", false));

    let usage = |args: &str| Cli::try_parse_from(["roomkey"].into_iter().chain(args.split(' '))).is_err();
    for args in [
        "token revoke",
        "token revoke x --jti y",
        "token revoke --sid x --user y",
        "token revoke x --issuer y",
        "token revoke --user x --issuer y",
        "token revoke --jti x --issued-before 2026-01-01T00:00:00Z",
        "token revoke --user x --issued-before yesterday",
    ] {
        assert!(usage(args), "{args}");
    }
}

#[test]
fn only_what_the_server_would_accept_is_minted() {
    let no_key = "there is no signing key in DATA/keys: \
        start the server once, or set --data-dir or JWT_SECRET as for the server";
    assert_eq!(Site::new().run("token mint --user ada", []), (no_key.to_owned(), false));
    let too_long = "the server would refuse such a token: the token lives longer than the profile allows";
    let cases = [
        ("--user ada --lifetime-s 9999999", too_long),
        ("--user ada --lifetime-s 18446744073709551615", too_long),
        ("--user ada --lifetime-s 0", "access_token_lifetime: must be at least one second"),
        ("--user \u{7f}", "--user: must not contain control characters"),
    ];
    for (args, expected) in cases {
        let outcome = Site::new().run(&format!("token mint {args}"), SECRET);
        assert_eq!(outcome, (expected.to_owned(), false), "{args}");
    }
}

#[test]
fn an_expired_token_is_explained() {
    // {"alg":"HS256","typ":"JWT"} {"id":7,"iat":1700000000,"exp":1700003600}
    let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZCI6NywiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDB9.-0NqskKfT_lP4Nn3RFvX5D9Zg7CGezvJSNDYzV5BOVs";
    let (text, is_success) = Site::new().run(&format!("token inspect {token}"), SECRET);
    assert!(!is_success);
    let line = text.lines().next().unwrap();
    assert_eq!(line, "The server refuses this token: the token has expired. Clients see TOKEN_EXPIRED.");
    assert!(text.contains("  until    2023-11-14T23:13:20.000Z ("), "{text}");
}

/// The user id has a line feed, two escape sequences and an override of the direction.
#[test]
fn what_a_token_says_does_not_move_the_cursor() {
    let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZCI6ImFcblx1MDAxYlsySlx1MDA5YuKAriJ9.TznKXbbO16X1hn7UY13kOB6M6OSLC5Jl-7uJ-4fqkVk";
    let (text, _) = Site::new().run(&format!("token inspect {token}"), SECRET);
    expect![[r#"
        The server refuses this token: the subject is not usable as a user id. Clients see TOKEN_INVALID.
          issuer   builtin
          header   {"alg":"HS256","typ":"JWT"}
          claims   {"id":"a\n\u001b[2J\u{9b}\u{202e}"}
    "#]]
    .assert_eq(&text);
}
