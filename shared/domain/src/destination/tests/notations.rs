//! What the public lists of server-side request forgery write in place of a public host: the IANA
//! registries of special-purpose addresses, the metadata services of the clouds, and every notation
//! of an address or a name that some URL parser, resolver or operating system reads.
//!
//! Each host stands in a group that says why it is refused, or why not. An address that is refused
//! in a URL is refused as DNS's answer too.

use std::collections::BTreeSet;

use super::*;
use Forbidden::{
    Benchmarking, Broadcast, Discard, Documentation, LinkLocal, LocalTranslation, Loopback,
    Metadata, Multicast, NotGlobal, Private, ProtocolAssignment, Relay, Reserved, SegmentRouting,
    Shared, SiteLocal, Teredo, UniqueLocal, Unspecified,
};

/// What becomes of a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It passes.
    Public,
    /// Its host is such an address.
    Address(Forbidden),
    /// Its host is a name that is not of the public DNS.
    Name,
    /// It is no URL with a host, for the URL Standard or for us.
    Malformed,
    /// It names a port other than 443.
    Port,
    /// It holds a user name or password.
    Credentials,
    /// Its scheme is another.
    Scheme,
    /// It has a fragment.
    Fragment,
}
use Verdict::{Address, Credentials, Fragment, Malformed, Name, Port, Public, Scheme};

fn verdict(text: &str) -> Verdict {
    match parse(text) {
        Ok(_) => Public,
        Err(DestinationError::Address(_, why)) => Address(why),
        Err(DestinationError::Name(_)) => Name,
        Err(DestinationError::Malformed(_)) => Malformed,
        Err(DestinationError::Port(_)) => Port,
        Err(DestinationError::Credentials) => Credentials,
        Err(DestinationError::Scheme) => Scheme,
        Err(DestinationError::Fragment) => Fragment,
        Err(DestinationError::TooLong) => panic!("none of these is long: {text}"),
    }
}

/// Hosts with spaces between them, what becomes of `https://{host}/hook`, and why.
const HOSTS: &[(&str, Verdict, &str)] = &[
    // The IANA IPv4 special-purpose address registry, in its order, and what it does not list.
    ("RFC 791: this network", Address(Unspecified), "0.0.0.0 0.0.0.1 0.1.2.3 0.255.255.255"),
    ("RFC 1918: private use", Address(Private), "10.0.0.0 10.0.0.1 10.0.0.138 10.10.10.10"),
    ("RFC 1918: private use", Address(Private), "10.96.0.1 10.255.255.254 10.255.255.255"),
    ("RFC 6598: shared address space", Address(Shared), "100.64.0.0 100.64.0.1 100.127.255.255"),
    ("RFC 1122: loopback", Address(Loopback), "127.0.0.0 127.0.0.1 127.0.0.2 127.0.1.1"),
    ("RFC 1122: loopback", Address(Loopback), "127.0.0.53 127.127.127.127 127.255.255.254"),
    ("RFC 3927: link-local", Address(LinkLocal), "169.254.0.0 169.254.1.1 169.254.255.255"),
    ("RFC 1918: private use", Address(Private), "172.16.0.0 172.17.0.1 172.31.255.255"),
    ("RFC 6890: protocol assignments", Address(ProtocolAssignment), "192.0.0.0 192.0.0.255"),
    ("RFC 7335: DS-Lite continuity", Address(ProtocolAssignment), "192.0.0.1 192.0.0.7"),
    ("RFC 7600: dummy address", Address(ProtocolAssignment), "192.0.0.8"),
    ("RFC 7723, 8155: anycast", Address(ProtocolAssignment), "192.0.0.9 192.0.0.10"),
    ("RFC 7050: discovery of NAT64", Address(ProtocolAssignment), "192.0.0.170 192.0.0.171"),
    ("RFC 5737: documentation", Address(Documentation), "192.0.2.0 192.0.2.1 192.0.2.255"),
    ("RFC 5737: documentation", Address(Documentation), "198.51.100.1 203.0.113.255"),
    ("RFC 7526: 6to4 relays", Address(Relay), "192.88.99.0 192.88.99.1 192.88.99.2"),
    ("RFC 1918: private use", Address(Private), "192.168.0.0 192.168.0.1 192.168.255.255"),
    ("RFC 2544: benchmarks", Address(Benchmarking), "198.18.0.0 198.18.0.1 198.19.255.255"),
    ("RFC 5771: multicast", Address(Multicast), "224.0.0.0 224.0.0.251 239.255.255.250"),
    ("RFC 1112: reserved", Address(Reserved), "240.0.0.0 240.0.0.1 255.255.255.254"),
    ("RFC 919: limited broadcast", Address(Broadcast), "255.255.255.255"),
    ("beside those: public", Public, "1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255"),
    ("beside those: public", Public, "100.128.0.0 126.255.255.255 128.0.0.1 169.253.255.255"),
    ("beside those: public", Public, "169.255.0.1 172.15.255.255 172.32.0.1 192.0.1.1"),
    ("beside those: public", Public, "192.167.255.255 192.169.0.1 198.17.255.255 198.20.0.1"),
    ("RFC 7534, 7535: AS112, reachable", Public, "192.31.196.1 192.52.193.1 192.175.48.1"),
    // The IANA IPv6 special-purpose address registry.
    ("RFC 4291: unspecified", Address(Unspecified), "[::] [0:0:0:0:0:0:0:0] [::0] [0::0]"),
    ("RFC 4291: loopback", Address(Loopback), "[::1] [0:0:0:0:0:0:0:1] [0::1] [::0001] [0::0:1]"),
    ("RFC 4291: IPv4-mapped", Address(Loopback), "[::ffff:127.0.0.1] [::FFFF:7f00:1]"),
    ("RFC 4291: IPv4-mapped", Address(Loopback), "[0000::ffff:7f00:0001] [0:0:0:0:0:FFFF:7F00:1]"),
    ("RFC 4291: IPv4-mapped", Address(Private), "[::ffff:10.0.0.1] [::ffff:c0a8:1]"),
    ("RFC 4291: IPv4-mapped", Address(LinkLocal), "[::ffff:169.254.169.254] [::ffff:a9fe:a9fe]"),
    ("RFC 4291: IPv4-mapped", Address(Unspecified), "[::ffff:0.0.0.0] [::ffff:0:0]"),
    ("RFC 4291: IPv4-compatible", Address(Loopback), "[::127.0.0.1] [::7f00:1]"),
    ("RFC 4291: IPv4-compatible", Address(LinkLocal), "[::169.254.169.254] [::a9fe:a9fe]"),
    ("RFC 2765: IPv4-translated", Address(NotGlobal), "[::ffff:0:127.0.0.1] [::ffff:0:a9fe:a9fe]"),
    ("RFC 6052: NAT64", Address(Loopback), "[64:ff9b::127.0.0.1] [64:ff9b::7f00:1]"),
    ("RFC 6052: NAT64", Address(LinkLocal), "[64:ff9b::169.254.169.254] [64:ff9b::a9fe:a9fe]"),
    ("RFC 6052: NAT64", Address(Private), "[64:FF9B::10.0.0.1] [0064:ff9b::ac10:0001]"),
    ("RFC 8215: local NAT64", Address(LocalTranslation), "[64:ff9b:1::] [64:ff9b:1::a9fe:a9fe]"),
    ("RFC 6666: discard", Address(Discard), "[100::] [100::1] [0100::ffff:ffff:ffff:ffff]"),
    ("RFC 9780: dummy prefix", Address(NotGlobal), "[100:0:0:1::] [100:0:0:1::1]"),
    ("RFC 4380: Teredo", Address(Teredo), "[2001::] [2001::1] [2001:0:7f00:1::1]"),
    ("RFC 4380: Teredo", Address(Teredo), "[2001:0:4136:e378:8000:63bf:5601:5601]"),
    (
        "RFC 2928: assignments",
        Address(ProtocolAssignment),
        "[2001:1::1] [2001:3::1] [2001:4:112::]",
    ),
    (
        "RFC 4843, 7343: ORCHID",
        Address(ProtocolAssignment),
        "[2001:10::1] [2001:20::1] [2001:2f::]",
    ),
    ("RFC 9374: drones", Address(ProtocolAssignment), "[2001:30::1] [2001:3f:ffff::1]"),
    ("RFC 5180: benchmarks", Address(Benchmarking), "[2001:2::] [2001:0002:0::6c:430]"),
    ("RFC 5180: benchmarks", Address(Benchmarking), "[2001:2:0:6c::430]"),
    ("RFC 3849: documentation", Address(Documentation), "[2001:db8::] [2001:DB8:0:0::1]"),
    ("RFC 9637: documentation", Address(Documentation), "[3fff::] [3fff:fff:ffff::1]"),
    ("RFC 3056: 6to4", Address(Loopback), "[2002:7f00:1::] [2002:7f00:0001:0:0:0:0:1]"),
    ("RFC 3056: 6to4", Address(LinkLocal), "[2002:a9fe:a9fe::] [2002:a9fe:a9fe::1]"),
    ("RFC 3056: 6to4", Address(Private), "[2002:a00:1::] [2002:c0a8:101::1] [2002:ac10:1::1]"),
    ("RFC 9602: segment routing", Address(SegmentRouting), "[5f00::] [5f00:1::1]"),
    ("RFC 4193: unique local", Address(UniqueLocal), "[fc00::] [fc00::1] [fd00::1] [fdff:ffff::1]"),
    ("RFC 4291: link-local", Address(LinkLocal), "[fe80::] [fe80::1] [FE80::A9FE:A9FE] [febf::1]"),
    ("RFC 3879: site-local", Address(SiteLocal), "[fec0::1] [fec0:0:0:ffff::1] [feff::1]"),
    ("RFC 4291: multicast", Address(Multicast), "[ff01::1] [ff02::1] [ff02::fb] [ff05::1:3]"),
    (
        "RFC 4291: not global unicast",
        Address(NotGlobal),
        "[4000::1] [8000::1] [fe00::1] [::2:0:0:0]",
    ),
    (
        "public, or carries a public one",
        Public,
        "[2000::1] [2606:4700:4700::1111] [::ffff:8.8.8.8]",
    ),
    ("public, or carries a public one", Public, "[64:ff9b::8.8.8.8] [2002:808:808::1] [::8.8.8.8]"),
    ("public, or carries a public one", Public, "[2001:200::1] [2001:4860:4860:0::8888] [2a00::1]"),
    // Metadata and credential services.
    ("EC2, Azure, GCP, and others", Address(LinkLocal), "169.254.169.254 169.254.169.254."),
    ("ECS, EKS, VPC DNS, time", Address(LinkLocal), "169.254.170.2 169.254.170.23 169.254.169.253"),
    ("ECS, EKS, VPC DNS, time", Address(LinkLocal), "169.254.169.123 169.254.169.250"),
    ("Azure's Service Fabric", Address(LinkLocal), "169.254.128.1"),
    ("EC2 over IPv6", Address(Metadata), "[fd00:ec2::254] [fd00:0ec2::0254] [FD00:EC2:0::254]"),
    ("EKS, VPC DNS over IPv6", Address(UniqueLocal), "[fd00:ec2::23] [fd00:ec2::253]"),
    ("GCP over IPv6", Address(UniqueLocal), "[fd20:ce::254]"),
    ("Oracle", Address(ProtocolAssignment), "192.0.0.192"),
    ("Alibaba", Address(Shared), "100.100.100.200"),
    ("GCP's names", Name, "metadata metadata.google.internal Metadata.Google.Internal. METADATA"),
    ("EC2's names", Name, "instance-data instance-data.ec2.internal ip-172-31-0-1.ec2.internal"),
    ("EC2's names", Name, "ip-10-0-0-1.eu-west-1.compute.internal"),
    ("Docker's, Podman's names", Name, "host.docker.internal gateway.docker.internal"),
    ("Docker's, Podman's names", Name, "host.containers.internal db redis"),
    // One address, 127.0.0.1, in all the notations of `inet_aton`.
    ("one, two, three parts", Address(Loopback), "2130706433 127.1 127.0.1 127.65530"),
    ("hexadecimal", Address(Loopback), "0x7f000001 0x7F000001 0x7f.1 0x7f.0x0.0x0.0x1 0x7f.0.1"),
    ("octal", Address(Loopback), "017700000001 0177.1 0177.0.0.1 0177.0.0.01 0177.00.00.01"),
    ("leading zeros", Address(Loopback), "00177.0.0.1 000177.0.0.01 0x007f.0.0.0x0001"),
    ("leading zeros", Address(Loopback), "0x000000007f000001 0000000017700000001"),
    ("mixed", Address(Loopback), "0x7f.0.0.1 0177.0x0.0.1 127.0x0.00.0x1 127.0x1"),
    ("a trailing dot", Address(Loopback), "127.1. 2130706433. 0x7f000001. 0177.0.0.1."),
    // And 169.254.169.254, 10.0.0.1, 192.168.0.1, 0.0.0.0.
    ("decimal", Address(LinkLocal), "2852039166 169.16689662 169.254.43518"),
    ("hexadecimal", Address(LinkLocal), "0xa9fea9fe 0xA9FEA9FE 0xa9.0xfe.0xa9.0xfe 0xa9.254.43518"),
    ("octal", Address(LinkLocal), "025177524776 0251.0376.0251.0376 0251.254.169.254"),
    ("any", Address(Private), "167772161 0xa000001 012.1 10.1 0xa.0.1 3232235521 0xc0a80001"),
    ("any", Address(Private), "030052000001 0300.0250.1 192.168.1 192.11010049 0xac.0x1f.0xffff"),
    ("any", Address(Unspecified), "0 00 0x 0x0 0.0 0.0.0 0x0.0 00.00.00.00 0. 0x."),
    ("any", Address(Broadcast), "4294967295 0xffffffff 037777777777 255.255.65535"),
    (
        "what is public stays so",
        Public,
        "134744072 0x8080808 010.010.010.010 8.8.2056 8.526344 1.2.3.0x",
    ),
    ("too large, too many, no numbers", Malformed, "4294967296 0x100000000 256.0.0.1 127.0.0.256"),
    (
        "too large, too many, no numbers",
        Malformed,
        "1.2.3.4.5 127.0.0.0.1 127.0.65536 127.16777216",
    ),
    ("too large, too many, no numbers", Malformed, "0177.0.0.08 127..0.1 040000000000"),
    ("an IPv6 address that is none", Malformed, "[::1 [:::1] [1:2:3:4:5:6:7] [::127.1] [::g]"),
    ("an IPv6 address that is none", Malformed, "[::ffff:127.0.0.1.] [1::2::3] [12345::] []"),
    (
        "an IPv6 address that is none",
        Malformed,
        "[::ffff:0x7f.0.0.1] [::256.0.0.1] ::1 [127.0.0.1]",
    ),
    ("a zone", Malformed, "[fe80::1%25eth0] [fe80::1%eth0] [::1%251]"),
    // Other characters for the same digits, dots and letters.
    ("full width", Address(Loopback), "１２７.０.０.１ １２７．０．０．１ ０ｘ７ｆ.1"),
    (
        "full width",
        Address(LinkLocal),
        "１６９.２５４.１６９.２５４ １６９。２５４。１６９。２５４",
    ),
    ("circled, bold, superscript", Address(Loopback), "①②⑦.⓪.⓪.① 𝟏𝟐𝟕.𝟎.𝟎.𝟏 ¹²⁷.⁰.⁰.¹ ₁₂₇.₀.₀.₁"),
    ("circled, bold, superscript", Address(LinkLocal), "①⑥⑨.②⑤④.①⑥⑨.②⑤④ ⑯⑨.②⑤④.⑯⑨.②⑤④"),
    ("ideographic dots", Address(Loopback), "127。0。0。1 127｡0｡0｡1 127．1"),
    ("percent signs", Address(Loopback), "%31%32%37.0.0.1 127%2e0%2e0%2e1 %30x7f.1 127.0.0.1%2e"),
    ("percent signs", Address(LinkLocal), "%31%36%39.254.169.254 169%2E254%2E169%2E254"),
    ("percent signs", Name, "loc%61lhost %6c%6f%63%61%6c%68%6f%73%74 localhost%2e"),
    ("twice over they are signs", Malformed, "%2531%2532%2537.0.0.1 127.0.0.1%00 a%09b.example"),
    (
        "full width, circled",
        Name,
        "ｌｏｃａｌｈｏｓｔ ⓛⓞⓒⓐⓛⓗⓞⓢⓣ 𝐥𝐨𝐜𝐚𝐥𝐡𝐨𝐬𝐭 ℓocalhost ＬＯＣＡＬＨＯＳＴ．",
    ),
    ("ignored characters", Name, "local\u{ad}host loc\u{200b}alhost local\u{2060}host"),
    ("ignored characters", Address(Loopback), "127.0.0\u{ad}.1 127\u{200b}.0.0.1 0x7f.\u{2060}1"),
    (
        "a name of other letters",
        Public,
        "bücher.example xn--bcher-kva.example пример.example 例え.jp",
    ),
    // Names.
    ("RFC 6761: localhost", Name, "localhost LocalHost localhost. a.localhost localhost.localhost"),
    ("one label, or an empty one", Name, "localhost6 ip6-localhost intranet router wpad com uk."),
    ("one label, or an empty one", Name, "a..b .example.com example..com localhost.. .. ."),
    (
        "RFC 6762, ICANN: private zones",
        Name,
        "printer.local nas.local. local internal corp.internal",
    ),
    (
        "zones that merely look so",
        Public,
        "localhost.example.com internal.example local.host mylocal.dev",
    ),
    ("names that hold an address: see DNS", Public, "127.0.0.1.nip.io 169.254.169.254.nip.io"),
    (
        "names that hold an address: see DNS",
        Public,
        "localtest.me lvh.me 10.0.0.1.sslip.io 7f000001.a.rbndr.us",
    ),
];

/// The same for whole URLs.
const URLS: &[(&str, Verdict, &str)] = &[
    ("ports", Port, "https://example.com:80/ https://example.com:8443/ https://8.8.8.8:6379/"),
    ("ports", Port, "https://127.0.0.1:22/ https://[::1]:9001/ https://a.example:0/"),
    ("ports", Malformed, "https://a.example:65536/ https://a.example:-1/ https://a.example:0x50/"),
    (
        "the default port is none",
        Public,
        "https://example.com:443/ https://example.com:00443/ https://example.com:/",
    ),
    (
        "userinfo",
        Credentials,
        "https://user@example.com/ https://example.com@127.0.0.1/ https://:p@a.example/",
    ),
    (
        "userinfo",
        Credentials,
        "https://127.0.0.1%23@example.com/ https://a.example%2F@169.254.169.254/",
    ),
    (
        "userinfo",
        Credentials,
        "https://foo@127.0.0.1:80@a.example/ https://a@b@c.example/ https://1.1.1.1&@2.2.2.2/",
    ),
    ("an empty one is none", Public, "https://@example.com/ https://:@example.com/"),
    (
        "an empty one is none",
        Address(Loopback),
        "https://@127.0.0.1/ https:///127.0.0.1/ https:127.0.0.1",
    ),
    (
        "slashes",
        Address(LinkLocal),
        "https:/169.254.169.254/ https:\\\\169.254.169.254\\ https:////169.254.169.254/",
    ),
    (
        "backslashes end the host",
        Address(Loopback),
        "https://127.0.0.1\\@example.com/ https://127.1\\.example.com/",
    ),
    (
        "backslashes end the host",
        Public,
        "https://example.com\\@127.0.0.1/ https://example.com\\.127.0.0.1/",
    ),
    (
        "so do ? and /",
        Address(Loopback),
        "https://127.0.0.1?@example.com/ https://127.1/@example.com",
    ),
    ("so do ? and /", Public, "https://example.com?@127.0.0.1/ https://example.com/@127.0.0.1/"),
    (
        "a fragment",
        Fragment,
        "https://example.com/#@127.0.0.1/ https://127.0.0.1#@example.com/ https://a.example#",
    ),
    (
        "other schemes",
        Scheme,
        "http://example.com/ http://169.254.169.254/ ftp://a.example/ file:///etc/passwd",
    ),
    (
        "other schemes",
        Scheme,
        "gopher://127.0.0.1:6379/_x dict://127.0.0.1:11211/ ldap://localhost:389/ tftp://a.example/",
    ),
    (
        "other schemes",
        Scheme,
        "jar:https://127.0.0.1!/ data:text/plain,x javascript:1 ws://a.example/ wss://a.example/",
    ),
    (
        "other schemes",
        Scheme,
        "netdoc:///etc/passwd blob:https://a.example/ about:blank unix:/run/docker.sock",
    ),
    (
        "no scheme, or no host",
        Malformed,
        "//127.0.0.1/ 127.0.0.1 example.com /hook https:// https://? https://:443/",
    ),
];

#[test]
fn each_of_the_public_lists_is_judged_as_it_must_be() {
    let hosts =
        each(HOSTS).map(|(why, verdict, host)| (why, verdict, format!("https://{host}/hook")));
    let urls = each(URLS).map(|(why, verdict, url)| (why, verdict, url.to_owned()));
    let mut distinct = BTreeSet::new();
    let mut refused = 0;
    let mut wrong = Vec::new();
    for (why, expected, url) in hosts.chain(urls) {
        let found = verdict(&url);
        if found != expected {
            wrong.push(format!("{url}: {found:?}, not {expected:?}: {why}"));
        }
        refused += usize::from(expected != Public);
        assert!(distinct.insert(url.clone()), "{url} stands there twice");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{} addresses and notations, {refused} of them refused", distinct.len());
    assert!(distinct.len() >= 350 && refused >= 300, "{} and {refused}", distinct.len());
}

/// The check of a URL is not what keeps a name from leading to such an address.
#[test]
fn each_address_is_refused_as_an_answer_of_dns_too() {
    let mut addresses = BTreeSet::new();
    for (why, verdict, host) in each(HOSTS) {
        if verdict == Malformed {
            continue;
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let Ok(address) = bare.parse::<IpAddr>() else { continue };
        let alone = admit("hooks.example.com", &[address], &Allowed::default());
        let beside = ["1.1.1.1".parse().unwrap(), address];
        let beside = admit("hooks.example.com", &beside, &Allowed::default());
        match verdict {
            Public => assert!(alone.is_ok() && beside.is_ok(), "{host}: {why}"),
            Address(forbidden) => {
                let expected = Refused::Forbidden {
                    host: "hooks.example.com".to_owned(),
                    address,
                    why: forbidden,
                };
                assert_eq!(
                    (alone, beside),
                    (Err(expected.clone()), Err(expected)),
                    "{host}: {why}"
                );
            }
            other => panic!("{host} is an address: {other:?}"),
        }
        addresses.insert(address);
    }
    assert!(addresses.len() >= 150, "{} addresses", addresses.len());
}

fn each<'a>(
    groups: &'a [(&str, Verdict, &str)],
) -> impl Iterator<Item = (&'a str, Verdict, &'a str)> {
    groups.iter().flat_map(|(why, verdict, all)| all.split(' ').map(|one| (*why, *verdict, one)))
}
