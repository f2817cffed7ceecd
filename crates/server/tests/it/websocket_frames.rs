//! Frames that break the WebSocket protocol (RFC 6455), on a live connection.

use std::time::Duration;

use roomkey::Limits;
use roomkey_testkit::{Client, Opcode, Received, TestServer, WebSocketClient, eventually};

use crate::{
    contained::contained,
    support::{config, config_with, start},
};

/// One masked frame with this first byte and a payload of up to 125 bytes. The mask is all zeros.
fn raw(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a short payload");
    [&[first, 0x80 | length, 0, 0, 0, 0][..], payload].concat()
}

/// Sends `bytes` on a connected client's WebSocket, which must be closed with this code; nobody else is harmed.
#[track_caller]
fn check_closed(server: &TestServer, bytes: &[u8], code: Option<u16>) {
    contained(server, || {
        let mut client = Client::connect(server.address());
        client.send(bytes);
        assert_eq!(client.closed(), code, "{}", bytes[..bytes.len().min(64)].escape_ascii());
    });
}

#[test]
fn violations_of_the_framing_are_1002() {
    let server = start(config());
    let mut mid_fragment = raw(0x01, b"42[");
    mid_fragment.extend(raw(0x81, b"6"));
    for bytes in [
        b"\x81\x016".to_vec(), // not masked
        raw(0xc1, b"6"),       // RSV1, as with compression that was not negotiated
        raw(0xa1, b"6"),       // RSV2
        raw(0x91, b"6"),       // RSV3
        raw(0x83, b""),        // reserved opcodes
        raw(0x87, b""),
        raw(0x8b, b""),
        raw(0x8f, b""),
        raw(0x09, b""),               // fragmented ping
        b"\x89\xfe\x00\x7e".to_vec(), // ping of 126 bytes
        raw(0x80, b"6"),              // continuation of nothing
        mid_fragment,
        raw(0x88, b"\x03"), // half a close code
        raw(0x88, &1004_u16.to_be_bytes()),
        raw(0x88, &1005_u16.to_be_bytes()),
        raw(0x88, &999_u16.to_be_bytes()),
        raw(0x88, &5000_u16.to_be_bytes()),
    ] {
        check_closed(&server, &bytes, Some(1002));
    }
}

#[test]
fn text_that_is_not_utf8_is_1007() {
    let server = start(config());
    check_closed(&server, &raw(0x81, b"\xff"), Some(1007));
    let mut split = raw(0x01, b"42[\"\xe2\x82");
    split.extend(raw(0x80, b"\x41\"]"));
    check_closed(&server, &split, Some(1007));
}

#[test]
fn lengths_are_refused_before_anything_is_read() {
    let server = start(config());
    for length in [u64::MAX / 2 + 1, 1 << 32, 1_000_001] {
        let header = [&[0x82, 0xff][..], &length.to_be_bytes(), &[0; 4]].concat();
        // RFC 6455 wants the highest bit to be zero.
        let code = if length > u64::MAX / 2 { 1002 } else { 1009 };
        let mut client = Client::connect(server.address());
        client.send(&header);
        let closed = client.closed();
        assert!(closed == Some(code) || closed == Some(1009), "{length}: {closed:?}");
    }
}

#[test]
fn a_message_may_be_as_long_as_announced_and_no_longer() {
    let server = start(config());
    let mut client = Client::connect(server.address());
    let message = format!("42[\"none\",\"{}\"]", "x".repeat(1_000_000 - 13));
    assert_eq!(message.len(), 1_000_000);
    client.text(&message);
    client.call("421[\"echo\",1]", "431[1]");
    check_closed(&server, &WebSocketClient::frame(Opcode::Text, &vec![b'4'; 1_000_001]), Some(1009));
}

#[test]
fn fragments_are_put_together_and_counted() {
    let server = start(config_with(Limits { fragments_per_message: 4, ..Limits::default() }));
    let mut client = Client::connect(server.address());
    let mut bytes = raw(0x01, b"420[");
    bytes.extend(raw(0x00, b"\"ec"));
    bytes.extend(raw(0x89, b"between"));
    bytes.extend(raw(0x00, b"ho\""));
    bytes.extend(raw(0x80, b"]"));
    client.send(&bytes);
    assert_eq!(client.receive(), Received::Pong(b"between".to_vec()));
    client.expect("430[]");
    let mut bytes = raw(0x01, b"4");
    for _ in 0..4 {
        bytes.extend(raw(0x00, b"2"));
    }
    check_closed(&server, &bytes, Some(1009));
}

#[test]
fn a_message_that_stalls_ends_the_connection() {
    let server = start(config_with(Limits { partial_message_ms: 200, ..Limits::default() }));
    for bytes in [raw(0x01, b"42["), b"\x81".to_vec(), raw(0x81, b"42[")[..8].to_vec()] {
        let mut client = Client::connect(server.address());
        client.send(&bytes);
        assert_eq!(client.closed(), None);
    }
    let mut client = Client::connect(server.address());
    client.text(r#"451-["m",{"_placeholder":true,"num":0}]"#);
    assert_eq!(client.closed(), None);
    eventually("nothing is left", || server.handle().connection_count() == 0);
}

/// A client that sends without a pause always has a message that has begun, but never the same one for long.
#[test]
fn a_stream_of_messages_never_stalls() {
    let limits = Limits { partial_message_ms: 1500, ..Limits::default() };
    let server = start(config_with(limits));
    let mut client = Client::connect(server.address());
    let frame = WebSocketClient::frame(Opcode::Text, b"420[\"echo\"]");
    let (head, tail) = frame.split_at(4);
    let chunk = [tail, head].concat();
    client.send(head);
    for _ in 0..100 {
        client.send(&chunk);
        client.expect("430[]");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn pings_are_answered_and_pongs_ignored() {
    let server = start(config());
    let mut client = Client::connect(server.address());
    client.send(raw(0x89, b"a"));
    assert_eq!(client.receive(), Received::Pong(b"a".to_vec()));
    client.send(raw(0x89, &[7; 125]));
    assert_eq!(client.receive(), Received::Pong(vec![7; 125]));
    client.send(raw(0x8a, b"unasked"));
    for _ in 0..1000 {
        client.text("3");
    }
    client.call("420[\"echo\"]", "430[]");
}

#[test]
fn pings_have_a_rate() {
    let server = start(config_with(Limits { websocket_pings_per_second: 3, ..Limits::default() }));
    // The first may come at the end of a second.
    check_closed(&server, &raw(0x89, b"").repeat(7), Some(1008));
}

#[test]
fn a_close_frame_is_answered() {
    let server = start(config());
    let normal = 1000_u16.to_be_bytes();
    for (bytes, code) in [(&b""[..], None), (&normal, Some(1000)), (b"\x03\xe9bye", Some(1001))] {
        let mut client = Client::connect(server.address());
        client.send(raw(0x88, bytes));
        assert_eq!(client.receive(), Received::Close(code));
        assert_eq!(client.receive(), Received::End);
    }
    eventually("nothing is left", || server.handle().connection_count() == 0);
}

#[test]
fn frames_after_a_close_frame_are_not_read() {
    let server = start(config());
    let mut listener = Client::connect(server.address());
    listener.call(r#"420["join","room"]"#, "430[true]");
    let mut client = Client::connect(server.address());
    let mut bytes = raw(0x88, b"");
    bytes.extend(WebSocketClient::frame(Opcode::Text, br#"42["say","room","late"]"#));
    client.send(&bytes);
    assert_eq!(client.closed(), None);
    listener.call("421[\"echo\"]", "431[]");
}

#[test]
fn a_connection_that_ends_without_a_close_frame_is_over() {
    let server = start(config());
    let mut client = Client::connect(server.address());
    client.shut_down();
    eventually("nothing is left", || server.handle().connection_count() == 0);
    drop(Client::connect(server.address()));
    eventually("nothing is left", || server.handle().connection_count() == 0);
}

#[test]
fn a_message_that_comes_byte_by_byte_is_a_message() {
    let server = start(config());
    let mut client = Client::connect(server.address());
    for byte in WebSocketClient::frame(Opcode::Text, b"420[\"echo\"]") {
        client.send([byte]);
    }
    client.expect("430[]");
    let mut bytes = WebSocketClient::frame(Opcode::Text, br#"451-1["echo",{"_placeholder":true,"num":0}]"#);
    bytes.extend(WebSocketClient::frame(Opcode::Binary, &[1, 2, 3]));
    for byte in bytes {
        client.send([byte]);
    }
    client.expect(r#"461-1[{"_placeholder":true,"num":0}]"#);
    assert_eq!(client.receive(), Received::Binary(vec![1, 2, 3]));
}
