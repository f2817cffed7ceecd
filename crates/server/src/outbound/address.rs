//! Which addresses a request may go to, so that whoever controls a name cannot point the server at itself or at its
//! neighbours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far a request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// This machine only.
    Loopback,
    /// This machine and its private networks.
    Inside,
    /// The internet.
    Public,
    /// This machine, its private networks and the internet.
    Private,
}

impl Reach {
    /// Whether this address is within reach. What is neither a host of the internet nor of a private network never is.
    pub(super) fn allows(self, address: IpAddr) -> bool {
        match kind(address) {
            Kind::Loopback => self != Self::Public,
            Kind::Private => matches!(self, Self::Inside | Self::Private),
            Kind::Public => matches!(self, Self::Public | Self::Private),
            Kind::Special => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Loopback,
    Private,
    Public,
    /// Link-local, multicast, the metadata services of clouds, and what is reserved.
    Special,
}

fn kind(address: IpAddr) -> Kind {
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => kind_v6(address),
    }
}

/// The metadata services of clouds that have no link-local address.
const METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(192, 0, 0, 192)];
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// By the registry of special-purpose addresses (RFC 6890).
fn kind_v4(address: Ipv4Addr) -> Kind {
    let octets = address.octets();
    if METADATA_V4.contains(&address) {
        return Kind::Special;
    }
    match octets {
        [127, ..] => Kind::Loopback,
        [10, ..] | [172, 16..32, ..] | [192, 168, ..] | [100, 64..128, ..] => Kind::Private,
        [0, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [224..=255, ..] => Kind::Special,
        _ => Kind::Public,
    }
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    let embedded = |high: u16, low: u16| kind_v4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match address.segments() {
        _ if address == METADATA_V6 => Kind::Special,
        [0, 0, 0, 0, 0, 0, 0, 1] => Kind::Loopback,
        // Other ways to write the addresses of IPv4: mapped, translated (RFC 6052), 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => match embedded(high, low) {
            Kind::Public => Kind::Public,
            _ => Kind::Special,
        },
        [0xfc00..0xfe00, ..] => Kind::Private,
        // Teredo, documentation, and other protocols of their own.
        [0x2001, 0..0x200 | 0xdb8, ..] => Kind::Special,
        [0x2000..0x4000, ..] => Kind::Public,
        _ => Kind::Special,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_within_reach() {
        let cases = [
            (Kind::Loopback, "127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1"),
            (
                Kind::Private,
                "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 fc00::1 fd12::1 ::ffff:10.0.0.1 64:ff9b::10.0.0.1",
            ),
            (
                Kind::Public,
                "1.1.1.1 172.15.0.1 172.32.0.1 100.63.0.1 100.128.0.1 192.169.0.1 223.255.255.255 2606:4700::1111 2a00::1 \
                 ::ffff:1.1.1.1 64:ff9b::1.1.1.1 2002:101:101::1",
            ),
            (
                Kind::Special,
                "0.0.0.0 0.1.2.3 169.254.169.254 169.254.0.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 192.0.0.192 \
                 100.100.100.200 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 192.88.99.1 :: ::2 ::1.1.1.1 fe80::1 fec0::1 \
                 ff02::1 fd00:ec2::254 ::ffff:169.254.169.254 64:ff9b::169.254.169.254 2002:a9fe:a9fe::1 2002:a00:1::1 \
                 2001::1 2001:db8::1 ::ffff:0:1.1.1.1 100::1 5f00::1",
            ),
        ];
        for (expected, addresses) in cases {
            for address in addresses.split_ascii_whitespace() {
                let address: IpAddr = address.parse().expect("an address");
                assert_eq!(kind(address), expected, "{address}");
                let reaches = [Reach::Loopback, Reach::Inside, Reach::Public, Reach::Private]
                    .map(|reach| reach.allows(address));
                let allowed = match expected {
                    Kind::Loopback => [true, true, false, true],
                    Kind::Private => [false, true, false, true],
                    Kind::Public => [false, false, true, true],
                    Kind::Special => [false; 4],
                };
                assert_eq!(reaches, allowed, "{address}");
            }
        }
    }
}
