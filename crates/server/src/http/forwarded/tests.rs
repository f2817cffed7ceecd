use http::HeaderValue;
use proptest::prelude::*;

use super::*;

/// Whom a server believes that has proxies in 10.0.0.0/8 and 2001:db8::/32.
fn proxies(header: ForwardedHeader) -> TrustedProxies {
    let networks = ["10.0.0.0/8", "2001:db8::/32"].map(|network| network.parse().expect("a network"));
    TrustedProxies { networks: networks.into(), header }
}

fn headers(name: &str, lines: &[&str]) -> HeaderMap {
    let name: HeaderName = name.parse().expect("a name");
    lines.iter().map(|line| (name.clone(), HeaderValue::from_str(line).expect("a value"))).collect()
}

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[track_caller]
fn check(header: ForwardedHeader, peer: &str, lines: &[&str], expected: &str) {
    let name = if header == ForwardedHeader::Forwarded { "forwarded" } else { "x-forwarded-for" };
    let found = proxies(header).client_address(address(peer), &headers(name, lines));
    assert_eq!(found, address(expected), "{lines:?}");
}

#[test]
fn x_forwarded_for_is_walked_from_the_end() {
    for (peer, lines, client) in [
        // Nobody whose word counts.
        ("192.0.2.9", &["198.51.100.1"][..], "192.0.2.9"),
        ("192.0.2.9", &["198.51.100.1, 10.0.0.1"], "192.0.2.9"),
        ("::ffff:192.0.2.9", &[], "192.0.2.9"),
        // One proxy, and more.
        ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", &["198.51.100.1, 10.0.0.2, 2001:db8::3"], "198.51.100.1"),
        ("10.0.0.1", &["198.51.100.1", "10.0.0.2", "10.0.0.3"], "198.51.100.1"),
        ("10.0.0.1", &["198.51.100.1,\t10.0.0.2 "], "198.51.100.1"),
        // What the client says itself.
        ("10.0.0.1", &["10.0.0.7, 203.0.113.1, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", &["not an address, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", &["\", 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        // A client in the proxies' own network.
        ("10.0.0.1", &["10.0.0.7"], "10.0.0.7"),
        ("10.0.0.1", &[], "10.0.0.1"),
        // What is no address ends the walk.
        ("10.0.0.1", &["198.51.100.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", &["198.51.100.1, unknown, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", &["198.51.100.1,"], "10.0.0.1"),
        ("10.0.0.1", &["198.51.100.1", ""], "10.0.0.1"),
        ("10.0.0.1", &["198.51.100.1 10.0.0.2"], "10.0.0.1"),
        ("10.0.0.1", &["198.51.100.1\u{e9}"], "10.0.0.1"),
        ("10.0.0.1", &["\u{e9}198.51.100.1, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", &["203.0.113.1, \u{e9}, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", &["198.51.100.1", "\u{e9}10.0.0.7, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", &["0x0a000001"], "10.0.0.1"),
        // Forms of an address.
        ("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.1", &["2001:db9::1"], "2001:db9::1"),
        ("10.0.0.1", &["[2001:db9::1]"], "2001:db9::1"),
        ("10.0.0.1", &["[2001:db9::1]:4711"], "2001:db9::1"),
        ("10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", &["198.51.100.1, ::ffff:10.0.0.2"], "198.51.100.1"),
    ] {
        check(ForwardedHeader::XForwardedFor, peer, lines, client);
    }
}

#[test]
fn forwarded_is_walked_from_the_end() {
    for (lines, client) in [
        (&["for=198.51.100.1"][..], "198.51.100.1"),
        (&["For=\"198.51.100.1:4711\";proto=https;by=10.0.0.1"], "198.51.100.1"),
        (&["proto=https; for=\"[2001:db9::1]:4711\" ;host=\"a,b;c\""], "2001:db9::1"),
        (&["for=203.0.113.1, for=198.51.100.1;by=\"_x,y\", for=\"[2001:db8::3]\""], "198.51.100.1"),
        (&["for=203.0.113.1", "for=198.51.100.1", "for=10.0.0.2"], "198.51.100.1"),
        (&[";for=198.51.100.1;"], "198.51.100.1"),
        // The client's own, with quotes that it does not close.
        (&["for=\"203.0.113.1, for=198.51.100.1"], "198.51.100.1"),
        (&["host=\"\\\", for=198.51.100.1, for=10.0.0.2"], "198.51.100.1"),
        // What is no address ends the walk.
        (&["for=198.51.100.1, for=unknown"], "10.0.0.1"),
        (&["for=198.51.100.1, for=_hidden, for=10.0.0.2"], "10.0.0.2"),
        (&["for=198.51.100.1;for=203.0.113.1"], "10.0.0.1"),
        (&["by=198.51.100.1"], "10.0.0.1"),
        (&["198.51.100.1"], "10.0.0.1"),
        (&["for=\"198.51.100.1"], "10.0.0.1"),
        (&["for=\"198.51.100.\\1\""], "10.0.0.1"),
        (&[""], "10.0.0.1"),
    ] {
        check(ForwardedHeader::Forwarded, "10.0.0.1", lines, client);
    }
}

#[test]
fn the_header_that_the_proxies_do_not_write_is_the_clients() {
    let mut both = headers("forwarded", &["for=203.0.113.1"]);
    both.extend(headers("x-forwarded-for", &["198.51.100.1"]));
    both.extend(headers("x-real-ip", &["203.0.113.2"]));
    let peer = address("10.0.0.1");
    let of = |header| proxies(header).client_address(peer, &both);
    assert_eq!(of(ForwardedHeader::XForwardedFor), address("198.51.100.1"));
    assert_eq!(of(ForwardedHeader::Forwarded), address("203.0.113.1"));
    assert_eq!(TrustedProxies::default().client_address(peer, &both), peer);
}

/// Counted, not timed: the entries of a list are disjoint pieces of it.
#[test]
fn a_list_is_read_once() {
    let list = "10.0.0.1,".repeat(10_000);
    let read: usize = EntriesFromTheEnd(Some(&list)).map(str::len).sum();
    assert_eq!(read, list.len() - 10_000);
    check(ForwardedHeader::XForwardedFor, "10.0.0.1", &[&list[..list.len() - 1]], "10.0.0.1");
}

proptest! {
    /// Whatever a client sends, it stays where its first proxy says it is.
    #[test]
    fn nothing_a_client_sends_moves_it(
        sent in prop::collection::vec("([\\[\\]:;=,\"\\\\ \t]|for|10\\.0\\.0\\.1|198\\.51\\.100\\.1|[ -~]){0,12}", 0..4),
        proxies_passed in 0_usize..3,
    ) {
        for header in [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded] {
            let (name, prefix) = match header {
                ForwardedHeader::Forwarded => ("forwarded", "for="),
                ForwardedHeader::XForwardedFor => ("x-forwarded-for", ""),
            };
            let mut added = format!("{prefix}192.0.2.1");
            for proxy in 0..proxies_passed {
                added.push_str(&format!(", {prefix}10.0.0.{proxy}"));
            }
            // A proxy adds a line, or to the last line.
            let mut lines = sent.clone();
            lines.push(added.clone());
            let mut joined = sent.clone();
            match joined.last_mut() {
                Some(last) => last.push_str(&format!(", {added}")),
                None => joined.push(added),
            }
            for lines in [lines, joined] {
                let lines: Vec<_> = lines.iter().map(String::as_str).collect();
                let found = proxies(header).client_address(address("10.0.0.9"), &headers(name, &lines));
                prop_assert_eq!(found, address("192.0.2.1"), "{:?}", lines);
            }
        }
    }

    #[test]
    fn any_header_leads_somewhere(line in "[ -~\t]{0,60}") {
        for (header, name) in [(ForwardedHeader::XForwardedFor, "x-forwarded-for"), (ForwardedHeader::Forwarded, "forwarded")] {
            let strange = headers(name, &[&line]);
            prop_assert_eq!(proxies(header).client_address(address("192.0.2.9"), &strange), address("192.0.2.9"));
            let known = proxies(header).client_address(address("10.0.0.9"), &strange);
            prop_assert_eq!(known, known.to_canonical());
        }
    }
}
