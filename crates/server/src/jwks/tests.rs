//! The keeper of a key set against an issuer that does what real ones do on a bad day.

use std::{
    io::Write,
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use roomkey_auth::RemoteKeys;
use roomkey_model::Clock;
use roomkey_testkit::{Endpoint, TestClock, eventually};
use tokio::runtime::{Builder, Runtime};

use super::{KeySet, KeySets};
use crate::OutboundUrl;

const GOOD: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"good","use":"sig"}"#;
const DAY_MS: u64 = 24 * 3600 * 1000;

fn good() -> Vec<u8> {
    Endpoint::ok("", format!(r#"{{"keys":[{GOOD}]}}"#))
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

struct Kept {
    issuer: Endpoint,
    keys: RemoteKeys,
    sets: Arc<KeySets>,
    clock: Arc<TestClock>,
    runtime: Runtime,
}

impl Kept {
    fn start(answer: impl Into<Vec<u8>>) -> Self {
        let issuer = Endpoint::start(answer);
        let clock = Arc::new(TestClock::default());
        let keys = RemoteKeys::new(DAY_MS);
        let url =
            OutboundUrl::on_loopback(&format!("http://localhost:{}/keys?v=1", issuer.port())).expect("a URL");
        let set = KeySet { name: "idp".to_owned(), url, keys: keys.clone() };
        let sets = Arc::new(KeySets::start(vec![set], clock.clone()).expect("a thread"));
        Self { issuer, keys, sets, clock, runtime: runtime() }
    }

    /// With the good key, and a pause after the first fetch. Whether that was the only one depends on which thread is
    /// faster, so requests are counted from here.
    fn good() -> Self {
        let kept = Self::start(good());
        assert!(kept.refresh());
        assert_eq!(kept.key_ids(), ids(&["good"]));
        kept.clock.advance_secs(30);
        kept.issuer.forget();
        kept
    }

    fn refresh(&self) -> bool {
        self.runtime.block_on(self.sets.refresh("idp"))
    }

    /// The same, and then the pause that is kept between two of these.
    fn refresh_now(&self) -> bool {
        let is_up_to_date = self.refresh();
        self.clock.advance_secs(30);
        is_up_to_date
    }

    fn key_ids(&self) -> Option<Vec<String>> {
        let keys = self.keys.at(self.clock.now())?;
        Some(keys.iter().map(|key| key.key_id().map_or_else(String::new, ToString::to_string)).collect())
    }
}

fn ids(ids: &[&str]) -> Option<Vec<String>> {
    Some(ids.iter().map(ToString::to_string).collect())
}

#[test]
fn the_first_fetch_is_made_at_once_and_says_what_it_wants() {
    let kept = Kept::start(good());
    eventually("the keys are there", || kept.key_ids() == ids(&["good"]));
    let request = kept.issuer.requests().pop().expect("a request").to_ascii_lowercase();
    assert!(request.starts_with("get /keys?v=1 http/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("\r\nhost: localhost:{}\r\n", kept.issuer.port())), "{request}");
    assert!(request.contains("\r\naccept-encoding: identity\r\n"), "{request}");
    assert!(!request.contains("cookie") && !request.contains("authorization"), "{request}");
}

/// F29: whatever comes, the good keys stay, and the answer is that it did not work.
#[test]
fn a_bad_answer_leaves_the_keys_from_before() {
    let key = |id: usize| {
        format!(
            r#"{{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"{id}"}}"#
        )
    };
    let many: Vec<_> = (0..10_000).map(key).collect();
    let over: Vec<_> = (0..101).map(key).collect();
    let gzip = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03";
    let bad: Vec<(&str, Vec<u8>)> = vec![
        ("HTML", Endpoint::ok("Content-Type: text/html\r\n", "<!doctype html><h1>It works!</h1>")),
        ("10 MB", Endpoint::ok("", vec![b' '; 10_000_000])),
        (
            "10 MB in chunks",
            [
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
                format!("ffff\r\n{}\r\n", " ".repeat(0xffff)).repeat(160).into_bytes(),
            ]
            .concat(),
        ),
        ("10,000 keys", Endpoint::ok("", format!(r#"{{"keys":[{}]}}"#, many.join(",")))),
        ("101 keys", Endpoint::ok("", format!(r#"{{"keys":[{}]}}"#, over.join(",")))),
        ("a gzip bomb", Endpoint::ok("Content-Encoding: gzip\r\n", gzip)),
        ("a gzip bomb that does not say so", Endpoint::ok("", gzip)),
        ("brotli", Endpoint::ok("Content-Encoding: br\r\n", format!(r#"{{"keys":[{GOOD}]}}"#))),
        ("invalid JSON", Endpoint::ok("", r#"{"keys":["#)),
        ("an empty set", Endpoint::ok("", r#"{"keys":[]}"#)),
        ("no set", Endpoint::ok("", "{}")),
        (
            "a secret",
            Endpoint::ok(
                "",
                r#"{"keys":[{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ","kid":"good"}]}"#,
            ),
        ),
        ("nothing", Vec::new()),
        ("no HTTP", b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
        ("half of it", good()[..80].to_vec()),
        ("500", b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n".to_vec()),
        ("204", b"HTTP/1.1 204 Nothing\r\n\r\n".to_vec()),
        ("304 to no question", b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec()),
        ("a huge head", format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(100_000)).into_bytes()),
    ];
    let kept = Kept::good();
    for (index, (name, answer)) in bad.into_iter().enumerate() {
        kept.issuer.answer(answer);
        assert!(!kept.refresh_now(), "{name}");
        assert_eq!(kept.key_ids(), ids(&["good"]), "{name}");
        // More where so much time has passed meanwhile that it was tried again unasked.
        assert!(kept.issuer.count() > index, "{name}");
    }
    kept.issuer.answer(Endpoint::ok("", format!(r#"{{"keys":[null,{{"kty":"RSA"}},{GOOD}]}}"#)));
    assert!(kept.refresh_now(), "one good key among bad ones is enough");
    let counters = kept.sets.counters();
    assert!(counters.failures.value() >= 19);
    assert!(counters.fetches.value() >= counters.failures.value() + 2);
}

/// F29: a redirect is not followed, wherever it leads.
#[test]
fn redirects_are_not_followed() {
    let kept = Kept::good();
    let other = Endpoint::start(good());
    for status in [301, 302, 303, 307, 308] {
        for target in
            [format!("http://127.0.0.1:{}/", other.port()), "http://169.254.169.254/latest".to_owned()]
        {
            kept.issuer
                .answer(format!("HTTP/1.1 {status} X\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"));
            assert!(!kept.refresh_now());
        }
    }
    assert_eq!((kept.key_ids(), other.count()), (ids(&["good"]), 0));
}

/// F29: 5 s from the name to the last byte, however busily it drips.
#[test]
fn an_answer_that_drips_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let closed = Arc::new(AtomicUsize::new(0));
    let count = closed.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            Endpoint::read_request(&mut stream).expect("a request");
            let mut drips =
                b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".iter().chain(std::iter::repeat(&b' '));
            while stream.write_all(&[*drips.next().expect("endless")]).is_ok() {
                thread::park_timeout(std::time::Duration::from_millis(100));
            }
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let keys = RemoteKeys::new(DAY_MS);
    let url = OutboundUrl::on_loopback(&format!("http://127.0.0.1:{port}/")).expect("a URL");
    let set = KeySet { name: "idp".to_owned(), url, keys: keys.clone() };
    let clock = Arc::new(TestClock::default());
    let sets = KeySets::start(vec![set], clock.clone()).expect("a thread");
    assert!(!runtime().block_on(sets.refresh("idp")));
    assert!(keys.at(clock.now()).is_none());
    eventually("the connection is closed", || closed.load(Ordering::SeqCst) == 1);
}

/// F29: the set is empty for longer than its keys may be used.
#[test]
fn keys_that_cannot_be_confirmed_become_too_old() {
    let kept = Kept::good();
    kept.issuer.answer(Endpoint::ok("", r#"{"keys":[]}"#));
    kept.clock.advance_secs(DAY_MS / 1000 - 30);
    assert!(!kept.refresh());
    assert_eq!(kept.key_ids(), ids(&["good"]));
    kept.clock.advance_secs(1);
    assert_eq!(kept.key_ids(), None);
    kept.issuer.answer(good());
    kept.clock.advance_secs(30);
    assert!(kept.refresh());
    assert_eq!(kept.key_ids(), ids(&["good"]));
}

/// F30: however many tokens name keys that do not exist, there is one fetch in 30 seconds.
#[test]
fn a_flood_of_unknown_keys_makes_few_fetches() {
    let kept = Kept::good();
    let flood = || {
        let sets = (0..1000).map(|_| kept.sets.clone());
        let all = sets.map(|sets| async move { sets.refresh("idp").await });
        kept.runtime.block_on(futures_util::future::join_all(all))
    };
    for minute in 0..5 {
        assert!(flood().into_iter().all(|is_up_to_date| is_up_to_date));
        assert_eq!(kept.issuer.count(), 1 + minute);
        kept.clock.advance_secs(29);
        assert!(flood().into_iter().all(|is_up_to_date| is_up_to_date));
        assert_eq!(kept.issuer.count(), 1 + minute);
        kept.clock.advance_secs(1);
    }
}

/// F31: a new key is accepted after one fetch, and one that was taken out is gone with it.
#[test]
fn a_rotated_key_comes_and_goes() {
    let kept = Kept::good();
    let with_id = |id: &str| GOOD.replace(r#""kid":"good""#, &format!(r#""kid":"{id}""#));
    kept.issuer.answer(Endpoint::ok("", format!(r#"{{"keys":[{GOOD},{}]}}"#, with_id("new"))));
    assert!(kept.refresh_now());
    assert_eq!((kept.key_ids(), kept.issuer.count()), (ids(&["good", "new"]), 1));
    kept.issuer.answer(Endpoint::ok("", format!(r#"{{"keys":[{}]}}"#, with_id("new"))));
    assert!(kept.refresh_now());
    assert_eq!(kept.key_ids(), ids(&["new"]));
}

#[test]
fn an_unchanged_set_is_not_sent_again() {
    let kept = Kept::start(Endpoint::ok("ETag: \"v1\"\r\n", format!(r#"{{"keys":[{GOOD}]}}"#)));
    eventually("the keys are there", || kept.key_ids() == ids(&["good"]));
    assert!(!kept.issuer.requests()[0].to_ascii_lowercase().contains("if-none-match"));
    kept.issuer.answer("HTTP/1.1 304 Not Modified\r\n\r\n");
    kept.clock.advance_secs(DAY_MS / 1000 - 1);
    assert!(kept.refresh());
    assert!(
        kept.issuer
            .requests()
            .pop()
            .expect("a request")
            .to_ascii_lowercase()
            .contains("\r\nif-none-match: \"v1\"\r\n")
    );
    kept.clock.advance_secs(DAY_MS / 1000);
    assert_eq!(kept.key_ids(), ids(&["good"]), "they were confirmed");
    kept.clock.advance_secs(1);
    assert_eq!(kept.key_ids(), None);
}

/// A server starts without its issuer. When it comes up, the keys are there.
#[test]
fn an_issuer_may_be_down_at_first() {
    let kept = Kept::start(Vec::new());
    assert!(!kept.refresh());
    assert_eq!(kept.key_ids(), None);
    assert!(!kept.refresh() && !kept.refresh(), "it was just tried");
    kept.issuer.answer(good());
    kept.clock.advance_secs(30);
    assert!(kept.refresh());
    assert_eq!(kept.key_ids(), ids(&["good"]));
    assert!(!kept.runtime.block_on(kept.sets.refresh("another")));
}

/// The name of a host decides nothing: the addresses that it has do.
#[test]
fn addresses_out_of_reach_are_not_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("it does not block");
    let port = listener.local_addr().expect("an address").port();
    let refresh = |host: &str, allow_private: bool| {
        let url = OutboundUrl::new(&format!("https://{host}:{port}/"), allow_private).expect("a URL");
        let set = KeySet { name: "idp".to_owned(), url, keys: RemoteKeys::new(DAY_MS) };
        let sets = KeySets::start(vec![set], Arc::new(TestClock::default())).expect("a thread");
        assert!(!runtime().block_on(sets.refresh("idp")));
    };
    for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        refresh(host, false);
        assert!(listener.accept().is_err(), "{host}");
    }
    refresh("0.0.0.0", true);
    assert!(listener.accept().is_err());
    listener.set_nonblocking(false).expect("it blocks");
    let connected = thread::spawn(move || listener.accept().is_ok());
    refresh("127.0.0.1", true);
    assert!(connected.join().expect("no panic"));
}
