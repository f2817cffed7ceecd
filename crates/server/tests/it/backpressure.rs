//! Clients that send faster than they are served, and clients that do not read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use roomkey::{Limits, Namespace, RoomName, Socket};
use roomkey_testkit::{Client, HttpClient, Opcode, Polling, TestServer, WebSocketClient, eventually};
use tokio::sync::Semaphore;

use crate::support::{config_with, namespace, start_with};

/// Events that are being handled: each waits for a permit.
#[derive(Clone)]
struct Gate {
    begun: Arc<AtomicUsize>,
    permits: Arc<Semaphore>,
}

impl Gate {
    fn new() -> Self {
        Self { begun: Arc::default(), permits: Arc::new(Semaphore::new(0)) }
    }

    fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    fn server(&self) -> TestServer {
        let gate = self.clone();
        let main = namespace(Namespace::open()).on("wait", move |_: Socket, (index,): (u32,)| {
            let gate = gate.clone();
            async move {
                gate.begun.fetch_add(1, Ordering::SeqCst);
                gate.permits.acquire().await.expect("never closed").forget();
                index
            }
        });
        let limits =
            Limits { events_in_flight_per_socket: 8, events_waiting_per_socket: 6, ..Limits::default() };
        start_with(config_with(limits), main)
    }
}

/// Nothing more happens for a while: that can only be watched.
#[track_caller]
fn stays(value: impl Fn() -> usize, expected: usize) {
    for _ in 0..100 {
        assert_eq!(value(), expected);
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn only_so_many_events_of_a_websocket_are_handled_at_once() {
    let gate = Gate::new();
    let server = gate.server();
    let mut client = Client::connect(server.address());
    let mut bystander = Client::connect(server.address());
    for index in 0..50 {
        client.text(&format!("42{index}[\"wait\",{index}]"));
    }
    eventually("the first are begun", || gate.begun() == 8);
    stays(|| gate.begun(), 8);
    for limit in ["events_in_flight_per_socket", "events_waiting_per_socket"] {
        let never = format!("roomkey_limit_reached_total{{limit=\"{limit}\"}} 0\n");
        assert!(!server.metrics().contains(&never), "{limit} is counted");
    }
    bystander.call("420[\"echo\"]", "430[]");
    gate.permits.add_permits(2);
    eventually("two more are begun", || gate.begun() == 10);
    stays(|| gate.begun(), 10);
    gate.permits.add_permits(48);
    let mut acks: Vec<_> = (0..50).map(|_| client.receive_text()).collect();
    let mut expected: Vec<_> = (0..50).map(|index| format!("43{index}[{index}]")).collect();
    acks.sort();
    expected.sort();
    assert_eq!(acks, expected);
    client.call("420[\"echo\"]", "430[]");
}

/// What waits has a limit, too: the answer to the POST that exceeds it comes when there is room for the next.
#[test]
fn only_so_many_events_of_long_polling_are_handled_at_once() {
    let gate = Gate::new();
    let server = gate.server();
    let mut client = Polling::connect(server.address());
    let mut post = HttpClient::connect(server.address());
    let events: Vec<_> = (0..20).map(|index| format!("42{index}[\"wait\",{index}]")).collect();
    post.request("POST", &client.target(), "", &events.join("\u{1e}"));
    eventually("the first are begun", || gate.begun() == 8);
    stays(|| gate.begun(), 8);
    gate.permits.add_permits(7);
    assert_eq!(post.response().brief(), (200, "ok"), "five wait, where six may");
    stays(|| gate.begun(), 15);
    gate.permits.add_permits(13);
    let mut acks = Vec::new();
    while acks.len() < 20 {
        acks.extend(client.poll().split('\u{1e}').map(str::to_owned));
    }
    let mut expected: Vec<_> = (0..20).map(|index| format!("43{index}[{index}]")).collect();
    acks.sort();
    expected.sort();
    assert_eq!(acks, expected);
}

/// Handlers that wait for an ack of their client's get it, however many there are: acks overtake what waits.
#[test]
fn acks_are_not_kept_waiting_by_events() {
    let main = namespace(Namespace::open()).on("ask", async |socket: Socket, (): ()| {
        socket.emit_with_ack("question", &(), roomkey_testkit::PATIENCE).await.is_ok()
    });
    let limits =
        Limits { events_in_flight_per_socket: 4, events_waiting_per_socket: 100, ..Limits::default() };
    let server = start_with(config_with(limits), main);
    let mut client = Client::connect(server.address());
    let mut polling = Polling::connect(server.address());
    let asks: Vec<_> = (0..10).map(|id| format!("42{id}[\"ask\"]")).collect();
    for ask in &asks {
        client.text(ask);
    }
    polling.post(&asks.join("\u{1e}"));
    let answer = |packet: &str| {
        let id = packet.strip_prefix("42")?.strip_suffix(r#"["question"]"#)?;
        Some(format!("43{id}[]"))
    };
    let mut acks = 0;
    while acks < 10 {
        match answer(&client.receive_text()) {
            Some(answer) => client.text(&answer),
            None => acks += 1,
        }
    }
    acks = 0;
    while acks < 10 {
        for packet in polling.poll().split('\u{1e}') {
            match answer(packet) {
                Some(answer) => polling.post(&answer),
                None => acks += 1,
            }
        }
    }
}

/// What the POST brought comes before what the WebSocket brings.
#[test]
fn an_upgrade_does_not_overtake_a_post() {
    let gate = Gate::new();
    let server = gate.server();
    let client = Polling::connect(server.address());
    let mut post = HttpClient::connect(server.address());
    let events: Vec<_> = (0..20).map(|index| format!("42{index}[\"wait\",{index}]")).collect();
    post.request("POST", &client.target(), "", &events.join("\u{1e}"));
    eventually("the first are begun", || gate.begun() == 8);
    let mut websocket = WebSocketClient::open(server.address(), &client.upgrade_target());
    websocket.text("2probe");
    websocket.expect("3probe");
    websocket.text("5");
    websocket.text("4299[\"echo\"]");
    stays(|| gate.begun(), 8);
    gate.permits.add_permits(20);
    assert_eq!(post.response().brief(), (200, "ok"));
    let mut acks = 0;
    while websocket.receive_text() != "4399[]" {
        acks += 1;
    }
    assert_eq!(gate.begun(), 20, "all that came before it");
    (acks..20).for_each(|_| drop(websocket.receive_text()));
}

#[test]
fn a_client_that_goes_away_while_it_is_not_read_is_noticed_later() {
    let gate = Gate::new();
    let server = gate.server();
    let mut client = Client::connect(server.address());
    for index in 0..9 {
        client.text(&format!("42[\"wait\",{index}]"));
    }
    eventually("the first are begun", || gate.begun() == 8);
    drop(client);
    gate.permits.add_permits(100);
    eventually("nothing is left", || server.handle().connection_count() == 0);
}

/// A reader that stops is closed when its queue is full; the others get everything.
#[test]
fn a_slow_reader_is_closed_and_others_lose_nothing() {
    let limits = Limits { outbox_bytes: 200_000, ..Limits::default() };
    let server = start_with(config_with(limits), namespace(Namespace::open()));
    let mut slow = Client::connect(server.address());
    let mut slow_polling = Polling::connect(server.address());
    let mut reader = Client::connect(server.address());
    for client in [&mut slow, &mut reader] {
        client.call(r#"420["join","room"]"#, "430[true]");
    }
    slow_polling.post(r#"42["join","room"]"#);
    let room = RoomName::new("room").expect("a good name");
    let text = "x".repeat(50_000);
    let mut sent = 0;
    // Both kernels' buffers take some megabytes before the server's queue begins to fill.
    while server.handle().connection_count() > 1 {
        server.handle().to("/", &room).emit("said", &(sent, &text)).expect("text");
        reader.expect(&format!(r#"42["said",{sent},"{text}"]"#));
        sent += 1;
        assert!(sent < 2000, "a queue without a bound");
    }
    assert!(slow_polling.is_gone());
    slow.closed();
    reader.call("421[\"echo\"]", "431[]");
}

/// What is volatile waits for nobody.
#[test]
fn volatile_events_are_dropped_for_who_does_not_wait() {
    let main = namespace(Namespace::open()).on("go", async |socket: Socket, (): ()| {
        socket.emit_volatile("volatile", &()).expect("nothing");
        socket.emit("kept", &()).expect("nothing");
    });
    let server = start_with(config_with(Limits::default()), main);
    let mut client = Client::connect(server.address());
    client.text("42[\"go\"]");
    client.expect(r#"42["volatile"]"#);
    client.expect(r#"42["kept"]"#);
    let mut polling = Polling::connect(server.address());
    polling.post("42[\"go\"]");
    assert_eq!(polling.poll(), r#"42["kept"]"#);
}

/// A flood of small frames costs its sender a connection at most, and others nothing.
#[test]
fn a_flood_does_not_starve_others() {
    let server = start_with(config_with(Limits::default()), namespace(Namespace::open()));
    let flooder = Client::connect(server.address());
    let mut writer = flooder.writer();
    let flood = std::thread::spawn(move || {
        let noops = WebSocketClient::frame(Opcode::Text, b"6").repeat(10_000);
        for _ in 0..20 {
            if std::io::Write::write_all(&mut writer, &noops).is_err() {
                return;
            }
        }
    });
    for _ in 0..20 {
        Client::connect(server.address()).call("420[\"echo\"]", "430[]");
    }
    flood.join().expect("the flood was read");
    drop(flooder);
}
