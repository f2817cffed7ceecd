//! Register, log in, who am I.

use serde_json::json;

use super::*;

#[test]
fn a_login_answers_with_both_tokens() {
    let product = TestProduct::start("");
    let registered = product.register("ada");
    for (path, name) in [
        ("/api/auth/login", json!({ "email": "ADA@example.com" })),
        ("/api/auth/login", json!({ "username": "Ada" })),
        ("/login", json!({ "username": "ada" })),
    ] {
        let mut body = name;
        body["password"] = PASSWORD.into();
        let answer = product.post(path, &body);
        let login = answer.login(200);
        assert_eq!(login.user, registered.user);
        assert_eq!(answer.json["expiresIn"], 600);
        assert_eq!(answer.json["user"]["email"], "ada@example.com");
        assert_eq!(answer.json["user"]["username"], "ada");
        assert_eq!(answer.response.header("cache-control").as_deref(), Some("no-store"));
        assert!(answer.response.header("set-cookie").is_none(), "cookies only where they are wanted");
        let me = product.get("/api/auth/me", &login.token);
        assert_eq!((me.status, &me.json["user"]["id"]), (200, &json!(registered.user)));
        product.connect(&login.token);
    }
}

/// R1, but its time, which is measured elsewhere.
#[test]
fn an_unknown_user_and_a_wrong_password_look_the_same() {
    let product = TestProduct::start("");
    let ada = product.register("ada");
    let wrong = product.post("/api/auth/login", &json!({ "username": "ada", "password": "something else" }));
    assert_eq!(wrong.refusal(), (401, "INVALID_CREDENTIALS"));
    assert_eq!(wrong.json["message"], "Invalid credentials");
    // What is left of the address's budget shrinks with every try, whoever's it is.
    let counts = |line: &&str| line.starts_with("date:") || line.starts_with("ratelimit:");
    let without_counts = |answer: &Answer| {
        let head = answer.response.head.lines().filter(|line| !counts(line));
        (head.map(str::to_owned).collect::<Vec<_>>(), answer.response.body.clone())
    };
    let block = Call::default().key(API_KEY);
    product.send("POST", &format!("/api/users/{}/block", ada.user), &block);
    for body in [
        json!({ "username": "nobody", "password": "something else" }),
        json!({ "email": "nobody@example.com", "password": "" }),
        json!({ "username": "ada", "password": "x".repeat(2000) }),
        // Blocked, with the right password.
        json!({ "username": "ada", "password": PASSWORD }),
    ] {
        let unknown = product.post("/api/auth/login", &body);
        assert_eq!(without_counts(&unknown), without_counts(&wrong));
    }
}

/// R2: a conflict, which the limits of registration keep from being asked often.
#[test]
fn an_address_is_registered_once() {
    let product = TestProduct::start("");
    product.register("ada");
    for email in ["ada@example.com", "ADA@Example.Com"] {
        let body = json!({ "email": email, "username": "other", "password": PASSWORD });
        assert_eq!(product.post("/api/auth/register", &body).refusal(), (409, "CONFLICT"));
    }
}

/// R3
#[test]
fn an_address_has_one_spelling() {
    let product = TestProduct::start("");
    let register = |email: &str| {
        product.post("/api/auth/register", &json!({ "email": email, "password": PASSWORD })).refusal().0
    };
    assert_eq!(register("ren\u{e9}@example.com"), 201);
    assert_eq!(register("rene\u{301}@example.com"), 409, "the same, decomposed");
    assert_eq!(register("REN\u{c9}@EXAMPLE.COM"), 409);
    assert_eq!(register("ren\u{e9}+tag@example.com"), 201, "another mailbox, for all we know");
    for email in [
        "rene\u{ff20}example.com",
        "\u{ff52}ene@example.com",
        "rene@example.com.",
        "rene@ex\u{430}mple.com",
        "r\u{435}ne@example.com",
        "rene\u{200d}@example.com",
        "rene@example.com\u{0}",
    ] {
        assert_eq!(register(email), 422, "{email:?}");
    }
    let body = json!({ "email": "rene\u{301}@example.com", "password": PASSWORD });
    product.post("/api/auth/login", &body).login(200);
}

/// R7
#[test]
fn a_password_is_taken_as_it_is() {
    let product = TestProduct::start("");
    for (index, password) in [
        " leading and trailing space ",
        "a password with a NUL \0 in it",
        "пароль длиннее семидесяти двух байтов, который никто не обрежет \u{1f511}",
        &"long enough ".repeat(85),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("user{index}");
        let mut body =
            json!({ "email": format!("{name}@example.com"), "username": name, "password": password });
        product.post("/api/auth/register", &body).login(201);
        body.as_object_mut().expect("an object").remove("email");
        product.post("/api/auth/login", &body).login(200);
        let mut shorter = password.to_owned();
        shorter.pop();
        body["password"] = shorter.into();
        assert_eq!(product.post("/api/auth/login", &body).refusal(), (401, "INVALID_CREDENTIALS"));
    }
    let body = json!({ "email": "b@example.com", "password": "x".repeat(1025) });
    assert_eq!(product.post("/api/auth/register", &body).refusal(), (422, "BAD_PAYLOAD"));
}

/// R9
#[test]
fn a_password_that_is_easily_guessed_is_refused() {
    let product = TestProduct::start("");
    for password in ["password", "12345678", "short", "aaaaaaaaaaaa", "adalovelace", "ada@example.com"] {
        let body = json!({ "email": "ada@example.com", "username": "adalovelace", "password": password });
        assert_eq!(product.post("/api/auth/register", &body).refusal(), (422, "BAD_PAYLOAD"), "{password}");
    }
}

#[test]
fn registration_can_be_closed() {
    let product = TestProduct::start("registration = false");
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    assert_eq!(product.post("/api/auth/register", &body).refusal(), (403, "FORBIDDEN"));
}
