use proptest::prelude::*;

use super::*;
use Forbidden::{
    Benchmarking, Broadcast, Discard, Documentation, LinkLocal, LocalTranslation, Loopback,
    Metadata, Multicast, NotGlobal, Private, ProtocolAssignment, Relay, Reserved, SegmentRouting,
    Shared, SiteLocal, Teredo, UniqueLocal, Unspecified,
};

fn check(table: &[(&str, Option<Forbidden>)]) {
    for (address, expected) in table {
        let found = forbidden(address.parse().unwrap());
        assert_eq!(found, *expected, "{address}");
    }
}

/// The first and last address of every range, the ones beside it, and the well-known ones inside.
#[test]
fn every_ipv4_range_is_forbidden_to_its_last_address_and_no_further() {
    check(&[
        ("0.0.0.0", Some(Unspecified)),
        ("0.0.0.1", Some(Unspecified)),
        ("0.255.255.255", Some(Unspecified)),
        ("1.0.0.0", None),
        ("1.1.1.1", None),
        ("8.8.8.8", None),
        ("9.255.255.255", None),
        ("10.0.0.0", Some(Private)),
        ("10.255.255.255", Some(Private)),
        ("11.0.0.0", None),
        ("100.63.255.255", None),
        ("100.64.0.0", Some(Shared)),
        ("100.100.100.200", Some(Shared)), // a cloud's metadata service
        ("100.127.255.255", Some(Shared)),
        ("100.128.0.0", None),
        ("126.255.255.255", None),
        ("127.0.0.0", Some(Loopback)),
        ("127.0.0.1", Some(Loopback)),
        ("127.255.255.255", Some(Loopback)),
        ("128.0.0.0", None),
        ("169.253.255.255", None),
        ("169.254.0.0", Some(LinkLocal)),
        ("169.254.169.253", Some(LinkLocal)), // DNS of a VPC
        ("169.254.169.254", Some(LinkLocal)), // metadata of EC2
        ("169.254.170.2", Some(LinkLocal)),   // credentials of ECS
        ("169.254.255.255", Some(LinkLocal)),
        ("169.255.0.0", None),
        ("172.15.255.255", None),
        ("172.16.0.0", Some(Private)),
        ("172.31.255.255", Some(Private)),
        ("172.32.0.0", None),
        ("191.255.255.255", None),
        ("192.0.0.0", Some(ProtocolAssignment)),
        ("192.0.0.192", Some(ProtocolAssignment)), // a cloud's metadata service
        ("192.0.0.255", Some(ProtocolAssignment)),
        ("192.0.1.0", None),
        ("192.0.1.255", None),
        ("192.0.2.0", Some(Documentation)),
        ("192.0.2.255", Some(Documentation)),
        ("192.0.3.0", None),
        ("192.88.98.255", None),
        ("192.88.99.0", Some(Relay)),
        ("192.88.99.255", Some(Relay)),
        ("192.88.100.0", None),
        ("192.167.255.255", None),
        ("192.168.0.0", Some(Private)),
        ("192.168.255.255", Some(Private)),
        ("192.169.0.0", None),
        ("198.17.255.255", None),
        ("198.18.0.0", Some(Benchmarking)),
        ("198.19.255.255", Some(Benchmarking)),
        ("198.20.0.0", None),
        ("198.51.99.255", None),
        ("198.51.100.0", Some(Documentation)),
        ("198.51.100.255", Some(Documentation)),
        ("198.51.101.0", None),
        ("203.0.112.255", None),
        ("203.0.113.0", Some(Documentation)),
        ("203.0.113.255", Some(Documentation)),
        ("203.0.114.0", None),
        ("223.255.255.255", None),
        ("224.0.0.0", Some(Multicast)),
        ("239.255.255.255", Some(Multicast)),
        ("240.0.0.0", Some(Reserved)),
        ("255.255.255.254", Some(Reserved)),
        ("255.255.255.255", Some(Broadcast)),
    ]);
}

#[test]
fn every_ipv6_range_is_forbidden_to_its_last_address_and_no_further() {
    check(&[
        ("::", Some(Unspecified)),
        ("::1", Some(Loopback)),
        ("::2", Some(Unspecified)), // carries 0.0.0.2
        ("::127.0.0.1", Some(Loopback)),
        ("::169.254.169.254", Some(LinkLocal)),
        ("::10.0.0.1", Some(Private)),
        ("::8.8.8.8", None),
        ("::1:0:0:0", Some(NotGlobal)),
        ("::ffff:127.0.0.1", Some(Loopback)),
        ("::ffff:7f00:1", Some(Loopback)),
        ("::ffff:169.254.169.254", Some(LinkLocal)),
        ("::ffff:a9fe:a9fe", Some(LinkLocal)),
        ("::ffff:0.0.0.0", Some(Unspecified)),
        ("::ffff:255.255.255.255", Some(Broadcast)),
        ("::ffff:8.8.8.8", None),
        ("::fffe:8.8.8.8", Some(NotGlobal)),
        ("::ffff:0:8.8.8.8", Some(NotGlobal)), // SIIT's IPv4-translated form, RFC 2765
        ("64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", Some(NotGlobal)),
        ("64:ff9b::", Some(Unspecified)),
        ("64:ff9b::127.0.0.1", Some(Loopback)),
        ("64:ff9b::192.168.1.1", Some(Private)),
        ("64:ff9b::a9fe:a9fe", Some(LinkLocal)),
        ("64:ff9b::255.255.255.255", Some(Broadcast)),
        ("64:ff9b::8.8.8.8", None),
        ("64:ff9b::1:0:0", Some(NotGlobal)),
        ("64:ff9b:1::", Some(LocalTranslation)),
        ("64:ff9b:1::8.8.8.8", Some(LocalTranslation)),
        ("64:ff9b:1:ffff:ffff:ffff:ffff:ffff", Some(LocalTranslation)),
        ("64:ff9b:2::", Some(NotGlobal)),
        ("100::", Some(Discard)),
        ("100::ffff:ffff:ffff:ffff", Some(Discard)),
        ("100:0:0:1::", Some(NotGlobal)), // dummy prefix, RFC 9780
        ("1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(NotGlobal)),
        ("2000::", None),
        ("2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None),
        ("2001::", Some(Teredo)),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Some(Teredo)),
        ("2001:0:ffff:ffff:ffff:ffff:ffff:ffff", Some(Teredo)),
        ("2001:1::1", Some(ProtocolAssignment)),
        ("2001:2::", Some(Benchmarking)),
        ("2001:2:0:ffff:ffff:ffff:ffff:ffff", Some(Benchmarking)),
        ("2001:2:1::", Some(ProtocolAssignment)),
        ("2001:10::", Some(ProtocolAssignment)),
        ("2001:20::1", Some(ProtocolAssignment)),
        ("2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", Some(ProtocolAssignment)),
        ("2001:200::", None),
        ("2001:4860:4860::8888", None),
        ("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", None),
        ("2001:db8::", Some(Documentation)),
        ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", Some(Documentation)),
        ("2001:db9::", None),
        ("2002:7f00:1::", Some(Loopback)),
        ("2002:a9fe:a9fe::1", Some(LinkLocal)),
        ("2002:c0a8:101:1:2:3:4:5", Some(Private)),
        ("2002::", Some(Unspecified)),
        ("2002:ffff:ffff::", Some(Broadcast)),
        ("2002:808:808::1", None),
        ("2003::1", None),
        ("2600::", None),
        ("2606:4700:4700::1111", None),
        ("3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None),
        ("3fff::", Some(Documentation)),
        ("3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", Some(Documentation)),
        ("3fff:1000::", None),
        ("3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None),
        ("4000::", Some(NotGlobal)),
        ("5eff::1", Some(NotGlobal)),
        ("5f00::", Some(SegmentRouting)),
        ("5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(SegmentRouting)),
        ("5f01::", Some(NotGlobal)),
        ("fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(NotGlobal)),
        ("fc00::", Some(UniqueLocal)),
        ("fd00:ec2::253", Some(UniqueLocal)),
        ("fd00:ec2::254", Some(Metadata)),
        ("fd00:ec2::255", Some(UniqueLocal)),
        ("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(UniqueLocal)),
        ("fe00::", Some(NotGlobal)),
        ("fe80::", Some(LinkLocal)),
        ("fe80::a9fe:a9fe", Some(LinkLocal)),
        ("febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(LinkLocal)),
        ("fec0::", Some(SiteLocal)),
        ("feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(SiteLocal)),
        ("ff00::", Some(Multicast)),
        ("ff02::1", Some(Multicast)),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(Multicast)),
    ]);
}

/// The IPv4 ranges once more, as arithmetic: the table of the code cannot agree by accident.
fn forbidden_by_arithmetic(address: u32) -> bool {
    let [a, b, c, _] = address.to_be_bytes();
    match a {
        0 | 10 | 127 | 224..=255 => true,
        100 => (64..128).contains(&b),
        169 => b == 254,
        172 => (16..32).contains(&b),
        192 => b == 168 || (b == 0 && (c == 0 || c == 2)) || (b == 88 && c == 99),
        198 => b == 18 || b == 19 || (b == 51 && c == 100),
        203 => b == 0 && c == 113,
        _ => false,
    }
}

/// Addresses of any kind, with those near the edges of ranges far more often than chance has them.
fn ipv4() -> impl Strategy<Value = u32> {
    let near = (0..V4.len(), any::<bool>(), -2_i32..=2).prop_map(|(index, last, offset)| {
        let range = V4[index].0;
        let edge = if last { range.broadcast() } else { range.network() };
        u32::from(edge).wrapping_add_signed(offset)
    });
    let inside = (0..V4.len(), any::<u32>()).prop_map(|(index, bits)| {
        let range = V4[index].0;
        u32::from(range.network()) | (bits & u32::from(range.hostmask()))
    });
    prop_oneof![any::<u32>(), near, inside]
}

proptest! {
    #[test]
    fn every_ipv4_address_is_judged_as_the_arithmetic_says(bits in ipv4()) {
        let judged = forbidden(Ipv4Addr::from(bits).into()).is_some();
        prop_assert_eq!(judged, forbidden_by_arithmetic(bits));
    }

    #[test]
    fn every_form_that_carries_an_ipv4_address_is_judged_as_it(bits in ipv4(), low in any::<u128>()) {
        let plain = forbidden(Ipv4Addr::from(bits).into());
        let carried = u128::from(bits);
        let six_to_four = (0x2002 << 112) | (carried << 80) | (low & ((1 << 80) - 1));
        let mut forms = vec![0xffff_0000_0000 | carried, (0x0064_ff9b << 96) | carried, six_to_four];
        if bits > 1 {
            forms.push(carried); // `::` and `::1` are addresses of their own
        }
        for form in forms {
            let form = Ipv6Addr::from(form);
            prop_assert_eq!(forbidden(form.into()), plain, "{}", form);
        }
    }

    #[test]
    fn nothing_outside_global_unicast_passes_but_what_carries_a_public_ipv4_address(bits in any::<u128>()) {
        let address = Ipv6Addr::from(bits);
        if bits >> 125 != 1 && forbidden(address.into()).is_none() {
            let top = bits >> 32;
            prop_assert!(top == 0 || top == 0xffff || top == 0x64_ff9b << 64, "{}", address);
        }
    }

    #[test]
    fn whole_ipv6_ranges_are_forbidden(index in 0..V6.len(), bits in any::<u128>()) {
        let range = V6[index].0;
        let inside = Ipv6Addr::from(u128::from(range.network()) | (bits & u128::from(range.hostmask())));
        prop_assert!(forbidden(inside.into()).is_some(), "{}", inside);
    }

    #[test]
    fn global_unicast_passes_outside_its_special_ranges(bits in any::<u128>()) {
        let bits = (bits & !(0b111 << 125)) | (0b001 << 125);
        let address = Ipv6Addr::from(bits);
        let special = bits >> 105 == 0x2001 << 7     // 2001::/23
            || bits >> 96 == 0x2001_0db8             // 2001:db8::/32
            || bits >> 112 == 0x2002                 // 2002::/16
            || bits >> 108 == 0x0003_fff0;              // 3fff::/20
        if !special {
            prop_assert_eq!(forbidden(address.into()), None, "{}", address);
        }
    }
}
