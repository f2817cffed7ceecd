use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::pair::Pair;
use crate::{
    ParseError,
    engine::Revision,
    session::{CloseReason, Config},
    socket::msgpack,
};

fn config() -> Config {
    Config { msgpack: true, pre_auth_bytes: 100, ..Config::default() }
}

/// A packet as the client writes it.
fn packed(text: &str) -> String {
    let attachments: &[Bytes] = if text.starts_with("45") { &[Bytes::from_static(&[1, 2])] } else { &[] };
    format!("b{}", STANDARD.encode(msgpack::encode(text, attachments).expect("a packet")))
}

fn closed(config: Config, packets: &[&str]) -> Option<CloseReason> {
    let mut pair = Pair::new(config);
    pair.send(packets);
    pair.close_reason()
}

#[test]
fn the_first_packet_decides() {
    let binary = packed(r#"451-["m",{"_placeholder":true,"num":0}]"#);
    let mut pair = Pair::new(config());
    pair.send(&[&packed("40"), "2probe"]);
    assert_eq!(pair.close_reason(), Some(ParseError::HeartbeatDirection.into()));

    let mut pair = Pair::new(config());
    pair.send(&[
        "3",
        "6",
        &packed(r#"40/slow,{"a":1}"#),
        &packed("40/custom,"),
        &packed(r#"42/custom,7["m"]"#),
    ]);
    assert!(pair.session.is_msgpack());
    assert_eq!(pair.close_reason(), None);
    pair.send(&[&packed("40"), &binary, &packed("41")]);
    assert_eq!(pair.close_reason(), None);
    pair.send(&["42/custom,[\"m\"]"]);
    assert_eq!(pair.close_reason(), Some(ParseError::Msgpack.into()));

    let mut pair = Pair::new(config());
    pair.send(&["40", "451-[\"m\"]", "bAQ=="]);
    assert!(!pair.session.is_msgpack());
    assert_eq!(pair.close_reason(), None);
    pair.send(&[&packed("42[\"m\"]")]);
    assert_eq!(pair.close_reason(), Some(ParseError::AttachmentUnexpected.into()));
}

#[test]
fn only_where_it_is_allowed() {
    let off = Config { msgpack: false, ..config() };
    assert_eq!(closed(off, &[&packed("40")]), Some(CloseReason::PreAuthBytes));
    let mut pair = Pair::of(Revision::V3, Config { connect_timeout_ms: 10_000, ..config() });
    pair.send(&[&packed("40").replacen('b', "b4", 1)]);
    assert_eq!(pair.close_reason(), Some(CloseReason::PreAuthBytes));
}

#[test]
fn the_same_limits_hold() {
    let long = packed(&format!(r#"40/slow,{{"a":"{}"}}"#, "x".repeat(90)));
    assert_eq!(closed(config(), &[&long]), Some(CloseReason::PreAuthBytes));
    assert_eq!(closed(config(), &["bAQID"]), Some(ParseError::Msgpack.into()));
    assert_eq!(closed(config(), &[&packed("42[\"m\"]")]), Some(ParseError::NamespaceNotConnected.into()));
    assert_eq!(closed(config(), &[&packed("40"), &packed("40")]), Some(ParseError::ConnectTwice.into()));
    assert_eq!(
        closed(config(), &[&packed("40"), &packed(r#"44{"message":"x"}"#)]),
        Some(ParseError::ConnectErrorFromClient.into())
    );
}
