//! Sessions in cookies, and requests that other sites forge.

use serde_json::json;

use super::*;

const PAGE: &str = "http://localhost:5173";
const EVIL: &str = "https://evil.example";

struct Cookies {
    access: String,
    refresh: String,
}

impl Cookies {
    #[track_caller]
    fn of(answer: &Answer) -> Self {
        let value = |name| answer.cookie(name).unwrap_or_else(|| panic!("{name}: {answer:?}")).0;
        Self { access: value("__Host-roomkey"), refresh: value("__Secure-roomkey-refresh") }
    }

    /// As a page of this origin sends them, with the refresh token only where its path says so.
    fn call(&self, origin: &str) -> Call {
        Call::default().header("Origin", origin).header("Cookie", &format!("__Host-roomkey={}", self.access))
    }

    fn refreshing(&self, origin: &str) -> Call {
        let cookies = format!("__Host-roomkey={}; __Secure-roomkey-refresh={}", self.access, self.refresh);
        Call::default().header("Origin", origin).header("Cookie", &cookies)
    }
}

fn start() -> TestProduct {
    TestProduct::start("session_cookies = true")
}

#[track_caller]
fn register(product: &TestProduct) -> Cookies {
    let body = json!({ "email": "ada@example.com", "username": "ada", "password": PASSWORD });
    let answer = product.send("POST", "/api/auth/register", &Call::json(&body).header("Origin", PAGE));
    assert_eq!(answer.status, 201, "{answer:?}");
    Cookies::of(&answer)
}

/// R20
#[test]
fn a_page_gets_cookies_that_its_scripts_cannot_read() {
    let product = start();
    register(&product);
    let body = json!({ "username": "ada", "password": PASSWORD });
    let answer = product.send("POST", "/api/auth/login", &Call::json(&body).header("Origin", PAGE));
    let (access, attributes) = answer.cookie("__Host-roomkey").expect("a cookie");
    assert_eq!(access.split('.').count(), 3);
    assert_eq!(attributes, "Path=/; Max-Age=604800; Secure; HttpOnly; SameSite=Lax");
    let (refresh, attributes) = answer.cookie("__Secure-roomkey-refresh").expect("a cookie");
    assert!(refresh.starts_with("rkr_"));
    assert_eq!(attributes, "Path=/api/auth/refresh; Max-Age=604800; Secure; HttpOnly; SameSite=Lax");
    assert_eq!((&answer.json["token"], &answer.json["refreshToken"]), (&json!(null), &json!(null)));
    assert_eq!(answer.json["expiresIn"], 600);
    // A program reads the body.
    product.log_in("ada");
}

#[test]
fn the_cookies_do_what_the_tokens_do() {
    let product = start();
    let cookies = register(&product);
    assert_eq!(product.send("GET", "/api/auth/me", &cookies.call(PAGE)).status, 200);
    let header = format!("Origin: {PAGE}\r\nCookie: __Host-roomkey={}\r\n", cookies.access);
    let connect = product.connecting("", &header, &json!({}));
    assert!(connect.starts_with(r#"40{"sid":""#), "{connect}");
    // The cookie outlives the token, so that the page is told to refresh.
    product.clock.advance_secs(700);
    let expired = product.send("GET", "/api/auth/me", &cookies.call(PAGE));
    assert_eq!(expired.refusal(), (401, "TOKEN_EXPIRED"));
    let refreshed = product.send("POST", "/api/auth/refresh", &cookies.refreshing(PAGE));
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    let cookies = Cookies::of(&refreshed);
    assert_eq!(product.send("GET", "/api/auth/me", &cookies.call(PAGE)).status, 200);
    let other = cookies.refreshing(PAGE).header("Content-Type", "application/json");
    let other = other.body(r#"{"refreshToken":"rkr_other"}"#);
    assert_eq!(product.send("POST", "/api/auth/refresh", &other).refusal(), (400, "TOKEN_AMBIGUOUS"));
    // The access token says which session it is, also when its time is over: the refresh token need not be sent.
    product.clock.advance_secs(700);
    let gone = product.send("POST", "/api/auth/logout", &cookies.call(PAGE));
    assert_eq!(gone.status, 204);
    for name in ["__Host-roomkey", "__Secure-roomkey-refresh"] {
        let (value, attributes) = gone.cookie(name).expect("is forgotten");
        assert_eq!((value.as_str(), attributes.contains("Max-Age=0;")), ("", true), "{attributes}");
    }
    let over = product.send("POST", "/api/auth/refresh", &cookies.refreshing(PAGE));
    assert_eq!(over.refusal(), (401, "TOKEN_REVOKED"));
    assert!(over.cookie("__Host-roomkey").is_some_and(|(value, _)| value.is_empty()));
}

/// R21
#[test]
fn other_sites_do_nothing_with_the_cookies() {
    let product = start();
    let cookies = register(&product);
    let session = sid(&cookies.access);
    let change = json!({ "currentPassword": PASSWORD, "newPassword": "another long password" }).to_string();
    let routes = [
        ("POST", "/api/auth/refresh".to_owned(), ""),
        ("POST", "/api/auth/logout".to_owned(), ""),
        ("POST", "/api/auth/logout-all".to_owned(), ""),
        ("POST", "/api/auth/password".to_owned(), change.as_str()),
        ("POST", "/api/auth/ticket".to_owned(), ""),
        ("DELETE", format!("/api/auth/sessions/{session}"), ""),
        ("POST", "/api/channels".to_owned(), r#"{"name":"den"}"#),
    ];
    let both = format!("__Host-roomkey={}; __Secure-roomkey-refresh={}", cookies.access, cookies.refresh);
    let with_cookies = Call::default().header("Cookie", &both);
    for (method, path, body) in &routes {
        for forged in [
            with_cookies.clone().header("Origin", EVIL),
            with_cookies.clone().header("Origin", "null"),
            with_cookies.clone(),
            with_cookies.clone().header("Sec-Fetch-Site", "cross-site"),
            with_cookies.clone().header("Sec-Fetch-Site", "same-site"),
            with_cookies.clone().header("Sec-Fetch-Site", "none"),
        ] {
            for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json"] {
                let forged = forged.clone().header("Content-Type", kind).body(body);
                assert_eq!(product.send(method, path, &forged).status, 403, "{method} {path} {forged:?}");
            }
        }
    }
    // One's own page has to say what it sends.
    let form = with_cookies.header("Origin", PAGE).header("Content-Type", "text/plain").body("{}");
    for path in ["/api/auth/refresh", "/api/auth/logout", "/api/auth/password"] {
        assert_eq!(product.send("POST", path, &form).refusal(), (415, "UNSUPPORTED_MEDIA_TYPE"), "{path}");
    }
    let login = json!({ "username": "ada", "password": PASSWORD });
    let forged_login = Call::json(&login).header("Sec-Fetch-Site", "cross-site");
    assert_eq!(product.send("POST", "/api/auth/login", &forged_login).refusal(), (403, "ORIGIN_DENIED"));
    // Nothing has happened.
    assert_eq!(product.send("GET", "/api/auth/me", &cookies.call(PAGE)).status, 200);
    assert_eq!(product.send("POST", "/api/auth/refresh", &cookies.refreshing(PAGE)).status, 200);
}

#[test]
fn without_cookies_a_program_needs_no_origin() {
    let product = start();
    register(&product);
    let login = product.log_in("ada");
    let with_another_cookie = Call::default().token(&login.token).header("Cookie", "theme=dark");
    assert_eq!(product.send("POST", "/api/auth/ticket", &with_another_cookie).status, 201);
    let own =
        Call::default().token(&login.token).header("Cookie", &format!("__Host-roomkey={}", login.token));
    assert_eq!(
        product.send("POST", "/api/auth/ticket", &own).status,
        201,
        "the header counts, the cookie does not"
    );
}
