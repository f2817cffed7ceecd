use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::socket::Decoder;

/// The bytes of captures: hex, and text in quotes.
fn bytes(capture: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in capture.split('"').enumerate() {
        if index % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
            continue;
        }
        let hex: String = part.split_whitespace().collect();
        let pairs =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"));
        bytes.extend(pairs);
    }
    bytes
}

fn read(message: &[u8]) -> Result<Packet, ParseError> {
    decode(message, 10, 100_000)
}

#[expect(clippy::needless_pass_by_value, reason = "that is how expectations are written")]
fn check(capture: &str, expected: Expect) {
    let shown = match read(&bytes(capture)) {
        Ok(Packet::Connect { namespace, auth }) => format!("CONNECT {namespace} {auth:?}"),
        Ok(Packet::Disconnect { namespace }) => format!("DISCONNECT {namespace}"),
        Ok(Packet::Event { namespace, id, name, args }) => {
            format!("EVENT {namespace} {id:?} {name} {} {:?}", args.json(), args.attachments())
        }
        Ok(Packet::Ack { namespace, id, args }) => {
            format!("ACK {namespace} {id} {} {:?}", args.json(), args.attachments())
        }
        Ok(Packet::ConnectError { namespace, error }) => format!("CONNECT_ERROR {namespace} {error}"),
        Err(error) => format!("{error:?}"),
    };
    expected.assert_eq(&shown);
}

/// An event named `m` of the main namespace with these arguments.
fn event(arguments: &str) -> String {
    let count = 0x91 + arguments.split('|').filter(|argument| !argument.trim().is_empty()).count();
    format!(
        r#"83 a4"type"02 a3"nsp" a1"/" a4"data" {count:x} a1"m" {arguments}"#,
        arguments = arguments.replace('|', " ")
    )
}

#[test]
fn packets() {
    check(r#"83 a4"type"00 a3"nsp"a1"/" a4"data"81 a1"t"01"#, expect![[r#"CONNECT / Some("{\"t\":1}")"#]]);
    check(r#"82 a4"type"00 a3"nsp"a2"/a""#, expect!["CONNECT /a None"]);
    check(
        r#"83 a4"type"00 a4"data"82 a3"sid"a1"x" a3"pid"d40000 a3"nsp"a1"/""#,
        expect![[r#"CONNECT / Some("{\"sid\":\"x\"}")"#]],
    );
    check(r#"82 a4"type"01 a3"nsp"a1"/""#, expect!["DISCONNECT /"]);
    check(
        r#"83 a4"type"02 a3"nsp"a1"/" a4"data"94 a1"m"01 c4020102 81 a1"a"c0"#,
        expect![[r#"EVENT / None m [1,{"_placeholder":true,"num":0},{"a":null}] [b"\x01\x02"]"#]],
    );
    check(
        r#"84 a2"id"07 a4"type"03 a4"data"91 cb3ff8000000000000 a3"nsp"a1"/""#,
        expect!["ACK / 7 [1.5] []"],
    );
    check(
        r#"83 a4"type"04 a4"data"82 a7"message"a4"nope" a4"data"d40000 a3"nsp"a3"/no""#,
        expect![[r#"CONNECT_ERROR /no {"message":"nope"}"#]],
    );
    // Clients in other languages are less tidy.
    check(r#"84 a4"type"cb0000000000000000 a3"nsp"c0 a4"data"c0 a2"id"c0"#, expect!["CONNECT / None"]);
    check(r#"83 a4"type"01 a3"nsp"a1"/" a4"data"c0"#, expect!["DISCONNECT /"]);
}

#[test]
fn values() {
    check(&event("c0|c2|c3|d40000"), expect!["EVENT / None m [null,false,true,null] []"]);
    check(&event("7f|ccff|cdffff|ceffffffff"), expect!["EVENT / None m [127,255,65535,4294967295] []"]);
    check(&event("cfffffffffffffffff"), expect!["EVENT / None m [18446744073709551615] []"]);
    check(
        &event("ff|d080|d18000|d280000000|d38000000000000000"),
        expect!["EVENT / None m [-1,-128,-32768,-2147483648,-9223372036854775808] []"],
    );
    check(&event("ca3fc00000|cbbff8000000000000"), expect!["EVENT / None m [1.5,-1.5] []"]);
    // Integers as floats, an infinity, no number at all.
    check(
        &event("cb4000000000000000|cb8000000000000000|cb7ff0000000000000|cb7ff8000000000000"),
        expect!["EVENT / None m [2,0,null,null] []"],
    );
    check(&event("d70000000000000003e8"), expect![[r#"EVENT / None m ["1970-01-01T00:00:01.000Z"] []"#]]);
    check(
        &event(r#"a3 220a5c | d901"x" | da0001"y" | db00000001"z""#),
        expect![[r#"EVENT / None m ["\"\n\\","x","y","z"] []"#]],
    );
    check(
        &event("90|dc0000|dd00000000|80|de0000|df00000000"),
        expect![[r"EVENT / None m [[],[],[],{},{},{}] []"]],
    );
    check(
        &event("c400|c50001ff|c600000001fe"),
        expect![[
            r#"EVENT / None m [{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}] [b"", b"\xff", b"\xfe"]"#
        ]],
    );
    // Keys: integers as text, undefined values left out, wherever they are.
    check(
        &event(r#"84 a1"a" d40000 01 02 ff 03 a1"z" d40000"#),
        expect![[r#"EVENT / None m [{"1":2,"-1":3}] []"#]],
    );
    check(&event(r#"82 a1"a" 01 a1"a" 02"#), expect![[r#"EVENT / None m [{"a":1,"a":2}] []"#]]);
}

#[test]
fn refused() {
    for capture in [
        "",
        "c0",
        "90",
        "81",
        "c1",
        // Not of the right types, or something behind the end.
        r#"82 a4"type"01 a3"nsp"01"#,
        r#"82 a4"type"01 a3"nsp"a1"/" 00"#,
        r#"82 01 01 a3"nsp"a1"/""#,
        r#"83 a4"type"02 a3"nsp"a1"/" a4"data"80"#,
        r#"82 a4"type"02 a3"nsp"a1"/""#,
        r#"83 a4"type"00 a3"nsp"a1"/" a4"data"90"#,
        r#"83 a4"type"04 a3"nsp"a1"/" a4"data"01"#,
        // Names that are none in the standard form.
        r#"82 a4"type"00 a3"nsp"a0"#,
        r#"82 a4"type"00 a3"nsp"a1"a""#,
        r#"82 a4"type"00 a3"nsp"a4"/a,b""#,
        // Longer than the message, by a little or by far.
        r#"82 a4"type"01 a3"nsp"a2"/""#,
        r#"83 a4"type"02 a3"nsp"a1"/" a4"data" 92 a1"m""#,
        r#"83 a4"type"02 a3"nsp"a1"/" a4"data" ddffffffff a1"m""#,
        r#"83 a4"type"02 a3"nsp"a1"/" a4"data" dfffffffff a1"m""#,
        r#"83 a4"type"02 a3"nsp"a1"/" a4"data" 92 a1"m" dbffffffff 00"#,
        r#"83 a4"type"02 a3"nsp"a1"/" a4"data" 92 a1"m" c6ffffffff 00"#,
        "dfffffffff",
        // Not UTF-8; keys and extensions that JSON has nothing for.
        &event("a1ff"),
        &event("81 c0 01"),
        &event("81 cb3ff8000000000000 01"),
        &event("d40100"),
        &event("d6ff00000000"),
        &event("d7ff0000000000000000"),
        &event("c70000"),
        &event("d80000000000000000000000000000000000"),
    ] {
        assert_eq!(read(&bytes(capture)), Err(ParseError::Msgpack), "{capture}");
    }
    for (error, capture) in [
        (ParseError::PacketType, r#"81 a3"nsp"a1"/""#),
        (ParseError::PacketType, r#"82 a4"type"05 a3"nsp"a1"/""#),
        (ParseError::PacketType, r#"82 a4"type"ff a3"nsp"a1"/""#),
        (ParseError::PacketType, r#"82 a4"type"a1"2" a3"nsp"a1"/""#),
        (ParseError::PacketType, r#"82 a4"type"cb3ff8000000000000 a3"nsp"a1"/""#),
        (ParseError::PayloadUnexpected, r#"83 a4"type"01 a3"nsp"a1"/" a4"data"80"#),
        (ParseError::AckId, r#"83 a4"type"00 a3"nsp"a1"/" a2"id"00"#),
        (ParseError::AckId, r#"83 a4"type"03 a3"nsp"a1"/" a4"data"90"#),
        (ParseError::AckId, r#"84 a4"type"03 a3"nsp"a1"/" a4"data"90 a2"id"ff"#),
        (ParseError::AckId, r#"84 a4"type"03 a3"nsp"a1"/" a4"data"90 a2"id"a1"1""#),
        (ParseError::AckId, r#"84 a4"type"03 a3"nsp"a1"/" a4"data"90 a2"id"cb3ff8000000000000"#),
        (ParseError::AckId, r#"84 a4"type"03 a3"nsp"a1"/" a4"data"90 a2"id"cf0020000000000000"#),
        (ParseError::EventName, r#"83 a4"type"02 a3"nsp"a1"/" a4"data"90"#),
        (ParseError::EventName, r#"83 a4"type"02 a3"nsp"a1"/" a4"data"91c0"#),
        (ParseError::EventName, r#"83 a4"type"02 a3"nsp"a1"/" a4"data"91c400"#),
        (ParseError::EventNameReserved, r#"83 a4"type"02 a3"nsp"a1"/" a4"data"91a7"connect""#),
        (ParseError::AttachmentsCount, r#"83 a4"type"00 a3"nsp"a1"/" a4"data"81a1"a"c400"#),
        (ParseError::AttachmentsCount, &event(&"c400|".repeat(11))),
    ] {
        assert_eq!(read(&bytes(capture)), Err(error), "{capture}");
    }
}

/// A map that only looks like a placeholder is ordinary data where there is no binary data, and cannot be told from
/// one where there is some.
#[test]
fn what_looks_like_a_placeholder() {
    let alike = r#"82 ac"_placeholder"c3 a3"num"00"#;
    check(&event(alike), expect![[r#"EVENT / None m [{"_placeholder":true,"num":0}] []"#]]);
    check(&event(&format!("{alike}|c400")), expect!["Placeholder"]);
    check(&event(&format!("c400|{alike}")), expect!["Placeholder"]);
    check(
        &event(r#"c400|82 ac"_placeholder"c2 a3"num"00"#),
        expect![[r#"EVENT / None m [{"_placeholder":true,"num":0},{"_placeholder":false,"num":0}] [b""]"#]],
    );
}

#[test]
fn depth_is_limited() {
    let nested = |depth: usize| bytes(&event(&format!("{} c0", "91".repeat(depth - 1))));
    assert!(read(&nested(64)).is_ok());
    for depth in [65, 10_000, 500_000] {
        assert_eq!(decode(&nested(depth), 10, 1_000_000), Err(ParseError::JsonTooDeep), "{depth}");
    }
    let maps = format!("{} c0", r#"81 a1"a" "#.repeat(64));
    assert_eq!(read(&bytes(&event(&maps))), Err(ParseError::JsonTooDeep));
}

/// What is a byte in msgpack may be six in JSON, so it is counted there.
#[test]
fn bytes_are_limited() {
    let nulls = |count: u8| bytes(&event(&format!("dc00{count:02x} {}", "c0".repeat(count.into()))));
    let json = r#"["m",[null,null]]"#;
    assert!(decode(&nulls(2), 10, json.len()).is_ok());
    assert_eq!(decode(&nulls(2), 10, json.len() - 1), Err(ParseError::AttachmentsTooBig));
    assert_eq!(
        decode(&bytes(&event("c40a00000000000000000000")), 10, 40),
        Err(ParseError::AttachmentsTooBig)
    );
}

fn written(text: &str, attachments: &[&'static [u8]]) -> Option<Vec<u8>> {
    let attachments: Vec<_> = attachments.iter().copied().map(Bytes::from_static).collect();
    encode(text, &attachments)
}

#[test]
fn as_the_reference_writes_it() {
    for (text, attachments, capture) in [
        ("40", &[] as &[&[u8]], r#"82 a4"type"00 a3"nsp"a1"/""#),
        (r#"40{"sid":"x"}"#, &[], r#"83 a4"type"00 a3"nsp"a1"/" a4"data" 81 a3"sid"a1"x""#),
        ("41", &[], r#"82 a4"type"01 a3"nsp"a1"/""#),
        ("41/custom,", &[], r#"82 a4"type"01 a3"nsp"a7"/custom""#),
        (r#"42["m"]"#, &[], r#"83 a4"type"02 a3"nsp"a1"/" a4"data" 91 a1"m""#),
        ("437[1.5]", &[], r#"84 a4"type"03 a3"nsp"a1"/" a2"id"07 a4"data"91 cb3ff8000000000000"#),
        (
            r#"44/zz,{"message":"Invalid namespace"}"#,
            &[],
            r#"83 a4"type"04 a3"nsp"a3"/zz" a4"data"81 a7"message"b1"Invalid namespace""#,
        ),
        (
            r#"451-["m",1,{"_placeholder":true,"num":0},{"a":null}]"#,
            &[b"\x01\x02"],
            r#"83 a4"type"02 a3"nsp"a1"/" a4"data"94 a1"m"01 c4020102 81 a1"a"c0"#,
        ),
        (
            r#"461-300[[],{"num":0,"x":[{}],"_placeholder":true},{},true,false]"#,
            &[b"\x09"],
            r#"84 a4"type"03 a3"nsp"a1"/" a2"id"cd012c a4"data"95 90 c40109 80 c3 c2"#,
        ),
        (
            r#"42["m",-1,-33,-129,-32769,-2147483649,128,256,65536,4294967296,1e3]"#,
            &[],
            r#"83 a4"type"02 a3"nsp"a1"/" a4"data" 9b a1"m" ff d0df d1ff7f d2ffff7fff d3ffffffff7fffffff
               cc80 cd0100 ce00010000 cf0000000100000000 cb408f400000000000"#,
        ),
        (
            r#"42["\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud800é"]"#,
            &[],
            r#"83 a4"type"02 a3"nsp"a1"/" a4"data" 91 b3 22 5c "/" 08 0c 0a 0d 09 "é😀" efbfbd "é" "#,
        ),
    ] {
        assert_eq!(written(text, attachments), Some(bytes(capture)), "{text}");
    }
    for text in ["", "2", "3probe", "6", "4", "49[]"] {
        assert_eq!(written(text, &[]), None, "{text}");
    }
}

#[test]
fn lengths_of_all_sizes() {
    for len in [0, 31, 32, 255, 256, 65_535, 65_536] {
        let text = format!(r#"42["m","{}"]"#, "x".repeat(len));
        let packet = decode(&written(&text, &[]).expect("a packet"), 10, 1_000_000).expect("our own");
        assert_eq!(standard(&text, &[]), packet);
        let text = format!(r#"42["m"{}]"#, ",0".repeat(len));
        let packet = decode(&written(&text, &[]).expect("a packet"), 10, 1_000_000).expect("our own");
        assert_eq!(standard(&text, &[]), packet);
        let attachment = vec![7; len];
        let text = r#"451-["m",{"_placeholder":true,"num":0}]"#;
        let message = encode(text, &[attachment.clone().into()]).expect("a packet");
        let packet = decode(&message, 10, 1_000_000).expect("our own");
        assert_eq!(standard(text, &[attachment]), packet);
    }
}

/// One attachment that is named many times is not written without end.
#[test]
fn repetition_is_limited() {
    let names = vec![r#"{"_placeholder":true,"num":0}"#; 30_000].join(",");
    let message = encode(&format!(r#"451-["m",{names}]"#), &[vec![0; 900_000].into()]).expect("a packet");
    assert!(message.len() < 3_000_000, "{}", message.len());
    let message = encode(&format!(r#"451-["m",{names}]"#), &[vec![1].into()]).expect("a packet");
    assert_eq!(message.len(), 23 + 30_000 * 3);
}

fn standard(text: &str, attachments: &[Vec<u8>]) -> Packet {
    let mut decoder = Decoder::new(10, 1_000_000);
    let mut packet = decoder.text(&text[1..]).expect("a packet");
    for attachment in attachments {
        packet = decoder.binary(attachment.into()).expect("an attachment");
    }
    packet.expect("complete")
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        any::<u64>().prop_map(|value| json!(value)),
        any::<f64>()
            .prop_filter("not an integer", |number| number.fract() != 0.0)
            .prop_map(|value| json!(value)),
        ".*".prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 60, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::Array),
            prop::collection::vec((".*", inner), 0..20)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn json_stays_what_it_is(args in prop::collection::vec(value(), 0..4), id in 0..=SAFE_INTEGER_MAX) {
        let text = format!("42/a,{id}{}", json!([["m".into()].as_slice(), &args].concat()));
        let message = written(&text, &[]).expect("a packet");
        let Packet::Event { args: read, id: read_id, .. } = decode(&message, 10, 1_000_000).expect("our own") else {
            panic!("an event");
        };
        prop_assert_eq!(read_id, Some(id));
        prop_assert_eq!(read.json(), json!(args).to_string());
    }

    #[test]
    fn whatever_comes_is_bounded(message in prop::collection::vec(any::<u8>(), 0..200)) {
        let data = [&bytes(r#"83 a4"type"02 a3"nsp"a1"/" a4"data" 92 a1"m" "#)[..], &message].concat();
        for message in [message, data] {
            if let Ok(Packet::Event { args, .. }) = decode(&message, 2, 1000) {
                prop_assert!(args.attachments().len() <= 2 && args.json().len() <= 1000);
                prop_assert!(serde_json::from_str::<Vec<Value>>(args.json()).is_ok(), "{}", args.json());
            }
        }
    }
}
