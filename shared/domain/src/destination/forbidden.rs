//! Which addresses no delivery goes to.
//!
//! The ranges are those of the IANA special-purpose address registries for [IPv4] and [IPv6] that
//! are not globally reachable, with the deprecated and the multicast ones added. A range that is
//! forbidden stays so in every IPv6 form that carries an IPv4 address, or a customer could reach
//! a metadata service by writing its address another way.
//!
//! [IPv4]: https://www.iana.org/assignments/iana-ipv4-special-registry/
//! [IPv6]: https://www.iana.org/assignments/iana-ipv6-special-registry/

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// Why no delivery goes to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Forbidden {
    /// "This host on this network", 0.0.0.0/8 (RFC 791), and `::` (RFC 4291).
    Unspecified,
    /// 127.0.0.0/8 (RFC 1122) and `::1` (RFC 4291).
    Loopback,
    /// 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16 (RFC 1918).
    Private,
    /// 169.254.0.0/16 (RFC 3927), which holds the metadata and credential services of clouds, and
    /// fe80::/10 (RFC 4291).
    LinkLocal,
    /// `fd00:ec2::254`, the instance metadata service of EC2 over IPv6.
    Metadata,
    /// 100.64.0.0/10, the shared space of carrier-grade NAT (RFC 6598).
    Shared,
    /// 224.0.0.0/4 (RFC 5771) and ff00::/8 (RFC 4291).
    Multicast,
    /// 255.255.255.255 (RFC 8190).
    Broadcast,
    /// 240.0.0.0/4 (RFC 1112).
    Reserved,
    /// 192.0.0.0/24 (RFC 6890) and 2001::/23 (RFC 2928): protocols' own addresses, never a host's.
    ProtocolAssignment,
    /// 192.0.2.0/24, 198.51.100.0/24 and 203.0.113.0/24 (RFC 5737), 2001:db8::/32 (RFC 3849) and
    /// 3fff::/20 (RFC 9637).
    Documentation,
    /// 198.18.0.0/15 (RFC 2544) and 2001:2::/48 (RFC 5180).
    Benchmarking,
    /// 192.88.99.0/24, the relay anycast of 6to4 (RFC 7526).
    Relay,
    /// 2001::/32, Teredo (RFC 4380): all of it, since what it reaches is behind somebody's NAT.
    Teredo,
    /// 64:ff9b:1::/48, NAT64 of a local network (RFC 8215): all of it, for its layout is local.
    LocalTranslation,
    /// fec0::/10, site-local, deprecated (RFC 3879).
    SiteLocal,
    /// fc00::/7, unique local (RFC 4193).
    UniqueLocal,
    /// 100::/64, discard only (RFC 6666).
    Discard,
    /// 5f00::/16, segment routing identifiers (RFC 9602).
    SegmentRouting,
    /// Any other IPv6 address outside 2000::/3, the global unicast space (RFC 4291).
    NotGlobal,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unspecified => "an unspecified address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "the address of a metadata service",
            Self::Shared => "a shared (carrier-grade NAT) address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "a broadcast address",
            Self::Reserved => "a reserved address",
            Self::ProtocolAssignment => "an address reserved for protocols",
            Self::Documentation => "an address reserved for documentation",
            Self::Benchmarking => "an address reserved for benchmarks",
            Self::Relay => "a 6to4 relay address",
            Self::Teredo => "a Teredo address",
            Self::LocalTranslation => "a local NAT64 address",
            Self::SiteLocal => "a site-local address",
            Self::UniqueLocal => "a unique local address",
            Self::Discard => "a discard-only address",
            Self::SegmentRouting => "a segment routing identifier",
            Self::NotGlobal => "not a global unicast address",
        })
    }
}

/// Says why no delivery goes to `address`; `None` for one that a delivery may go to.
///
/// IPv4-mapped (`::ffff:0:0/96`), IPv4-compatible (`::/96`), NAT64 (`64:ff9b::/96`, RFC 6052) and
/// 6to4 (`2002::/16`, RFC 3056) addresses are judged by the IPv4 address that they carry.
pub fn forbidden(address: IpAddr) -> Option<Forbidden> {
    match address {
        IpAddr::V4(v4) => forbidden_v4(v4),
        IpAddr::V6(v6) => forbidden_v6(v6),
    }
}

fn forbidden_v4(address: Ipv4Addr) -> Option<Forbidden> {
    let found = V4.iter().find(|(range, _)| range.contains(&address));
    found.map(|(_, why)| *why)
}

fn forbidden_v6(address: Ipv6Addr) -> Option<Forbidden> {
    if let Some((_, why)) = V6.iter().find(|(range, _)| range.contains(&address)) {
        return Some(*why);
    }
    match carried(address) {
        Some(v4) => forbidden_v4(v4),
        None if GLOBAL.contains(&address) => None,
        None => Some(Forbidden::NotGlobal),
    }
}

/// The IPv4 address that a translator or tunnel would send the packets of `address` to.
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let o = address.octets();
    if [MAPPED, COMPATIBLE, NAT64].iter().any(|form| form.contains(&address)) {
        Some(Ipv4Addr::new(o[12], o[13], o[14], o[15]))
    } else if SIX_TO_FOUR.contains(&address) {
        Some(Ipv4Addr::new(o[2], o[3], o[4], o[5]))
    } else {
        None
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(segments: [u16; 8], prefix: u8) -> Ipv6Net {
    let mut octets = [0; 16];
    let mut at = 0;
    while at < segments.len() {
        [octets[2 * at], octets[2 * at + 1]] = segments[at].to_be_bytes();
        at += 1;
    }
    Ipv6Net::new_assert(Ipv6Addr::from_octets(octets), prefix)
}

const GLOBAL: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
const MAPPED: Ipv6Net = v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96);
const COMPATIBLE: Ipv6Net = v6([0; 8], 96);
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);
const SIX_TO_FOUR: Ipv6Net = v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16);

/// The first range that holds an address names the reason, so the narrower ones come first.
const V4: &[(Ipv4Net, Forbidden)] = &[
    (v4(0, 0, 0, 0, 8), Forbidden::Unspecified),
    (v4(10, 0, 0, 0, 8), Forbidden::Private),
    (v4(100, 64, 0, 0, 10), Forbidden::Shared),
    (v4(127, 0, 0, 0, 8), Forbidden::Loopback),
    (v4(169, 254, 0, 0, 16), Forbidden::LinkLocal),
    (v4(172, 16, 0, 0, 12), Forbidden::Private),
    (v4(192, 0, 0, 0, 24), Forbidden::ProtocolAssignment),
    (v4(192, 0, 2, 0, 24), Forbidden::Documentation),
    (v4(192, 88, 99, 0, 24), Forbidden::Relay),
    (v4(192, 168, 0, 0, 16), Forbidden::Private),
    (v4(198, 18, 0, 0, 15), Forbidden::Benchmarking),
    (v4(198, 51, 100, 0, 24), Forbidden::Documentation),
    (v4(203, 0, 113, 0, 24), Forbidden::Documentation),
    (v4(224, 0, 0, 0, 4), Forbidden::Multicast),
    (v4(255, 255, 255, 255, 32), Forbidden::Broadcast),
    (v4(240, 0, 0, 0, 4), Forbidden::Reserved),
];

const V6: &[(Ipv6Net, Forbidden)] = &[
    (v6([0; 8], 128), Forbidden::Unspecified),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), Forbidden::Loopback),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), Forbidden::LocalTranslation),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), Forbidden::Discard),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), Forbidden::Teredo),
    (v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), Forbidden::Benchmarking),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), Forbidden::ProtocolAssignment),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), Forbidden::Documentation),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), Forbidden::Documentation),
    (v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16), Forbidden::SegmentRouting),
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128), Forbidden::Metadata),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), Forbidden::UniqueLocal),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), Forbidden::LinkLocal),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), Forbidden::SiteLocal),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), Forbidden::Multicast),
];

#[cfg(test)]
mod tests;
