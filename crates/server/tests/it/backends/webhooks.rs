use roomkey_testkit::{Endpoint, eventually};
use serde_json::{Value, json};

use super::{Request, SECRET, ask, channel_of};
use crate::product::{API_KEY, Call, Login, TestProduct, USERS_KEY};

const REFUSES: &[u8] = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n";
const TAKES: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

fn webhook(port: u16, more: &str) -> String {
    format!(
        "[[webhooks]]\nname = \"shop\"\n\
         url = \"http://127.0.0.1:{port}/hook\"\nsecret = \"{SECRET}\"\nallow_private = true\n{more}\n"
    )
}

fn send(product: &TestProduct, login: &Login, channel: &str, content: &str) {
    let ack = ask(product, login, &json!(["sendMessage", { "channelId": channel, "content": content }]));
    assert_eq!(ack["data"]["content"], content);
}

fn contents(endpoint: &Endpoint) -> Vec<Value> {
    let requests = endpoint.requests();
    requests.iter().map(|text| Request::new(text).json()["data"]["content"].take()).collect()
}

/// Waits for this many attempts to have failed, and to be noted at the time that it is.
fn failed(product: &TestProduct, attempts: usize) {
    let line = format!("roomkey_webhook_failures_total {attempts}\n");
    eventually("it was tried", || product.server().metrics().contains(&line));
}

fn dead_letters(product: &TestProduct) -> Vec<Value> {
    let answer = product.send("GET", "/api/webhooks/dead-letters", &Call::default().key(API_KEY));
    assert_eq!(answer.status, 200);
    answer.json["deadLetters"].as_array().expect("a list").clone()
}

#[test]
fn changes_are_told_in_order_and_signed() {
    let endpoint = Endpoint::start(TAKES);
    let product = TestProduct::start(&webhook(endpoint.port(), ""));
    let (ada, bob) = (product.register("ada"), product.register("bob"));
    let channel = channel_of(&product, &ada.token, &[&bob.user]);
    send(&product, &ada, &channel, "hello");
    product.send("POST", &format!("/api/users/{}/block", bob.user), &Call::default().key(API_KEY));
    eventually("who is here is told", || {
        endpoint.requests().iter().any(|text| text.contains("presence.update"))
    });
    eventually("all is told", || endpoint.requests().iter().any(|text| text.contains("user.revoked")));
    let requests = endpoint.requests();
    // Who is here is told when it is known for sure.
    let requests = requests.iter().filter(|text| !text.contains("presence.update"));
    let requests: Vec<_> = requests.map(|text| Request::new(text)).collect();
    let events: Vec<_> = requests.iter().map(|request| request.json()["type"].to_string()).collect();
    let events: Vec<_> = events.iter().map(|event| event.trim_matches('"')).collect();
    assert_eq!(events[..3], ["member.added", "member.added", "message.created"], "{events:?}");
    for request in &requests {
        request.assert_signed();
        assert!(request.head.starts_with("POST /hook HTTP/1.1"), "{}", request.head);
    }
    let message = requests[2].json();
    assert_eq!(message["data"]["channelId"], *channel);
    assert_eq!(message["data"]["userId"], *ada.user, "{message}");
    let ids: std::collections::HashSet<_> =
        requests.iter().map(|request| request.header("webhook-id")).collect();
    assert_eq!(ids.len(), requests.len());
}

#[test]
fn only_what_is_asked_for() {
    let endpoint = Endpoint::start(TAKES);
    let product = TestProduct::start(&webhook(endpoint.port(), "events = [\"message.*\"]"));
    let ada = product.register("ada");
    let channel = channel_of(&product, &ada.token, &[]);
    send(&product, &ada, &channel, "one");
    eventually("it is told", || endpoint.count() > 0);
    assert_eq!(contents(&endpoint), ["one"]);
}

#[test]
fn what_is_not_taken_is_sent_again_before_anything_else() {
    let endpoint = Endpoint::start(REFUSES);
    let product = TestProduct::start(&webhook(endpoint.port(), "events = [\"message.created\"]"));
    let ada = product.register("ada");
    let channel = channel_of(&product, &ada.token, &[]);
    send(&product, &ada, &channel, "one");
    send(&product, &ada, &channel, "two");
    failed(&product, 1);
    product.clock.advance_secs(1);
    failed(&product, 2);
    endpoint.answer(TAKES);
    product.clock.advance_secs(2);
    eventually("both were taken", || endpoint.count() >= 4);
    assert_eq!(contents(&endpoint), ["one", "one", "one", "two"]);
    let requests: Vec<_> = endpoint.requests().iter().map(|text| Request::new(text)).collect();
    assert_eq!(requests[0].header("webhook-id"), requests[2].header("webhook-id"));
    assert_ne!(requests[0].header("webhook-timestamp"), requests[2].header("webhook-timestamp"));
    requests[2].assert_signed();
    let metrics = product.server().metrics();
    assert!(metrics.contains("roomkey_webhook_failures_total 2\n"), "{metrics}");
}

/// A firewall before the endpoint does not like what somebody wrote; that must not cost the others a day.
#[test]
fn what_is_refused_for_what_is_in_it_does_not_hold_up_the_others() {
    let endpoint = Endpoint::start("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    let product = TestProduct::start(&webhook(endpoint.port(), "events = [\"message.created\"]"));
    let ada = product.register("ada");
    let channel = channel_of(&product, &ada.token, &[]);
    send(&product, &ada, &channel, "bad");
    for attempts in 1..=5 {
        failed(&product, attempts);
        product.clock.advance_secs(8);
    }
    eventually("it is given up", || dead_letters(&product).len() == 1);
    endpoint.answer(TAKES);
    send(&product, &ada, &channel, "good");
    eventually("another is taken", || endpoint.count() == 6);
    // An endpoint that just took one works.
    endpoint.answer("HTTP/1.1 422 X\r\nContent-Length: 0\r\n\r\n");
    send(&product, &ada, &channel, "worse");
    eventually("it is given up at once", || dead_letters(&product).len() == 2);
    assert_eq!(contents(&endpoint), ["bad", "bad", "bad", "bad", "bad", "good", "worse"]);
    // What it says to anything is about itself.
    endpoint.answer("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    send(&product, &ada, &channel, "good");
    for attempts in 7..=13 {
        failed(&product, attempts);
        product.clock.advance_secs(3600);
    }
    assert_eq!(dead_letters(&product).len(), 2);
}

/// The status is the answer: what comes after it, and how, changes nothing.
#[test]
fn a_good_status_is_enough() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nxyz"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nx",
    ] {
        let endpoint = Endpoint::start(answer);
        let product = TestProduct::start(&webhook(endpoint.port(), "attempts = 1"));
        let ada = product.register("ada");
        channel_of(&product, &ada.token, &[]);
        eventually("it is taken", || {
            product.server().metrics().contains("roomkey_webhooks_delivered_total 1\n")
        });
        assert_eq!(dead_letters(&product), [] as [Value; 0]);
    }
}

/// What was acked is told, whatever happens to the server and to the endpoint in between.
#[test]
fn what_waits_is_told_after_a_restart() {
    let endpoint = Endpoint::start(REFUSES);
    let mut product = TestProduct::start(&webhook(endpoint.port(), "events = [\"message.created\"]"));
    let ada = product.register("ada");
    let channel = channel_of(&product, &ada.token, &[]);
    for content in ["one", "two", "three"] {
        send(&product, &ada, &channel, content);
    }
    eventually("it was tried", || endpoint.count() == 1);
    product.restart();
    endpoint.forget();
    endpoint.answer(TAKES);
    product.clock.advance_secs(3600);
    eventually("all is told", || endpoint.count() >= 3);
    assert_eq!(contents(&endpoint), ["one", "two", "three"]);
}

#[test]
fn what_is_given_up_is_listed_and_can_be_sent_again() {
    let endpoint = Endpoint::start(REFUSES);
    let product =
        TestProduct::start(&webhook(endpoint.port(), "attempts = 1\nevents = [\"message.created\"]"));
    let ada = product.register("ada");
    let channel = channel_of(&product, &ada.token, &[]);
    send(&product, &ada, &channel, "one");
    send(&product, &ada, &channel, "two");
    eventually("both are given up", || dead_letters(&product).len() == 2);
    let dead = dead_letters(&product);
    assert_eq!(dead[1]["endpoint"], "shop");
    assert_eq!(dead[1]["attempts"], 1);
    assert_eq!(dead[1]["reason"], "the answer has status 500");
    assert!(dead[1]["body"].as_str().expect("text").contains("\"one\""));

    endpoint.answer(TAKES);
    endpoint.forget();
    let backlogs = product.send("GET", "/api/webhooks", &Call::default().key(API_KEY));
    let backlog = json!({ "endpoint": "shop", "waiting": 0, "dropped": 0, "deadLetters": 2 });
    assert_eq!(backlogs.json, json!({ "webhooks": [backlog] }));
    let retry = |number: &Value| {
        let path = format!("/api/webhooks/dead-letters/{number}/retry");
        product.send("POST", &path, &Call::default().key(API_KEY)).status
    };
    assert_eq!(retry(&dead[1]["number"]), 204);
    assert_eq!(retry(&dead[1]["number"]), 404);
    eventually("it is told", || endpoint.count() == 1);
    assert_eq!(contents(&endpoint), ["one"]);
    assert_eq!(dead_letters(&product).len(), 1);

    let refused = product.send("GET", "/api/webhooks/dead-letters", &Call::default().key(USERS_KEY));
    assert_eq!(refused.refusal(), (403, "INSUFFICIENT_SCOPE"));
    for query in ["?limit=0", "?limit=101", "?before=x", "?x=1"] {
        let path = format!("/api/webhooks/dead-letters{query}");
        assert_eq!(product.send("GET", &path, &Call::default().key(API_KEY)).refusal(), (422, "BAD_PAYLOAD"));
    }
}

/// What users wrote is not kept for an endpoint that nobody is any more.
#[test]
fn what_waits_for_an_endpoint_that_is_gone_is_given_up_and_forgotten() {
    let endpoint = Endpoint::start(REFUSES);
    let mut product = TestProduct::start(&webhook(endpoint.port(), ""));
    let ada = product.register("ada");
    channel_of(&product, &ada.token, &[]);
    eventually("it was tried", || endpoint.count() == 1);
    product.restart_with("\"shop\"", "\"new\"");
    let dead = dead_letters(&product);
    assert_eq!(dead[0]["endpoint"], "shop");
    assert_eq!(dead[0]["reason"], "the endpoint is not configured any more");
    product.clock.advance_secs(31 * 24 * 3600);
    product.restart();
    eventually("it is forgotten", || dead_letters(&product).is_empty());
}

/// M14: a name decides nothing, the addresses that it has do; and no redirect leads anywhere.
#[test]
fn m14_a_webhook_goes_to_no_address_that_is_not_allowed() {
    let neighbour = Endpoint::start(TAKES);
    let port = neighbour.port();
    let redirect =
        format!("HTTP/1.1 307 X\r\nLocation: http://127.0.0.1:{port}/\r\nContent-Length: 0\r\n\r\n");
    let redirects = Endpoint::start(redirect);
    let internal = format!(
        "[[webhooks]]\nname = \"internal\"\nurl = \"https://localhost:{port}/\"\nsecret = \"{SECRET}\"\nattempts = 1\n{}",
        webhook(redirects.port(), "attempts = 1")
    );
    let product = TestProduct::start(&internal);
    let ada = product.register("ada");
    channel_of(&product, &ada.token, &[]);
    eventually("both are given up", || dead_letters(&product).len() == 2);
    let reasons: std::collections::BTreeMap<_, _> = dead_letters(&product)
        .iter()
        .map(|dead| (dead["endpoint"].to_string(), dead["reason"].to_string()))
        .collect();
    assert_eq!(reasons["\"internal\""], "\"none of the addresses of the host may be connected to\"");
    assert_eq!(reasons["\"shop\""], "\"the answer has status 307\"");
    assert_eq!(neighbour.count(), 0);
}
