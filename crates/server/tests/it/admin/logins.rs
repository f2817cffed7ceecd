//! Who gets in, and for how long.

use std::net::TcpStream;

use roomkey_testkit::{HttpClient, eventually};
use serde_json::json;

use super::support::{ADMIN_PASSWORD, ANY_PORT, Admin, Desk, add, own, page};
use crate::product::{Call, TestProduct};

const IDLE_S: u64 = 30 * 60;

#[test]
fn m1_nothing_listens_until_there_is_an_admin_and_there_is_none_by_default() {
    let product = TestProduct::start(ANY_PORT);
    assert_eq!(page(&product)["state"], "closed");
    let added = add(&product, "root", "admin");
    assert_eq!(added["page"]["state"], "open", "at once: {added}");
    let url = added["page"]["url"].as_str().expect("a URL").to_owned();
    let address = url.strip_prefix("http://").expect("its own").parse().expect("an address");
    for (name, password) in [("admin", "admin"), ("root", "root"), ("root", ""), ("", "")] {
        let body = own(&json!({ "name": name, "password": password }));
        assert_eq!(body.send_to(address, "POST", "/api/login").refusal(), (401, "INVALID_CREDENTIALS"));
    }
    let (status, _) = product.operate("/admins/remove", &json!({ "name": "root" }));
    assert_eq!(status, 200);
    eventually("nobody listens any more", || TcpStream::connect(address).is_err());
    assert_eq!(page(&product)["state"], "closed");
}

#[test]
fn the_page_is_there_after_a_restart_and_nobody_is_logged_in() {
    let mut desk = Desk::start();
    let root = desk.log_in("root");
    desk.product.restart();
    desk.find_again();
    assert_eq!(desk.get(&root, "/api/me").refusal(), (401, "TOKEN_MISSING"));
    desk.log_in("root");
}

#[test]
fn a_port_that_is_taken_keeps_no_client_from_being_served() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound");
    let product = TestProduct::start(&format!("[admin]\nlisten = \"{address}\""));
    let added = add(&product, "root", "admin");
    let problem = added["page"]["state"]["failed"]["problem"].as_str().expect("a problem").to_owned();
    assert!(problem.contains("admin.listen"), "says what to do: {problem}");
    let ada = product.register("ada");
    product.connect(&ada.token);
    let (status, _) = product.operate("/admins/remove", &json!({ "name": "root" }));
    assert_eq!(status, 200);
    eventually("there is nobody to open it for", || page(&product)["state"] == "closed");
    let again = add(&product, "root", "admin");
    assert!(again["page"]["state"]["failed"].is_object(), "it is still taken: {again}");
    drop(taken);
    eventually("it is opened when it can be", || page(&product)["state"] == "open");
}

#[test]
fn the_cookie_is_for_this_host_by_tls_and_a_plain_one_only_on_this_machine() {
    let desk = Desk::start();
    let answer = desk.try_log_in("ROOT", ADMIN_PASSWORD);
    let (value, attributes) = answer.cookie("__Host-roomkey-admin").expect("a cookie");
    assert!(value.len() >= 43, "256 bits: {value}");
    assert_eq!(attributes, "Path=/; Secure; HttpOnly; SameSite=Strict");
    assert_eq!(answer.json["admin"], json!({ "name": "root", "role": "admin" }));
    let body = json!({ "name": "root", "password": ADMIN_PASSWORD });
    let local = own(&body).header("Origin", "http://localhost");
    let answer = desk.send("POST", "/api/login", &local);
    let (value, attributes) = answer.cookie("roomkey-admin").expect("a cookie");
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Strict");
    let me =
        desk.send("GET", "/api/me", &Call::default().header("Cookie", &format!("roomkey-admin={value}")));
    assert_eq!((me.status, &me.json["admin"]["name"]), (200, &json!("root")));
}

#[test]
fn a_session_ends_when_it_is_idle_and_when_it_logs_out() {
    let desk = Desk::start();
    let (root, other) = (desk.log_in("root"), desk.log_in("root"));
    let sessions = desk.see(&root, "/api/sessions")["sessions"].clone();
    assert_eq!(sessions.as_array().map(Vec::len), Some(2));
    assert_eq!(sessions.as_array().expect("two").iter().filter(|one| one["current"] == true).count(), 1);
    let logged_out = desk.post(&root, "/api/logout", &json!({}));
    assert_eq!(logged_out.status, 204);
    assert_eq!(desk.get(&root, "/api/me").refusal(), (401, "TOKEN_MISSING"));
    desk.product.clock.advance_secs(IDLE_S - 1);
    desk.see(&other, "/api/me");
    desk.product.clock.advance_secs(IDLE_S - 1);
    desk.see(&other, "/api/me");
    desk.product.clock.advance_secs(IDLE_S);
    assert_eq!(desk.get(&other, "/api/me").refusal(), (401, "TOKEN_MISSING"));
    desk.is_audited("session_logout");
}

#[test]
fn a_session_can_be_ended_by_its_admin_and_by_no_other() {
    let desk = Desk::start();
    let (root, other, eve) = (desk.log_in("root"), desk.log_in("root"), desk.log_in("eve"));
    let sessions = desk.see(&root, "/api/sessions")["sessions"].clone();
    let others = sessions.as_array().expect("two").iter().find(|one| one["current"] == false);
    let id = others.expect("the other")["id"].as_str().expect("an id").to_owned();
    let delete = |admin: &Admin| {
        let call = Call::default().header("X-Roomkey-Admin", "1").header("Cookie", &admin.cookie());
        desk.send("DELETE", &format!("/api/sessions/{id}"), &call).status
    };
    assert_eq!(delete(&eve), 404);
    assert_eq!(delete(&root), 204);
    assert_eq!(desk.get(&other, "/api/me").status, 401);
    assert_eq!(desk.get(&root, "/api/me").status, 200);
}

#[test]
fn another_password_ends_the_other_sessions() {
    const NEW: &str = "another horse with other staples";
    let desk = Desk::start();
    let (root, other) = (desk.log_in("root"), desk.log_in("root"));
    let change = |old: &str, new: &str| {
        desk.post(&root, "/api/password", &json!({ "password": old, "newPassword": new }))
    };
    assert_eq!(change("wrong", NEW).refusal(), (401, "INVALID_CREDENTIALS"));
    assert_eq!(change(ADMIN_PASSWORD, "short").refusal(), (422, "BAD_PAYLOAD"));
    assert_eq!(desk.get(&other, "/api/me").status, 200);
    assert_eq!(change(ADMIN_PASSWORD, NEW).status, 204);
    assert_eq!((desk.get(&other, "/api/me").status, desk.get(&root, "/api/me").status), (401, 200));
    assert_eq!(desk.try_log_in("root", ADMIN_PASSWORD).status, 401);
    assert_eq!(desk.try_log_in("root", NEW).status, 200);
    let (status, _) =
        desk.product.operate("/admins/passwd", &json!({ "name": "root", "password": ADMIN_PASSWORD }));
    assert_eq!((status, desk.get(&root, "/api/me").status), (200, 401));
    desk.log_in("root");
}

#[test]
fn m3_tokens_and_keys_of_users_do_not_count() {
    let desk = Desk::start();
    let (ada, root) = (desk.product.register("ada"), desk.log_in("root"));
    for proof in [format!("Bearer {}", ada.token), format!("Bearer {}", crate::product::API_KEY)] {
        let call = Call::default().header("Authorization", &proof);
        assert_eq!(desk.send("GET", "/api/me", &call).refusal(), (403, "FORBIDDEN"));
        // Not even beside a session that is good.
        let both = call.header("Cookie", &root.cookie());
        assert_eq!(desk.send("GET", "/api/stats", &both).refusal(), (403, "FORBIDDEN"));
    }
    // What a proxy on the way asks for is no affair of the page, nor does it hide what is.
    let basic = Call::default().header("Authorization", "Basic cHJveHk6cGFzc3dvcmQ=");
    assert_eq!(desk.send("GET", "/api/me", &basic).refusal(), (401, "TOKEN_MISSING"));
    let bearer = basic.clone().header("Authorization", &format!("Bearer {}", ada.token));
    assert_eq!(desk.send("GET", "/api/me", &bearer).refusal(), (403, "FORBIDDEN"));
    assert_eq!(desk.send("GET", "/api/me", &basic.header("Cookie", &root.cookie())).status, 200);
    for scheme in ["Basically x", "Bearer", "x", ""] {
        let call = Call::default().header("Authorization", scheme);
        assert_eq!(desk.send("GET", "/api/me", &call).refusal(), (403, "FORBIDDEN"), "{scheme:?}");
    }
    for cookie in ["__Host-roomkey", "__Host-roomkey-admin", "roomkey-admin"] {
        let call = Call::default().header("Cookie", &format!("{cookie}={}", ada.token));
        assert_eq!(desk.send("GET", "/api/me", &call).refusal(), (401, "TOKEN_MISSING"), "{cookie}");
    }
    let key = Call::default().key(crate::product::API_KEY);
    assert_eq!(desk.send("GET", "/api/me", &key).refusal(), (401, "TOKEN_MISSING"));
    // Nor does a session of an admin mean anything to the listener of users.
    let with_cookie = Call::default().header("Cookie", &root.cookie());
    assert_eq!(desk.product.send("GET", "/api/auth/me", &with_cookie).status, 401);
    assert_eq!(desk.product.send("GET", "/api/stats", &with_cookie).status, 404);
    desk.is_audited("authz_fail");
}

#[test]
fn m4_guessing_waits_longer_each_time_and_keeps_no_admin_out_who_was_here() {
    let mut desk = Desk::start();
    desk.product.restart_with("threads = 2", "threads = 2\ntrusted_proxies = [\"127.0.0.1\"]");
    desk.find_again();
    let from = |address: &str, password: &str| {
        let body = own(&json!({ "name": "root", "password": password }));
        desk.send("POST", "/api/login", &body.header("X-Forwarded-For", address))
    };
    assert_eq!(from("192.0.2.1", ADMIN_PASSWORD).status, 200);
    let mut waits = Vec::new();
    for attempt in 0..40 {
        // From ever other places, so that none of them has too many.
        let answer = from(&format!("198.51.{attempt}.1"), "a guess");
        match answer.status {
            401 => {}
            429 => {
                let header = answer.response.header("retry-after").expect("says when to come back");
                waits.push(header.parse::<u64>().expect("seconds"));
                desk.product.clock.advance_secs(waits[waits.len() - 1]);
            }
            status => panic!("{status}: {}", answer.response.body),
        }
    }
    assert_eq!(waits[..8], [1, 2, 4, 8, 16, 32, 64, 128], "until time forgives some of it");
    // By the right password, too, while strangers have to wait.
    assert_eq!(from("198.51.100.1", "a guess").status, 401);
    assert_eq!(from("198.51.100.1", ADMIN_PASSWORD).refusal(), (429, "RATE_LIMITED"));
    assert_eq!(from("192.0.2.1", ADMIN_PASSWORD).status, 200, "is at home there");
    desk.is_audited("authn_login_fail");
    desk.is_audited("authn_login_fail_max");
}

#[test]
fn failed_logins_of_users_and_of_admins_do_not_count_for_each_other() {
    let desk = Desk::start();
    desk.product.register("root");
    let wrong = json!({ "username": "root", "password": "a wrong one" });
    while desk.product.post("/api/auth/login", &wrong).status == 401 {}
    desk.log_in("root");
}

#[test]
fn who_is_removed_is_out_at_once() {
    let desk = Desk::start();
    let eve = desk.log_in("eve");
    let (status, _) = desk.product.operate("/admins/remove", &json!({ "name": "eve" }));
    assert_eq!((status, desk.get(&eve, "/api/me").status), (200, 401));
    assert_eq!(desk.try_log_in("eve", ADMIN_PASSWORD).status, 401);
    assert_eq!(desk.product.operate("/admins/remove", &json!({ "name": "eve" })).0, 404);
    let twice = json!({ "name": "Root", "role": "admin", "password": ADMIN_PASSWORD });
    assert_eq!(desk.product.operate("/admins/add", &twice).0, 409);
    for name in ["", "ev il", "eve\n", &"x".repeat(65)] {
        let command = json!({ "name": name, "role": "admin", "password": ADMIN_PASSWORD });
        assert_eq!(desk.product.operate("/admins/add", &command).0, 422, "{name:?}");
    }
}

#[test]
fn connections_to_the_page_have_a_limit() {
    let mut desk = Desk::start();
    desk.product.restart_with("[admin]", "[limits]\nadmin_connections = 2\n[admin]");
    desk.find_again();
    let root = desk.log_in("root");
    let mut streams = Vec::new();
    eventually("two streams are open, and what was before them is closed", || {
        let mut stream = HttpClient::connect(desk.address);
        stream.request("GET", "/api/live", &format!("Cookie: {}\r\n", root.cookie()), "");
        streams.extend(stream.is_answered().then_some(stream));
        streams.len() == 2
    });
    let mut third = HttpClient::connect(desk.address);
    third.request("GET", "/api/me", "", "");
    assert!(!third.is_answered(), "closed without an answer");
    assert!(has_reached(&desk, "admin_connections"), "it is counted");
    drop(streams);
    eventually("there is room again", || {
        let mut http = HttpClient::connect(desk.address);
        http.request("GET", "/api/me", "Connection: close\r\n", "");
        http.rest().starts_with("HTTP/1.1 401")
    });
}

#[test]
fn one_address_takes_no_more_than_its_share_unless_it_is_a_proxy_s() {
    let mut desk = Desk::start();
    desk.product.restart_with("[admin]", "[limits]\nadmin_connections_per_address = 2\n[admin]");
    desk.find_again();
    // Asked something, so that it has been accepted; it stays open.
    let open = |desk: &Desk| {
        let mut http = HttpClient::connect(desk.address);
        http.request("GET", "/api/me", "", "");
        http.is_answered().then_some(http)
    };
    let held = [open(&desk), open(&desk)];
    assert!(held.iter().all(Option::is_some));
    assert!(open(&desk).is_none(), "closed without an answer");
    assert!(has_reached(&desk, "admin_connections_per_address") && !has_reached(&desk, "admin_connections"));
    drop(held);
    eventually("there is room again", || open(&desk).is_some());
    desk.product.restart_with("threads = 2", "threads = 2\ntrusted_proxies = [\"127.0.0.1\"]");
    desk.find_again();
    let held = [open(&desk), open(&desk), open(&desk)];
    assert!(held.iter().all(Option::is_some), "many are behind it");
}

#[test]
fn a_viewer_who_logs_in_and_watches_without_end_keeps_no_admin_out() {
    let mut desk = Desk::start();
    let limits = "[limits]\nadmin_sessions_per_admin = 2\nadmin_streams_per_session = 2\n[admin]";
    desk.product.restart_with("[admin]", limits);
    desk.find_again();
    let (root, first) = (desk.log_in("root"), desk.log_in("eve"));
    desk.product.clock.advance_secs(1);
    let eve = desk.log_in("eve");
    let other = desk.log_in("eve");
    assert_eq!(desk.get(&first, "/api/me").status, 401, "the oldest one of hers");
    assert!(has_reached(&desk, "admin_sessions_per_admin"));
    let streams = [desk.watch(&eve), desk.watch(&eve)];
    assert_eq!(desk.get(&eve, "/api/live").refusal(), (429, "LIMIT_EXCEEDED"));
    assert!(has_reached(&desk, "admin_streams_per_session"));
    let of_others = [desk.watch(&other), desk.watch(&root)];
    drop(streams);
    eventually("there is room for another", || {
        let mut stream = HttpClient::connect(desk.address);
        stream.request("GET", "/api/live", &format!("Cookie: {}\r\n", eve.cookie()), "");
        stream.response().status == 200
    });
    drop(of_others);
    desk.see(&root, "/api/me");
}

fn has_reached(desk: &Desk, limit: &str) -> bool {
    crate::limits::counted(desk.product.server()).iter().any(|(name, _)| name == limit)
}
