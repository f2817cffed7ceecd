//! Where a token may be, and where it does not count.

use roomkey::{Namespace, Origin, OriginPolicy, ServerConfig, TokenAuthentication};
use roomkey_testkit::{
    Client, HttpClient, Polling, TestServer, WebSocketClient, authentication, eventually, token,
};
use serde_json::json;

use crate::support::{config, namespace, start_with};

const MISSING: &str = r#"44{"message":"Authentication error: No token provided","data":{"code":"TOKEN_MISSING","retry":"never"}}"#;
const INVALID: &str =
    r#"44{"message":"Authentication error: Invalid token","data":{"code":"TOKEN_INVALID","retry":"never"}}"#;
const AMBIGUOUS: &str = concat!(
    r#"44{"message":"Authentication error: More than one token provided","#,
    r#""data":{"code":"TOKEN_AMBIGUOUS","retry":"never"}}"#
);

fn ada() -> String {
    let now = roomkey::Clock::now(&roomkey::SystemClock).as_secs();
    token(&json!({ "id": "ada", "exp": now + 3600 }))
}

fn start(authentication: TokenAuthentication) -> TestServer {
    let app = Origin::parse("https://app.example.com").expect("an origin");
    let config = ServerConfig { origins: OriginPolicy::listed(vec![app]), ..config() };
    start_with(config, namespace(Namespace::new(authentication)))
}

/// The answer to a CONNECT packet after a request with this query and these headers.
fn answer(server: &TestServer, query: &str, headers: &str, connect: &str) -> String {
    let target = format!("{}{query}", Client::TARGET);
    let http = HttpClient::connect(server.address());
    let mut client = WebSocketClient::ask(http, &target, headers).expect("a WebSocket");
    assert!(client.receive_text().starts_with("0{"));
    client.text(connect);
    client.receive_text()
}

#[track_caller]
fn check_in(answer: &str) {
    assert!(answer.starts_with(r#"40{"sid":""#), "{answer}");
}

#[test]
fn the_header_and_the_payload_carry_a_token() {
    let server = start(authentication());
    let ada = ada();
    check_in(&answer(&server, "", "", &format!(r#"40{{"token":"{ada}"}}"#)));
    check_in(&answer(&server, "", "", &format!(r#"40{{"token":"Bearer {ada}"}}"#)));
    check_in(&answer(&server, "", &format!("Authorization: Bearer {ada}\r\n"), "40"));
    let both = format!("Authorization: Bearer {ada}\r\n");
    check_in(&answer(&server, "", &both, &format!(r#"40{{"token":"{ada}"}}"#)));
    assert_eq!(answer(&server, "", &both, r#"40{"token":"other"}"#), AMBIGUOUS);
    assert_eq!(answer(&server, "", "", "40"), MISSING);
    for header in ["Bearer", "Bearer ", "Bearer %E0%A4%A", "Bearer a b", "Basic YTpi"] {
        let answer = answer(&server, "", &format!("Authorization: {header}\r\n"), "40");
        assert!(answer == INVALID || answer == MISSING, "{header}: {answer}");
    }
    let two = format!("{both}Authorization: Bearer other\r\n");
    assert_eq!(answer(&server, "", &two, "40"), AMBIGUOUS);
}

#[test]
fn a_token_in_the_query_counts_only_where_that_is_allowed() {
    let ada = ada();
    let query = format!("&token={ada}");
    assert_eq!(answer(&start(authentication()), &query, "", "40"), MISSING);
    let server = start(authentication().or_query());
    check_in(&answer(&server, &query, "", "40"));
    let mut http = HttpClient::connect(server.address());
    let open = http.fetch("GET", &format!("/socket.io/?EIO=4&transport=polling{query}"), "").body;
    let target = format!("/socket.io/?EIO=4&transport=polling&sid={}", &open[9..36]);
    assert_eq!(http.fetch("POST", &target, "40").status, 200);
    check_in(&http.fetch("GET", &target, "").body);
}

#[test]
fn a_cookie_counts_only_for_a_known_page() {
    let ada = ada();
    let cookie = format!("Cookie: a=b; session={ada}\r\n");
    let own = "Origin: https://app.example.com\r\n";
    assert_eq!(
        answer(&start(authentication()), "", &format!("{own}{cookie}"), "40"),
        MISSING,
        "not asked for"
    );
    let server = start(authentication().or_cookie("session"));
    check_in(&answer(&server, "", &format!("{own}{cookie}"), "40"));
    check_in(&answer(&server, "", &format!("Sec-Fetch-Site: same-origin\r\n{cookie}"), "40"));
    assert_eq!(answer(&server, "", &cookie, "40"), MISSING, "no page at all");
    assert_eq!(answer(&server, "", &format!("Sec-Fetch-Site: cross-site\r\n{cookie}"), "40"), MISSING);
    let evil = format!("Origin: https://evil.com\r\n{cookie}");
    let refused = WebSocketClient::ask(HttpClient::connect(server.address()), Client::TARGET, &evil);
    assert_eq!(refused.expect_err("not this page").status, 403);
}

/// Where every page may connect, none may do so with what the browser adds by itself.
#[test]
fn a_cookie_does_not_count_where_every_page_is_allowed() {
    let config = ServerConfig { origins: OriginPolicy::any(), ..config() };
    let server = start_with(config, namespace(Namespace::new(authentication().or_cookie("session"))));
    let cookie = format!("Cookie: session={}\r\n", ada());
    assert_eq!(answer(&server, "", &format!("Origin: https://evil.com\r\n{cookie}"), "40"), MISSING);
    check_in(&answer(&server, "", &format!("Sec-Fetch-Site: same-origin\r\n{cookie}"), "40"));
}

/// Who a session belongs to is decided by the request that opened it: nobody can be made to use another's session
/// with their own cookies.
#[test]
fn only_the_handshake_brings_a_cookie() {
    let server = start(authentication().or_cookie("session"));
    let mut polling = Polling::open(server.address());
    let mut http = HttpClient::connect(server.address());
    let headers = format!("Origin: https://app.example.com\r\nCookie: session={}\r\n", ada());
    http.request("POST", &polling.target(), &headers, "40");
    assert_eq!(http.response().brief(), (200, "ok"));
    assert_eq!(polling.poll(), MISSING);
    let target = polling.upgrade_target();
    let http = HttpClient::connect(server.address());
    let mut websocket = WebSocketClient::ask(http, &target, &headers).expect("a WebSocket");
    websocket.text("2probe");
    websocket.expect("3probe");
    websocket.text("5");
    websocket.text("40");
    websocket.expect(MISSING);
}

/// However the packets come: the token is asked for at one place, behind all transports.
#[test]
fn every_transport_asks_for_the_token() {
    let server = start(authentication());
    let ada = ada();
    let good = format!(r#"40{{"token":"{ada}"}}"#);
    for (connect, expected) in
        [("40", MISSING), (r#"40{"token":"x.y.z"}"#, INVALID), (good.as_str(), r#"40{"sid":""#)]
    {
        let over_websocket = answer(&server, "", "", connect);
        let mut polling = Polling::open(server.address());
        polling.post(connect);
        let over_polling = polling.poll();
        let upgraded = Polling::open(server.address());
        let mut websocket = WebSocketClient::open(server.address(), &upgraded.upgrade_target());
        for packet in ["2probe", "5", connect] {
            websocket.text(packet);
        }
        websocket.expect("3probe");
        let after_an_upgrade = websocket.receive_text();
        let mut during_an_upgrade = Polling::open(server.address());
        let mut websocket = WebSocketClient::open(server.address(), &during_an_upgrade.upgrade_target());
        websocket.text("2probe");
        websocket.expect("3probe");
        during_an_upgrade.post(connect);
        websocket.text("5");
        for answer in [over_websocket, over_polling, after_an_upgrade, websocket.receive_text()] {
            assert!(answer.starts_with(expected), "{answer}");
        }
    }
}

/// Whoever shares an address with somebody who tries tokens is served as ever.
#[test]
fn bad_tokens_do_not_keep_a_good_one_out() {
    let server = start(authentication());
    let good = format!(r#"40{{"token":"{}"}}"#, ada());
    for _ in 0..100 {
        let mut trying = Client::open(server.address());
        for _ in 0..3 {
            trying.call(r#"40{"token":"x.y.z"}"#, INVALID);
        }
        check_in(&answer(&server, "", "", &good));
        assert_eq!(trying.closed(), None);
    }
    eventually("nothing is left", || server.handle().connection_count() == 0);
}
