use std::{net::IpAddr, str::FromStr};

/// The addresses that begin alike: `10.0.0.0/8`, `2001:db8::/32`; one address by itself is a network, too.
///
/// An IPv4 address that is mapped into IPv6 is the IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// How many bits the addresses have in common.
    prefix_bits: u32,
}

/// Text that is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no IP address or network, such as `192.0.2.1` or `10.0.0.0/8`")]
pub struct InvalidNetwork;

impl Network {
    /// Whether the address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let differing = match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                (network.to_bits() ^ address.to_bits()).leading_zeros()
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                (network.to_bits() ^ address.to_bits()).leading_zeros()
            }
            _ => return false,
        };
        differing >= self.prefix_bits
    }
}

/// Without a prefix, the network of that one address. Bits behind the prefix make no difference.
impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let written: IpAddr = address.parse().map_err(|_| InvalidNetwork)?;
        let bits_max = bits(written);
        let prefix_bits = match prefix {
            Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
                prefix.parse().ok().filter(|bits| *bits <= bits_max).ok_or(InvalidNetwork)?
            }
            Some(_) => return Err(InvalidNetwork),
            None => bits_max,
        };
        let address = written.to_canonical();
        // What is mapped has 96 bits before the address.
        let prefix_bits = prefix_bits.checked_sub(bits_max - bits(address)).ok_or(InvalidNetwork)?;
        Ok(Self { address, prefix_bits })
    }
}

fn bits(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_who_is_in_them() {
        for (network, inside, outside) in [
            ("192.0.2.1", &["192.0.2.1", "::ffff:192.0.2.1"][..], &["192.0.2.2", "::1", "::c000:201"][..]),
            ("10.0.0.0/8", &["10.0.0.0", "10.255.255.255"], &["11.0.0.0", "9.255.255.255"]),
            ("10.1.2.3/8", &["10.0.0.0"], &["11.1.2.3"]),
            ("192.0.2.128/25", &["192.0.2.128", "192.0.2.255"], &["192.0.2.127"]),
            ("0.0.0.0/0", &["0.0.0.0", "255.255.255.255"], &["::", "2001:db8::1"]),
            ("2001:db8::/32", &["2001:db8::", "2001:db8:ffff::1"], &["2001:db9::", "10.0.0.1"]),
            ("::1", &["::1"], &["::2", "127.0.0.1"]),
            ("::ffff:10.0.0.0/104", &["10.1.1.1"], &["11.0.0.0"]),
            ("::/0", &["::", "2001:db8::1"], &["10.0.0.1"]),
        ] {
            let parsed: Network = network.parse().expect(network);
            for address in inside {
                assert!(parsed.contains(address.parse().expect("an address")), "{address} in {network}");
            }
            for address in outside {
                assert!(!parsed.contains(address.parse().expect("an address")), "{address} not in {network}");
            }
        }
    }

    #[test]
    fn what_is_no_network() {
        for text in [
            "",
            "/",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "10.0.0/8",
            "::/129",
            "::ffff:10.0.0.0/8",
            "localhost",
            "10.0.0.1 ",
            "[::1]",
            "10.0.0.0/99999999999",
        ] {
            assert_eq!(text.parse::<Network>(), Err(InvalidNetwork), "{text}");
        }
    }
}
