//! A panic in the application harms the one who caused it, at most.

use std::sync::Arc;

use roomkey::{DisconnectReason, Event, Namespace, ServerBuilder, Socket};
use roomkey_hub::{Dialect, Hub};
use roomkey_testkit::{Client, Polling, TestServer, eventually};

use crate::support::{config, namespace};

const INTERNAL: &str = r#"{"error":"Internal error","code":"INTERNAL","retry":"after","retryAfterMs":1000}"#;

fn start() -> TestServer {
    let main = namespace(Namespace::open())
        .on("panic", async |_: Socket, (): ()| -> () { panic!("in a handler") })
        .check_events(|event: &Event| match &*event.name {
            "panic in a check" => panic!("before a handler"),
            _ => Ok(()),
        })
        .on("panic later", async |_: Socket, (): ()| -> () {
            tokio::task::yield_now().await;
            panic!("in a handler, later")
        });
    let gate = Namespace::open().middleware(async |_: Socket| panic!("in a middleware"));
    let any = Namespace::open().on_any(|_: Event| -> std::future::Ready<Option<()>> { panic!("and again") });
    let builder = ServerBuilder::new(config())
        .namespace("/", main)
        .namespace_matching(
            |name| name.strip_prefix("/panic").is_some_and(|_| panic!("in a pattern")),
            doors(),
        )
        .namespace("/gate", gate)
        .namespace("/doors", doors())
        .namespace("/any", any);
    TestServer::start(builder.bind().expect("a free port"))
}

fn doors() -> Namespace {
    namespace(Namespace::open())
        .on_connect(|_: Socket| -> std::future::Ready<()> { panic!("before there is a future") })
        .on_disconnect(|_: Socket, _: DisconnectReason| -> std::future::Ready<()> { panic!("again") })
}

#[test]
fn a_pattern_that_panics_matches_nothing() {
    let server = start();
    let mut client = Client::connect(server.address());
    client.call("40/panic,", r#"44/panic,{"message":"Invalid namespace"}"#);
    client.call("420[\"echo\"]", "430[]");
}

#[test]
fn a_handler_that_panics_answers_and_harms_nobody() {
    let server = start();
    let mut client = Client::connect(server.address());
    client.call("420[\"panic\"]", &format!("430[{INTERNAL}]"));
    client.call("421[\"panic later\"]", &format!("431[{INTERNAL}]"));
    client.call("421[\"panic in a check\"]", &format!("431[{INTERNAL}]"));
    client.text("42[\"panic\"]");
    client.call("422[\"echo\"]", "432[]");
    let mut polling = Polling::connect(server.address());
    polling.post("420[\"panic\"]");
    assert_eq!(polling.poll(), format!("430[{INTERNAL}]"));
    client.join("40/any,");
    client.call("42/any,0[\"x\"]", &format!("43/any,0[{INTERNAL}]"));
}

#[test]
fn a_middleware_that_panics_lets_nobody_in() {
    let server = start();
    let mut bystander = Client::connect(server.address());
    let mut client = Client::open(server.address());
    client.text("40/gate,");
    assert_eq!(client.closed(), Some(1013), "our fault: it may come back later");
    bystander.call("420[\"echo\"]", "430[]");
}

#[test]
fn listeners_that_panic_leave_the_connection_alone() {
    let server = start();
    let mut client = Client::connect(server.address());
    client.join("40/doors,");
    client.call("42/doors,0[\"echo\"]", "43/doors,0[]");
    client.text("41/doors,");
    client.join("40/doors,");
    client.call("420[\"echo\"]", "430[]");
    drop(client);
    eventually("nothing is left", || server.handle().connection_count() == 0);
}

#[test]
fn panics_are_counted() {
    let server = start();
    let count = |expected: u32| {
        let line = format!("roomkey_handlers_panicked_total {expected}\n");
        eventually(&line, || server.handle().metrics().contains(&line));
    };
    count(0);
    let mut client = Client::connect(server.address());
    client.call("420[\"panic\"]", &format!("430[{INTERNAL}]"));
    count(1);
    client.call("421[\"panic later\"]", &format!("431[{INTERNAL}]"));
    client.join("40/doors,");
    client.text("41/doors,");
    count(4);
    client.text("40/gate,");
    client.closed();
    count(5);
}

/// A fault of our own, where it harms everybody on its thread: better to be started anew than to go on with less.
#[test]
fn a_serving_thread_that_panics_ends_the_server() {
    static BROKEN: Dialect = Dialect { slot: 0, form: |_| panic!("in the hub") };
    let builder = ServerBuilder::new(config());
    let hub: Arc<Hub> = builder.node().hub().clone();
    let main = namespace(Namespace::open()).on("break", move |socket: Socket, (): ()| {
        let connection = socket.key().connection();
        hub.shard_of(connection).set_dialect(connection, Some(&BROKEN));
        async move { socket.emit("never sent", &()).is_ok() }
    });
    let server = TestServer::start(builder.namespace("/", main).bind().expect("a free port"));
    let mut client = Client::connect(server.address());
    client.text("42[\"break\"]");
    client.closed();
    let error = server.outcome().expect_err("it cannot go on");
    assert_eq!(error.to_string(), "a serving thread panicked");
}
