//! The document that describes the HTTP API, against the API.

use serde_json::Value;

use super::*;

#[test]
fn every_operation_in_the_document_is_served() {
    let product = TestProduct::start("");
    let answer = product.send("GET", "/openapi.json", &Call::default());
    assert_eq!(answer.status, 200);
    assert_eq!(answer.response.header("content-type").as_deref(), Some("application/json"));
    assert_eq!(answer.json["openapi"], "3.1.0");
    let paths = answer.json["paths"].as_object().expect("paths");
    assert!(paths.len() > 20);
    for (path, operations) in paths {
        let path = path.replace("{id}", "x").replace("{sid}", "y").replace("{number}", "1");
        for (method, operation) in operations.as_object().expect("methods") {
            let answer = product.send(&method.to_uppercase(), &path, &Call::default());
            assert_ne!(answer.status, 405, "{method} {path}");
            assert_ne!(answer.json["message"], "Not found", "{method} {path}");
            let status = answer.status.to_string();
            assert!(
                operation["responses"].get(&status).is_some(),
                "{method} {path}: {status} is not described"
            );
            if operation["security"] == Value::Array(Vec::new()) {
                continue;
            }
            assert_eq!(
                answer.status,
                if operation.get("requestBody").is_some() && method == "post" && answer.status != 401 {
                    415
                } else {
                    401
                },
                "{method} {path}"
            );
        }
        let answer = product.send("PUT", &path, &Call::default());
        assert_eq!(answer.refusal(), (405, "METHOD_NOT_ALLOWED"), "{path}");
    }
}
