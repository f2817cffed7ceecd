//! Where a client is, when a proxy stands before the server or somebody only says so.

use std::net::SocketAddr;

use roomkey::{ForwardedHeader, Limits, Namespace, ServerConfig, Socket, TrustedProxies};
use roomkey_testkit::{Client, HttpClient, TestServer};

use crate::support::{config, start_with};

/// `address` acks where the client is; one stranger of each address is let in at a time.
fn start(networks: &[&str], header: ForwardedHeader) -> TestServer {
    let networks = networks.iter().map(|network| network.parse().expect("a network")).collect();
    let config = ServerConfig {
        trusted_proxies: TrustedProxies { networks, header },
        limits: Limits { unauthenticated_sessions_per_address: 1, ..Limits::default() },
        ..config()
    };
    let namespace =
        Namespace::open().on("address", async |socket: Socket, ()| socket.handshake().address.to_string());
    start_with(config, namespace)
}

#[track_caller]
fn check_address(server: &TestServer, headers: &str, expected: &str) {
    let mut client = Client::open_with(server.address(), headers);
    client.join("40");
    client.call(r#"420["address"]"#, &format!(r#"430["{expected}"]"#));
}

#[test]
fn a_trusted_proxy_says_where_the_client_is() {
    let server = start(&["127.0.0.0/8", "10.0.0.0/8"], ForwardedHeader::XForwardedFor);
    check_address(&server, "", "127.0.0.1");
    check_address(&server, "X-Forwarded-For: 198.51.100.1\r\n", "198.51.100.1");
    check_address(&server, "X-Forwarded-For: 203.0.113.1, 198.51.100.1, 10.0.0.2\r\n", "198.51.100.1");
    check_address(
        &server,
        "X-Forwarded-For: ::ffff:198.51.100.1\r\nX-Forwarded-For: 10.0.0.2\r\n",
        "198.51.100.1",
    );
    check_address(&server, "X-Forwarded-For: 198.51.100.1, what, 10.0.0.2\r\n", "10.0.0.2");
    check_address(&server, "Forwarded: for=198.51.100.1\r\n", "127.0.0.1");

    let server = start(&["127.0.0.1"], ForwardedHeader::Forwarded);
    check_address(&server, "Forwarded: for=\"[2001:db8::1]:4711\";proto=https\r\n", "2001:db8::1");
    check_address(&server, "X-Forwarded-For: 198.51.100.1\r\n", "127.0.0.1");
}

#[test]
fn nobody_else_is_believed() {
    for networks in [&[][..], &["10.0.0.0/8"]] {
        let server = start(networks, ForwardedHeader::XForwardedFor);
        for header in
            ["X-Forwarded-For: 198.51.100.1", "Forwarded: for=198.51.100.1", "X-Real-IP: 198.51.100.1"]
        {
            check_address(&server, &format!("{header}\r\n"), "127.0.0.1");
        }
    }
}

#[track_caller]
fn handshake(address: SocketAddr, forwarded_for: &str) -> u16 {
    let mut http = HttpClient::connect(address);
    let header = format!("X-Forwarded-For: {forwarded_for}\r\n");
    http.request("GET", "/socket.io/?EIO=4&transport=polling", &header, "");
    http.response().status
}

#[test]
fn strangers_are_counted_where_they_are() {
    let server = start(&["127.0.0.1"], ForwardedHeader::XForwardedFor);
    let _stranger = Client::open_with(server.address(), "X-Forwarded-For: 198.51.100.1\r\n");
    assert_eq!(handshake(server.address(), "198.51.100.1"), 503);
    assert_eq!(handshake(server.address(), "203.0.113.1, 198.51.100.1"), 503);
    assert_eq!(handshake(server.address(), "198.51.100.2"), 200);
    assert_eq!(handshake(server.address(), "2001:db8::1"), 200);
    assert_eq!(handshake(server.address(), "2001:db8::2"), 503);

    // Who is no proxy gains nothing by another address in each request.
    let server = start(&[], ForwardedHeader::XForwardedFor);
    let _stranger = Client::open_with(server.address(), "X-Forwarded-For: 198.51.100.1\r\n");
    assert_eq!(handshake(server.address(), "198.51.100.2"), 503);
}
