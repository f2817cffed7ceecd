use std::{collections::BTreeMap, sync::Arc};

use super::node::{Node, Value};

/// Where a value was given.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A flag of the command line.
    Flag(&'static str),
    /// A line of the configuration file.
    Line { file: Arc<str>, line: usize },
    /// An environment variable.
    Variable(Arc<str>),
}

impl Place {
    /// What the operator knows the value at `path` by.
    pub(super) fn setting(&self, path: &str) -> String {
        match self {
            Self::Line { .. } => format!("{}: {path}", self.without_path()),
            Self::Flag(_) | Self::Variable(_) => self.without_path(),
        }
    }

    pub(super) fn without_path(&self) -> String {
        match self {
            Self::Flag(flag) => (*flag).to_owned(),
            Self::Line { file, line } => format!("{file}:{line}"),
            Self::Variable(name) => name.to_string(),
        }
    }
}

/// The places of all values that were given, by their paths, such as `auth.issuers[0].secrets[1]`.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(BTreeMap<String, Place>);

impl Places {
    pub(super) fn of(root: &Node) -> Self {
        let mut places = Self::default();
        places.add(root);
        places
    }

    fn add(&mut self, node: &Node) {
        self.0.insert(node.path.clone(), node.place.clone());
        match &node.value {
            Value::List(nodes) => nodes.iter().for_each(|node| self.add(node)),
            Value::Table(nodes) => nodes.values().for_each(|node| self.add(node)),
            _ => {}
        }
    }

    pub(super) fn insert(&mut self, path: &str, place: Place) {
        self.0.insert(path.to_owned(), place);
    }

    pub(super) fn is_in_file(&self, path: &str) -> bool {
        matches!(self.0.get(path), Some(Place::Line { .. }))
    }

    /// What the operator knows the value at `path` by; the path itself for a default.
    pub(super) fn setting(&self, path: &str) -> String {
        self.0.get(path).map_or_else(|| path.to_owned(), |place| place.setting(path))
    }
}
