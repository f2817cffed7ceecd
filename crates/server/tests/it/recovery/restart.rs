//! A clean restart between going and coming back.

use super::*;

#[test]
fn over_a_clean_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let snapshot = directory.path().join("sockets.json");
    let recovery = Recovery { snapshot: Some(snapshot.clone()), ..Recovery::default() };
    let config = ServerConfig { recovery: Some(recovery), ..config() };
    let server = start(config.clone());
    let (mut there, memory) = connect(&server);
    there.call("421[\"join\",\"a\"]", "431[true]");
    let (mut away, mut other) = connect(&server);
    away.call("421[\"join\",\"a\"]", "431[true]");
    say(&server, "received");
    expect_said(&mut away, &mut other, "received");
    lose(&server, away);
    say(&server, "missed");
    drop(server);
    assert_eq!(there.closed(), Some(1012));

    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(&snapshot).expect("a snapshot").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let server = start(config.clone());
    let _serving = connect(&server);
    assert!(!snapshot.exists(), "it is used up");
    say(&server, "later");
    let (_, missed, now) = come_back(&server, &memory);
    assert_eq!(missed, [r#"["said","received"]"#, r#"["said","missed"]"#, r#"["said","later"]"#]);
    assert_eq!(now.sid, memory.sid);
    let (client, missed, now) = come_back(&server, &other);
    assert_eq!(missed, [r#"["said","missed"]"#, r#"["said","later"]"#]);
    assert_eq!(now.sid, other.sid);
    lose(&server, client);
    drop(server);

    // Twice: what was brought over the first restart is brought over the second.
    let server = start(config.clone());
    let (_, missed, _) = come_back(&server, &other);
    assert_eq!(missed, [r#"["said","missed"]"#, r#"["said","later"]"#]);
    drop(server);

    std::fs::write(&snapshot, "{").expect("writable");
    let server = start(config);
    let (_client, _) = connect(&server);
}
