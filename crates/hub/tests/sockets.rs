//! Shards on real sockets: what the kernel takes, what it does not, and two threads.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use roomkey_hub::{Attention, Dialect, Form, Frame, Hub, HubConfig, Notice, RoomKey, Wire};
use roomkey_model::{Limits, RoomName};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    sync::Notify,
};

#[derive(Default)]
struct Noticed {
    notices: Mutex<Vec<Notice>>,
    wake: Notify,
}

impl Attention for Noticed {
    fn notify(&self, notice: Notice) {
        self.notices.lock().push(notice);
        self.wake.notify_one();
    }
}

impl Noticed {
    async fn next(&self) -> Notice {
        loop {
            if let Some(notice) = self.notices.lock().pop() {
                return notice;
            }
            self.wake.notified().await;
        }
    }
}

fn hub(shards: usize) -> Arc<Hub> {
    Arc::new(Hub::new(&HubConfig::new(shards, &Limits::default())))
}

fn room() -> RoomKey {
    RoomKey::room(&"/".into(), &RoomName::new("lobby").expect("a good name"))
}

async fn pair() -> (Arc<TcpStream>, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("bound");
    let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
    let (server, _) = server.expect("accepted");
    server.writable().await.expect("writable");
    (Arc::new(server), client.expect("connected"))
}

fn on_shard<F: Future<Output = ()>>(hub: &Arc<Hub>, index: usize, act: F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let shard = &hub.shards()[index];
        shard.enter();
        tokio::select! {
            () = shard.run() => unreachable!("runs for ever"),
            () = act => {}
        }
    });
}

#[test]
fn a_full_kernel_buffer_is_waited_for_and_nothing_is_lost() {
    const FRAMES: usize = 900;
    let hub = hub(1);
    on_shard(&hub, 0, async {
        let shard = &hub.shards()[0];
        let (server, mut client) = pair().await;
        let noticed = Arc::new(Noticed::default());
        let key = shard.insert(noticed.clone(), Wire::WebSocket(server.clone()));
        let frame = Frame::text(&"x".repeat(9_996));
        let reader = tokio::spawn(async move {
            let (mut read, mut buffer) = (0, vec![0; 1 << 16]);
            while read < FRAMES * 10_000 {
                read += client.read(&mut buffer).await.expect("read");
            }
            read
        });
        for _ in 0..FRAMES / 90 {
            for _ in 0..90 {
                hub.send(key, frame.clone(), false);
            }
            if !shard.flush_now(key) {
                assert_eq!(noticed.next().await, Notice::WantsWrite);
                while !shard.drain(key) {
                    server.writable().await.expect("writable");
                }
            }
        }
        let read = reader.await.expect("no panic");
        assert_eq!(read, FRAMES * 10_000);
        assert_eq!(hub.counters().deliveries, FRAMES as u64);
    });
}

#[test]
fn a_reader_that_never_reads_is_given_up() {
    let hub = hub(1);
    on_shard(&hub, 0, async {
        let shard = &hub.shards()[0];
        let (server, _client) = pair().await;
        let noticed = Arc::new(Noticed::default());
        let key = shard.insert(noticed.clone(), Wire::WebSocket(server));
        let frame = Frame::text(&"x".repeat(100_000));
        while !noticed.notices.lock().contains(&Notice::SlowReader) {
            hub.send(key, frame.clone(), false);
            shard.flush_now(key);
        }
    });
}

#[test]
fn what_was_queued_for_polling_leaves_through_the_websocket() {
    let hub = hub(1);
    on_shard(&hub, 0, async {
        let shard = &hub.shards()[0];
        let key = shard.insert(Arc::new(Noticed::default()), Wire::Polling);
        hub.send(key, Frame::text("41"), false);
        assert!(!shard.flush_now(key));
        hub.send(key, Frame::text("42"), false);
        let (server, mut client) = pair().await;
        shard.upgrade(key, server);
        hub.send(key, Frame::text("43"), false);
        assert!(shard.flush_now(key));
        let mut bytes = [0; 12];
        client.read_exact(&mut bytes).await.expect("read");
        assert_eq!(bytes, *b"\x81\x0241\x81\x0242\x81\x0243");
    });
}

#[test]
fn deadlines_come_when_armed_and_only_the_last() {
    let hub = hub(1);
    on_shard(&hub, 0, async {
        let shard = &hub.shards()[0];
        let noticed = Arc::new(Noticed::default());
        let key = shard.insert(noticed.clone(), Wire::Polling);
        shard.arm(key, hub.now_ms() + 5_000_000);
        let deadline = hub.now_ms() + 30;
        shard.arm(key, deadline);
        assert_eq!(noticed.next().await, Notice::Deadline);
        assert!(hub.now_ms() >= deadline);
        assert!(noticed.notices.lock().is_empty());
    });
}

#[test]
fn an_emission_from_another_thread_arrives_in_order() {
    const FRAMES: usize = 1000;
    let hub = hub(2);
    on_shard(&hub, 1, async {
        let shard = &hub.shards()[1];
        let (server, mut client) = pair().await;
        let key = shard.insert(Arc::new(Noticed::default()), Wire::WebSocket(server));
        hub.join(&shard.open_socket(key, &"/".into()), &room()).expect("below the limit");
        let other = hub.clone();
        let thread = std::thread::spawn(move || {
            for number in 0..FRAMES {
                let frame = Frame::text(&format!("{number:04}"));
                if number % 3 == 0 {
                    other.send(key, frame, false);
                } else {
                    other.broadcast(&room(), &frame, &[], false);
                }
            }
        });
        let mut bytes = vec![0; FRAMES * 6];
        client.read_exact(&mut bytes).await.expect("read");
        thread.join().expect("no panic");
        for (number, frame) in bytes.chunks(6).enumerate() {
            assert_eq!(frame[2..], *format!("{number:04}").as_bytes());
        }
    });
}

#[test]
fn what_follows_a_join_from_another_thread_is_for_the_new_member() {
    let hub = hub(2);
    on_shard(&hub, 1, async {
        let shard = &hub.shards()[1];
        let (server, mut client) = pair().await;
        let key = shard.insert(Arc::new(Noticed::default()), Wire::WebSocket(server));
        let personal = RoomKey::room(&"/".into(), &RoomName::new("user:1").expect("a good name"));
        hub.join(&shard.open_socket(key, &"/".into()), &personal).expect("below the limit");
        let other = hub.clone();
        let thread = std::thread::spawn(move || {
            // Nobody is in the room before: only what waits for the shard says that somebody will be.
            other.join_members(&personal.clone().into(), &room());
            other.broadcast(&room(), &Frame::text("first"), &[], false);
        });
        thread.join().expect("no panic");
        let mut bytes = [0; 7];
        client.read_exact(&mut bytes).await.expect("read");
        assert_eq!(bytes[2..], *b"first");
    });
}

/// Each packet in angle brackets.
static ANGULAR: Dialect = Dialect {
    slot: 0,
    form: |frame| {
        let packet: Bytes = format!("<{}>", frame.packet().expect("text")).into();
        Form { websocket: packet.clone(), packets: [packet].into() }
    },
};

#[test]
fn each_member_of_a_room_gets_its_own_form() {
    let hub = Arc::new(Hub::new(&HubConfig { dialects: true, ..HubConfig::new(1, &Limits::default()) }));
    on_shard(&hub, 0, async {
        let shard = &hub.shards()[0];
        let mut clients = Vec::new();
        for dialect in [None, Some(&ANGULAR), Some(&ANGULAR)] {
            let (server, client) = pair().await;
            let key = shard.insert(Arc::new(Noticed::default()), Wire::WebSocket(server));
            shard.set_dialect(key, dialect);
            hub.join(&shard.open_socket(key, &"/".into()), &room()).expect("a member");
            clients.push((key, client));
        }
        hub.broadcast(&room(), &Frame::text("41"), &[], false);
        hub.broadcast(&room(), &Frame::text("42"), &[], false);
        hub.send(clients[2].0, Frame::text("43"), false);
        let expected: [&[u8]; 3] = [b"\x81\x0241\x81\x0242", b"<41><42>", b"<41><42><43>"];
        for ((_, client), expected) in clients.iter_mut().zip(expected) {
            let mut bytes = vec![0; expected.len()];
            client.read_exact(&mut bytes).await.expect("read");
            assert_eq!(bytes, expected);
        }
        let key = shard.insert(Arc::new(Noticed::default()), Wire::Polling);
        shard.set_dialect(key, Some(&ANGULAR));
        hub.send(key, Frame::text("44"), false);
        assert_eq!(shard.poll(key, 16), ["<44>"]);
    });
}

#[test]
fn a_websocket_takes_over_in_the_middle_of_a_frame() {
    let hub = hub(1);
    on_shard(&hub, 0, async {
        let shard = &hub.shards()[0];
        let key = shard.insert(Arc::new(Noticed::default()), Wire::Polling);
        let attachments: Vec<Bytes> = (1..5_u8).map(|number| vec![number].into()).collect();
        hub.send(key, Frame::new("454-[]", &attachments), false);
        hub.send(key, Frame::text("42"), false);
        assert_eq!(shard.poll(key, 3), ["454-[]", "bAQ==", "bAg=="]);
        let (server, mut client) = pair().await;
        shard.upgrade(key, server);
        let mut bytes = [0; 10];
        client.read_exact(&mut bytes).await.expect("read");
        assert_eq!(bytes, *b"\x82\x01\x03\x82\x01\x04\x81\x0242");
    });
}
