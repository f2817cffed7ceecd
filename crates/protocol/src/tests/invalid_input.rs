//! What clients must not send, and what becomes of it. The main namespace is connected.

use super::pair::Pair;
use crate::session::Config;

/// Why the session ends, if it does.
fn outcome(packets: &[&str]) -> Option<&'static str> {
    let mut pair = Pair::new(Config::default());
    pair.send(&["40"]).send(packets);
    assert!(pair.session.is_connected("/"), "what is to be disconnected is still known at the end");
    pair.close_reason().map(|reason| reason.as_str())
}

#[track_caller]
fn closes(packets: &[&str]) {
    assert_eq!(outcome(packets), Some("parse error"), "{packets:?}");
}

#[track_caller]
fn goes_on(packets: &[&str]) {
    assert_eq!(outcome(packets), None, "{packets:?}");
}

#[test]
fn payloads() {
    for packet in
        ["42{}", "42[]", "42[null]", "42[true]", "42[\"m\"", "42[\"m\",1]x", "42", "43", "431", "431{}"]
    {
        closes(&[packet]);
    }
    goes_on(&["42[1,2]"]);
    goes_on(&["439[1]"]);
    goes_on(&["439[1]", "439[1]"]);
    goes_on(&["42/,[\"m\"]"]);
    goes_on(&["42[\"error\"]", "42[\"connection\"]", "42[\"ping\"]", "42[\"message\"]"]);
    goes_on(&[&format!("42[\"m\",{}{}]", "[".repeat(200), "]".repeat(200))]);
    goes_on(&["42[\"m\",{\"a\":1,\"a\":2},123456789012345678901234567890]"]);
    closes(&[&format!("42[\"m\",{}{}]", "[".repeat(10_000), "]".repeat(10_000))]);
}

#[test]
fn headers() {
    for packet in
        ["42a[\"m\"]", "42-1[\"m\"]", "42/[\"m\",1]", "47", "49", "4x", "4-1", "4 ", "4", "4\"", "4é"]
    {
        closes(&[packet]);
    }
    closes(&[&format!("42{}[\"m\"]", "9".repeat(100_000))]);
}

#[test]
fn reserved_names() {
    for name in ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"] {
        closes(&[&format!("42[\"{name}\"]")]);
        closes(&[&format!("451-[\"{name}\"]"), "bAQ=="]);
    }
}

#[test]
fn connecting() {
    for packet in
        ["40", "40{\"a\":1}", "40/,", "40/custom,[]", "40/custom,\"x\"", "40/custom,null", "40/custom,{"]
    {
        closes(&[packet]);
    }
    goes_on(&["40/random,"]);
    goes_on(&["40/random,", "40/random,"]);
}

#[test]
fn other_namespaces() {
    for packet in ["42/custom,[\"m\"]", "43/custom,1[]", "41/custom,", "451-/custom,[\"m\"]"] {
        closes(&[packet]);
    }
}

#[test]
fn packets_a_client_does_not_send() {
    for packet in ["41{\"a\":1}", "44{\"message\":\"x\"}", "44"] {
        closes(&[packet]);
    }
}

#[test]
fn attachments() {
    for packet in ["451[\"m\"]", "45-[\"m\"]", "45-1-[\"m\"]", "451.5-[\"m\"]", "450-[\"m\"]", "4511-[\"m\"]"]
    {
        closes(&[packet]);
    }
    for num in ["1", "-1", "\"0\"", "0.5", "null"] {
        closes(&[&format!("451-[\"m\",{{\"_placeholder\":true,\"num\":{num}}}]"), "bAQ=="]);
    }
    closes(&["451-[\"m\"]", "42[\"m\"]"]);
    closes(&["451-[\"m\"]", "41"]);
    closes(&["bAQ=="]);
    closes(&["b"]);
    goes_on(&["451-[\"m\",{\"_placeholder\":true,\"num\":0}]", "b"]);
    // Heartbeats may come between.
    goes_on(&["451-[\"m\"]", "3", "bAQ=="]);
}

#[test]
fn engine_packets() {
    for packet in ["7", "9", "x", "-1", " ", "", "é", "b!", "2", "2probe", "2x"] {
        closes(&[packet]);
    }
    goes_on(&["0", "0{}", "3", "3probe", "5", "5x", "6", "6x", "5", "3", "3", "3"]);
    assert_eq!(outcome(&["1"]), Some("transport close"));
}

#[test]
fn before_any_connect() {
    for packet in ["42[\"m\",1]", "431[]", "41", "44{}", "451-[\"m\"]"] {
        let mut pair = Pair::new(Config::default());
        pair.send(&[packet]);
        assert_eq!(pair.close_reason().map(|reason| reason.as_str()), Some("parse error"), "{packet}");
    }
}
