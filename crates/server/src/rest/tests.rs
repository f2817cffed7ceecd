use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{openapi, routes};

fn document() -> Value {
    openapi::document(&routes().into_parts().1)
}

#[test]
fn every_operation_is_described_once() {
    let (_, operations) = routes().into_parts();
    let document = document();
    let described = document["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().keys().map(move |method| (path.clone(), method.to_uppercase()))
    });
    let routed = operations.iter().map(|operation| (operation.path.to_owned(), operation.method.to_string()));
    assert_eq!(described.collect::<BTreeSet<_>>(), routed.collect::<BTreeSet<_>>());
    let mut ids = BTreeMap::<String, usize>::new();
    for methods in document["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            *ids.entry(operation["operationId"].to_string()).or_default() += 1;
        }
    }
    assert!(ids.values().all(|count| *count == 1), "{ids:?}");
}

#[test]
fn every_schema_is_there_and_used() {
    let document = document();
    let text = document.to_string();
    let mut used = BTreeSet::new();
    for part in text.split("#/components/schemas/").skip(1) {
        used.insert(part.split('"').next().unwrap().to_owned());
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    assert_eq!(used, schemas.keys().cloned().collect());
}
