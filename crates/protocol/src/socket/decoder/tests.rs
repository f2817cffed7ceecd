use std::borrow::Cow;

use expect_test::{Expect, expect};

use super::*;
use crate::engine;

/// One line per Engine.IO packet: what it gave. `b...` is an attachment.
fn decode(packets: &[&str]) -> String {
    let mut decoder = Decoder::new(10, 1000);
    let mut lines = Vec::new();
    for packet in packets {
        let result = match engine::Packet::decode(packet) {
            Ok(engine::Packet::Message(text)) => decoder.text(text),
            Ok(engine::Packet::Binary(bytes)) => decoder.binary(bytes),
            other => panic!("not a message: {other:?}"),
        };
        lines.push(match result {
            Ok(Some(packet)) => show(&packet),
            Ok(None) => "...".to_owned(),
            Err(error) => format!("{error:?}"),
        });
    }
    lines.join("\n")
}

fn show(packet: &Packet) -> String {
    let namespace = packet.namespace();
    match packet {
        Packet::Connect { auth, .. } => format!("CONNECT {namespace} {auth:?}"),
        Packet::Disconnect { .. } => format!("DISCONNECT {namespace}"),
        Packet::Event { id, name, args, .. } => {
            format!("EVENT {namespace} {id:?} {name:?} {} {:?}", args.json(), args.attachments())
        }
        Packet::Ack { id, args, .. } => {
            format!("ACK {namespace} {id} {} {:?}", args.json(), args.attachments())
        }
        Packet::ConnectError { error, .. } => format!("CONNECT_ERROR {namespace} {error}"),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "that is how expectations are written")]
fn check(packets: &[&str], expected: Expect) {
    expected.assert_eq(&decode(packets));
}

#[track_caller]
fn refused(error: ParseError, packets: &[&str]) {
    for packet in packets {
        assert_eq!(decode(&[packet]), format!("{error:?}"), "{packet}");
    }
}

#[test]
fn connect() {
    check(&["40"], expect!["CONNECT / None"]);
    check(&["40{\"token\":\"<jwt>\"}"], expect![[r#"CONNECT / Some("{\"token\":\"<jwt>\"}")"#]]);
    check(&["40/custom,{\"a\": 1 }"], expect![[r#"CONNECT /custom Some("{\"a\": 1 }")"#]]);
    check(&["40/custom,"], expect!["CONNECT /custom None"]);
    check(&["40/custom"], expect!["CONNECT /custom None"]);
    check(&["40/,"], expect!["CONNECT / None"]);
    check(&["40/custom?a=b,"], expect!["CONNECT /custom?a=b None"]);
    check(&["40/{}"], expect!["CONNECT /{} None"]);
    refused(
        ParseError::Json,
        &[
            "40[]",
            "40/custom,[]",
            "40/custom,\"x\"",
            "40/custom,null",
            "40/custom,{",
            "40{}x",
            "40 {}",
            "40{'a':1}",
        ],
    );
    refused(ParseError::AckId, &["401{}", "401"]);
}

#[test]
fn disconnect() {
    check(&["41"], expect!["DISCONNECT /"]);
    check(&["41/custom,"], expect!["DISCONNECT /custom"]);
    refused(ParseError::PayloadUnexpected, &["41{\"a\":1}", "41[]", "41/custom,x"]);
    refused(ParseError::AckId, &["415"]);
}

#[test]
fn connect_error() {
    check(&["44{\"message\":\"bad\"}"], expect![[r#"CONNECT_ERROR / {"message":"bad"}"#]]);
    refused(ParseError::Json, &["44", "44\"old\""]);
}

#[test]
fn events() {
    check(
        &["42[\"message\",1,\"2\",{\"3\":[true]}]"],
        expect![[r#"EVENT / None "message" [1,"2",{"3":[true]}] []"#]],
    );
    check(&["4212[\"message\",1]"], expect![[r#"EVENT / Some(12) "message" [1] []"#]]);
    check(&["420[\"m\"]"], expect![[r#"EVENT / Some(0) "m" [] []"#]]);
    check(&["42/,[\"m\"]"], expect![[r#"EVENT / None "m" [] []"#]]);
    check(&["42/custom,7[\"m\"]"], expect![[r#"EVENT /custom Some(7) "m" [] []"#]]);
    check(&["429007199254740991[\"m\"]"], expect![[r#"EVENT / Some(9007199254740991) "m" [] []"#]]);
    // White space is left as it is, but for what stands before the first argument.
    check(&["42[ \"m\" , 1 , 2 ] "], expect![[r#"EVENT / None "m" [ 1 , 2 ]  []"#]]);
    check(&["42[\"a\\u0062\\\"\"]"], expect![[r#"EVENT / None "ab\"" [] []"#]]);
    check(&["42[\"error\"]"], expect![[r#"EVENT / None "error" [] []"#]]);
    check(&["42[1,2]"], expect![[r#"EVENT / None "1" [2] []"#]]);
    check(&["42[-7]"], expect![[r#"EVENT / None "-7" [] []"#]]);
    check(&["42[\"\"]"], expect![[r#"EVENT / None "" [] []"#]]);
    check(
        &["42[\"__proto__\",{\"__proto__\":1}]"],
        expect![[r#"EVENT / None "__proto__" [{"__proto__":1}] []"#]],
    );
}

/// What JavaScript and Rust would read differently is passed on as it is.
#[test]
fn json_is_not_interpreted() {
    for args in
        ["1e400", "-0", "18446744073709551616", "{\"a\":1,\"a\":2}", "\"\\ud800\"", "\"\u{2028}\"", "1.0"]
    {
        let expected = format!("EVENT / None \"m\" [{args}] []");
        assert_eq!(decode(&[&format!("42[\"m\",{args}]")]), expected);
    }
}

#[test]
fn bad_events() {
    refused(
        ParseError::Json,
        &[
            "42",
            "42{}",
            "42[\"m\"",
            "42[\"m\",1]x",
            "42[\"m\",]",
            "42[\"m\",01]",
            "42[\"m\",\"\\x\"]",
            "42a[\"m\"]",
        ],
    );
    refused(
        ParseError::Json,
        &["42-1[\"m\"]", "421.5[\"m\"]", "421e3[\"m\"]", "42/custom,", "42/[\"m\",1]", "42\"x\""],
    );
    refused(
        ParseError::EventName,
        &[
            "42[]",
            "42[null]",
            "42[true]",
            "42[[]]",
            "42[{\"toString\":\"foo\"}]",
            "42[1.5]",
            "42[1e3]",
            "42[\"\\ud800\"]",
        ],
    );
    for name in RESERVED_EVENTS {
        refused(
            ParseError::EventNameReserved,
            &[&format!("42[\"{name}\"]"), &format!("451-[\"{name}\",{{\"_placeholder\":true,\"num\":0}}]")],
        );
    }
    refused(ParseError::EventNameReserved, &["42[\"\\u0063onnect\"]"]);
}

#[test]
fn acks() {
    check(&["4312[\"answer\"]"], expect![[r#"ACK / 12 ["answer"] []"#]]);
    check(&["4312[]"], expect!["ACK / 12 [] []"]);
    check(&["43/custom,0[1, 2]"], expect!["ACK /custom 0 [1, 2] []"]);
    refused(ParseError::Json, &["431", "431{}", "431null"]);
    refused(ParseError::AckId, &["43", "43[1]"]);
    refused(
        ParseError::AckId,
        &["4301[]", "4300[]", "439007199254740992[]", "4310000000000000000[]", "4399999999999999999999999[]"],
    );
    refused(ParseError::AckId, &[&format!("42{}", "9".repeat(1_000_000)), "4201[\"m\"]"]);
}

#[test]
fn binary_packets() {
    check(
        &["451-[\"m\",{\"_placeholder\":true,\"num\":0}]", "bAQID"],
        expect![[r#"
            ...
            EVENT / None "m" [{"_placeholder":true,"num":0}] [b"\x01\x02\x03"]"#]],
    );
    check(
        &["461-3[{\"_placeholder\":true,\"num\":0}]", "b"],
        expect![[r#"
            ...
            ACK / 3 [{"_placeholder":true,"num":0}] [b""]"#]],
    );
    check(
        &[
            "452-/custom,7[\"m\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]",
            "bAQ==",
            "bAg==",
            "42[\"next\"]",
        ],
        expect![[r#"
            ...
            ...
            EVENT /custom Some(7) "m" [{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}] [b"\x01", b"\x02"]
            EVENT / None "next" [] []"#]],
    );
    // In any order, more than once, or not at all.
    check(
        &[
            "453-[\"m\",[{\"num\":2,\"_placeholder\":true}],{\"a\":{\"_placeholder\":true,\"num\":2,\"x\":1}}]",
            "bAQ==",
            "bAg==",
            "bAw==",
        ],
        expect![[r#"
            ...
            ...
            ...
            EVENT / None "m" [[{"num":2,"_placeholder":true}],{"a":{"_placeholder":true,"num":2,"x":1}}] [b"\x01", b"\x02", b"\x03"]"#]],
    );
    // Ordinary JSON in an event that has no attachments.
    check(
        &["42[\"m\",{\"_placeholder\":true,\"num\":99}]"],
        expect![[r#"EVENT / None "m" [{"_placeholder":true,"num":99}] []"#]],
    );
}

#[test]
fn bad_attachment_counts() {
    refused(
        ParseError::AttachmentsCount,
        &["451[\"m\"]", "45-[\"m\"]", "45-1-[\"m\"]", "451.5-[\"m\"]", "450-[\"m\"]", "4501-[\"m\"]"],
    );
    refused(ParseError::AttachmentsCount, &["45", "46", "451", "4518446744073709551617-[\"x\"]"]);
    refused(ParseError::AttachmentsTooMany, &["4511-[\"m\"]", "45999999999-[\"x\"]"]);
    assert_eq!(decode(&["4510-[\"m\"]"]), "...");
}

#[test]
fn bad_placeholders() {
    let nums = [
        "1",
        "-1",
        "-0",
        "1.5",
        "0.0",
        "1e9",
        "\"0\"",
        "\"splice\"",
        "null",
        "[0]",
        "{\"num\":0}",
        "99999999999999999999",
    ];
    for num in nums {
        refused(
            ParseError::Placeholder,
            &[&format!("451-[\"hello\",{{\"_placeholder\":true,\"num\":{num}}}]")],
        );
        refused(
            ParseError::Placeholder,
            &[&format!("461-1[{{\"num\":{num},\"a\":[{{}}],\"_placeholder\":true}}]")],
        );
    }
    refused(
        ParseError::Placeholder,
        &[
            "451-[\"m\",{\"_placeholder\":true}]",
            "451-[\"m\",{\"_placeholder\":true,\"num\":0,\"num\":1}]",
            "451-[\"m\",{\"\\u005fplaceholder\":true,\"num\":1}]",
            "451-[\"m\",{\"_placeholder\":true,\"\\u006eum\":1,\"x\":0}]",
            "451-[\"m\",{\"_placeholder\":false,\"_placeholder\":true,\"num\":1}]",
        ],
    );
    // Not placeholders.
    for json in [
        "{\"_placeholder\":1,\"num\":5}",
        "{\"num\":5}",
        "[\"_placeholder\",true,\"num\",5]",
        "{\"a\":\"_placeholder\",\"num\":5}",
    ] {
        assert_eq!(decode(&[&format!("451-[\"m\",{json}]")]), "...", "{json}");
    }
}

#[test]
fn attachments_out_of_turn() {
    check(&["bAQID"], expect!["AttachmentUnexpected"]);
    check(&["b"], expect!["AttachmentUnexpected"]);
    check(
        &["451-[\"m\"]", "42[\"m\"]"],
        expect![[r#"
        ...
        AttachmentExpected"#]],
    );
    check(
        &["451-[\"m\"]", "bAQ==", "bAQ=="],
        expect![[r#"
        ...
        EVENT / None "m" [] [b"\x01"]
        AttachmentUnexpected"#]],
    );
}

#[test]
fn attachments_count_against_the_limit_together() {
    let mut decoder = Decoder::new(10, 1000);
    let header = "52-[\"m\"]";
    let rest = 1000 - header.len();
    assert_eq!(decoder.text(header), Ok(None));
    assert_eq!(decoder.binary(Cow::Owned(vec![0; rest])), Ok(None));
    assert_eq!(decoder.binary(Cow::Borrowed(&[0])), Err(ParseError::AttachmentsTooBig));
    assert!(!decoder.has_partial(), "nothing is kept after an error");
}

#[test]
fn other_types() {
    refused(ParseError::EmptyPacket, &["4"]);
    refused(ParseError::PacketType, &["47", "49[]", "4x", "4-1", "4 ", "4\"", "4é", "4😀😀", "4\u{0}"]);
}

#[test]
fn namespaces_have_a_longest_name() {
    let longest = format!("/{}", "n".repeat(255));
    assert_eq!(decode(&[&format!("40{longest},")]), format!("CONNECT {longest} None"));
    refused(
        ParseError::NamespaceTooLong,
        &[&format!("40{longest}n,"), &format!("42/{}", "n".repeat(100_000))],
    );
}

#[test]
fn depth_is_limited_without_recursion() {
    let nested = |depth: usize| format!("42[\"m\",{}1{}]", "[".repeat(depth - 1), "]".repeat(depth - 1));
    for good in [200, 256] {
        assert!(decode(&[&nested(good)]).starts_with("EVENT"), "{good}");
    }
    for bad in [257, 10_000, 500_000] {
        refused(ParseError::JsonTooDeep, &[&nested(bad), &format!("42{}", "[".repeat(bad))]);
        refused(ParseError::JsonTooDeep, &[&format!("40{}", "{\"a\":".repeat(bad))]);
    }
    // Many brackets are not deep, nor are those in strings.
    assert!(decode(&[&format!("42[\"m\"{}]", ",[]".repeat(100_000))]).starts_with("EVENT"));
    assert!(
        decode(&[&format!("42[\"m\",\"{}\\\"{}\"]", "[".repeat(1000), "{".repeat(1000))])
            .starts_with("EVENT")
    );
    // In a thread with little stack, to be sure; and placeholders are found at that depth too.
    let deep =
        format!("451-[\"m\",{}{{\"_placeholder\":true,\"num\":1}}{}]", "[".repeat(254), "]".repeat(254));
    let thread = std::thread::Builder::new().stack_size(64 * 1024);
    thread
        .spawn(move || refused(ParseError::Placeholder, &[&deep]))
        .expect("a thread")
        .join()
        .expect("no overflow");
}

#[test]
fn an_idle_decoder_is_small() {
    assert!(size_of::<Decoder>() <= 32);
    assert!(size_of::<Packet>() <= 96, "{}", size_of::<Packet>());
}
