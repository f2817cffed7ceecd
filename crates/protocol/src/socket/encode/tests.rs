use std::{borrow::Cow, collections::BTreeMap};

use proptest::prelude::*;
use serde::Serializer;
use serde_json::json;

use super::*;
use crate::socket::{Binary, Decoder, Packet};

fn bytes(bytes: &'static [u8]) -> Bytes {
    Bytes::from_static(bytes)
}

#[test]
fn connect_and_disconnect() {
    assert_eq!(encode_connect("/", "n_eIWrXomh2BrjL4AAAA", None), r#"40{"sid":"n_eIWrXomh2BrjL4AAAA"}"#);
    assert_eq!(encode_connect("/custom", "a", Some("b")), r#"40/custom,{"sid":"a","pid":"b"}"#);
    assert_eq!(encode_connect_request("/", None), "40");
    assert_eq!(encode_connect_request("/custom", Some(r#"{"token":"t"}"#)), r#"40/custom,{"token":"t"}"#);
    assert_eq!(encode_disconnect("/"), "41");
    assert_eq!(encode_disconnect("/custom"), "41/custom,");
}

#[test]
fn connect_errors() {
    let error = |namespace, message, data: Option<&_>| {
        encode_connect_error(namespace, message, data).expect("it serializes")
    };
    assert_eq!(error("/", "not authorized", None), r#"44{"message":"not authorized"}"#);
    assert_eq!(error("/random", "Invalid namespace", None), r#"44/random,{"message":"Invalid namespace"}"#);
    let data = json!({"code": 1, "details": "x"});
    assert_eq!(error("/", "bad", Some(&data)), r#"44{"message":"bad","data":{"code":1,"details":"x"}}"#);
}

#[test]
fn events() {
    let event = |namespace, id, name, args: &serde_json::Value| {
        encode_event(namespace, id, name, args).map(|encoded| encoded.text).map_err(|error| error.to_string())
    };
    assert_eq!(event("/", None, "a", &json!([])).as_deref(), Ok(r#"42["a"]"#));
    assert_eq!(event("/", None, "auth", &json!([{}])).as_deref(), Ok(r#"42["auth",{}]"#));
    assert_eq!(event("/", Some(0), "ask", &json!([1])).as_deref(), Ok(r#"420["ask",1]"#));
    assert_eq!(
        event("/custom", Some(7), "é\"", &json!([[], null])).as_deref(),
        Ok(r#"42/custom,7["é\"",[],null]"#)
    );
    assert_eq!(event("/", None, "a", &json!({"b": 1})), Err("the arguments are not an array".to_owned()));
    assert_eq!(event("/", None, "a", &json!("x")), Err("the arguments are not an array".to_owned()));
    for name in RESERVED_EVENTS {
        assert_eq!(event("/", None, name, &json!([])), Err("the event name is reserved".to_owned()));
    }
    // A tuple, as handlers write it.
    let encoded = encode_event("/", None, "roomJoined", &("channel:1",)).expect("it serializes");
    assert_eq!(encoded.text, r#"42["roomJoined","channel:1"]"#);
    assert_eq!(encode_event("/", None, "a", &()).expect("it serializes").text, r#"42["a"]"#);
    assert_eq!(encode_event("/", None, "a", &[0; 0]).expect("it serializes").text, r#"42["a"]"#);
}

#[test]
fn acks() {
    assert_eq!(encode_ack("/", 12, &("answer",)).expect("it serializes").text, r#"4312["answer"]"#);
    assert_eq!(encode_ack_raw("/custom", 12, "[]", vec![]).expect("an array").text, "43/custom,12[]");
    assert_eq!(encode_event_raw("/", None, "a", "[ ]", vec![]).expect("an array").text, r#"42["a" ]"#);
    assert!(matches!(encode_ack("/", 1, &1), Err(EncodeError::NotAnArray)));
    assert!(matches!(encode_ack_raw("/", 1, "{}", vec![]), Err(EncodeError::NotAnArray)));
}

#[test]
fn binary() {
    let one = Binary(bytes(&[1, 2, 3]));
    let encoded = encode_event("/", None, "m", &(&one,)).expect("it serializes");
    assert_eq!(encoded.text, r#"451-["m",{"_placeholder":true,"num":0}]"#);
    assert_eq!(encoded.attachments, [bytes(&[1, 2, 3])]);

    let encoded = encode_ack("/", 3, &(&one,)).expect("it serializes");
    assert_eq!(encoded.text, r#"461-3[{"_placeholder":true,"num":0}]"#);

    let encoded = encode_event("/custom", Some(7), "m", &[&one, &Binary(bytes(&[]))]).expect("it serializes");
    let text = r#"452-/custom,7["m",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
    assert_eq!(encoded.text, text);
    assert_eq!(encoded.attachments, [bytes(&[1, 2, 3]), bytes(&[])]);

    let args = &text[text.find(r#"{"#).expect("args")..];
    let raw = encode_event_raw("/custom", Some(7), "m", &format!("[{args}"), encoded.attachments.clone());
    assert_eq!(raw.expect("an array"), encoded);
}

#[test]
fn a_foreign_placeholder_does_not_pass_for_binary_data() {
    let one = Binary(bytes(&[1]));
    for foreign in [json!({"_placeholder": true, "num": 0}), json!([{"_placeholder": true, "num": 9}])] {
        assert!(encode_event("/", None, "m", &(&foreign,)).is_ok(), "without attachments it means nothing");
        assert!(matches!(encode_event("/", None, "m", &(&foreign, &one)), Err(EncodeError::Placeholder)));
    }
}

#[test]
fn binary_data_belongs_into_a_packet() {
    let one = Binary(bytes(&[1]));
    assert!(serde_json::to_string(&one).is_err());
    assert!(serde_json::from_str::<Binary>(r#"{"_placeholder":true,"num":0}"#).is_err());
    // Nothing is left over from a packet that failed.
    assert!(encode_event("/", None, "m", &one).is_err());
    let encoded = encode_event("/", None, "m", &(&one,)).expect("it serializes");
    assert_eq!(encoded.attachments.len(), 1);
}

#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
#[serde(untagged)]
enum Tree {
    Null,
    Bool(bool),
    Number(i64),
    Text(String),
    Bytes(Binary),
    Array(Vec<Tree>),
    Object(BTreeMap<String, Tree>),
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => value.serialize(serializer),
            Self::Number(value) => value.serialize(serializer),
            Self::Text(value) => value.serialize(serializer),
            Self::Bytes(value) => value.serialize(serializer),
            Self::Array(value) => value.serialize(serializer),
            Self::Object(value) => value.serialize(serializer),
        }
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Bool),
        any::<i64>().prop_map(Tree::Number),
        ".*".prop_map(Tree::Text),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(|bytes| Tree::Bytes(bytes.into())),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Tree::Array),
            prop::collection::btree_map("[a-z_\"\\\\]{0,4}", inner, 0..4).prop_map(Tree::Object),
        ]
    })
}

/// Feeds an encoded packet to a decoder, as a peer would receive it.
fn decode(encoded: &Encoded) -> Packet {
    let mut decoder = Decoder::new(100, 1_000_000);
    let text = encoded.text.strip_prefix('4').expect("a message");
    let mut packet = decoder.text(text).expect("our own");
    for attachment in &encoded.attachments {
        assert_eq!(packet, None);
        packet = decoder.binary(Cow::Borrowed(attachment)).expect("our own");
    }
    packet.expect("complete")
}

proptest! {
    #[test]
    fn an_event_is_read_as_it_was_written(
        namespace in "/|/[a-z0-9?=/\\-]{0,9}",
        id in prop::option::of(0_u64..1 << 53),
        name in ".*",
        args in prop::collection::vec(tree(), 0..4),
    ) {
        prop_assume!(!RESERVED_EVENTS.contains(&&*name));
        let encoded = encode_event(&namespace, id, &name, &args).expect("it serializes");
        let Packet::Event { namespace: namespace_read, id: id_read, name: name_read, args: args_read } = decode(&encoded)
        else { panic!("an event") };
        prop_assert_eq!(namespace_read.as_str(), &namespace);
        prop_assert_eq!(id_read, id);
        prop_assert_eq!(&*name_read, &name);
        prop_assert_eq!(&args_read.deserialize::<Vec<Tree>>().expect("our own"), &args);
        for (index, arg) in args.iter().enumerate() {
            prop_assert_eq!(&args_read.argument::<Tree>(index).expect("our own"), arg);
        }

        // Passed on without reading it.
        let attachments = args_read.attachments().to_vec();
        let relayed = encode_event_raw(&namespace, id, &name, args_read.json(), attachments).expect("an array");
        prop_assert_eq!(relayed, encoded);
    }

    #[test]
    fn an_ack_is_read_as_it_was_written(id in 0_u64..1 << 53, args in prop::collection::vec(tree(), 0..4)) {
        let encoded = encode_ack("/", id, &args).expect("it serializes");
        let Packet::Ack { id: id_read, args: args_read, .. } = decode(&encoded) else { panic!("an ack") };
        prop_assert_eq!(id_read, id);
        prop_assert_eq!(args_read.deserialize::<Vec<Tree>>().expect("our own"), args);
        prop_assert_eq!(encode_ack_raw("/", id, args_read.json(), args_read.attachments().to_vec()).expect("an array"), encoded);
    }
}
