//! What was given, before it is read as a [`Config`](super::Config): a tree in which every value knows its place.

use std::{collections::BTreeMap, sync::Arc};

use toml::de::{DeTable, DeValue};

use super::{error::ConfigError, place::Place};

/// A value, its path (`auth.jwt_secret`; nothing for the root) and where it was given.
pub(super) struct Node {
    pub(super) path: String,
    pub(super) place: Place,
    pub(super) value: Value,
}

pub(super) enum Value {
    Boolean(bool),
    List(Vec<Node>),
    Number(u64),
    /// Something that no setting can be: a fraction, a negative number, a date.
    Other,
    Table(BTreeMap<String, Node>),
    Text(String),
    /// The text of an environment variable: it is read as whatever the setting should be.
    Variable(String),
}

impl Node {
    /// What the operator knows it by.
    pub(super) fn setting(&self) -> String {
        self.place.setting(&self.path)
    }

    /// The tree of a configuration file, which messages call `file`.
    pub(super) fn parse(file: &Arc<str>, text: &str) -> Result<Self, ConfigError> {
        let lines = Lines { file, text };
        let table = DeTable::parse(text).map_err(|error| {
            // Not the error as a whole: it quotes the line, and with it perhaps a secret.
            let place = lines.place(error.span().map_or(0, |span| span.start));
            ConfigError::new(place.without_path(), error.message().replace('\n', ", "))
        })?;
        let value = lines.table(table.into_inner(), "");
        Ok(Self { path: String::new(), place: lines.place(0), value })
    }

    /// The elements of a list in an environment variable: as in the file, or with commas between them.
    pub(super) fn parse_list(&self, text: &str) -> Result<Vec<Self>, ConfigError> {
        if !text.trim_start().starts_with('[') {
            let elements = text.split(',').map(str::trim).filter(|element| !element.is_empty());
            return Ok(elements
                .enumerate()
                .map(|(index, text)| self.element(index, text.to_owned()))
                .collect());
        }
        let document = format!("list = {text}");
        let lines = Lines { file: &Arc::from(""), text: &document };
        let refuse = || ConfigError::unplaced("is not a list as in the file, nor one with commas");
        let table = DeTable::parse(&document).map_err(|_| refuse())?.into_inner();
        let list = table.into_iter().next().map(|(_, list)| list.into_inner());
        let Some(list @ DeValue::Array(_)) = list else { return Err(refuse()) };
        let Value::List(mut nodes) = lines.value(list, &self.path) else { return Err(refuse()) };
        nodes.iter_mut().for_each(|node| node.place_all(&self.place));
        Ok(nodes)
    }

    fn element(&self, index: usize, text: String) -> Self {
        Self {
            path: format!("{}[{index}]", self.path),
            place: self.place.clone(),
            value: Value::Variable(text),
        }
    }

    fn place_all(&mut self, place: &Place) {
        self.place = place.clone();
        match &mut self.value {
            Value::List(nodes) => nodes.iter_mut().for_each(|node| node.place_all(place)),
            Value::Table(nodes) => nodes.values_mut().for_each(|node| node.place_all(place)),
            _ => {}
        }
    }
}

/// The path of what is called `key` in the table at `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Makes nodes of what the TOML parser found, with line numbers for its byte offsets.
struct Lines<'a> {
    file: &'a Arc<str>,
    text: &'a str,
}

impl Lines<'_> {
    fn place(&self, offset: usize) -> Place {
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        Place::Line {
            file: self.file.clone(),
            line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
        }
    }

    fn table(&self, table: DeTable<'_>, path: &str) -> Value {
        let node = |key: String, offset: usize, value: DeValue<'_>| {
            let path = join(path, &key);
            (key, Node { place: self.place(offset), value: self.value(value, &path), path })
        };
        let entries = table.into_iter().map(|(key, value)| {
            let offset = key.span().start;
            node(key.into_inner().into_owned(), offset, value.into_inner())
        });
        Value::Table(entries.collect())
    }

    fn value(&self, value: DeValue<'_>, path: &str) -> Value {
        match value {
            DeValue::Array(values) => {
                let node = |(index, value): (usize, toml::Spanned<DeValue<'_>>)| {
                    let path = format!("{path}[{index}]");
                    let place = self.place(value.span().start);
                    Node { place, value: self.value(value.into_inner(), &path), path }
                };
                Value::List(values.into_iter().enumerate().map(node).collect())
            }
            DeValue::Boolean(boolean) => Value::Boolean(boolean),
            DeValue::Integer(integer) => {
                u64::from_str_radix(integer.as_str(), integer.radix()).map_or(Value::Other, Value::Number)
            }
            DeValue::String(text) => Value::Text(text.into_owned()),
            DeValue::Table(table) => self.table(table, path),
            DeValue::Datetime(_) | DeValue::Float(_) => Value::Other,
        }
    }
}
