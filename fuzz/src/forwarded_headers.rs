//! Headers of proxies: nothing that a client sends moves it from where its proxy says it is.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use roomkey::{ForwardedHeader, Network, TrustedProxies};

/// Pieces of `X-Forwarded-For` and `Forwarded`.
pub const DICTIONARY: &[&[u8]] = &[
    b"192.0.2.1",
    b"10.0.0.1",
    b"[2001:db8::1]:4711",
    b"::ffff:10.0.0.1",
    b"for=",
    b"for=\"[2001:db8::1]\"",
    b";proto=https",
    b"\"",
    b"\\\"",
    b", ",
    b"\n",
    b"unknown",
    b"_hidden",
];

/// The input is the values of the header's lines, one each.
pub fn run(data: &[u8]) {
    let network: Network = "10.0.0.0/8".parse().expect("a network");
    let x_forwarded_for = HeaderName::from_static("x-forwarded-for");
    for (header, name, prefix) in [
        (ForwardedHeader::XForwardedFor, x_forwarded_for, ""),
        (ForwardedHeader::Forwarded, header::FORWARDED, "for="),
    ] {
        let proxies = TrustedProxies { networks: vec![network], header };
        let locate = |peer: [u8; 4], lines: &[Vec<u8>]| {
            let values = lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok());
            let headers: HeaderMap = values.map(|value| (name.clone(), value)).collect();
            proxies.client_address(peer.into(), &headers)
        };
        let mut lines: Vec<_> = data.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        assert_eq!(locate([192, 0, 2, 9], &lines), IpAddr::from([192, 0, 2, 9]));
        let found = locate([10, 0, 0, 1], &lines);
        assert_eq!(found, found.to_canonical());

        // The client's proxy and another add to the last line, or a line each.
        let client = IpAddr::from([198, 51, 100, 1]);
        let added = format!("{prefix}{client}, {prefix}10.0.0.2");
        let mut joined = lines.clone();
        if let Some(last) = joined
            .last_mut()
            .filter(|last| HeaderValue::from_bytes(last).is_ok_and(|last| last.to_str().is_ok()))
        {
            last.extend_from_slice(format!(", {added}").as_bytes());
            assert_eq!(locate([10, 0, 0, 1], &joined), client);
        }
        lines.extend(added.split(", ").map(|line| line.as_bytes().to_vec()));
        assert_eq!(locate([10, 0, 0, 1], &lines), client);
    }
}
