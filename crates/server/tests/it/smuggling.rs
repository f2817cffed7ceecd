//! Bytes that two readers may read as two different requests.

use roomkey_testkit::{HttpClient, Polling};

use crate::{
    contained::contained,
    support::{config, start},
};

const NOTHING: &str = "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n";
const HANDSHAKE: &str = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n";

/// The first request of a connection is read by us and the others by hyper; both ask for CR LF.
#[test]
fn lines_that_end_with_a_bare_lf_are_refused_and_nothing_behind_them_is_served() {
    let server = start(config());
    contained(&server, || {
        let post = Polling::connect(server.address());
        let taken =
            format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n6\u{1e}6x", post.target());
        for before in ["", NOTHING, &taken] {
            for request in [
                "GET /nothing HTTP/1.1\nHost: x\r\n\r\n",
                "GET /nothing HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
                "GET /nothing HTTP/1.1\r\nHost: x\r\n\n",
                "GET /nothing HTTP/1.1\nHost: x\n\n",
                "GET /nothing HTTP/1.1\r\nHost: x\r\nA: b\nContent-Length: 200\r\n\r\n",
                "GET /nothing HTTP/1.1\r\nHost: x\r\nA: b\nTransfer-Encoding: chunked\r\n\r\n",
                "\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n",
            ] {
                let mut http = HttpClient::connect(server.address());
                http.send(format!("{before}{request}{HANDSHAKE}"));
                if !before.is_empty() {
                    let status = http.response().status;
                    assert!(status == 404 || status == 200, "{status}");
                }
                let rest = http.rest();
                assert!(rest.starts_with("HTTP/1.1 400 "), "{before:?} {request:?}: {rest}");
                assert_eq!(rest.matches("HTTP/1.1").count(), 1, "{before:?} {request:?}: {rest}");
            }
        }
        HttpClient::connect(server.address()).fetch("POST", &post.target(), "1");
    });
}

/// Line feeds are what they are in bodies, also where these are counted in another way.
#[test]
fn bodies_may_have_any_lines() {
    let server = start(config());
    let mut client = Polling::connect(server.address());
    for _ in 0..3 {
        client.post("420[\"echo\"\n\n\r\n\n]");
        assert!(client.poll().starts_with("430["));
    }
    let mut http = HttpClient::connect(server.address());
    http.send(NOTHING);
    assert_eq!(http.response().status, 404);
    http.send(format!("POST {} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", client.target()));
    http.send("d\r\n420[\"echo\"\n\n]\r\n0\r\n\r\n");
    assert_eq!(http.response().brief(), (200, "ok"));
    assert_eq!(http.rest(), "", "the last request of its connection");
    assert!(client.poll().starts_with("430["));
}

#[test]
fn a_request_for_another_protocol_is_the_last_of_its_connection() {
    let server = start(config());
    for (path, upgrade) in
        [("/nothing", "websocket"), ("/nothing", "h2c"), ("/socket.io/?EIO=4&transport=polling", "h2c")]
    {
        let mut http = HttpClient::connect(server.address());
        http.send(NOTHING);
        assert_eq!(http.response().status, 404);
        http.send(format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: {upgrade}\r\n\r\n"
        ));
        http.send(NOTHING);
        assert_eq!(http.response().header("connection").as_deref(), Some("close"), "{path} {upgrade}");
        assert_eq!(http.rest(), "", "{path} {upgrade}");
    }
}
