//! Names that mean something elsewhere: to JavaScript, to a shell, to a terminal. Here they are names.

use roomkey_testkit::Client;

use crate::support::{config, start};

/// CVE-2026-56812, CVE-2018-1270: none of them is looked up in an object, matched or evaluated.
const NAMES: &[&str] = &[
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "*",
    "room*",
    "room.*",
    "{room1,room2}",
    "#{1+1}",
    "${jndi:ldap://x}",
    "T(java.lang.Runtime).getRuntime().exec('x')",
    "'; DROP TABLE rooms; --",
    "../../room1",
    "%s%n",
];

#[test]
fn a_room_hears_what_is_said_in_the_room_of_its_name() {
    let server = start(config());
    let mut members: Vec<_> = ["room1", "room2"]
        .iter()
        .chain(NAMES)
        .map(|room| {
            let mut member = Client::connect(server.address());
            member.call(&format!("420[\"join\",\"{room}\"]"), "430[true]");
            (*room, member)
        })
        .collect();
    let mut speaker = Client::connect(server.address());
    for room in NAMES {
        speaker.call(&format!("420[\"say\",\"{room}\",\"{room}\"]"), "430[true]");
    }
    for (room, member) in &mut members {
        if NAMES.contains(room) {
            member.expect(&format!("42[\"said\",\"{room}\"]"));
        }
        member.call("421[\"echo\"]", "431[]");
    }
}

#[test]
fn events_and_keys_are_passed_on_as_they_are() {
    let server = start(config());
    let mut client = Client::connect(server.address());
    for name in NAMES {
        client.text(&format!("420[\"{name}\",1]"));
        let json = format!(r#"{{"{name}":{{"{name}":["{name}"]}}}}"#);
        client.call(&format!("421[\"echo\",{json}]"), &format!("431[{json}]"));
        let namespace = name.replace(',', ";");
        client.text(&format!("40/{namespace},"));
        client.expect(&format!(r#"44/{namespace},{{"message":"Invalid namespace"}}"#));
    }
    client.call("422[\"echo\"]", "432[]");
}
