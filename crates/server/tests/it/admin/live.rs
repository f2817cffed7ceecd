//! What is told as it happens, and for how long.

use roomkey_testkit::HttpClient;
use serde_json::json;

use super::support::{ADMIN_PASSWORD, Admin, Desk};
use crate::product::Call;

/// All that a stream has told when it has ended.
fn told(mut stream: HttpClient) -> String {
    stream.rest()
}

#[track_caller]
fn ends_with(told: &str, reason: &str) {
    let end = format!("event: end\ndata: {{\"reason\":\"{reason}\"}}\n\n");
    assert!(told.contains(&end), "{reason}: {told}");
}

#[test]
fn m12_a_live_stream_ends_with_its_session_and_with_no_other() {
    let desk = Desk::start();
    let (root, other) = (desk.log_in("root"), desk.log_in("root"));
    let (of_root, of_other) = (desk.watch(&root), desk.watch(&other));
    desk.post(&root, "/api/logout", &json!({}));
    ends_with(&told(of_root), "logged_out");
    let change = json!({ "password": ADMIN_PASSWORD, "newPassword": "another horse with other staples" });
    let third =
        Admin(desk.try_log_in("root", ADMIN_PASSWORD).cookie("__Host-roomkey-admin").expect("a cookie").0);
    assert_eq!(desk.post(&third, "/api/password", &change).status, 204);
    ends_with(&told(of_other), "password_changed");
    let of_third = desk.watch(&third);
    desk.product.operate("/admins/remove", &json!({ "name": "root" }));
    ends_with(&told(of_third), "removed");
    assert_eq!(desk.send("GET", "/api/live", &Call::default()).status, 401);
}

#[test]
fn m12_a_live_stream_ends_when_the_time_of_its_session_is_over() {
    let desk = Desk::start();
    let root = desk.log_in("root");
    let stream = desk.watch(&root);
    desk.product.clock.advance_secs(30 * 60);
    ends_with(&told(stream), "expired");
}

#[test]
fn measurements_and_decisions_are_told_as_they_come() {
    let desk = Desk::start();
    let root = desk.log_in("root");
    let mut stream = desk.watch(&root);
    desk.product.post("/api/auth/login", &json!({ "username": "ada", "password": "a wrong one" }));
    stream.wait_for("authn_login_fail");
    desk.post(&root, "/api/logout", &json!({}));
    let told = told(stream);
    assert!(told.contains("text/event-stream"), "{told}");
    assert!(told.contains("event: sample\ndata: {\"at\":\""), "the newest at once: {told}");
    let decision = told.split("event: decision\ndata: ").find(|text| text.contains("authn_login_fail"));
    let decision = decision.and_then(|text| text.lines().next()).expect("told");
    let decision: serde_json::Value = serde_json::from_str(decision).expect("JSON");
    assert_eq!((&decision["outcome"], &decision["address"]), (&json!("failure"), &json!("127.0.0.1")));
    ends_with(&told, "logged_out");
}
