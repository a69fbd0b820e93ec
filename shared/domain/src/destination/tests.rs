mod notations;

use proptest::prelude::*;

use super::*;

fn parse(text: &str) -> Result<Destination, DestinationError> {
    Destination::parse(text, &Allowed::default())
}

#[test]
fn public_https_urls_pass_and_are_given_in_their_normal_form() {
    for (text, normal) in [
        ("https://example.com", "https://example.com/"),
        ("https://example.com/", "https://example.com/"),
        ("HTTPS://EXAMPLE.COM/Path?Query=1", "https://example.com/Path?Query=1"),
        ("https://example.com:443/a", "https://example.com/a"),
        ("https://example.com./a", "https://example.com/a"),
        ("https://a.b.example.co.uk/x/%2F?y", "https://a.b.example.co.uk/x/%2F?y"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://under_score.example/", "https://under_score.example/"),
        ("https://8.8.8.8/hook", "https://8.8.8.8/hook"),
        ("https://0x08.8.2056/hook", "https://8.8.8.8/hook"),
        ("https://134744072/hook", "https://8.8.8.8/hook"),
        ("https://[2606:4700:4700:0:0::1111]/hook", "https://[2606:4700:4700::1111]/hook"),
        ("https://[::ffff:8.8.8.8]/", "https://[::ffff:808:808]/"),
        ("https:example.com/a", "https://example.com/a"),
        ("https://notlocalhost.com/", "https://notlocalhost.com/"),
        ("https://localhost.example.com/", "https://localhost.example.com/"),
        ("https://mylocal.dev/", "https://mylocal.dev/"),
    ] {
        let parsed = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(parsed.as_str(), normal);
        assert_eq!(parsed.url().as_str(), normal);
        assert_eq!(parse(normal), Ok(parsed), "the normal form stands for itself");
    }
}

/// Each way of writing an address that the URL Standard, or a client's resolver, would accept.
#[test]
fn forbidden_addresses_are_found_in_any_notation() {
    use Forbidden::{
        Broadcast, Discard, Documentation, LinkLocal, LocalTranslation, Loopback, Metadata,
        Multicast, Private, Shared, SiteLocal, Teredo, UniqueLocal, Unspecified,
    };
    for (host, why) in [
        ("127.0.0.1", Loopback),
        ("127.0.0.1.", Loopback),
        ("127.1", Loopback),
        ("127.0.1", Loopback),
        ("0x7f.1", Loopback),
        ("0x7F.0x0.0x0.0x1", Loopback),
        ("0x7f000001", Loopback),
        ("2130706433", Loopback),
        ("017700000001", Loopback),
        ("0177.0.0.1", Loopback),
        ("0177.0x0.0.01", Loopback),
        ("00000177.1", Loopback),
        ("127.0.0.0x1", Loopback),
        ("%31%32%37.0.0.1", Loopback),
        ("１２７.０.０.１", Loopback),
        ("127。0。0。1", Loopback),
        ("①②⑦.0.0.1", Loopback),
        ("0", Unspecified),
        ("0.0.0.0", Unspecified),
        ("0x0", Unspecified),
        ("00", Unspecified),
        ("10.1", Private),
        ("0xa.1", Private),
        ("167772161", Private),
        ("012.0.0.1", Private),
        ("172.16.0.1", Private),
        ("0xac100001", Private),
        ("192.168.1.1", Private),
        ("192.168.257", Private),
        ("3232235777", Private),
        ("169.254.169.254", LinkLocal),
        ("169.254.43518", LinkLocal),
        ("2852039166", LinkLocal),
        ("0xa9fea9fe", LinkLocal),
        ("0xA9.0xFE.0xA9.0xFE", LinkLocal),
        ("0251.0376.0251.0376", LinkLocal),
        ("025177524776", LinkLocal),
        ("169.16689662", LinkLocal),
        ("100.64.0.1", Shared),
        ("255.255.255.255", Broadcast),
        ("4294967295", Broadcast),
        ("0xffffffff", Broadcast),
        ("224.0.0.1", Multicast),
        ("[::1]", Loopback),
        ("[0:0:0:0:0:0:0:1]", Loopback),
        ("[0000:0000:0000:0000:0000:0000:0000:0001]", Loopback),
        ("[::]", Unspecified),
        ("[::ffff:127.0.0.1]", Loopback),
        ("[::FFFF:7F00:0001]", Loopback),
        ("[0:0:0:0:0:ffff:127.0.0.1]", Loopback),
        ("[::127.0.0.1]", Loopback),
        ("[::ffff:169.254.169.254]", LinkLocal),
        ("[64:ff9b::169.254.169.254]", LinkLocal),
        ("[64:ff9b:1::1]", LocalTranslation),
        ("[2002:a9fe:a9fe::]", LinkLocal),
        ("[2002:7f00:0001::1]", Loopback),
        ("[2001:0:a9fe:a9fe::1]", Teredo),
        ("[fe80::1]", LinkLocal),
        ("[fd00:ec2::254]", Metadata),
        ("[fd00:0ec2:0:0:0:0:0:0254]", Metadata),
        ("[fc00::1]", UniqueLocal),
        ("[fec0::1]", SiteLocal),
        ("[ff02::1]", Multicast),
        ("[2001:db8::1]", Documentation),
        ("[100::1]", Discard),
    ] {
        match parse(&format!("https://{host}/hook")) {
            Err(DestinationError::Address(_, found)) => assert_eq!(found, why, "{host}"),
            other => panic!("{host}: {other:?}"),
        }
    }
}

#[test]
fn names_that_are_not_public_are_refused() {
    for host in [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "loc%61lhost",
        "ｌｏｃａｌｈｏｓｔ",
        "a.localhost",
        "a.b.localhost.",
        "printer.local",
        "local",
        "metadata.google.internal",
        "ip-10-0-0-1.ec2.internal",
        "internal",
        "instance-data",
        "com",
        "com.",
        "a..b",
        ".a.b",
    ] {
        let error = parse(&format!("https://{host}/hook")).unwrap_err();
        assert!(matches!(error, DestinationError::Name(_)), "{host}: {error:?}");
    }
}

#[test]
fn what_is_not_a_plain_https_url_is_refused_with_its_reason() {
    use DestinationError::{Credentials, Fragment, Malformed, Port, Scheme, TooLong};
    let long = format!("https://example.com/{}", "a".repeat(MAX_URL_BYTES));
    // Its normal form is longer than what was written.
    let grows = format!("https://example.com/{}", "é".repeat(1000));
    for (text, expected) in [
        ("http://example.com/", Scheme),
        ("http://127.0.0.1/", Scheme),
        ("ftp://example.com/", Scheme),
        ("ws://example.com/", Scheme),
        ("file:///etc/passwd", Scheme),
        ("gopher://127.0.0.1:6379/_x", Scheme),
        ("data:text/plain,a", Scheme),
        ("unix:/var/run/docker.sock", Scheme),
        ("https://example.com:8443/", Port(8443)),
        ("https://example.com:80/", Port(80)),
        ("https://example.com:0/", Port(0)),
        ("https://8.8.8.8:22/", Port(22)),
        ("https://user@example.com/", Credentials),
        ("https://user:password@example.com/", Credentials),
        ("https://:password@example.com/", Credentials),
        ("https://example.com@127.0.0.1/", Credentials),
        ("https://example.com/#f", Fragment),
        ("https://example.com/#", Fragment),
        (&long, TooLong),
        (&grows, TooLong),
        ("", Malformed("it has no scheme")),
        ("example.com", Malformed("it has no scheme")),
        ("/hook", Malformed("it has no scheme")),
        ("//example.com/hook", Malformed("it has no scheme")),
        ("https://", Malformed("it has no host")),
        ("https://example.com:65536/", Malformed("its port is not a port number")),
        ("https://example.com:x/", Malformed("its port is not a port number")),
        ("https://256.0.0.1/", Malformed("its host is not an IPv4 address, but ends like one")),
        ("https://1.2.3.4.5/", Malformed("its host is not an IPv4 address, but ends like one")),
        ("https://[::1/", Malformed("its host is not an IPv6 address")),
        ("https://[fe80::1%25eth0]/", Malformed("its host is not an IPv6 address")),
        ("https://[127.0.0.1]/", Malformed("its host is not an IPv6 address")),
        (" https://example.com/", Malformed("it holds spaces or control characters")),
        ("https://example.com/a b", Malformed("it holds spaces or control characters")),
        ("https://exa\nmple.com/", Malformed("it holds spaces or control characters")),
        ("https://example.com/\u{0}", Malformed("it holds spaces or control characters")),
        ("https://example.com\t/", Malformed("it holds spaces or control characters")),
    ] {
        assert_eq!(parse(text), Err(expected), "{text}");
    }
    for text in ["https://exa%00mple.com/", "https://a<b.example/", "https://a^b.example/"] {
        assert!(matches!(parse(text), Err(DestinationError::Malformed(_))), "{text}");
    }
    // Backslashes are slashes, so that these name 127.0.0.1 and not example.com, or the reverse.
    assert_eq!(parse("https:\\\\example.com\\@127.0.0.1").unwrap().host(), "example.com");
}

#[test]
fn an_allowed_endpoint_is_lifted_from_https_port_443_and_the_check_of_its_host() {
    let allowed: Allowed =
        "receiver,printer.local,10.1.0.0/16,127.0.0.1,fd00::/8,hooks.slack.com=127.0.0.1"
            .parse()
            .unwrap();
    for text in [
        "http://receiver/hook",
        "http://RECEIVER.:9000/hook",
        "https://printer.local:8443/",
        "http://10.1.2.3/",
        "http://127.0.0.1:9000/",
        "http://0x7f.1:9000/",
        "http://[fd12::1]:80/",
        "http://hooks.slack.com:9000/services/x",
        "https://hooks.slack.com/services/x",
        "https://example.com/",
    ] {
        assert!(Destination::parse(text, &allowed).is_ok(), "{text}");
    }
    for text in [
        "http://example.com/",
        "https://example.com:8443/",
        "http://a.receiver/",
        "https://other.local/",
        "https://10.2.0.1/",
        "https://127.0.0.2/",
        "https://[::ffff:127.0.0.1]/",
        "https://localhost/",
        "http://slack.com/",
        "http://user@receiver/",
        "http://receiver/#f",
        "ftp://receiver/",
    ] {
        assert!(Destination::parse(text, &allowed).is_err(), "{text}");
    }
}

#[test]
fn neither_errors_nor_debug_show_the_path_or_query() {
    let parsed = parse("https://example.com/SECRET?q=SECRET").unwrap();
    assert_eq!(format!("{parsed:?}"), "Destination(https://example.com…)");
    for text in [
        "http://example.com/SECRET",
        "https://SECRET:SECRET@example.com/SECRET",
        "https://example.com/SECRET#SECRET",
        "https://example.com:1/SECRET?SECRET",
        "https://localhost/SECRET",
        "https://127.0.0.1/SECRET",
        "https://[::1/SECRET",
        "https:///?SECRET SECRET",
        "SECRET",
    ] {
        let error = parse(text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error}");
    }
}

#[test]
fn slack_and_fivetran_take_no_gzip() {
    for host in [
        "slack.com",
        "hooks.slack.com",
        "HOOKS.Slack.COM",
        "hooks.slack.com.",
        "a.b.slack.com",
        "fivetran.com",
        "webhooks.fivetran.com",
        "Webhooks.Fivetran.com.",
    ] {
        assert!(!wants_gzip(host), "{host}");
    }
    for host in [
        "example.com",
        "notslack.com",
        "slack.com.example.com",
        "slack.co",
        "myfivetran.com",
        "fivetran.com.de",
        "slack",
        "com",
        "127.0.0.1",
        "",
    ] {
        assert!(wants_gzip(host), "{host}");
    }
    assert!(!parse("https://hooks.slack.com/services/x").unwrap().wants_gzip());
    assert!(parse("https://example.com/slack.com").unwrap().wants_gzip());
}

/// One address in each notation that the URL Standard reads.
fn notations(address: u32) -> Vec<String> {
    let [a, b, c, d] = address.to_be_bytes();
    let low24 = address & 0xff_ffff;
    let low16 = address & 0xffff;
    vec![
        format!("{a}.{b}.{c}.{d}"),
        format!("{a}.{b}.{c}.{d}."),
        format!("{a}.{b}.{low16}"),
        format!("{a}.{low24}"),
        format!("{address}"),
        format!("{address:#x}"),
        format!("{address:#X}").replace("0X", "0x"),
        format!("0{address:o}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("0{a:o}.{b:#x}.{low16}"),
        format!("[::ffff:{a}.{b}.{c}.{d}]"),
        format!("[64:ff9b::{a}.{b}.{c}.{d}]"),
        format!("[2002:{:x}:{low16:x}::1]", address >> 16),
    ]
}

proptest! {
    #[test]
    fn an_address_is_judged_alike_in_every_notation(address in prop_oneof![
        any::<u32>(),
        any::<u32>().prop_map(|low| (127 << 24) | (low & 0xff_ffff)),
        any::<u32>().prop_map(|low| (10 << 24) | (low & 0xff_ffff)),
        any::<u32>().prop_map(|low| (0xa9fe << 16) | (low & 0xffff)),
        any::<u32>().prop_map(|low| (0xc0a8 << 16) | (low & 0xffff)),
    ]) {
        let why = forbidden(IpAddr::from(address.to_be_bytes()));
        for host in notations(address) {
            let found = match parse(&format!("https://{host}/")) {
                Ok(_) => None,
                Err(DestinationError::Address(_, found)) => Some(found),
                Err(other) => return Err(TestCaseError::fail(format!("{host}: {other}"))),
            };
            prop_assert_eq!(found, why, "{}", host);
        }
    }

    #[test]
    fn nothing_panics_and_what_passes_is_public_and_stands_for_itself(text in prop_oneof![
        any::<String>(),
        "https?://[a-z0-9.:@\\[\\]%#/_-]{0,40}",
        "https://[0-9a-fx.]{1,20}(:[0-9]{1,5})?/",
        "https://\\[[0-9a-f:.]{2,40}\\]/",
    ]) {
        if let Ok(parsed) = parse(&text) {
            let url = parsed.url();
            prop_assert_eq!(url.scheme(), "https");
            prop_assert_eq!(url.port(), None);
            prop_assert!(url.username().is_empty() && url.password().is_none());
            match url.host() {
                Some(Host::Ipv4(address)) => prop_assert_eq!(forbidden(address.into()), None),
                Some(Host::Ipv6(address)) => prop_assert_eq!(forbidden(address.into()), None),
                Some(Host::Domain(name)) => prop_assert!(public(name)),
                None => return Err(TestCaseError::fail("no host")),
            }
            prop_assert_eq!(parse(parsed.as_str()), Ok(parsed));
        }
    }
}
