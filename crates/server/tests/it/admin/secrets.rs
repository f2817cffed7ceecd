//! No answer of the page has a secret in it.

use roomkey_testkit::{Client, SECRET, TestClock, token};
use serde_json::{Value, json};

use super::support::{ADMIN_PASSWORD, Admin, Desk};
use crate::product::{API_KEY, Call, PASSWORD, USERS_KEY};

const CANARY: &str = "canary-7f3a9c";

#[test]
fn no_answer_has_a_token_a_password_a_cookie_or_a_key() {
    let desk = Desk::start_with(&format!("jwt_secret = \"{SECRET}\"\ncookie = \"its-token\""));
    let (ada, root, eve) = (desk.product.register("ada"), desk.log_in("root"), desk.log_in("eve"));
    // One that came by a header, beside other headers and a query that are nobody's business.
    let backend = token(&json!({
        "id": "bob", "jti": format!("{CANARY}-jti"), // The id of a session names it, and opens nothing.
        "sid": "a-session",
        "secret": format!("{CANARY}-claim"), "exp": TestClock::START_SECS + 600,
    }));
    let headers = format!("Cookie: other={CANARY}-cookie\r\nX-Secret: {CANARY}-header\r\n");
    let mut clients = vec![desk.product.connect(&ada.token)];
    let mut client = Client::open_with(desk.product.server().address(), &headers);
    client.join(&format!(r#"40{{"token":"{backend}","extra":"{CANARY}-auth"}}"#));
    client.text(&format!(r#"421["{CANARY}-event",{{"text":"{CANARY}-payload"}}]"#));
    client.receive_text();
    clients.push(client);
    for (name, password) in
        [("root", format!("{CANARY}-password")), (&*format!("{CANARY}-name"), "x".to_owned())]
    {
        assert_eq!(desk.try_log_in(name, &password).status, 401);
    }
    let wrong = json!({ "username": format!("{CANARY}-user"), "password": format!("{CANARY}-password") });
    desk.product.post("/api/auth/login", &wrong);
    desk.product.connecting("", "", &json!({ "token": format!("{CANARY}.token.forged") }));
    desk.product.send("GET", &format!("/api/auth/me?token={CANARY}"), &Call::default().key(CANARY));

    let mut answers = String::new();
    let ada_path = format!("/api/users/{}", ada.user);
    for path in [
        "/api/me",
        "/api/sessions",
        "/api/stats",
        "/api/decisions?limit=200",
        "/api/connections",
        "/api/rooms",
        "/api/users",
        "/api/users/bob",
        &ada_path,
    ] {
        answers += &desk.see(&root, path).to_string();
    }
    let listed = desk.see(&root, "/api/connections");
    for one in listed["connections"].as_array().expect("a list") {
        let id = one["socket"].as_str().expect("an id");
        answers += &desk.see(&root, &format!("/api/connections/{id}")).to_string();
    }
    let stream = desk.watch(&root);
    let because = json!({ "reason": "a test" });
    answers += &desk.post(&root, &format!("{ada_path}/revoke"), &because).response.body;
    answers += &desk.post(&root, "/api/users/bob/block", &because).response.body;
    answers += &desk.post(&root, "/api/logout", &json!({})).response.body;
    let mut stream = stream;
    answers += &stream.rest();

    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let secrets: Vec<String> = [
        vec![ada.token.clone(), ada.refresh_token.clone(), backend.clone()],
        parts(&ada.token)[1..].to_vec(),
        parts(&backend)[1..].to_vec(),
        vec![root.0, eve.0.clone()],
        [PASSWORD, ADMIN_PASSWORD, SECRET, API_KEY, USERS_KEY, "$argon2"].map(str::to_owned).to_vec(),
    ]
    .concat();
    for secret in &secrets {
        assert!(!answers.contains(secret.as_str()), "{secret}");
    }
    // What a client chose is there only where it names something: the event that it was denied.
    let without_event = answers.replace(&format!("{CANARY}-event"), "");
    assert!(!without_event.contains(CANARY), "{}", around(&without_event, CANARY));
    assert!(Value::from(answers).as_str().is_some_and(|text| text.contains("bob")));
    drop((clients, Admin::cookie(&eve)));
}

fn around<'a>(text: &'a str, needle: &str) -> &'a str {
    let at = text.find(needle).unwrap_or(0);
    &text[text.floor_char_boundary(at.saturating_sub(200))..text.floor_char_boundary(at + 200)]
}
