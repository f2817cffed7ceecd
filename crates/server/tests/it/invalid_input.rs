//! What a client must not send once it is connected, row by row (Socket.IO protocol v5), and what it may.

use std::time::Duration;

use roomkey_testkit::{Client, Polling, Received, TestServer, eventually};

use crate::{
    contained::contained,
    support::{config, start, with_everything},
};

/// Sent by a connected client after the Engine.IO message's `4`; closes the whole connection.
const CLOSING: &[&str] = &[
    "2{}",
    "2[]",
    "2[null]",
    "2[true]",
    "2[[]]",
    "2[{}]",
    "2[1.5]",
    "2[\"m\"",
    "2[\"m\",1]x",
    "2",
    "3",
    "31",
    "31{}",
    "2a[\"m\"]",
    "2-1[\"m\"]",
    "21.5[\"m\"]",
    "201[\"m\"]",
    "299999999999999999[\"m\"]",
    "2/[\"m\",1]",
    "0",
    "0{\"a\":1}",
    "0[]",
    "0\"x\"",
    "0null",
    "0{",
    "01",
    "1{\"a\":1}",
    "1[]",
    "11",
    "4{\"message\":\"x\"}",
    "4",
    "44",
    "2/custom,[\"m\"]",
    "3/custom,1[]",
    "1/custom,",
    "0/custom,[]",
    "0/custom,\"x\"",
    "0/custom,null",
    "0/custom,{",
    "51[\"m\"]",
    "5-[\"m\"]",
    "5-1-[\"m\"]",
    "51.5-[\"m\"]",
    "50-[\"m\"]",
    "511-[\"m\"]",
    "5999999999-[\"m\"]",
    "51-{}",
    "61-[]",
    "51-[\"m\",{\"_placeholder\":true,\"num\":1}]",
    "51-[\"m\",{\"_placeholder\":true,\"num\":-1}]",
    "51-[\"m\",{\"_placeholder\":true,\"num\":\"splice\"}]",
    "51-[\"m\",{\"_placeholder\":true,\"num\":1.5}]",
    "51-[\"disconnect\"]",
    "51-/custom,[\"m\"]",
    "7",
    "9",
    "x",
    "-1",
    " ",
    "",
    "é",
    "😀",
    "2[\"connect\"]",
    "2[\"connect_error\"]",
    "2[\"disconnect\"]",
    "2[\"disconnecting\"]",
    "2[\"newListener\"]",
    "2[\"removeListener\"]",
    "2[\"dis\\u0063onnect\"]",
];

/// The same, with the `4` or without: Engine.IO packets.
const CLOSING_PACKETS: &[&str] = &["", "7", "9", "x", "é", " ", "2", "2probe", "bAQID", "b", "b***", "4"];

/// Ignored, or answered without harm.
const HARMLESS: &[&str] = &[
    "42[1,2]",
    "42[\"none\",1]",
    "439[1]",
    "42[\"error\"]",
    "42[\"connection\"]",
    "42[\"ping\"]",
    "42[\"message\"]",
    "42[\"__proto__\",{\"__proto__\":{}}]",
    "42[\"none\",{\"a\":1,\"a\":2,\"n\":123456789012345678901234567890}]",
    "0",
    "3",
    "3probe",
    "5",
    "6",
    "6x",
    "42[\"none\",{\"_placeholder\":true,\"num\":7}]",
    "42[\"none\",\"\\ud800\"]",
];

#[track_caller]
fn check_closed(server: &TestServer, packet: &str) {
    let mut client = Client::connect(server.address());
    client.text(packet);
    assert_eq!(client.receive(), Received::Close(None), "{packet:?}");
    assert_eq!(client.receive(), Received::End, "{packet:?}");
}

#[test]
fn what_breaks_the_protocol_ends_the_connection_and_nobody_elses() {
    for config in [config(), with_everything(config())] {
        let server = start(config);
        contained(&server, || {
            for packet in CLOSING {
                check_closed(&server, &format!("4{packet}"));
            }
            for packet in CLOSING_PACKETS {
                check_closed(&server, packet);
            }
            let mut client = Client::connect(server.address());
            client.text("1");
            assert_eq!(client.receive(), Received::End, "it said goodbye itself");
        });
    }
}

/// Over long-polling the next poll hears of it, and then the session is gone.
#[test]
fn the_same_over_long_polling() {
    let server = start(config());
    contained(&server, || {
        for packet in CLOSING.iter().filter(|packet| !packet.contains("511-")) {
            let mut client = Polling::connect(server.address());
            let response = client.try_post(&format!("4{packet}"));
            assert_eq!(response.brief(), (200, "ok"), "{packet:?}");
            assert!(client.is_gone(), "{packet:?}");
            assert_eq!(client.poll(), "1", "{packet:?}");
            assert_eq!(client.try_post("6").status, 400, "{packet:?}");
        }
    });
}

#[test]
fn what_means_nothing_harms_nothing() {
    let server = start(config());
    let mut client = Client::connect(server.address());
    for packet in HARMLESS {
        client.text(packet);
        client.call("42/,0[\"echo\"]", "430[]");
    }
    client.call("40/random,", r#"44/random,{"message":"Invalid namespace"}"#);
    client.call("420[\"echo\"]", "430[]");
    let mut polling = Polling::connect(server.address());
    for packet in HARMLESS {
        polling.post(packet);
    }
    polling.post("420[\"echo\"]");
    assert_eq!(polling.poll(), "430[]");
}

#[test]
fn two_hundred_levels_of_arrays_are_accepted_and_ten_thousand_are_not() {
    let server = start(config());
    let nested = |depth| format!("420[\"echo\",{}{}]", "[".repeat(depth), "]".repeat(depth));
    let mut client = Client::connect(server.address());
    client.text(&nested(200));
    assert_eq!(client.receive_text().len(), "430[]".len() + 400);
    check_closed(&server, &nested(10_000));
    check_closed(&server, &format!("42[\"a\",{}", "[".repeat(100_000)));
}

#[test]
fn attachments_come_right_after_their_packet() {
    let server = start(config());
    let placeholder = r#"451-["none",{"_placeholder":true,"num":0}]"#;
    for between in ["42[\"m\"]", "40/x,", "41", placeholder] {
        let mut client = Client::connect(server.address());
        client.text(placeholder);
        client.text(between);
        assert_eq!(client.closed(), None, "{between}");
    }
    let mut client = Client::connect(server.address());
    client.text(placeholder);
    client.text("3");
    client.binary(&[1]);
    client.call("420[\"echo\"]", "430[]");
    for unexpected in [&[][..], &[1, 2, 3]] {
        client = Client::connect(server.address());
        client.binary(unexpected);
        assert_eq!(client.closed(), None);
    }
}

#[test]
fn before_anything_is_joined_only_connect_may_be_sent() {
    let server = start(config());
    for packet in ["42[\"m\",1]", "431[]", "41", "44{\"message\":\"x\"}", "42/,[\"m\"]"] {
        let mut client = Client::open(server.address());
        client.text(packet);
        assert_eq!(client.closed(), None, "{packet}");
        let mut polling = Polling::open(server.address());
        polling.post(packet);
        assert_eq!(polling.poll(), "1", "{packet}");
    }
    let mut client = Client::open(server.address());
    client.text("6");
    client.text("3");
    client.join("40");
}

#[test]
fn after_it_has_left_a_client_may_not_send_either() {
    let server = start(config());
    for packet in ["42[\"m\"]", "431[]", "41"] {
        let mut client = Client::connect(server.address());
        client.text("41");
        client.text(packet);
        assert_eq!(client.closed(), None, "{packet}");
    }
}

/// A close is heard by the poll that waits, too.
#[test]
fn a_held_poll_hears_of_the_end() {
    let server = start(config());
    eventually("a held poll is answered", || {
        let mut client = Polling::connect(server.address());
        let mut held = client.hold();
        client.post("6");
        client.post("42{}");
        let answer = held.response();
        assert_eq!(answer.brief(), (200, "1"));
        std::thread::sleep(Duration::ZERO);
        client.is_gone()
    });
}
