//! What an admin sees of who is there and what happens.

use roomkey_testkit::{Client, Polling, SECRET, TestClock, eventually, token};
use serde_json::{Value, json};

use super::support::Desk;
use crate::product::{Call, Login, sid};

#[track_caller]
fn only<'a>(list: &'a Value, name: &str) -> &'a Value {
    let all = list[name].as_array().expect("a list");
    assert_eq!(all.len(), 1, "{list}");
    &all[0]
}

#[test]
fn a_connection_is_shown_with_session_and_token_but_not_the_token() {
    let desk = Desk::start();
    let (ada, root) = (desk.product.register("ada"), desk.log_in("root"));
    let headers = "User-Agent: Test/1\r\n";
    let mut client = Client::open_with(desk.product.server().address(), headers);
    client.join(&format!(r#"40{{"token":"{}"}}"#, ada.token));
    let list = desk.see(&root, "/api/connections");
    let shown = only(&list, "connections");
    assert_eq!(shown["user"], json!({ "id": ada.user, "name": "ada" }));
    assert_eq!(
        [&shown["namespace"], &shown["address"], &shown["userAgent"], &shown["transport"]],
        ["/", "127.0.0.1", "Test/1", "websocket"]
    );
    assert_eq!(
        (&shown["recovered"], &shown["origin"], &list["total"]),
        (&json!(false), &Value::Null, &json!(1))
    );
    assert_eq!(shown["session"]["id"], sid(&ada.token));
    assert_eq!(shown["session"]["tag"].as_str().map(str::len), Some(8));
    assert_eq!(shown["token"]["issuer"], "roomkey");
    assert_eq!(shown["token"]["tag"].as_str().map(str::len), Some(8));
    let ends = shown["token"]["expiresAt"].as_str().expect("a time");
    assert_eq!(ends.parse::<roomkey::Timestamp>().expect("a time").as_secs(), TestClock::START_SECS + 600);
    let id = shown["socket"].as_str().expect("an id");
    let one = desk.see(&root, &format!("/api/connections/{id}"));
    assert_eq!(one["roomNames"], json!([format!("user:{}", ada.user)]));
    assert_eq!(one["rooms"], 1);
    drop(client);
    eventually("nobody is there", || desk.see(&root, "/api/connections")["total"] == 0);
    assert_eq!(desk.get(&root, &format!("/api/connections/{id}")).status, 404);
}

#[test]
fn connections_are_found_by_how_they_begin_by_user_and_by_room() {
    let desk = Desk::start();
    let (ada, bob, root) = (desk.product.register("ada"), desk.product.register("bob"), desk.log_in("root"));
    let _sockets: Vec<_> =
        [&ada, &ada, &bob].iter().map(|login| desk.product.connect(&login.token)).collect();
    let count = |query: &str| {
        let list = desk.see(&root, &format!("/api/connections?{query}"));
        assert_eq!(list["total"], list["connections"].as_array().expect("a list").len(), "{query}");
        list["total"].as_u64().expect("a number")
    };
    let id =
        desk.see(&root, "/api/connections")["connections"][0]["socket"].as_str().expect("an id").to_owned();
    for (query, found) in [
        ("q=".to_owned(), 3),
        ("q=AD".to_owned(), 2),
        ("q=da".to_owned(), 0),
        ("q=127.0.".to_owned(), 3),
        (format!("q={}", &bob.user[..8]), 1),
        (format!("q={id}"), 1),
        (format!("user={}", ada.user), 2),
        (format!("user={}&q=bob", ada.user), 0),
        (format!("room=user:{}", ada.user), 2),
        (format!("room=user:{}&user={}", ada.user, bob.user), 0),
        ("room=nowhere".to_owned(), 0),
        ("namespace=/".to_owned(), 3),
        ("namespace=/other".to_owned(), 0),
    ] {
        assert_eq!(count(&query), found, "{query}");
    }
}

#[test]
fn polling_is_told_from_a_websocket() {
    let desk = Desk::start();
    let (ada, root) = (desk.product.register("ada"), desk.log_in("root"));
    let mut polling = Polling::open(desk.product.server().address());
    polling.post(&format!(r#"40{{"token":"{}"}}"#, ada.token));
    polling.poll();
    assert_eq!(desk.see(&root, "/api/connections")["connections"][0]["transport"], "polling");
}

fn channel(desk: &Desk, owner: &Login) -> String {
    let body = json!({ "name": "harbour", "visibility": "public" });
    let made = desk.product.send("POST", "/api/channels", &Call::json(&body).token(&owner.token));
    made.json["channel"]["id"].as_str().unwrap_or_else(|| panic!("{}", made.response.body)).to_owned()
}

#[test]
fn rooms_are_listed_by_who_is_in_them_the_fullest_first() {
    let desk = Desk::start();
    let (ada, bob, root) = (desk.product.register("ada"), desk.product.register("bob"), desk.log_in("root"));
    let channel = channel(&desk, &ada);
    let join = format!("/api/channels/{channel}/join");
    desk.product.send("POST", &join, &Call::json(&json!({})).token(&bob.token));
    let _sockets: Vec<_> =
        [&ada, &ada, &bob].iter().map(|login| desk.product.connect(&login.token)).collect();
    let list = desk.see(&root, "/api/rooms");
    let rooms: Vec<_> = list["rooms"].as_array().expect("a list").iter().map(|room| &room["name"]).collect();
    let name = format!("channel:{channel}");
    assert_eq!(
        rooms,
        [&json!(name), &json!(format!("user:{}", ada.user)), &json!(format!("user:{}", bob.user))]
    );
    assert_eq!((&list["total"], &list["rooms"][0]["sockets"]), (&json!(3), &json!(3)));
    assert_eq!(
        list["rooms"][0]["channel"],
        json!({ "id": channel, "name": "harbour", "visibility": "public", "members": 2, "archived": false })
    );
    assert_eq!((&list["rooms"][1]["channel"], &list["rooms"][1]["namespace"]), (&Value::Null, &json!("/")));
    let first = desk.see(&root, "/api/rooms?limit=1&q=user:");
    assert_eq!((&first["total"], &first["rooms"][0]["sockets"]), (&json!(2), &json!(2)));
    let next = first["next"].as_str().expect("there is more");
    let second = desk.see(&root, &format!("/api/rooms?limit=1&q=user:&cursor={next}"));
    assert_eq!(
        (&second["rooms"][0]["name"], &second["next"]),
        (&json!(format!("user:{}", bob.user)), &Value::Null)
    );
    let one = desk.see(&root, &format!("/api/rooms/{name}"));
    assert_eq!(one["members"].as_array().map(Vec::len), Some(3));
    assert!(one["members"][0].get("token").is_none() && one["members"][0]["user"].is_object());
}

#[test]
fn users_are_listed_with_what_they_have_open() {
    let desk = Desk::start();
    let (ada, bob, root) = (desk.product.register("ada"), desk.product.register("bob"), desk.log_in("root"));
    let _socket = desk.product.connect(&ada.token);
    assert_eq!(desk.see(&root, "/api/users")["total"], 2);
    let found = desk.see(&root, "/api/users?q=ADA@");
    let shown = only(&found, "users");
    assert_eq!(
        (&shown["id"], &shown["online"], &shown["blocked"]),
        (&json!(ada.user), &json!(1), &json!(false))
    );
    assert_eq!((&shown["email"], &shown["username"]), (&json!("ada@example.com"), &json!("ada")));
    let first = desk.see(&root, "/api/users?limit=1");
    let next = first["next"].as_str().expect("there is more");
    let second = desk.see(&root, &format!("/api/users?limit=1&cursor={next}"));
    assert_ne!(first["users"][0]["id"], second["users"][0]["id"]);
    assert_eq!((&second["next"], &second["total"]), (&Value::Null, &json!(2)));
    let one = desk.see(&root, &format!("/api/users/{}", ada.user));
    assert_eq!(one["sessions"][0]["id"], sid(&ada.token));
    assert_eq!(one["connections"].as_array().map(Vec::len), Some(1));
    assert_eq!(desk.see(&root, &format!("/api/users/{}", bob.user))["connections"], json!([]));
}

#[test]
fn m7_names_are_data_whatever_they_say() {
    let desk = Desk::start_with(&format!("jwt_secret = \"{SECRET}\""));
    let root = desk.log_in("root");
    let evil = "<img src=x onerror=alert(1)>";
    let claims = json!({ "id": evil, "username": evil, "exp": TestClock::START_SECS + 600 });
    let agent = format!("User-Agent: {evil}\r\n");
    let mut client = Client::open_with(desk.product.server().address(), &agent);
    client.join(&format!(r#"40{{"token":"{}"}}"#, token(&claims)));
    client.text(&format!(r#"421["{evil}",{{}}]"#));
    client.receive_text();
    for path in ["/api/connections", "/api/rooms", "/api/decisions"] {
        let answer = desk.get(&root, path);
        assert!(answer.response.body.contains(evil), "{path}: {}", answer.response.body);
        let header = |name| answer.response.header(name).unwrap_or_default();
        assert_eq!(header("content-type"), "application/json", "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        let policy = header("content-security-policy");
        assert!(
            policy.contains("script-src 'self'") && policy.contains("require-trusted-types-for"),
            "{policy}"
        );
    }
    let shown = desk.see(&root, "/api/connections");
    assert_eq!(only(&shown, "connections")["user"], json!({ "id": evil, "name": evil }));
    let found = desk.see(&root, "/api/connections?q=%3Cimg");
    assert_eq!(only(&found, "connections")["userAgent"], evil);
}

#[test]
fn failed_logins_and_refused_handshakes_are_decisions() {
    let desk = Desk::start();
    let root = desk.log_in("root");
    desk.product.post("/api/auth/login", &json!({ "username": "ada", "password": "a wrong one" }));
    let refused = desk.product.connecting("", "", &json!({ "token": "no token" }));
    assert!(refused.starts_with("44"), "{refused}");
    let list = desk.see(&root, "/api/decisions?kind=failures&limit=2");
    let decisions = list["decisions"].as_array().expect("a list");
    assert!(
        decisions.iter().all(|one| one["outcome"] == "failure" && one["event"] == "authn_login_fail"),
        "{list}"
    );
    assert_eq!((&decisions[0]["address"], decisions.len()), (&json!("127.0.0.1"), 2));
    assert!(decisions[0]["id"].as_u64() > decisions[1]["id"].as_u64());
    let all = desk.see(&root, "/api/decisions?limit=1");
    let next = all["next"].as_str().expect("there is more");
    let rest = desk.see(&root, &format!("/api/decisions?limit=200&cursor={next}"));
    let ids: Vec<_> =
        rest["decisions"].as_array().expect("a list").iter().map(|one| one["id"].as_u64()).collect();
    assert!(ids.is_sorted_by(|one, next| one > next) && ids.last() == Some(&Some(1)), "{ids:?}");
    assert!(rest["decisions"].to_string().contains("sys_startup"));
}

#[test]
fn measurements_say_what_the_server_does() {
    let desk = Desk::start();
    let (ada, root) = (desk.product.register("ada"), desk.log_in("root"));
    let mut socket = desk.product.connect(&ada.token);
    socket.text(r#"421["channel:list",{}]"#);
    while !socket.receive_text().starts_with("431") {}
    let mut last = Value::Null;
    eventually("what was done is measured", || {
        last = desk.see(&root, "/api/stats");
        let samples = last["samples"].as_array().expect("a list");
        samples.iter().any(|sample| sample["latencyMs"]["p50"].is_f64())
    });
    let current = &last["current"];
    assert_eq!(
        [&current["connections"], &current["sockets"], &current["users"]],
        [1, 1, 1].map(|count| json!(count)).each_ref()
    );
    assert!(
        current["memoryBytes"].as_u64() > Some(1 << 20) && current["rooms"].as_u64() >= Some(2),
        "{current}"
    );
    let busy =
        last["samples"].as_array().expect("a list").iter().find(|sample| sample["latencyMs"]["p50"].is_f64());
    let busy = busy.expect("one");
    assert!(busy["rates"]["events"].as_f64() > Some(0.0), "{busy}");
    assert!(busy["latencyMs"]["max"].as_f64() >= busy["latencyMs"]["p50"].as_f64());
    assert_eq!(last["threads"], 2);
    // The keys of the test's backends stand in its file.
    assert!(last["warnings"][0].as_str().is_some_and(|warning| warning.contains("can be read by others")));
    let metrics = desk.product.server().metrics();
    assert!(metrics.contains("roomkey_event_duration_seconds_count 1\n"), "{metrics}");
    assert!(metrics.contains("roomkey_shard_lag_seconds "), "{metrics}");
}

#[test]
fn who_is_denied_is_explained() {
    let desk = Desk::start();
    let (ada, root) = (desk.product.register("ada"), desk.log_in("root"));
    let ask = |body: Value| desk.post(&root, "/api/policy/explain", &body);
    let denied = ask(json!({ "user": ada.user, "action": "send", "room": "channel:elsewhere" }));
    assert_eq!((denied.status, &denied.json["decision"]), (200, &json!("denied")));
    let shown = ask(json!({ "user": "bob", "action": "create", "roles": ["staff"] }));
    assert_eq!(shown.json["facts"]["roles"], json!(["staff"]), "{}", shown.response.body);
    assert_eq!(ask(json!({ "user": ada.user, "action": "fly" })).refusal(), (422, "BAD_PAYLOAD"));
}
