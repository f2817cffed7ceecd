//! Every limit of the library is counted under its name, and only under its name, where it is reached.

use std::{collections::BTreeSet, time::Duration};

use roomkey::{AckError, Limit, Limits, Namespace, RoomName, ServerBuilder, ServerConfig, Socket};
use roomkey_testkit::{Client, HttpClient, Opcode, Polling, TestServer, WebSocketClient, eventually};

use crate::support::{config, namespace, start};

/// A limit, what makes it small enough to be reached, and what reaches it once.
type Case = (Limit, fn(&mut Limits), fn(&TestServer));

const CASES: &[Case] = &[
    (
        Limit::AuthDeadline,
        |limits| limits.auth_deadline_ms = 50,
        |server| {
            Client::open(server.address()).closed();
        },
    ),
    (
        Limit::PreAuthBytes,
        |limits| limits.pre_auth_bytes = 100,
        |server| {
            let mut client = Client::open(server.address());
            client.text(&format!("40{{\"a\":\"{}\"}}", "x".repeat(100)));
            client.closed();
        },
    ),
    (
        Limit::PreAuthBytes,
        |limits| limits.pre_auth_bytes = 100,
        |server| {
            assert_eq!(Polling::open(server.address()).try_post(&"6".repeat(101)).status, 413);
        },
    ),
    (
        Limit::AuthFailures,
        |limits| limits.auth_failures_per_connection = 1,
        |server| {
            let mut client = Client::open(server.address());
            client.text("40/refused,");
            client.closed();
        },
    ),
    (
        Limit::MessageBytes,
        |limits| limits.message_bytes = 100,
        |server| {
            let mut client = Client::connect(server.address());
            client.text(&"x".repeat(101));
            assert_eq!(client.closed(), Some(1009));
        },
    ),
    (
        Limit::MessageBytes,
        |limits| limits.message_bytes = 100,
        |server| {
            let mut client = Client::connect(server.address());
            client.text(r#"451-["m",{"_placeholder":true,"num":0}]"#);
            client.binary(&[0; 90]);
            client.closed();
        },
    ),
    (
        Limit::MessageBytes,
        |limits| limits.message_bytes = 100,
        |server| {
            assert_eq!(Polling::connect(server.address()).try_post(&"6".repeat(101)).status, 413);
        },
    ),
    (
        Limit::WebSocketPings,
        |limits| limits.websocket_pings_per_second = 0,
        |server| {
            let mut client = Client::connect(server.address());
            client.send(WebSocketClient::frame(Opcode::Ping, b""));
            assert_eq!(client.closed(), Some(1008));
        },
    ),
    (
        Limit::Fragments,
        |limits| limits.fragments_per_message = 2,
        |server| {
            let mut client = Client::connect(server.address());
            let mut first = WebSocketClient::frame(Opcode::Text, b"4");
            first[0] &= 0x7f;
            let mut next = WebSocketClient::frame(Opcode::Continuation, b"2");
            next[0] &= 0x7f;
            client.send([&first[..], &next, &next].concat());
            assert_eq!(client.closed(), Some(1009));
        },
    ),
    (
        Limit::PartialMessage,
        |limits| limits.partial_message_ms = 50,
        |server| {
            let mut client = Client::connect(server.address());
            client.send(&WebSocketClient::frame(Opcode::Text, b"42[\"echo\"]")[..9]);
            client.closed();
        },
    ),
    (
        Limit::PartialMessage,
        |limits| limits.partial_message_ms = 50,
        |server| {
            let mut client = Client::connect(server.address());
            client.text(r#"451-["m",{"_placeholder":true,"num":0}]"#);
            client.closed();
        },
    ),
    (
        Limit::Attachments,
        |limits| limits.attachments_per_packet = 1,
        |server| {
            let mut client = Client::connect(server.address());
            client.text(r#"452-["m"]"#);
            client.closed();
        },
    ),
    (
        Limit::PacketsPerPayload,
        |limits| limits.packets_per_payload = 2,
        |server| {
            let mut client = Polling::connect(server.address());
            assert_eq!(client.try_post("6\u{1e}6\u{1e}6").status, 400);
        },
    ),
    (
        Limit::Namespaces,
        |limits| limits.namespaces_per_connection = 1,
        |server| {
            let mut client = Client::connect(server.address());
            client.text("40/refused,");
            client.closed();
        },
    ),
    (
        Limit::Rooms,
        |limits| (limits.rooms_per_socket, limits.namespaces_per_connection) = (1, 1),
        |server| {
            let mut client = Client::connect(server.address());
            client.call(r#"420["join","a"]"#, "430[true]");
            client.call(r#"420["join","b"]"#, "430[false]");
        },
    ),
    (
        Limit::Rooms,
        |limits| (limits.rooms_per_socket, limits.namespaces_per_connection) = (1, 1),
        |server| {
            let mut client = Client::connect(server.address());
            client.call(r#"420["join","a"]"#, "430[true]");
            server.handle().everyone("/").sockets_join(&RoomName::new("b").expect("a good name"));
            client.call("421[\"echo\"]", "431[]");
        },
    ),
    (
        Limit::EventName,
        |limits| limits.event_name_bytes = 4,
        |server| {
            let mut client = Client::connect(server.address());
            client.call("420[\"echo\",1]", "430[1]");
            client.text("421[\"echo!\"]");
            assert!(client.receive_text().contains("BAD_PAYLOAD"));
        },
    ),
    (
        Limit::EventsInFlight,
        |limits| limits.events_in_flight_per_socket = 1,
        |server| {
            let mut client = Client::connect(server.address());
            client.text("420[\"wait\"]");
            client.text("421[\"echo\"]");
            let asked = client.receive_text();
            client.text(&format!("43{}[]", &asked[2..asked.find('[').expect("an event")]));
            client.expect("430[]");
            client.expect("431[]");
        },
    ),
    (
        Limit::AcksPending,
        |limits| limits.acks_pending_per_socket = 0,
        |server| {
            let mut client = Client::connect(server.address());
            client.call("420[\"wait\"]", "430[\"too many\"]");
        },
    ),
    (
        Limit::BroadcastAcks,
        |limits| limits.broadcast_acks_pending = 0,
        |server| {
            let mut client = Client::connect(server.address());
            client.call("420[\"ask all\"]", "430[\"too many broadcasts wait for acks\"]");
        },
    ),
    (
        Limit::BroadcastAckBytes,
        |limits| limits.broadcast_ack_bytes = 1,
        |server| {
            let mut client = Client::connect(server.address());
            client.text("420[\"ask all\"]");
            let asked = client.receive_text();
            client.text(&format!("43{}[]", &asked[2..asked.find('[').expect("an event")]));
            client.expect("430[\"1 sockets did not answer\"]");
        },
    ),
    (
        Limit::Outbox,
        |limits| limits.outbox_bytes = 1000,
        |server| {
            let client = Polling::connect(server.address());
            let text = "x".repeat(1001);
            for _ in 0..2 {
                server.handle().everyone("/").emit("text", &(&text,)).expect("text");
                // Two ticks: what is emitted in one is one write.
                Client::connect(server.address());
            }
            eventually("the slow reader is gone", || client.is_gone());
        },
    ),
    (
        Limit::HttpHeadBytes,
        |limits| limits.http_head_bytes = 1000,
        |server| {
            let mut http = HttpClient::connect(server.address());
            http.send(format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(1000)));
            assert_eq!(http.response().status, 431);
        },
    ),
    (
        Limit::HttpHeadBytes,
        |_| (),
        |server| {
            let mut http = HttpClient::connect(server.address());
            http.fetch("GET", "/nothing", "");
            http.send(format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n", "a".repeat(64 * 1024)));
            assert_eq!(http.response().status, 431);
        },
    ),
    (
        Limit::HttpHeaders,
        |limits| limits.http_headers = 3,
        |server| {
            let mut http = HttpClient::connect(server.address());
            http.send(format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: a\r\n".repeat(3)));
            assert_eq!(http.response().status, 431);
        },
    ),
    (
        Limit::HttpHead,
        |limits| limits.http_head_ms = 50,
        |server| {
            HttpClient::connect(server.address()).rest();
        },
    ),
    (
        Limit::HttpBody,
        |limits| limits.http_body_ms = 50,
        |server| {
            let client = Polling::connect(server.address());
            let mut http = HttpClient::connect(server.address());
            http.send(format!(
                "POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n42[",
                client.target()
            ));
            assert_eq!(http.response().status, 408);
        },
    ),
    (
        Limit::HttpConnections,
        |limits| limits.http_connections = 0,
        |server| {
            HttpClient::connect(server.address()).rest();
        },
    ),
    (
        Limit::Sessions,
        |limits| limits.sessions = 0,
        |server| {
            assert_eq!(HttpClient::connect(server.address()).fetch("GET", POLLING, "").status, 503);
        },
    ),
    (
        Limit::UnauthenticatedSessions,
        |limits| limits.unauthenticated_sessions_per_address = 0,
        |server| {
            assert_eq!(HttpClient::connect(server.address()).fetch("GET", POLLING, "").status, 503);
        },
    ),
    (
        Limit::HandshakesPerAddress,
        |limits| (limits.handshakes_per_address_per_s, limits.handshakes_per_address_burst) = (1, 1),
        |server| {
            let mut http = HttpClient::connect(server.address());
            assert!((0..10).any(|_| http.fetch("GET", POLLING, "").status == 429));
        },
    ),
    (
        Limit::UnknownSessionsPerAddress,
        |limits| {
            (limits.unknown_sessions_per_address_per_s, limits.unknown_sessions_per_address_burst) = (1, 1);
        },
        |server| {
            let mut http = HttpClient::connect(server.address());
            assert!((0..10).any(|_| http.fetch("GET", &format!("{POLLING}&sid=x"), "").status == 429));
        },
    ),
    (
        Limit::EventsPerSocket,
        |limits| (limits.events_per_socket_per_s, limits.events_per_socket_burst) = (1, 1),
        |server| refused_event(&mut Client::connect(server.address())),
    ),
];

/// Sends events until one is refused: within a second if the machine does not stand still.
fn refused_event(client: &mut Client) {
    let is_refused = (0..10).any(|_| {
        client.text("420[\"echo\"]");
        client.receive_text().contains("RATE_LIMITED")
    });
    assert!(is_refused);
}

const HOUR_MS: u64 = 3_600_000;

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

/// Counted by the HTTP API and the chat: `e2e/limits.test.mjs` and `e2e/attempts.test.mjs`
/// reach these.
const OF_THE_PRODUCT: &[Limit] = &[
    Limit::RestBody,
    Limit::HashesWaiting,
    Limit::LoginFailuresAlarm,
    Limit::LoginFailuresPerAccount,
    Limit::LoginFailuresPerAddress,
    Limit::RegistrationsPerAddress,
    Limit::SessionsPerUser,
    Limit::TicketsPending,
    Limit::TicketsPerUser,
    Limit::MessageContent,
    Limit::ClientId,
    Limit::PageEntries,
    Limit::ChannelName,
    Limit::ChannelsPerUser,
];

/// Of the chat and of backends: reached beside what else happens then in the tests of `chat` and `store`, and in
/// `backends/` here.
const OF_THE_CHAT: &[Limit] = &[
    Limit::ReceiptMembers,
    Limit::ReceiptMessages,
    Limit::CountedMessages,
    Limit::PageBytes,
    Limit::InvitesPerChannel,
    Limit::InviteUses,
    Limit::InviteLife,
    Limit::TypingUsersPerChannel,
    Limit::PresenceMembers,
    Limit::MembersPerChannel,
    Limit::BackendAnswer,
    Limit::BackendRequests,
    Limit::BackendRequestsPerUser,
    Limit::EmitsPerRequest,
    Limit::RoomsPerEmit,
    Limit::WebhooksWaiting,
    Limit::DeadLetters,
    Limit::DeadLetterDays,
];

#[test]
fn every_limit_is_counted_under_its_name() {
    for (index, (limit, lower, reach)) in CASES.iter().enumerate() {
        // A machine that stands still for a moment must not reach a limit of time.
        let mut limits = Limits {
            auth_deadline_ms: HOUR_MS,
            http_body_ms: HOUR_MS,
            http_head_ms: HOUR_MS,
            partial_message_ms: HOUR_MS,
            ..Limits::default().without_rates()
        };
        lower(&mut limits);
        let server = asking(ServerConfig { limits, ..config() });
        reach(&server);
        eventually(&format!("case {index}: {limit} is counted"), || !counted(&server).is_empty());
        assert_eq!(counted(&server), [(limit.name().to_owned(), 1)], "case {index}");
    }
}

#[test]
fn no_limit_is_forgotten() {
    // Beside what else happens then: `admin/`, `backpressure.rs`, `rates.rs`, `recovery.rs`, `refresh.rs`.
    let elsewhere = [
        Limit::AdminConnections,
        Limit::AdminConnectionsPerAddress,
        Limit::AdminMassDisconnects,
        Limit::AdminPageEntries,
        Limit::AdminSessions,
        Limit::AdminSessionsPerAdmin,
        Limit::AdminStreamsPerSession,
        Limit::EventsPerUser,
        Limit::EventsWaiting,
        Limit::ParkedSockets,
        Limit::RateKeys,
        Limit::RecoveredBytes,
        Limit::RecoveryLog,
        Limit::RefusalsPerAddress,
        Limit::RefusalsWaiting,
        Limit::SocketsPerUser,
        Limit::TokenRefreshes,
    ];
    let tested: BTreeSet<_> = CASES.iter().map(|(limit, ..)| limit.name()).collect();
    // A burst is part of a rate, which is counted under the name of that.
    for row in Limits::TABLE.iter().filter(|row| !row.name.ends_with("_burst")) {
        let is_tested = tested.contains(row.name)
            || [OF_THE_PRODUCT, OF_THE_CHAT, &elsewhere].iter().any(|list| list.contains(&row.limit));
        assert!(is_tested, "{}", row.name);
    }
}

#[test]
fn names_of_events_that_nobody_can_mean_are_refused() {
    let server = start(config());
    let mut client = Client::connect(server.address());
    for name in ["a\\nb", "\\u0000", "\\u007f"] {
        client.text(&format!("420[\"{name}\"]"));
        assert!(client.receive_text().contains(r#""code":"BAD_PAYLOAD""#), "{name}");
    }
    let longest = "é".repeat(128);
    client.text(&format!("421[\"{longest}\"]"));
    client.text(&format!("422[\"{longest}x\"]"));
    assert!(client.receive_text().starts_with("432[{"), "nobody handles the first");
    client.call("423[\"echo\"]", "433[]");
}

/// A main namespace that waits for acks, and `/refused`, which lets nobody in.
fn asking(config: ServerConfig) -> TestServer {
    const LONG: Duration = Duration::from_secs(3600);
    let main = namespace(Namespace::open())
        .on("wait", async |socket: Socket, (): ()| match socket.emit_with_ack("question", &(), LONG).await {
            Ok(answer) => Ok(answer),
            Err(AckError::TooMany) => Err("too many"),
            Err(_) => Err("no answer"),
        })
        .on("ask all", async |socket: Socket, (): ()| {
            let outcome = socket.everyone().emit_with_ack("question", &(), LONG).await;
            outcome.map_or_else(|error| error.to_string(), |_| String::new())
        });
    let refused = Namespace::open().middleware(async |_: Socket| Err(roomkey::Failure::forbidden()));
    let builder = ServerBuilder::new(config).namespace("/", main).namespace("/refused", refused);
    TestServer::start(builder.bind().expect("a free port"))
}

/// The limits that were reached, and how often.
pub(crate) fn counted(server: &TestServer) -> Vec<(String, u64)> {
    let metrics = server.metrics();
    let lines = metrics.lines().filter_map(|line| line.strip_prefix("roomkey_limit_reached_total{limit=\""));
    let counts = lines.map(|line| line.split_once("\"} ").expect("a label and a value"));
    let counts = counts.map(|(name, count)| (name.to_owned(), count.parse().expect("a number")));
    counts.filter(|(_, count)| *count > 0).collect()
}
