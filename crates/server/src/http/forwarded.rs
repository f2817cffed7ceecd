//! Where a client is, when proxies stand before the server: the one thing that their headers are believed.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Once,
};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Deserialize;

use super::network::Network;

/// The proxies in front of the server, whose word counts on where a client is.
///
/// Each proxy adds to the header the address that it was reached from. From the connection backwards, every address is
/// that of a trusted proxy, until the first that is not: there the client is. What stands before that is the
/// client's own invention.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    /// Where they are. Nowhere: headers are ignored.
    pub networks: Vec<Network>,
    /// The header that they write.
    pub header: ForwardedHeader,
}

/// The header that proxies write. Only one is read: the other would come through from the client as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
}

impl TrustedProxies {
    /// Where the client is whose request came with these headers over a connection from `peer`.
    ///
    /// An entry that is no address ends the walk: the last proxy that is known is then all that is known.
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut address = peer.to_canonical();
        let (name, parse): (_, fn(&str) -> Option<IpAddr>) = match self.header {
            ForwardedHeader::Forwarded => (header::FORWARDED, parse_forwarded),
            ForwardedHeader::XForwardedFor => (X_FORWARDED_FOR, parse_address),
        };
        // Several lines are one list (RFC 9110 section 5.3).
        let lines = headers.get_all(name).iter().rev();
        let mut entries = lines.flat_map(|line| EntriesFromTheEnd(Some(readable(line))));
        while self.trusts(address) {
            match entries.next().and_then(parse) {
                Some(before) => address = before.to_canonical(),
                None => break,
            }
        }
        address
    }

    /// Too many requests came from one address. If they say that they were forwarded, and no proxy is configured, that
    /// address may be one with all clients behind it: said once, in the log.
    pub(crate) fn suspect(&self, headers: &HeaderMap) {
        static SAID: Once = Once::new();
        if self.networks.is_empty()
            && (headers.contains_key(header::FORWARDED) || headers.contains_key(X_FORWARDED_FOR))
        {
            SAID.call_once(|| {
                tracing::warn!(
                    "many clients seem to come from the address of a proxy, and share its rates: see server.trusted_proxies"
                );
            });
        }
    }

    /// Whether one of the proxies is there.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The line from the comma behind its last byte that is not ASCII: what a client wrote there does not hide what proxies
/// have added.
fn readable(line: &HeaderValue) -> &str {
    let line = line.as_bytes();
    let unreadable = line.iter().rposition(|byte| !byte.is_ascii());
    let start = unreadable.map_or(0, |at| {
        line[at..].iter().position(|byte| *byte == b',').map_or(line.len(), |comma| at + comma)
    });
    std::str::from_utf8(&line[start..]).unwrap_or("")
}

/// The entries of a list, the last first. A comma in quotes does not end one; quotes that a client left open harm only
/// what is before them.
struct EntriesFromTheEnd<'a>(Option<&'a str>);

impl<'a> Iterator for EntriesFromTheEnd<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let list = self.0.take()?;
        let mut is_quoted = false;
        let comma = list.bytes().rposition(|byte| {
            is_quoted ^= byte == b'"';
            byte == b',' && !is_quoted
        });
        let entry = match comma {
            Some(comma) => {
                self.0 = Some(&list[..comma]);
                &list[comma + 1..]
            }
            None => list,
        };
        Some(entry.trim_matches(SPACE))
    }
}

const SPACE: [char; 2] = [' ', '\t'];

/// The address in the parameter `for` of an element of `Forwarded`, which is there once.
fn parse_forwarded(element: &str) -> Option<IpAddr> {
    if element.contains('\\') {
        return None;
    }
    let mut is_quoted = false;
    let pairs = element.split(|c| {
        is_quoted ^= c == '"';
        c == ';' && !is_quoted
    });
    let mut node = None;
    for pair in pairs.map(|pair| pair.trim_matches(SPACE)).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=')?;
        if name.eq_ignore_ascii_case("for") && node.replace(value).is_some() {
            return None;
        }
    }
    let node = node?;
    match node.strip_prefix('"') {
        Some(quoted) => parse_address(quoted.strip_suffix('"')?),
        None => parse_address(node),
    }
}

/// An address as proxies write it: bare, or with a port; that of IPv6 in brackets or not.
fn parse_address(node: &str) -> Option<IpAddr> {
    let in_brackets = || node.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    let with_port = || node.parse().ok().map(|address: SocketAddr| address.ip());
    node.parse().ok().or_else(with_port).or_else(|| in_brackets().map(IpAddr::V6))
}

#[cfg(test)]
mod tests;
