use bytes::Bytes;
use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor},
};

use crate::socket::binary;

/// The arguments of an event or an ack: a JSON array as it was received, and the attachments it points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    json: Box<str>,
    pub(crate) attachments: Vec<Bytes>,
}

impl Payload {
    pub(crate) fn new(json: Box<str>, attachments: Vec<Bytes>) -> Self {
        Self { json, attachments }
    }

    /// Arguments whose attachments have yet to come.
    pub(crate) fn awaiting(json: Box<str>, attachments: usize) -> Self {
        Self { json, attachments: Vec::with_capacity(attachments) }
    }

    /// The text of the JSON array. Where there are attachments, `{"_placeholder":true,"num":n}` stands for the n-th.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The attachments. Some may be meant by more than one placeholder, or by none.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    /// Reads all arguments, such as `(String, u32)`, `()` or `Vec<Value>`. A field of type [`super::Binary`] reads a
    /// placeholder as the bytes it stands for.
    pub fn deserialize<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        let outcome = self.read(std::marker::PhantomData);
        if outcome.is_err() && &*self.json == "[]" {
            // The empty tuple is `null` to serde.
            return serde_json::from_str("null").or(outcome);
        }
        outcome
    }

    /// Reads one argument and ignores the others, as a JavaScript function would. One that is missing is `null`.
    pub fn argument<'a, T: Deserialize<'a>>(&'a self, index: usize) -> Result<T, serde_json::Error> {
        self.read(Argument { index, of: std::marker::PhantomData })
    }

    fn read<'a, S: DeserializeSeed<'a>>(&'a self, seed: S) -> Result<S::Value, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(&self.json);
        // The depth was limited when the packet was decoded.
        deserializer.disable_recursion_limit();
        binary::resolve(&self.attachments, || seed.deserialize(&mut deserializer))
    }
}

/// Picks one element of an array.
struct Argument<T> {
    index: usize,
    of: std::marker::PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Argument<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Argument<T> {
    type Value = T;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of arguments")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut arguments: A) -> Result<T, A::Error> {
        for _ in 0..self.index {
            arguments.next_element::<IgnoredAny>()?;
        }
        let argument = match arguments.next_element()? {
            Some(argument) => argument,
            None => T::deserialize(serde::de::value::UnitDeserializer::new())?,
        };
        while arguments.next_element::<IgnoredAny>()?.is_some() {}
        Ok(argument)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::socket::Binary;

    fn payload(json: &str, attachments: &[&'static [u8]]) -> Payload {
        let attachments = attachments.iter().copied().map(Bytes::from_static).collect();
        Payload { json: json.into(), attachments }
    }

    #[test]
    fn all_arguments() {
        let payload = payload(r#"["a", 1, {"b": null}]"#, &[]);
        let (a, one, b): (&str, u8, Value) = payload.deserialize().expect("three");
        assert_eq!((a, one, b.to_string().as_str()), ("a", 1, r#"{"b":null}"#));
        assert!(payload.deserialize::<(String,)>().is_err());
    }

    #[test]
    fn one_argument() {
        let payload = payload(r#"["a", 1]"#, &[]);
        assert_eq!(payload.argument::<String>(0).expect("a string"), "a");
        assert_eq!(payload.argument::<u8>(1).expect("a number"), 1);
        assert_eq!(payload.argument::<Option<u8>>(2).expect("nothing"), None);
        assert!(payload.argument::<u8>(2).is_err());
        assert!(payload.argument::<u8>(0).is_err());
    }

    #[test]
    fn binary_arguments() {
        #[derive(serde::Deserialize)]
        struct Upload {
            name: String,
            data: Binary,
        }
        let json = r#"[{"name":"x","data":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}]"#;
        let payload = payload(json, &[b"zero", b"one"]);
        let (upload, zero): (Upload, Binary) = payload.deserialize().expect("an upload and bytes");
        assert_eq!(
            (upload.name.as_str(), upload.data.0.as_ref(), zero.0.as_ref()),
            ("x", &b"one"[..], &b"zero"[..])
        );
        assert_eq!(payload.argument::<Binary>(1).expect("bytes"), zero);
        assert!(payload.argument::<Binary>(0).is_err());
    }

    #[test]
    fn a_false_placeholder_is_not_binary_data() {
        let payload =
            payload(r#"[{"_placeholder":false,"num":0},{"_placeholder":true,"num":1}]"#, &[b"zero"]);
        assert!(payload.argument::<Binary>(0).is_err());
        assert!(payload.argument::<Binary>(1).is_err());
    }

    /// Deeper than serde_json goes by itself, in half of the stack that a Rust thread has.
    #[test]
    fn values_as_deep_as_a_packet_may_be() {
        let payload = payload(&format!("{}{}", "[".repeat(256), "]".repeat(256)), &[]);
        let read =
            move || assert_eq!(payload.deserialize::<Value>().expect("arrays").to_string(), payload.json());
        std::thread::Builder::new()
            .stack_size(1 << 20)
            .spawn(read)
            .expect("a thread")
            .join()
            .expect("no overflow");
    }
}
