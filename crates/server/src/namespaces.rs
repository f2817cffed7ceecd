use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use crate::Namespace;

/// The namespaces of a server: those that have a name, and those whose names are matched as clients ask for them.
#[derive(Default)]
pub(crate) struct Namespaces {
    named: HashMap<Arc<str>, Arc<Namespace>>,
    matching: Vec<(Matcher, Arc<Namespace>)>,
}

type Matcher = Box<dyn Fn(&str) -> bool + Send + Sync>;

impl Namespaces {
    pub(crate) fn add(&mut self, name: &str, namespace: Namespace) {
        self.named.insert(name.into(), Arc::new(namespace));
    }

    pub(crate) fn add_matching(&mut self, matcher: Matcher, namespace: Namespace) {
        self.matching.push((matcher, Arc::new(namespace)));
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Namespace> {
        self.named.values().chain(self.matching.iter().map(|(_, namespace)| namespace)).map(Arc::as_ref)
    }

    /// What serves a name, and the name to keep. Nothing is remembered of names that are matched: whatever there is
    /// of such a namespace belongs to the sockets in it.
    pub(crate) fn find(&self, name: &str) -> Option<(Arc<str>, Arc<Namespace>)> {
        if let Some((name, namespace)) = self.named.get_key_value(name) {
            return Some((name.clone(), namespace.clone()));
        }
        let is_match = |matches: &Matcher| catch_unwind(AssertUnwindSafe(|| matches(name))).unwrap_or(false);
        let (_, namespace) = self.matching.iter().find(|(matches, _)| is_match(matches))?;
        Some((name.into(), namespace.clone()))
    }
}
