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

    /// Reads all arguments, such as `(String, u32)` or `Vec<Value>`. A field of type [`super::Binary`] reads a
    /// placeholder as the bytes it stands for.
    pub fn deserialize<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        self.read(std::marker::PhantomData)
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
