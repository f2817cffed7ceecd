//! Clients of Engine.IO 3: Socket.IO v1 and v2.

use std::{net::SocketAddr, time::Duration};

use roomkey::{
    Binary, Clock, Deflate, Failure, Namespace, OriginPolicy, RoomName, ServerBuilder, ServerConfig, Socket,
    SystemClock,
};
use roomkey_testkit::{
    Client, HttpClient, Received, Response, Stopwatch, TestServer, WebSocketClient, authentication,
    eventually, token,
};
use serde_json::json;

use crate::support::{config, namespace, start, start_with};

const WEBSOCKET: &str = "/socket.io/?EIO=3&transport=websocket";

fn old() -> ServerConfig {
    ServerConfig { allow_eio3: true, ..config() }
}

/// A packet of a payload.
fn counted(packet: &str) -> String {
    format!("{}:{packet}", packet.encode_utf16().count())
}

/// A session over long-polling.
struct Polling {
    http: HttpClient,
    target: String,
}

impl Polling {
    fn open(address: SocketAddr, query: &str) -> (Self, Response) {
        let mut http = HttpClient::connect(address);
        let target = format!("/socket.io/?EIO=3&transport=polling{query}");
        let open = http.fetch("GET", &target, "");
        let sid: String = open
            .body
            .split('"')
            .skip_while(|part| !part.starts_with("sid"))
            .nth(2)
            .unwrap_or("")
            .replace('\\', "");
        (Self { http, target: format!("{target}&sid={sid}") }, open)
    }

    fn poll(&mut self) -> Response {
        self.http.fetch("GET", &self.target, "")
    }

    fn post(&mut self, body: &[u8], content_type: &str) -> Response {
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
            self.target,
            body.len()
        );
        self.http.send([head.as_bytes(), body].concat());
        self.http.response()
    }
}

#[test]
fn over_a_websocket() {
    let server = start(old());
    let mut client = WebSocketClient::open(server.address(), WEBSOCKET);
    let open = client.receive_text();
    assert!(open.starts_with(r#"0{"sid":""#) && open.contains(r#""upgrades":[]"#), "{open}");
    client.expect("40");
    client.text("2");
    client.expect("3");
    client.text("420[\"echo\",1]");
    client.expect("430[1]");
    client.text("451-[\"reply\",{\"_placeholder\":true,\"num\":0}]");
    client.binary(&[4, 1, 2, 3]);
    client.expect("451-[\"reply\",{\"_placeholder\":true,\"num\":0}]");
    assert_eq!(client.receive(), Received::Binary(vec![4, 1, 2, 3]));
    client.text("3");
    assert_eq!(client.closed(), None, "a client that sends the pings has none to answer");
}

#[test]
fn over_long_polling() {
    let server = start(old());
    for (query, is_text) in [("", false), ("&b64=1", true)] {
        let (mut client, open) = Polling::open(server.address(), query);
        let (length, packet) = open.body.split_once(':').expect("a length");
        assert_eq!(length, packet.len().to_string());
        assert!(
            packet.starts_with(r#"0{"sid":""#) && packet.contains(r#""upgrades":["websocket"]"#),
            "{packet}"
        );
        assert_eq!(client.poll().brief(), (200, "2:40"));
        let packets = format!("1:2{}", counted("420[\"echo\",\"é\"]"));
        assert_eq!(client.post(packets.as_bytes(), "text/plain").brief(), (200, "ok"));
        assert_eq!(client.poll().body, "1:38:430[\"é\"]");
        let event = "451-[\"reply\",{\"_placeholder\":true,\"num\":0}]";
        client.post(format!("{}6:b4AQI=", counted(event)).as_bytes(), "text/plain");
        let answer = client.poll();
        if is_text {
            assert_eq!(answer.body, format!("{}6:b4AQI=", counted(event)));
            continue;
        }
        assert_eq!(answer.header("content-type").as_deref(), Some("application/octet-stream"));
        let body = [b"\x00\x04\x03\xff", event.as_bytes(), b"\x01\x03\xff\x04\x01\x02"].concat();
        assert_eq!(answer.bytes, body);
        client.post(&body, "application/octet-stream");
        assert_eq!(client.poll().bytes, body);
        assert_eq!(client.post(b"\x00\x01", "application/octet-stream").status, 400);
        assert_eq!(client.poll().brief(), (400, r#"{"code":1,"message":"Session ID unknown"}"#));
    }
}

#[test]
fn by_script() {
    let server = start(old());
    let (mut client, open) = Polling::open(server.address(), "&j=3");
    assert_eq!(open.header("content-type").as_deref(), Some("text/javascript; charset=UTF-8"));
    assert!(open.body.starts_with(r#"___eio[3]("1"#) && open.body.ends_with(");"), "{}", open.body);
    assert_eq!(client.poll().body, r#"___eio[3]("2:40");"#);
    let form = "d=17%3A420%5B%22echo%22%2C%22a%5C%5Cn%22%5D";
    assert_eq!(client.post(form.as_bytes(), "application/x-www-form-urlencoded").brief(), (200, "ok"));
    assert_eq!(client.poll().body, r#"___eio[3]("10:430[\"a\\n\"]");"#);
    // A script holds text only.
    let event = counted("451-[\"reply\",{\"_placeholder\":true,\"num\":0}]");
    let form: String = format!("{event}6:b4AQI=").bytes().map(|byte| format!("%{byte:02x}")).collect();
    client.post(format!("d={form}").as_bytes(), "application/x-www-form-urlencoded");
    let script = format!(r#"___eio[3]("{}6:b4AQI=");"#, event.replace('"', "\\\""));
    assert_eq!(client.poll().body, script);
    assert_eq!(client.post(b"17:nothing", "text/plain").status, 400, "a form without data");

    // In revision 4 there are no scripts.
    let open = HttpClient::connect(server.address()).fetch(
        "GET",
        "/socket.io/?EIO=4&transport=polling&j=3&b64=1",
        "",
    );
    assert!(open.body.starts_with(r#"0{"sid":""#), "{}", open.body);
}

#[test]
fn an_upgrade_loses_nothing() {
    let server = start(old());
    let (mut client, _) = Polling::open(server.address(), "");
    assert_eq!(client.poll().body, "2:40");
    let mut websocket =
        WebSocketClient::open(server.address(), &client.target.replace("polling", "websocket"));
    websocket.text("2probe");
    websocket.expect("3probe");
    let event = "451-[\"reply\",{\"_placeholder\":true,\"num\":0}]";
    client.post(format!("{}6:b4AQI=", counted(event)).as_bytes(), "text/plain");
    websocket.text("5");
    websocket.expect(event);
    assert_eq!(websocket.receive(), Received::Binary(vec![4, 1, 2]));
    websocket.text("2");
    websocket.expect("3");
    assert_eq!(client.poll().status, 400);
}

#[test]
fn only_where_it_is_allowed() {
    let server = start(config());
    let refused =
        HttpClient::connect(server.address()).fetch("GET", "/socket.io/?EIO=3&transport=polling", "");
    assert_eq!(refused.brief(), (400, r#"{"code":5,"message":"Unsupported protocol version"}"#));
    assert!(WebSocketClient::ask(HttpClient::connect(server.address()), WEBSOCKET, "").is_err());

    let server = start(old());
    for version in ["EIO=2&", "EIO=5&", "EIO=x&", ""] {
        let target = format!("/socket.io/?{version}transport=polling");
        assert_eq!(HttpClient::connect(server.address()).fetch("GET", &target, "").status, 400, "{version}");
    }
    // The revision belongs to the session.
    let (client, _) = Polling::open(server.address(), "");
    let other = client.target.replace("EIO=3", "EIO=4");
    let refused = HttpClient::connect(server.address()).fetch("GET", &other, "");
    assert_eq!(refused.brief(), (400, r#"{"code":3,"message":"Bad request"}"#));
    let current = roomkey_testkit::Polling::open(server.address());
    let other = current.target().replace("EIO=4", "EIO=3");
    assert_eq!(HttpClient::connect(server.address()).fetch("GET", &other, "").status, 400);
}

#[test]
fn a_client_that_sends_no_ping_is_gone_in_time() {
    let interval = Duration::from_millis(200);
    let server = start(ServerConfig { ping_interval: interval, ping_timeout: interval, ..old() });
    let watch = Stopwatch::start();
    let mut client = WebSocketClient::open(server.address(), WEBSOCKET);
    client.receive_text();
    client.expect("40");
    assert_eq!(client.receive(), Received::Close(None), "and no ping before");
    assert!(watch.elapsed() + Duration::from_millis(1) >= 2 * interval);
    let (mut client, _) = Polling::open(server.address(), "");
    assert_eq!(client.poll().body, "2:40");
    assert_eq!(client.poll().body, "1:1");
    eventually("nothing is left", || server.handle().connection_count() == 0);
}

#[test]
fn namespaces_and_refusals() {
    let custom = Namespace::open().middleware(async |socket: Socket| match socket.auth() {
        Some(r#"{"token":"good","x":"y z"}"#) => Ok(()),
        _ => Err(Failure::forbidden()),
    });
    let builder = ServerBuilder::new(old())
        .namespace("/", namespace(Namespace::open()))
        .namespace("/c", namespace(custom));
    let server = TestServer::start(builder.bind().expect("a free port"));
    let mut client = WebSocketClient::open(server.address(), WEBSOCKET);
    client.receive_text();
    client.expect("40");
    client.text("40/nothing,");
    client.expect(r#"44/nothing,{"message":"Invalid namespace"}"#);
    client.text("40/c?token=bad,");
    client.expect(r#"44/c,{"code":"FORBIDDEN","retry":"never"}"#);
    client.text("40/c?token=good&x=y%20z,");
    client.expect("40/c,");
    client.text("42/c,5[\"echo\"]");
    client.expect("43/c,5[]");
    client.text("41/c,");
    client.text("420[\"echo\"]");
    client.expect("430[]");
}

/// They are all told the same, each in its own form.
#[test]
fn old_and_new_clients_share_rooms() {
    let main = namespace(Namespace::open()).on("shout", async |socket: Socket, (bytes,): (Binary,)| {
        socket.in_room(&RoomName::new("a").expect("a name")).emit("shouted", &(bytes,)).is_ok()
    });
    let server = start_with(ServerConfig { msgpack: true, ..old() }, main);
    let mut new = Client::connect(server.address());
    new.call("420[\"join\",\"a\"]", "430[true]");
    let mut old = WebSocketClient::open(server.address(), WEBSOCKET);
    old.receive_text();
    old.expect("40");
    old.text("420[\"join\",\"a\"]");
    old.expect("430[true]");
    let event = "451-[\"shout\",{\"_placeholder\":true,\"num\":0}]";
    new.text(event);
    new.binary(&[7]);
    let told = event.replace("shout", "shouted");
    new.expect(&told);
    assert_eq!(new.receive(), Received::Binary(vec![7]));
    old.expect(&told);
    assert_eq!(old.receive(), Received::Binary(vec![4, 7]));
}

/// The page that has a script element is unknown, so a cookie that comes with its request proves nothing.
#[test]
fn cookies_do_not_count_for_scripts() {
    let page = "https://app.example.com";
    let origins = OriginPolicy::listed(vec![roomkey::Origin::parse(page).expect("an origin")]);
    let main = Namespace::new(authentication().or_cookie("token"));
    let server = start_with(ServerConfig { origins, ..old() }, main);
    let cookie = format!(
        "Cookie: token={}\r\nOrigin: {page}\r\nSec-Fetch-Site: same-origin\r\n",
        token(&json!({"id": "ada", "exp": SystemClock.now().as_secs() + 3600}))
    );
    let answer = |script: &str| {
        let mut http = HttpClient::connect(server.address());
        let target = format!("/socket.io/?EIO=3&transport=polling{script}");
        http.request("GET", &target, &cookie, "");
        let open = http.response().body.replace('\\', "");
        let sid = open.split('"').skip_while(|part| *part != "sid").nth(2).expect("an id");
        http.request("GET", &format!("{target}&sid={sid}"), &format!("Origin: {page}\r\n"), "");
        http.response().body
    };
    assert_eq!(answer(""), "2:40");
    assert!(answer("&j=0").contains("TOKEN_MISSING"), "{}", answer("&j=0"));
}

#[test]
fn what_they_are_sent_is_never_compressed() {
    let server = start(ServerConfig { deflate: Some(Deflate { threshold_bytes: 100 }), ..old() });
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let mut client =
        WebSocketClient::ask(HttpClient::connect(server.address()), WEBSOCKET, offer).expect("a WebSocket");
    client.receive_text();
    client.expect("40");
    let before = client.bytes_read();
    let text = "a".repeat(5000);
    client.text(&format!(r#"420["echo","{text}"]"#));
    client.expect(&format!(r#"430["{text}"]"#));
    assert!(client.bytes_read() - before > 5000);
}

/// They would take an offset for an argument, and have nowhere to keep a private id.
#[test]
fn recovery_is_not_for_old_clients() {
    let config = ServerConfig { recovery: Some(roomkey::Recovery::default()), ..old() };
    let server = start(config);
    let mut new = Client::connect(server.address());
    let mut old = WebSocketClient::open(server.address(), WEBSOCKET);
    old.receive_text();
    old.expect("40");
    for client in [&mut *new, &mut old] {
        client.text("420[\"join\",\"a\"]");
        client.expect("430[true]");
    }
    new.text("42[\"say\",\"a\",\"hello\"]");
    assert!(new.receive_text().starts_with("42[\"said\",\"hello\",\""), "an offset");
    old.expect("42[\"said\",\"hello\"]");
}
