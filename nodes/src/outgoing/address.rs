//! Which addresses are not part of the public internet, and the ranges of an allow list.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses that share their first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    first: IpAddr,
    bits: u32,
}

impl Range {
    /// `None` when there are more bits than the address has.
    pub(super) fn new(first: IpAddr, bits: u32) -> Option<Self> {
        let first = first.to_canonical();
        let longest = if first.is_ipv4() { 32 } else { 128 };
        (bits <= longest).then_some(Self { first, bits })
    }

    /// A single address.
    pub(super) fn one(address: IpAddr) -> Self {
        let first = address.to_canonical();
        Self { first, bits: if first.is_ipv4() { 32 } else { 128 } }
    }

    /// Whether `address` lies in it; a v4 address written as v6 counts as v4.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        match (self.first, address.to_canonical()) {
            (IpAddr::V4(first), IpAddr::V4(address)) => v4_within(address, first, self.bits),
            (IpAddr::V6(first), IpAddr::V6(address)) => v6_within(address, first, self.bits),
            _ => false,
        }
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.first, self.bits) {
            (IpAddr::V4(address), 32) => write!(f, "{address}"),
            // As in URLs, so that a port may follow.
            (IpAddr::V6(address), 128) => write!(f, "[{address}]"),
            (first, bits) => write!(f, "{first}/{bits}"),
        }
    }
}

fn v4_within(address: Ipv4Addr, first: Ipv4Addr, bits: u32) -> bool {
    let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
    (address.to_bits() ^ first.to_bits()) & mask == 0
}

fn v6_within(address: Ipv6Addr, first: Ipv6Addr, bits: u32) -> bool {
    let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
    (address.to_bits() ^ first.to_bits()) & mask == 0
}

/// Why an address is refused unless it is allowed by name or by address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Special {
    /// What it is, for a message.
    pub(super) what: &'static str,
    /// Whether only an entry with the address itself allows it. These answer to whoever can make a name point at them
    /// and give away a machine's credentials, so a name on the allow list is not enough.
    pub(super) by_address_only: bool,
}

const fn special(what: &'static str) -> Special {
    Special { what, by_address_only: false }
}

const fn guarded(what: &'static str) -> Special {
    Special { what, by_address_only: true }
}

/// After IANA's registries of special-purpose addresses, and the metadata services of clouds that lie outside those.
const V4: [(Ipv4Addr, u32, Special); 17] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, special("an address of this network")),
    (Ipv4Addr::new(10, 0, 0, 0), 8, special("a private address")),
    (Ipv4Addr::new(100, 100, 100, 200), 32, guarded("a metadata service")),
    (Ipv4Addr::new(100, 64, 0, 0), 10, special("an address shared by a carrier")),
    (Ipv4Addr::new(127, 0, 0, 0), 8, special("a loopback address")),
    (Ipv4Addr::new(169, 254, 0, 0), 16, guarded("a link-local address, where metadata services are")),
    (Ipv4Addr::new(172, 16, 0, 0), 12, special("a private address")),
    (Ipv4Addr::new(168, 63, 129, 16), 32, guarded("a metadata service")),
    (Ipv4Addr::new(192, 0, 0, 0), 24, special("an address for protocol assignments")),
    (Ipv4Addr::new(192, 0, 2, 0), 24, special("an address for documentation")),
    (Ipv4Addr::new(192, 88, 99, 0), 24, special("a 6to4 relay")),
    (Ipv4Addr::new(192, 168, 0, 0), 16, special("a private address")),
    (Ipv4Addr::new(198, 18, 0, 0), 15, special("an address for benchmarks")),
    (Ipv4Addr::new(198, 51, 100, 0), 24, special("an address for documentation")),
    (Ipv4Addr::new(203, 0, 113, 0), 24, special("an address for documentation")),
    (Ipv4Addr::new(224, 0, 0, 0), 4, special("a multicast address")),
    (Ipv4Addr::new(240, 0, 0, 0), 4, special("a reserved address")),
];

const V6: [(Ipv6Addr, u32, Special); 13] = [
    (Ipv6Addr::UNSPECIFIED, 128, special("an address of this machine")),
    (Ipv6Addr::LOCALHOST, 128, special("a loopback address")),
    (Ipv6Addr::UNSPECIFIED, 96, special("a v4 address in an old notation")),
    (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0), 32, guarded("a metadata service")),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, special("a private address")),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, guarded("a link-local address, where metadata services are")),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10, special("a site-local address")),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, special("a multicast address")),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 32, special("a translated v4 address (NAT64)")),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64, special("a discarded address")),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, special("an address for protocol assignments (Teredo)")),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, special("an address for documentation")),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, special("a tunneled v4 address (6to4)")),
];

/// What is special about an address; `None` for one of the public internet.
pub(super) fn special_of(address: IpAddr) -> Option<Special> {
    match address {
        IpAddr::V4(address) => v4_special(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(inner) => Some(v4_special(inner).unwrap_or(special("a v4 address written as v6"))),
            None => {
                V6.iter().find(|(first, bits, _)| v6_within(address, *first, *bits)).map(|(_, _, special)| *special)
            }
        },
    }
}

fn v4_special(address: Ipv4Addr) -> Option<Special> {
    V4.iter().find(|(first, bits, _)| v4_within(address, *first, *bits)).map(|(_, _, special)| *special)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_address_of_the_policy_is_known() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2001::1",
            "2002:7f00:1::",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(special_of(address.parse().unwrap()).is_some(), "{address}");
        }
    }

    #[test]
    fn addresses_of_the_public_internet_are_not_special() {
        for address in
            ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1", "2606:4700::1111"]
        {
            assert_eq!(special_of(address.parse().unwrap()), None, "{address}");
        }
    }

    #[test]
    fn a_range_holds_the_addresses_that_share_its_bits() {
        let range = Range::new("10.1.0.0".parse().unwrap(), 16).unwrap();
        assert!(range.contains("10.1.255.255".parse().unwrap()));
        assert!(range.contains("::ffff:10.1.0.1".parse().unwrap()));
        assert!(!range.contains("10.2.0.0".parse().unwrap()));
        assert!(!range.contains("fd00::1".parse().unwrap()));
        let everything = Range::new("0.0.0.0".parse().unwrap(), 0).unwrap();
        assert!(everything.contains("203.0.113.7".parse().unwrap()));
        assert_eq!(Range::new("10.0.0.0".parse().unwrap(), 33), None);
    }
}
