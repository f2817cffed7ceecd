mod tokens;

use clap::{CommandFactory, Parser};
use expect_test::{Expect, expect};
use roomkey_store::{SqliteConfig, SqliteStore};
use serde_json::Value;
use tempfile::TempDir;

use super::*;

/// A data directory, and what the commands say about it.
struct Site(TempDir);

const SECRET: [(&str, &str); 1] = [("JWT_SECRET", "R5j9wZ3kq8Xc7Vb2Nm4Lp6Ts1Yd0Gh_f")];

impl Site {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// Runs `roomkey ARGS --data-dir DIR`; what it prints, and whether it succeeds.
    fn run<const N: usize>(&self, args: &str, environment: [(&str, &str); N]) -> (String, bool) {
        let data_dir = self.0.path().to_str().unwrap();
        let words = args.split_whitespace().chain(["--data-dir", data_dir]);
        let cli = Cli::try_parse_from(["roomkey"].into_iter().chain(words)).unwrap();
        match cli.run(&environment.into()) {
            Ok(outcome) => (outcome.text.replace(data_dir, "DATA"), outcome.is_success),
            Err(error) => (format!("{error:#}").replace(data_dir, "DATA"), false),
        }
    }
}

#[test]
fn the_arguments_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn without_a_command_it_serves() {
    let cli = Cli::try_parse_from(["roomkey", "--listen", "127.0.0.1:1"]).unwrap();
    assert!(cli.command.is_none());
    assert_eq!(cli.serve.listen.unwrap().port(), 1);
    let with_command = ["roomkey", "--listen", "127.0.0.1:1", "check-config"];
    assert!(Cli::try_parse_from(with_command).is_err(), "the flag would be lost");
}

#[test]
fn check_config_says_what_would_be_served_and_makes_nothing() {
    let check = |args: &str, environment: &[(&str, &str); 2], expected: Expect| {
        let site = Site::new();
        let (text, is_success) = site.run(args, *environment);
        assert!(is_success, "{text}");
        expected.assert_eq(&text);
        assert_eq!(std::fs::read_dir(&site.0).unwrap().count(), 0);
    };
    check(
        "check-config --listen 127.0.0.1:1",
        &[("ROOMKEY__SERVER__THREADS", "2"), ("ROOMKEY__HTTP__ORIGINS", "https://a.example")],
        expect![[r#"
            The environment is fine; there is no configuration file.
              listen     127.0.0.1:1
              threads    2
              data       DATA
              origins    https://a.example, pages of this machine
              accounts   registration open; tokens signed with the key in DATA/keys (EdDSA), made at the first start
              issuers    none
              page       the demo chat
        "#]],
    );
    check(
        "check-config --listen 0.0.0.0:80",
        &[("ROOMKEY__SERVER__THREADS", "1"), ("ROOMKEY__AUTH__REGISTRATION", "false")],
        expect![[r#"
            The environment is fine; there is no configuration file.
              listen     0.0.0.0:80
              threads    1
              data       DATA
              origins    none
              accounts   registration closed; tokens signed with the key in DATA/keys (EdDSA), made at the first start
              issuers    none
              page       the demo chat
              warning    http.origins is empty: no web page may connect, only programs
        "#]],
    );
}

#[test]
fn an_account_is_added_once() {
    let site = Site::new();
    let password = site.0.path().join("password");
    let add = |password_text: &str, args: &str| {
        std::fs::write(&password, password_text).unwrap();
        let args = format!("user add --password-file {} {args}", password.display());
        site.run(&args, [("ROOMKEY__LOG__LEVEL", "off")])
    };
    let (id, is_success) = add("correct horse battery staple\n", "--email ada@example.com --username ada");
    assert!(is_success && id.len() == 23, "{id}");
    let (json, _) = add("correct horse battery staple", "--email bob@example.com --json");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["email"], &json["username"]), (&"bob@example.com".into(), &Value::Null));
    let cases = [
        ("short", "--email c@example.com", "The password has fewer than 8 characters"),
        ("correct horse battery staple", "--email Ada@example.com", "The email is taken"),
        ("correct horse battery staple", "--email c", "The e-mail address must be of the form name@domain"),
    ];
    for (password, args, expected) in cases {
        assert_eq!(add(password, args), (expected.to_owned(), false), "{args}");
    }
}

#[test]
fn users_are_listed_blocked_and_let_in_again() {
    let site = Site::new();
    let password = site.0.path().join("password");
    std::fs::write(&password, "correct horse battery staple\n").unwrap();
    let run = |args: &str| site.run(args, []);
    let json = |args: &str| -> Value {
        let (text, is_success) = run(&format!("{args} --json"));
        assert!(is_success, "{text}");
        serde_json::from_str(&text).unwrap()
    };
    let add =
        format!("user add --email ada@example.com --username ada --password-file {}", password.display());
    let id = json(&add)["id"].as_str().unwrap().to_owned();
    assert_eq!(run("user list"), (format!("{id}  ada@example.com  ada\n"), true));

    for name in ["ada", "ada@example.com", &id] {
        let blocked = json(&format!("user block {name}"));
        assert_eq!(blocked, serde_json::json!({ "user": id, "blocked": true, "socketsClosed": 0 }));
        assert_eq!(run("user list"), (format!("{id}  ada@example.com  ada  blocked\n"), true));
        assert_eq!(json("user list")["users"][0]["blocked"], true);
        let unblocked = json(&format!("user unblock {name}"));
        assert_eq!(unblocked, serde_json::json!({ "user": id, "blocked": false, "wasBlocked": true }));
        assert_eq!(run(&format!("user unblock {name}")), (format!("{id} was not blocked.\n"), true));
    }
    assert_eq!(run("user block ada --id"), ("there is no such user".to_owned(), false), "it is a name");
    assert_eq!(run("user block bob"), ("there is no such user".to_owned(), false));

    assert_eq!(run("user sessions ada"), (String::new(), true));
    assert_eq!(json("user logout ada"), serde_json::json!({ "user": id, "socketsClosed": 0 }));
    let (text, _) = run("user logout ada --session -nothing");
    assert_eq!(text, "there is no such session");
    let (text, _) = run(&format!("user passwd ada --password-file {}", password.display()));
    assert_eq!(text, format!("{id} has a new password, and was logged out everywhere.\n"));
    std::fs::write(&password, "short").unwrap();
    let (text, is_success) = run(&format!("user passwd ada --password-file {}", password.display()));
    assert_eq!((text.as_str(), is_success), ("The password has fewer than 8 characters", false));
}

/// Users of other issuers have no account that could be looked up.
#[test]
fn with_a_shared_secret_whoever_the_backend_knows_is_a_user() {
    let site = Site::new();
    let (token, _) = site.run("token mint --user clerk:7", SECRET);
    let inspect = || site.run(&format!("token inspect {}", token.trim()), SECRET);
    assert!(inspect().1);
    assert_eq!(
        site.run("user block clerk:7", SECRET),
        ("Blocked clerk:7; 0 sockets closed.\n".to_owned(), true)
    );
    let (text, is_success) = inspect();
    assert!(!is_success && text.starts_with("The server refuses this token: its user is blocked."), "{text}");
    assert_eq!(site.run("user unblock clerk:7", SECRET), ("clerk:7 may log in again.\n".to_owned(), true));
    assert!(!inspect().1, "the tokens of before stay refused");
    let (token, _) = site.run("token mint --user clerk:7", SECRET);
    assert!(site.run(&format!("token inspect {}", token.trim()), SECRET).1);
}

/// With what the server will write behind it, it is one chain.
#[test]
fn what_operators_do_is_recorded() {
    let site = Site::new();
    let run = |args: &str| assert!(site.run(args, SECRET).1, "{args}");
    run("user block ada");
    run("user unblock ada");
    run("token revoke --sid s1");
    let password = site.0.path().join("password");
    std::fs::write(&password, "correct horse battery staple").unwrap();
    run(&format!("user add --email eve@example.com --password-file {}", password.display()));
    run("audit verify");
    let log = std::fs::read_to_string(site.0.path().join("audit.jsonl")).unwrap();
    let records = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut said: Vec<_> = records
        .map(|record| {
            ["event", "reason", "target"]
                .map(|field| record[field].as_str().unwrap_or("-").to_owned())
                .join(" | ")
        })
        .collect();
    let created = said.pop().unwrap();
    assert!(created.starts_with("user_created | an operator's command | "), "{created}");
    expect![[r#"
        user_archived | an operator's command | ada
        authz_change | an operator's command | ada
        authn_token_revoked | revoked | session e8bc163c"#]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn without_a_socket_the_data_of_a_running_server_is_out_of_reach() {
    let site = Site::new();
    let database = site.0.path().join("roomkey.db");
    let server = SqliteStore::open(&database, &SqliteConfig::default(), Box::new(|_| ())).unwrap();
    let (text, is_success) = site.run("keys rotate", []);
    drop(server);
    assert!(!is_success);
    let expected = format!(
        "the data is in use (process {}), and nobody listens on DATA/control.sock: \
        the server is starting or stopping, or another command runs; try again",
        std::process::id()
    );
    assert_eq!(text, expected);
}

#[test]
fn keys_are_listed_rotated_and_revoked() {
    let site = Site::new();
    let run = |args: &str| {
        let (text, is_success) = site.run(args, []);
        assert!(is_success, "{text}");
        text
    };
    let json = |args: &str| -> Value { serde_json::from_str(&run(&format!("{args} --json"))).unwrap() };
    assert_eq!(json("keys list"), serde_json::json!({ "keys": [] }), "looking makes nothing");
    let first = json("keys rotate");
    assert_eq!((&first["active"]["active"], &first["retired"]), (&true.into(), &Value::Null));
    let second = json("keys rotate");
    let (first, second) =
        (first["active"]["kid"].as_str().unwrap(), second["active"]["kid"].as_str().unwrap());
    let listed = json("keys list");
    assert_eq!((&listed["keys"][0]["kid"], &listed["keys"][1]["kid"]), (&second.into(), &first.into()));
    assert_eq!(listed["keys"][0]["createdAt"], listed["keys"][1]["retiredAt"]);

    let listed = run("keys list");
    let lines: Vec<_> = listed.lines().collect();
    assert!(lines[0].starts_with(&format!("{second}  signs; made 2")), "{listed}");
    assert!(lines[1].starts_with(&format!("{first}  retired, verifies until 2")), "{listed}");
    let revoked = run(&format!("keys revoke {first}"));
    assert!(
        revoked.starts_with(&format!("Revoked {first}; 0 sockets closed.\n{second}  signs; ")),
        "{revoked}"
    );
    let revoked = json(&format!("keys revoke {second}"));
    assert_eq!((&revoked["revoked"], &revoked["socketsClosed"]), (&second.into(), &0.into()));
    assert_eq!(json("keys list")["keys"], serde_json::json!([revoked["active"]]));
    assert_eq!(site.run("keys revoke nothing", []), ("there is no key with this kid".to_owned(), false));
}

#[test]
fn with_a_secret_there_are_no_keys() {
    for command in ["keys list", "keys rotate", "keys revoke x"] {
        let (text, is_success) = Site::new().run(command, SECRET);
        assert!(!is_success && text.contains("auth.jwt_secret_previous"), "{text}");
    }
}

#[test]
fn a_generated_secret_is_one_that_the_server_takes() {
    let generate = |args: &str| {
        let cli =
            Cli::try_parse_from(["roomkey", "secret", "generate"].into_iter().chain(args.split_whitespace()));
        cli.map(|cli| cli.run(&Environment::default()).unwrap().text)
    };
    let secret = generate("").unwrap();
    assert_eq!(secret.len(), 44, "32 bytes and a line end");
    assert_ne!(generate("").unwrap(), secret);
    let environment = [("JWT_SECRET", secret.trim())];
    assert!(Site::new().run("token mint --user ada", environment).1);
    let json: Value = serde_json::from_str(&generate("--bytes 64 --json").unwrap()).unwrap();
    assert_eq!((json["secret"].as_str().unwrap().len(), &json["bytes"]), (86, &64.into()));
    assert!(generate("--bytes 31").is_err());
}

#[test]
fn an_api_key_comes_with_the_lines_that_make_it_one() {
    let print = |args: &str| {
        let cli =
            Cli::try_parse_from(["roomkey", "secret", "api-key"].into_iter().chain(args.split_whitespace()));
        cli.map(|cli| cli.run(&Environment::default()).unwrap().text)
    };
    let text = print("shop\"1 --scope channels --scope emit --scope policy --scope webhooks").unwrap();
    let (key, lines) = text.split_once('\n').unwrap();
    assert!(key.starts_with("rk_") && key.len() == 46, "{key}");
    let site = Site::new();
    let file = site.0.path().join("roomkey.toml");
    std::fs::write(&file, lines).unwrap();
    let (checked, is_success) = site.run(&format!("check-config --config {}", file.display()), []);
    assert!(is_success, "{checked}");
    let json: Value = serde_json::from_str(&print("shop --json").unwrap()).unwrap();
    let digest = roomkey_auth::SecretDigest::of(json["key"].as_str().unwrap()).to_hex();
    assert_eq!((&json["keySha256"], &json["scopes"]), (&digest.into(), &serde_json::json!(["revoke"])));
    for args in ["", "shop --scope all"] {
        assert!(print(args).is_err(), "{args}");
    }
}

#[test]
fn a_backup_is_a_file_that_a_server_can_start_from() {
    let site = Site::new();
    let copy = site.0.path().join("copies/today.db");
    let args = format!("backup {}", copy.display());
    let (text, is_success) = site.run(&args, SECRET);
    assert_eq!((text.as_str(), is_success), ("cannot open the store DATA/roomkey.db: not found", false));
    let store = |path: &std::path::Path| SqliteStore::open(path, &SqliteConfig::default(), Box::new(|_| ()));
    let running = store(&site.0.path().join("roomkey.db")).unwrap();
    let (text, is_success) = site.run(&args, SECRET);
    assert!(!is_success && text.contains("DATA/copies/today.db"), "there is no such directory: {text}");
    std::fs::create_dir(site.0.path().join("copies")).unwrap();
    let (text, is_success) = site.run(&args, SECRET);
    assert!(is_success && text.starts_with("DATA/copies/today.db is a copy of the database: "), "{text}");
    let (text, is_success) = site.run(&args, SECRET);
    assert!(!is_success && text.ends_with("the name of the file is taken"), "{text}");
    store(&copy).unwrap();
    drop(running);
}

#[test]
fn what_is_kept_of_a_user_is_printed_and_removed() {
    let site = Site::new();
    let password = site.0.path().join("password");
    std::fs::write(&password, "correct horse battery staple").unwrap();
    let add =
        format!("user add --email ada@example.com --username ada --password-file {}", password.display());
    let (id, is_success) = site.run(&add, []);
    assert!(is_success, "{id}");
    let (text, is_success) = site.run("user export ada", []);
    assert!(is_success, "{text}");
    assert!(!text.contains("argon2"), "no secret is in it: {text}");
    let data: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(data["id"], id.trim());
    assert_eq!(data["account"]["email"], "ada@example.com");
    assert_eq!(data["messages"], Value::Array(Vec::new()));
    let erased = format!("Erased {}: 0 messages, 0 memberships; 0 sockets closed.\n", id.trim());
    assert_eq!(site.run("user erase ada", []), (erased, true));
    for args in ["user export ada", "user erase ada", "user sessions ada"] {
        assert_eq!(site.run(args, []), ("there is no such user".to_owned(), false), "{args}");
    }
    let log = std::fs::read_to_string(site.0.path().join("audit.jsonl")).unwrap();
    for event in ["authz_admin", "user_deleted"] {
        assert!(log.contains(event), "{event} is not in {log}");
    }
    assert!(site.run(&add, []).1, "the name is free again");
    // Known through a backend, without an account.
    let database = rusqlite::Connection::open(site.0.path().join("roomkey.db")).unwrap();
    database.execute("INSERT INTO profiles (user, name, updated) VALUES ('x-1', 'Known', 1)", []).unwrap();
    drop(database);
    assert!(site.run("user export x-1", []).0.contains(r#""username": "Known""#));
    assert!(site.run("user erase x-1", []).1);
    assert_eq!(site.run("user erase x-1", []), ("there is no such user".to_owned(), false));
}

#[test]
fn policy_explain_says_by_which_rule() {
    let site = Site::new();
    let file = site.0.path().join("rules.toml");
    let rule =
        "[[policy.rules]]\nname = 'lobby'\neffect = 'allow'\nactions = ['join']\nrooms = 'room:lobby'\n";
    std::fs::write(&file, rule).unwrap();
    let run = |args: &str| site.run(&format!("policy explain --config {} {args}", file.display()), SECRET);
    let (text, is_success) = run("--user ada --action join --room room:lobby");
    assert!(is_success);
    expect![[r#"
        Allowed, by the rule lobby.
          user       ada
          action     join
          room       room:lobby
          membership none
          token      none: the user is not connected, so that no role and no claim is known
        Rules, in the order in which they are asked:
          deny   builtin     other scope       scopes
          allow  configured  matches           lobby
          allow  builtin     other action      create-channels
          allow  builtin     other room        own-room
          allow  builtin     other room        own-dashed-room
          allow  builtin     other room        public-channels
          allow  builtin     other room        members-read
          allow  builtin     other action      members-send
          allow  builtin     other action      own-messages
          allow  builtin     other action      moderators
          allow  builtin     other action      owners
    "#]]
    .assert_eq(&text);
    let (text, is_success) = run("--user ada --action send --room c1");
    assert!(!is_success && text.starts_with("Denied, as no rule allows it.\n"), "{text}");
    let (json, is_success) = run("--user ada --action create --json");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert!(is_success);
    assert_eq!((&json["decision"], &json["rule"]), (&"allowed".into(), &"create-channels".into()));
    for (args, expected) in [
        (
            "--user ada --action fly",
            "action: must be one of create, delete, edit, join, leave, manage, read, send, update",
        ),
        ("--user ada --action send", "room: must be given"),
        ("--user ada --action send --room user:", "room: must not be blank"),
    ] {
        assert_eq!(run(args), (expected.to_owned(), false));
    }
    let (text, is_success) = site.run("policy reload", SECRET);
    assert!(!is_success && text.starts_with("no server runs"), "{text}");
}
