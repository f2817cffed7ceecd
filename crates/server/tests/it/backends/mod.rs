//! What backends do with an API key, and what they are told and asked.

mod emit;
mod handlers;
mod on_behalf;
mod webhooks;

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_STANDARD};
use roomkey_testkit::Received;
use serde_json::{Value, json};

use crate::product::{Call, Login, TestProduct};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A request as an endpoint gets it.
struct Request {
    head: String,
    body: String,
}

impl Request {
    fn new(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        Self { head: head.to_owned(), body: body.to_owned() }
    }

    #[track_caller]
    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(header, _)| header.eq_ignore_ascii_case(name)).expect("the header").1
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    /// As a backend would check it.
    #[track_caller]
    fn assert_signed(&self) {
        let secret = BASE64_STANDARD.decode(SECRET.trim_start_matches("whsec_")).expect("base64");
        let (id, time) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let signed = format!("{id}.{time}.{}", self.body);
        let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes());
        let signature = format!("v1,{}", BASE64_STANDARD.encode(signature));
        assert_eq!(self.header("webhook-signature"), signature);
    }
}

/// A channel of this user; with these members, too.
#[track_caller]
fn channel_of(product: &TestProduct, token: &str, members: &[&str]) -> String {
    let new = Call::json(&json!({ "name": "Den" })).token(token);
    let created = product.send("POST", "/api/channels", &new);
    let channel = created.json["channel"]["id"].as_str().expect("an id").to_owned();
    for user in members {
        let added = Call::json(&json!({ "userId": user })).token(token);
        assert_eq!(product.send("POST", &format!("/api/channels/{channel}/members"), &added).status, 201);
    }
    channel
}

/// Sends one event and waits for its ack.
#[track_caller]
fn ask(product: &TestProduct, login: &Login, event: &Value) -> Value {
    let mut socket = product.connect(&login.token);
    socket.text(&format!("421{event}"));
    loop {
        let Received::Text(text) = socket.receive() else { panic!("no ack") };
        if let Some(ack) = text.strip_prefix("431") {
            return serde_json::from_str::<Value>(ack).expect("JSON")[0].take();
        }
        if text == "2" {
            socket.text("3");
        }
    }
}
