//! Reads a [`Node`] as whatever type is asked for, so that every message can say which setting it is about.

use std::{
    collections::{BTreeMap, btree_map},
    vec,
};

use serde::{
    Deserializer,
    de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};

use super::{
    error::{ConfigError, quoted},
    nearest::nearest,
    node::{Node, Value, join},
};

impl<'de> Deserializer<'de> for Node {
    type Error = ConfigError;

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        match self.value {
            Value::Boolean(boolean) => visitor.visit_bool(boolean),
            Value::Variable(text) if text == "true" => visitor.visit_bool(true),
            Value::Variable(text) if text == "false" => visitor.visit_bool(false),
            _ => Err(ConfigError::unplaced("must be `true` or `false`")),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        let number = match &self.value {
            Value::Number(number) => Some(*number),
            Value::Variable(text) => text.parse().ok(),
            _ => None,
        };
        visitor.visit_u64(number.ok_or_else(|| ConfigError::unplaced("must be a whole number"))?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        visitor.visit_string(self.text()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        self.deserialize_string(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ConfigError> {
        visitor.visit_enum(IntoDeserializer::<ConfigError>::into_deserializer(self.text()?))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ConfigError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        let nodes = match self.value {
            Value::List(nodes) => nodes,
            Value::Variable(ref text) => self.parse_list(text)?,
            _ => return Err(ConfigError::unplaced("must be a list")),
        };
        visitor.visit_seq(Elements(nodes.into_iter()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        visitor.visit_map(Entries::new(self.table()?))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        keys: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ConfigError> {
        let path = self.path.clone();
        let table = self.table()?;
        match table.iter().find(|(key, _)| !keys.contains(&key.as_str())) {
            Some((key, node)) => Err(unknown_key(&path, key, node, keys)),
            None => visitor.visit_map(Entries::new(table)),
        }
    }

    /// Every type that the configuration has is asked for by its name.
    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ConfigError> {
        Err(ConfigError::unplaced("cannot be set"))
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}

impl Node {
    fn text(self) -> Result<String, ConfigError> {
        match self.value {
            Value::Text(text) | Value::Variable(text) => Ok(text),
            _ => Err(ConfigError::unplaced("must be text in quotes")),
        }
    }

    fn table(self) -> Result<BTreeMap<String, Self>, ConfigError> {
        match self.value {
            Value::Table(table) => Ok(table),
            _ => Err(ConfigError::unplaced("must be a table")),
        }
    }
}

fn unknown_key(path: &str, key: &str, node: &Node, keys: &[&str]) -> ConfigError {
    let hint = match nearest(key, keys) {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("the keys here are {}", quoted(keys.iter().copied())),
    };
    let problem = format!("unknown key `{}`; {hint}", join(path, key));
    ConfigError::new(node.place.without_path(), problem)
}

struct Elements(vec::IntoIter<Node>);

impl<'de> SeqAccess<'de> for Elements {
    type Error = ConfigError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, ConfigError> {
        self.0.next().map(|node| read(seed, node)).transpose()
    }
}

struct Entries {
    rest: btree_map::IntoIter<String, Node>,
    value: Option<Node>,
}

impl Entries {
    fn new(table: BTreeMap<String, Node>) -> Self {
        Self { rest: table.into_iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for Entries {
    type Error = ConfigError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ConfigError> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ConfigError> {
        read(seed, self.value.take().expect("serde asks for a value after its key"))
    }
}

fn read<'de, S: DeserializeSeed<'de>>(seed: S, node: Node) -> Result<S::Value, ConfigError> {
    let (place, path) = (node.place.clone(), node.path.clone());
    seed.deserialize(node).map_err(|error| error.at(|| place.setting(&path)))
}
