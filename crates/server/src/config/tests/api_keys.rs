use std::fs;

use super::{Site, UNSET};
use crate::{api_keys::Scope, config::MissingKey};

const KEY: &str = "rk_R5j9wZ3kq8Xc7Vb2Nm4Lp6Ts1Yd0Gh_f";

fn section(lines: &str) -> String {
    format!("[[auth.api_keys]]\nname = 'backend'\nscopes = ['revoke']\n{lines}")
}

#[test]
fn a_key_may_be_given_in_three_ways() {
    let site = Site::new("");
    let file = site.path("key");
    fs::write(&file, format!("{KEY}\n")).unwrap();
    // printf rk_R5j9wZ3kq8Xc7Vb2Nm4Lp6Ts1Yd0Gh_f | sha256sum
    let digest = "4e0e436de9e25efb1d50928b2d1cd841c8ab83edc947a17f1b558da82646dd48";
    for line in [
        format!("key = '{KEY}'"),
        format!("key_file = '{}'", file.display()),
        format!("key_sha256 = '{digest}'"),
    ] {
        let keys = Site::new(&section(&line)).setup(MissingKey::Pretend).api_keys;
        assert_eq!(
            keys.check(KEY, Scope::Revoke).map(|key| key.name.to_string()).unwrap(),
            "backend",
            "{line}"
        );
        assert!(keys.check(&KEY[1..], Scope::Revoke).is_err());
    }
}

#[test]
fn a_key_that_could_be_guessed_or_used_for_nothing_is_refused() {
    let long = format!("key = '{KEY}'");
    let cases = [
        (
            section("key = 'hunter2'"),
            "roomkey.toml:4: auth.api_keys[0].key: must have at least 32 characters: make one with `openssl rand -hex 32`",
        ),
        (
            section(""),
            "roomkey.toml:1: auth.api_keys[0]: must have one of `key`, `key_file` and `key_sha256`",
        ),
        (
            section("key_sha256 = 'abc'"),
            "roomkey.toml:4: auth.api_keys[0].key_sha256: must be 64 hexadecimal digits",
        ),
        (
            section(&long).replace("['revoke']", "[]"),
            "roomkey.toml:3: auth.api_keys[0].scopes: must name what the key is for, such as `emit`",
        ),
        (
            section(&long).replace("revoke", "everything"),
            "roomkey.toml:3: auth.api_keys[0].scopes[0]: must be one of `channels`, `emit`, `policy`, `revoke`, `users`, `webhooks`",
        ),
        (
            section(&long) + "\n" + &section(&long),
            "roomkey.toml:6: auth.api_keys[1].name: is another key's name, too",
        ),
        (
            "[auth]\nsession_cookies = true\ncookie = 'session'".to_owned(),
            "roomkey.toml:3: auth.cookie: must not be set where auth.session_cookies is on: \
             the token is in the cookie `__Host-roomkey` then",
        ),
        (
            "[auth]\nrefresh_token_idle_s = 0".to_owned(),
            "roomkey.toml:2: auth.refresh_token_idle_s: must be from 1 second to 400 days",
        ),
    ];
    for (file, expected) in cases {
        assert_eq!(Site::new(&file).refusal(UNSET), expected);
    }
}
