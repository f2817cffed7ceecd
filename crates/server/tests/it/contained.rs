use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use roomkey_testkit::{Client, TestServer, eventually};

/// Runs an attack on a server with [`crate::support::namespace`], and shows that it is contained: two sockets that
/// exchange numbered events before, during and after it lose none, and in the end the server holds no connection and
/// no room more than before.
///
/// What the attacker still holds open when `attack` returns counts as left over; it may drop that there.
#[track_caller]
pub(crate) fn contained(server: &TestServer, attack: impl FnOnce()) {
    let mut bystanders = Bystanders::connect(server);
    bystanders.exchange(3);
    let baseline = held(server);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let exchange = scope.spawn(|| {
            while !over.load(Ordering::Acquire) {
                bystanders.exchange(1);
            }
        });
        let _end = End(&over);
        attack();
        let is_free = || {
            let (connections, rooms) = held(server);
            connections <= baseline.0 && rooms <= baseline.1
        };
        eventually("what the attacker held is free", || exchange.is_finished() || is_free());
    });
    bystanders.exchange(3);
    drop(bystanders);
    // Or they would count as held by what comes next.
    eventually("the bystanders are gone", || held(server).0 + 2 <= baseline.0);
}

fn held(server: &TestServer) -> (usize, usize) {
    (server.handle().connection_count(), server.handle().room_count())
}

/// Lets the bystanders come to an end.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Somebody who talks in a room, and somebody who listens.
struct Bystanders {
    speaker: Client,
    listener: Client,
    said: usize,
}

impl Bystanders {
    fn connect(server: &TestServer) -> Self {
        let mut listener = Client::connect(server.address());
        listener.call(r#"420["join","bystanders"]"#, "430[true]");
        Self { speaker: Client::connect(server.address()), listener, said: 0 }
    }

    fn exchange(&mut self, events: usize) {
        for _ in 0..events {
            let number = self.said;
            self.said += 1;
            self.speaker.text(&format!(r#"42{number}["say","bystanders","{number}"]"#));
            expect(&mut self.speaker, &format!("43{number}[true]"));
            // With recovery an offset follows.
            expect(&mut self.listener, &format!(r#"42["said","{number}""#));
        }
    }
}

/// Waits for a packet that begins so, and answers the heartbeat meanwhile.
#[track_caller]
fn expect(client: &mut Client, packet: &str) {
    loop {
        match client.receive_text() {
            ping if ping == "2" => client.text("3"),
            received => return assert!(received.starts_with(packet), "{received} instead of {packet}"),
        }
    }
}
