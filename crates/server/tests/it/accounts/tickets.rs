//! R27: connection tickets.

use roomkey_testkit::{Received, TestClock};
use serde_json::json;

use super::*;
use crate::support::next;

const PAGE: &str = "http://localhost:5173";

#[track_caller]
fn ticket(product: &TestProduct, call: Call, token: &str) -> String {
    let answer = product.send("POST", "/api/auth/ticket", &call.token(token));
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.json["expiresIn"], 30);
    answer.json["ticket"].as_str().expect("text").to_owned()
}

#[track_caller]
fn check_in(answer: &str) {
    assert!(answer.starts_with(r#"40{"sid":""#), "{answer}");
}

#[track_caller]
fn check_refused(answer: &str) {
    assert!(answer.contains("TOKEN_INVALID"), "{answer}");
}

#[test]
fn a_ticket_opens_one_connection() {
    let product = TestProduct::start("");
    let login = product.register("ada");
    let in_payload = |ticket: &str| product.connecting("", "", &json!({ "token": ticket }));
    let in_query =
        |name: &str, ticket: &str| product.connecting(&format!("&{name}={ticket}"), "", &json!({}));
    let one = ticket(&product, Call::default(), &login.token);
    check_in(&in_payload(&one));
    check_refused(&in_payload(&one));
    for name in ["ticket", "token"] {
        let one = ticket(&product, Call::default(), &login.token);
        check_in(&in_query(name, &one));
        check_refused(&in_query(name, &one));
    }
    let (one, other) =
        (ticket(&product, Call::default(), &login.token), ticket(&product, Call::default(), &login.token));
    let both = product.connecting(&format!("&ticket={one}"), "", &json!({ "token": other }));
    assert!(both.contains("TOKEN_AMBIGUOUS"), "{both}");
}

#[test]
fn a_ticket_is_no_token_and_a_token_no_ticket() {
    let product = TestProduct::start("");
    let login = product.register("ada");
    let one = ticket(&product, Call::default(), &login.token);
    assert_eq!(product.get("/api/auth/me", &one).refusal(), (401, "TOKEN_INVALID"));
    assert_eq!(product.refresh(&one).refusal(), (401, "TOKEN_INVALID"));
    let again = product.send("POST", "/api/auth/ticket", &Call::default().token(&one));
    assert_eq!(again.refusal(), (401, "TOKEN_INVALID"), "no ticket by a ticket");
    for bad in ["rkt_", "rkt_nonsense", &one[..one.len() - 1], &one.replace("rkt_", "rkr_")] {
        check_refused(&product.connecting("", "", &json!({ "token": bad })));
    }
    let in_query = product.connecting(&format!("&ticket={}", login.token), "", &json!({}));
    assert!(in_query.contains("TOKEN_MISSING"), "{in_query}");
    assert_eq!(product.send("POST", "/api/auth/ticket", &Call::default()).refusal(), (401, "TOKEN_MISSING"));
    check_in(&product.connecting("", "", &json!({ "token": one })));
}

#[test]
fn a_ticket_waits_half_a_minute() {
    let product = TestProduct::start("");
    let login = product.register("ada");
    let (one, other) =
        (ticket(&product, Call::default(), &login.token), ticket(&product, Call::default(), &login.token));
    product.clock.advance_secs(29);
    check_in(&product.connecting("", "", &json!({ "token": one })));
    product.clock.advance_secs(1);
    check_refused(&product.connecting("", "", &json!({ "token": other })));
}

#[test]
fn a_ticket_is_for_the_page_that_asked() {
    let product = TestProduct::start("");
    let login = product.register("ada");
    let page = |origin: &str| format!("Origin: {origin}\r\n");
    let of_page = || ticket(&product, Call::default().header("Origin", PAGE), &login.token);
    let connect = |headers: &str, ticket: &str| product.connecting("", headers, &json!({ "token": ticket }));
    check_in(&connect(&page(PAGE), &of_page()));
    check_refused(&connect(&page("http://localhost:9999"), &of_page()));
    check_refused(&connect("", &of_page()));
    // Whoever has shown it at the wrong place has used it.
    let one = of_page();
    check_refused(&connect("", &one));
    check_refused(&connect(&page(PAGE), &one));
    // In a same-origin request that only reads, a browser leaves the origin out.
    let here = Call::default().header("Origin", "http://localhost");
    let one = ticket(&product, here, &login.token);
    check_in(&connect("Sec-Fetch-Site: same-origin\r\n", &one));
    check_refused(&connect("Sec-Fetch-Site: same-origin\r\n", &of_page()));
    // A backend asks for a page.
    let for_page = Call::json(&json!({ "origin": PAGE }));
    check_in(&connect(&page(PAGE), &ticket(&product, for_page.clone(), &login.token)));
    let for_another = for_page.header("Origin", "http://localhost:9999").token(&login.token);
    assert_eq!(product.send("POST", "/api/auth/ticket", &for_another).refusal(), (403, "ORIGIN_DENIED"));
    // One for programs is for no page.
    check_refused(&connect(&page(PAGE), &ticket(&product, Call::default(), &login.token)));
    let nonsense = Call::json(&json!({ "origin": "nonsense" })).token(&login.token);
    assert_eq!(product.send("POST", "/api/auth/ticket", &nonsense).refusal(), (422, "BAD_PAYLOAD"));
}

#[test]
fn a_ticket_dies_with_the_token_that_it_was_asked_with() {
    let product = TestProduct::start("");
    let login = product.register("ada");
    let one = ticket(&product, Call::default(), &login.token);
    product.send("POST", "/api/auth/logout", &Call::default().token(&login.token));
    let answer = product.connecting("", "", &json!({ "token": one }));
    assert!(answer.contains("TOKEN_REVOKED"), "{answer}");
    let login = product.log_in("ada");
    product.clock.advance_secs(595);
    let one = ticket(&product, Call::default(), &login.token);
    product.clock.advance_secs(29);
    let answer = product.connecting("", "", &json!({ "token": one }));
    assert!(answer.contains("TOKEN_EXPIRED"), "{answer}");
}

#[test]
fn a_user_has_only_so_many_tickets() {
    let product = TestProduct::start("");
    let login = product.register("ada");
    let tickets: Vec<_> = (0..17).map(|_| ticket(&product, Call::default(), &login.token)).collect();
    check_refused(&product.connecting("", "", &json!({ "token": tickets[0] })));
    check_in(&product.connecting("", "", &json!({ "token": tickets[1] })));
    check_in(&product.connecting("", "", &json!({ "token": tickets[16] })));
}

/// What a page does whose token is in a cookie: it has no token to show.
#[test]
fn a_ticket_renews_the_token_of_a_connection() {
    let product = TestProduct::start("");
    let login = product.register("ada");
    let mut socket = product.connect(&ticket(&product, Call::default(), &login.token));
    let mut shown = 0;
    let mut show = |ticket: &str| {
        shown += 1;
        socket.text(&format!("42{shown}{}", json!(["auth:refresh", { "token": ticket }])));
        let ack = format!("43{shown}");
        loop {
            let Received::Text(text) = next(&mut socket) else { panic!("no ack") };
            if let Some(body) = text.strip_prefix(&ack) {
                return body.to_owned();
            }
        }
    };
    product.clock.advance_secs(300);
    let newer = product.refresh(&login.refresh_token).login(200);
    let one = ticket(&product, Call::default(), &newer.token);
    let end = roomkey::Timestamp::from_secs(TestClock::START_SECS + 900).to_string();
    assert_eq!(show(&one), json!([{ "data": { "expiresAt": end } }]).to_string());
    assert!(show(&one).contains("TOKEN_INVALID"), "it is good once");
    let of_page = ticket(&product, Call::default().header("Origin", PAGE), &newer.token);
    assert!(show(&of_page).contains("TOKEN_INVALID"), "it is for the page that asked");
    let other = product.register("bob");
    assert!(show(&ticket(&product, Call::default(), &other.token)).contains("PRINCIPAL_MISMATCH"));
    product.clock.advance_secs(450);
    assert!(
        show(&ticket(&product, Call::default(), &newer.token)).contains("expiresAt"),
        "the old end has passed"
    );
}
