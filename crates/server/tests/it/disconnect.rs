//! How sockets end, and who hears of it.

use std::sync::{
    Arc,
    mpsc::{Receiver, channel},
};

use parking_lot::Mutex;
use roomkey::{DisconnectReason, Namespace, ServerBuilder, ServerConfig, Socket};
use roomkey_testkit::{Client, PATIENCE, Polling, Received, TestServer, eventually};

use crate::support::{config, namespace};

/// A server that tells of every socket's end, by namespace and reason.
fn start() -> (TestServer, Receiver<String>) {
    start_with(config())
}

fn start_with(config: ServerConfig) -> (TestServer, Receiver<String>) {
    let (sender, receiver) = channel();
    let telling = |name: &'static str| {
        let sender = sender.clone();
        namespace(Namespace::open())
            .on("kick", async |socket: Socket, (close,): (bool,)| {
                socket.emit("last words", &()).expect("nothing");
                socket.disconnect(close);
                "kicked"
            })
            .on_disconnect(move |_, reason: DisconnectReason| {
                let sender = sender.clone();
                async move { _ = sender.send(format!("{name} {}", reason.as_str())) }
            })
    };
    let (main, custom) = (telling("/"), telling("/custom"));
    let builder = ServerBuilder::new(config).namespace("/", main).namespace("/custom", custom);
    (TestServer::start(builder.bind().expect("a free port")), receiver)
}

#[track_caller]
fn check(receiver: &Receiver<String>, expected: &str) {
    assert_eq!(receiver.recv_timeout(PATIENCE).as_deref(), Ok(expected));
}

#[test]
fn the_server_ends_a_namespace() {
    let (server, ends) = start();
    let mut client = Client::connect(server.address());
    client.join("40/custom,");
    client.text("42[\"kick\",false]");
    client.expect(r#"42["last words"]"#);
    client.expect("41");
    check(&ends, "/ server namespace disconnect");
    client.text("42[\"too late\"]");
    client.call("42/custom,1[\"echo\"]", "43/custom,1[]");
    client.join("40");
    client.call("421[\"echo\"]", "431[]");
}

#[test]
fn a_socket_that_has_ended_takes_none_with_it() {
    let keeps = Arc::new(Mutex::new(None::<Socket>));
    let ends = keeps.clone();
    let main = namespace(Namespace::open()).on("keep", move |socket: Socket, (): ()| {
        *keeps.lock() = Some(socket);
        async {}
    });
    let custom = namespace(Namespace::open()).on("end", move |_: Socket, (): ()| {
        ends.lock().as_ref().expect("one is kept").disconnect(true);
        async {}
    });
    let builder = ServerBuilder::new(config()).namespace("/", main).namespace("/custom", custom);
    let server = TestServer::start(builder.bind().expect("a free port"));
    let mut client = Client::connect(server.address());
    client.call("421[\"keep\"]", "431[]");
    client.text("41");
    client.join("40");
    client.join("40/custom,");
    client.call("42/custom,1[\"end\"]", "43/custom,1[]");
    client.call("422[\"echo\"]", "432[]");
    client.call("42/custom,2[\"echo\"]", "43/custom,2[]");
}

#[test]
fn the_server_ends_the_connection() {
    let (server, ends) = start();
    let mut client = Client::connect(server.address());
    client.text("42[\"kick\",true]");
    client.expect(r#"42["last words"]"#);
    client.expect("41");
    assert_eq!(client.receive(), Received::Close(None));
    assert_eq!(client.receive(), Received::End);
    check(&ends, "/ forced server close");
    eventually("nothing is left", || server.handle().connection_count() == 0);

    let mut polling = Polling::connect(server.address());
    polling.post("42[\"kick\",true]");
    assert_eq!(polling.poll(), "42[\"last words\"]\u{1e}41");
    assert_eq!(polling.poll(), "1");
    assert!(polling.is_gone());
    check(&ends, "/ forced server close");
}

/// Every namespace of the connection is told, not only the one that asked for the end.
#[test]
fn ending_the_connection_ends_every_namespace() {
    let (server, ends) = start();
    let mut client = Client::connect(server.address());
    client.join("40/custom,");
    client.text("42[\"kick\",true]");
    client.expect(r#"42["last words"]"#);
    let mut told = [client.receive_text(), client.receive_text()];
    told.sort();
    assert_eq!(told, ["41", "41/custom,"]);
    assert_eq!(client.closed(), None);
    check(&ends, "/ forced server close");
    check(&ends, "/custom forced server close");
}

#[test]
fn a_namespace_ends_before_it_has_begun() {
    let main = Namespace::open().middleware(async |socket: Socket| {
        socket.disconnect(false);
        std::future::pending().await
    });
    let server = crate::support::start_with(config(), main);
    let mut client = Client::open(server.address());
    client.call("40", r#"44{"message":"Not allowed","data":{"code":"FORBIDDEN","retry":"never"}}"#);
}

#[test]
fn each_way_to_end_has_its_reason() {
    let (server, ends) = start();
    let connect = || Client::connect(server.address());
    let mut client = connect();
    client.text("41");
    check(&ends, "/ client namespace disconnect");
    drop(client);
    connect().text("1");
    check(&ends, "/ transport close");
    drop(connect());
    check(&ends, "/ transport close");
    connect().send(roomkey_testkit::WebSocketClient::frame(roomkey_testkit::Opcode::Text, b"42{}"));
    check(&ends, "/ parse error");
    let mut polling = Polling::connect(server.address());
    polling.post("1");
    check(&ends, "/ transport close");
    let mut polling = Polling::connect(server.address());
    polling.post("42{}");
    check(&ends, "/ parse error");
    let client = connect();
    drop(server);
    check(&ends, "/ server shutting down");
    drop(client);
}

#[test]
fn a_silent_client_has_a_ping_timeout() {
    let quick = std::time::Duration::from_millis(50);
    let (server, ends) = start_with(ServerConfig { ping_interval: quick, ping_timeout: quick, ..config() });
    let _client = Client::connect(server.address());
    check(&ends, "/ ping timeout");
}
