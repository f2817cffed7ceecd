//! What the page refuses before it asks who sends it, and what browsers are told with every answer.

use roomkey_testkit::{Client, HttpClient};
use serde_json::json;

use super::support::{Admin, Desk, own};
use crate::product::{Call, TestProduct};

/// All that changes something, with a body that would do it.
fn mutations() -> Vec<(&'static str, String, serde_json::Value)> {
    let because = json!({ "reason": "a test" });
    let post = |path: &str, body: &serde_json::Value| ("POST", path.to_owned(), body.clone());
    vec![
        post("/api/logout", &json!({})),
        post("/api/password", &json!({ "password": "x", "newPassword": "y" })),
        ("DELETE", "/api/sessions/some".to_owned(), json!({})),
        post("/api/connections/some/disconnect", &because),
        post("/api/disconnect", &json!({ "reason": "a test", "filter": { "all": true }, "confirm": 0 })),
        post("/api/users/ada/revoke", &because),
        post("/api/users/ada/block", &because),
        post("/api/users/ada/unblock", &because),
        post("/api/users/ada/sessions/some/end", &because),
        post("/api/rooms/lobby/kick", &json!({ "reason": "a test", "user": "ada" })),
        post("/api/notify", &json!({ "reason": "a test", "to": { "everyone": true }, "notification": "x" })),
    ]
}

/// Those that change only an admin's own sessions.
const OWN: [&str; 3] = ["/api/logout", "/api/password", "/api/sessions/some"];

fn raw(desk: &Desk, hosts: &[&str], rest: &str) -> (u16, String) {
    let mut http = HttpClient::connect(desk.address);
    let hosts: String = hosts.iter().map(|host| format!("Host: {host}\r\n")).collect();
    http.send(format!("GET /api/me HTTP/1.1\r\n{hosts}{rest}\r\n"));
    let response = http.response();
    (response.status, response.body)
}

#[test]
fn m2_only_requests_for_this_machine_or_the_configured_host_are_answered() {
    let mut desk = Desk::start();
    for host in ["localhost", "localhost:9999", "127.0.0.1:3001", "[::1]:3001"] {
        assert_eq!(raw(&desk, &[host], "").0, 401, "{host}");
    }
    for host in ["evil.example", "evil.example:3001", "localhost.evil.example", "127.0.0.1.evil.example", ""]
    {
        assert_eq!(raw(&desk, &[host], "").0, 421, "{host}");
    }
    assert!(matches!(raw(&desk, &["localhost", "evil.example"], "").0, 400 | 421));
    desk.is_audited("malicious_cors");
    desk.product.restart_with("[admin]", "[admin]\nurl = \"https://admin.example.com\"");
    // Behind a proxy it is where the configuration says, which is not where it listens.
    roomkey_testkit::eventually("it is open", || super::support::page(&desk.product)["state"] == "open");
    assert_eq!(super::support::page(&desk.product)["url"], "https://admin.example.com");
}

#[test]
fn another_loopback_address_is_known_where_it_is_listened_on_and_only_there() {
    let mut desk = Desk::start();
    assert_eq!(raw(&desk, &["127.0.0.2:3001"], "").0, 421);
    desk.product.restart_with("[admin]\nlisten = \"127.0.0.1:0\"", "[admin]\nlisten = \"127.0.0.2:0\"");
    desk.find_again();
    let announced = desk.address.to_string();
    assert!(announced.starts_with("127.0.0.2:"), "{announced}");
    assert_eq!(raw(&desk, &[&announced], "").0, 401);
    assert_eq!(raw(&desk, &["localhost:3001"], "").0, 401, "through a tunnel");
    assert_eq!(raw(&desk, &["127.0.0.3:3001"], "").0, 421);
    assert_eq!(raw(&desk, &["127.0.0.2.evil.example"], "").0, 421);
    let login = json!({ "name": "root", "password": super::support::ADMIN_PASSWORD });
    let login = own(&login).header("Origin", "http://localhost");
    let (cookie, _) =
        desk.send("POST", "/api/login", &login).cookie("roomkey-admin").expect("one without TLS");
    let of_page = format!("Cookie: roomkey-admin={cookie}\r\nOrigin: http://{announced}\r\n");
    assert_eq!(raw(&desk, &[&announced], &of_page).0, 200);
    assert_eq!(raw(&desk, &["localhost"], &of_page).0, 403, "is another page there");
}

#[test]
fn the_listener_of_users_knows_nothing_of_it() {
    let desk = Desk::start();
    for path in ["/api/stats", "/api/connections", "/api/login", "/assets/admin.js", "/admin"] {
        assert_eq!(desk.product.send("GET", path, &Call::default()).status, 404, "{path}");
    }
}

#[test]
fn m5_what_another_page_makes_a_browser_send_is_refused() {
    let desk = Desk::start();
    let root = desk.log_in("root");
    let with_cookie = |body: &serde_json::Value| Call::json(body).header("Cookie", &root.cookie());
    let ours = |body: &serde_json::Value| with_cookie(body).header("X-Roomkey-Admin", "1");
    let mut all = mutations();
    all.push(("POST", "/api/login".to_owned(), json!({ "name": "root", "password": "x" })));
    all.push(("POST", "/api/policy/explain".to_owned(), json!({ "user": "ada", "action": "create" })));
    for (method, path, body) in &all {
        let refused = |call: &Call, what: &str| {
            let answer = desk.send(method, path, call);
            assert_eq!(answer.refusal(), (403, "ORIGIN_DENIED"), "{path}: {what}");
        };
        refused(&with_cookie(body), "without the header of its own scripts");
        refused(&with_cookie(body).header("X-Roomkey-Admin", "yes"), "with another value");
        refused(&ours(body).header("Origin", "https://evil.example"), "another origin");
        refused(&ours(body).header("Origin", "null"), "no origin that can be named");
        refused(&ours(body).header("Origin", "http://localhost:8080"), "another page of this machine");
        refused(&ours(body).header("Sec-Fetch-Site", "cross-site"), "another site");
        refused(&ours(body).header("Sec-Fetch-Site", "same-site"), "another port of this machine");
        refused(
            &ours(body).header("Origin", "http://localhost").header("Origin", "https://evil.example"),
            "two origins",
        );
    }
    let foreign = Call::default().header("Cookie", &root.cookie()).header("Sec-Fetch-Site", "cross-site");
    assert_eq!(desk.send("GET", "/api/connections", &foreign).refusal(), (403, "ORIGIN_DENIED"));
    // Nothing of all that has ended the session, and the page itself may.
    let own = ours(&json!({})).header("Origin", "http://localhost").header("Sec-Fetch-Site", "same-origin");
    assert_eq!(desk.send("POST", "/api/logout", &own).status, 204);
    desk.is_audited("malicious_cors");
}

#[test]
fn a_page_of_no_origin_learns_nothing_by_a_preflight() {
    let desk = Desk::start();
    let preflight = Call::default()
        .header("Origin", "https://evil.example")
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "x-roomkey-admin");
    let answer = desk.send("OPTIONS", "/api/disconnect", &preflight);
    assert!(answer.status >= 400, "{}", answer.status);
    assert!(!answer.response.head.to_lowercase().contains("access-control"), "{}", answer.response.head);
}

#[test]
fn m6_no_page_can_frame_it_and_no_browser_keeps_it() {
    let desk = Desk::start();
    let root = desk.log_in("root");
    let answers = [
        desk.get(&root, "/"),
        desk.get(&root, "/api/me"),
        desk.get(&root, "/api/connections"),
        desk.get(&root, "/nowhere"),
        desk.send("GET", "/api/me", &Call::default()),
        desk.send("GET", "/api/me", &Call::default().header("Authorization", "Bearer x")),
        desk.send("PUT", "/api/me", &own(&json!({}))),
    ];
    for answer in answers {
        let header = |name| answer.response.header(name).unwrap_or_default();
        let policy = header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(header("x-frame-options"), "DENY");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
    }
}

#[test]
fn m8_no_namespace_says_that_there_are_admins() {
    let desk = Desk::start();
    let ada = desk.product.register("ada");
    let answer = |namespace: &str| {
        let mut client = Client::open(desk.product.server().address());
        client.text(&format!(r#"40{namespace},{{"token":"{}"}}"#, ada.token));
        client.receive_text().replace(namespace, "NAMESPACE")
    };
    assert_eq!(answer("/admin"), r#"44NAMESPACE,{"message":"Invalid namespace"}"#);
    assert_eq!(answer("/admin"), answer("/nowhere"));
}

#[test]
fn m10_a_viewer_sees_everything_and_changes_nothing() {
    let desk = Desk::start();
    let (ada, eve) = (desk.product.register("ada"), desk.log_in("eve"));
    let mut socket = desk.product.connect(&ada.token);
    for (method, path, body) in mutations().iter().filter(|(_, path, _)| !OWN.contains(&&**path)) {
        let call = own(body).header("Cookie", &eve.cookie());
        let answer = desk.send(method, &path.replace("ada", &ada.user), &call);
        assert_eq!(answer.refusal(), (403, "FORBIDDEN"), "{path}");
    }
    for path in
        ["/api/stats", "/api/decisions", "/api/connections", "/api/rooms", "/api/users", "/api/sessions"]
    {
        desk.see(&eve, path);
    }
    let explained = json!({ "user": ada.user, "action": "create" });
    assert_eq!(desk.act(&eve, "/api/policy/explain", &explained)["decision"], "allowed");
    socket.text(r#"421["nothing"]"#);
    assert!(socket.receive_text().starts_with("431"), "it is still there, and was told nothing");
    roomkey_testkit::eventually("it is recorded", || {
        desk.product.audit().contains("a viewer changes nothing")
    });
    assert!(!desk.product.audit().contains("admin eve: a test"));
}

#[test]
fn m16_no_route_changes_a_setting() {
    let desk = Desk::start();
    let root = desk.log_in("root");
    for path in ["/api/config", "/api/settings", "/api/auth", "/api/policy", "/api/keys", "/api/issuers"] {
        for method in ["POST", "PUT", "PATCH"] {
            let call = own(&json!({ "verify": false })).header("Cookie", &root.cookie());
            assert_eq!(desk.send(method, path, &call).refusal(), (404, "NOT_FOUND"), "{method} {path}");
        }
    }
    // Nor does a command of operators: what they can put in force are rules.
    let (status, _) = desk.product.operate("/policy/reload", &json!({ "policy": { "verify": false } }));
    assert!(status >= 400, "{status}");
    let forged = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.";
    assert_eq!(desk.product.get("/api/auth/me", forged).refusal(), (401, "TOKEN_INVALID"));
}

#[test]
fn what_is_not_there_and_what_is_no_request_have_codes() {
    let desk = Desk::start();
    let root = desk.log_in("root");
    for path in
        ["/api/connections/nobody", "/api/users/nobody", "/api/rooms/nowhere", "/api/nothing", "/nothing"]
    {
        assert_eq!(desk.get(&root, path).refusal(), (404, "NOT_FOUND"), "{path}");
    }
    for path in [
        "/api/connections?limit=0",
        "/api/connections?limit=201",
        "/api/connections?cursor=!",
        "/api/connections?cursor=YQ",
        "/api/connections?other=1",
        "/api/rooms?cursor=YQ",
        "/api/decisions?kind=some",
    ] {
        assert_eq!(desk.get(&root, path).refusal(), (422, "BAD_PAYLOAD"), "{path}");
    }
    assert_eq!(desk.post(&root, "/api/me", &json!({})).refusal(), (405, "METHOD_NOT_ALLOWED"));
    let form = Call::default()
        .header("Content-Type", "text/plain")
        .header("X-Roomkey-Admin", "1")
        .header("Cookie", &root.cookie())
        .body("{}");
    assert_eq!(desk.send("POST", "/api/notify", &form).refusal(), (415, "UNSUPPORTED_MEDIA_TYPE"));
    let big = json!({ "reason": "x".repeat(70_000) });
    assert_eq!(desk.post(&root, "/api/notify", &big).refusal(), (413, "PAYLOAD_TOO_LARGE"));
    for path in ["/api/stats", "/api/live", "/api/decisions", "/api/connections", "/api/rooms", "/api/users"]
    {
        assert_eq!(desk.send("GET", path, &Call::default()).refusal(), (401, "TOKEN_MISSING"), "{path}");
        assert_eq!(desk.get(&Admin("guess".to_owned()), path).refusal(), (401, "TOKEN_MISSING"), "{path}");
    }
}

#[test]
fn it_can_be_switched_off() {
    let product = TestProduct::start("[admin]\nenabled = false");
    let added = super::support::add(&product, "root", "admin");
    assert_eq!(added["page"]["state"], "off");
}
