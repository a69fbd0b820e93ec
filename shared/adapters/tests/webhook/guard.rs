//! Where requests do not go.

use std::io;
use std::sync::Arc;

use flagpost_adapters::webhook::{Settings, WebhookSender};
use flagpost_domain::destination::Allowed;
use flagpost_domain::ports::SendError;

use crate::child::Child;
use crate::receiver::{OK, Receiver};
use crate::sending::{Scripted, allowed, patient, request, send_request};

fn sender(allowed: Allowed, lookup: &Arc<Scripted>) -> WebhookSender {
    WebhookSender::new(&Settings { allowed, lookup: Arc::<Scripted>::clone(lookup), ..patient() })
        .unwrap()
}

#[tokio::test]
async fn a_name_with_a_forbidden_address_is_refused_whatever_else_it_has() {
    for (addresses, text) in [
        ("127.0.0.1", "127.0.0.1, a loopback address"),
        ("8.8.8.8 127.0.0.1", "127.0.0.1, a loopback address"),
        ("169.254.169.254", "169.254.169.254, a link-local address"),
        ("fd00:ec2::254", "fd00:ec2::254, the address of a metadata service"),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.1, a private address"),
    ] {
        let dns = Scripted::to(addresses);
        let sender = sender(Allowed::default(), &dns);
        let result =
            send_request(&sender, request("https://hooks.example.com/SECRET", &Allowed::default()))
                .await;
        assert_eq!(
            result,
            Err(SendError::Refused(format!("`hooks.example.com` resolves to {text}")))
        );
        assert_eq!(dns.queries(), 1);
    }
}

#[tokio::test]
async fn a_name_without_addresses_is_a_failure_to_connect() {
    for dns in [Scripted::to(""), Scripted::new(|_| Err(io::Error::other("no such name")))] {
        let sender = sender(Allowed::default(), &dns);
        let result =
            send_request(&sender, request("https://hooks.example.com/SECRET", &Allowed::default()))
                .await;
        assert!(matches!(result, Err(SendError::Connect(_))), "{result:?}");
    }
}

#[tokio::test]
async fn an_address_is_refused_by_the_senders_own_exceptions() {
    let receiver = Receiver::answering(OK).await;
    let dns = Scripted::to("");
    let sender = sender(Allowed::default(), &dns);
    let permissive = allowed("127.0.0.0/8,169.0.0.0/8,::1,localhost");
    let local = receiver.url();
    for url in [
        &local,
        "https://127.1/",
        "https://[::1]/",
        "https://169.254.169.254/SECRET",
        "http://localhost/",
    ] {
        let result = send_request(&sender, request(url, &permissive)).await;
        assert!(matches!(result, Err(SendError::Refused(_))), "{url}: {result:?}");
    }
    assert_eq!((receiver.accepted(), dns.queries()), (0, 0));
}

#[tokio::test]
async fn a_name_with_an_address_of_its_own_needs_no_dns() {
    let receiver = Receiver::answering(OK).await;
    let dns = Scripted::to("");
    let exempt = allowed("hooks.slack.com=127.0.0.1");
    let sender = sender(exempt.clone(), &dns);
    let port = receiver.address.port();
    let url = format!("http://hooks.slack.com:{port}/services/SECRET");
    assert_eq!(send_request(&sender, request(&url, &exempt)).await.unwrap().status, 200);
    assert_eq!(receiver.received()[0].headers["host"], format!("hooks.slack.com:{port}"));
    assert_eq!(dns.queries(), 0);
}

#[tokio::test]
async fn the_addresses_that_were_checked_are_the_ones_connected_to() {
    // A name that is public (here: in an allowed network) when it is checked, and private after.
    let receiver =
        Receiver::answering("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            .await;
    let dns = Scripted::new(|query| {
        Ok(vec![if query == 0 { "127.0.0.1" } else { "127.0.0.2" }.parse().unwrap()])
    });
    let own = sender(allowed("127.0.0.1"), &dns);
    // Only an exempt name gets a port of its own; the sender's exceptions do not hold the name, so
    // the name must be checked at the standard port, where nobody listens on 127.0.0.1.
    let result =
        send_request(&own, request("https://rebinding.example.com/", &Allowed::default())).await;
    assert!(!matches!(result, Err(SendError::Refused(_))), "{result:?}");
    assert_eq!(dns.queries(), 1, "one look-up, checked and used");
    let result =
        send_request(&own, request("https://rebinding.example.com/", &Allowed::default())).await;
    assert!(matches!(result, Err(SendError::Refused(_))), "{result:?}");

    // And one that is exempt by name goes where its single look-up says.
    let dns = Scripted::new(|query| {
        Ok(vec![if query == 0 { "127.0.0.1" } else { "127.0.0.2" }.parse().unwrap()])
    });
    let exempt = allowed("receiver.internal");
    let own = sender(exempt.clone(), &dns);
    let url = format!("http://receiver.internal:{}/", receiver.address.port());
    assert_eq!(send_request(&own, request(&url, &exempt)).await.unwrap().status, 200);
    assert_eq!((dns.queries(), receiver.accepted()), (1, 1));
}

#[tokio::test]
async fn between_the_check_and_the_connection_no_answer_of_dns_can_change() {
    // Two hosts with the same port; the name leads to the second as soon as it was looked up once.
    let receiver = Receiver::answering(OK).await;
    let port = receiver.address.port();
    let canary = tokio::net::TcpListener::bind(("127.0.0.2", port)).await.unwrap();
    let dns = Scripted::new(|query| {
        Ok(vec![if query == 0 { "127.0.0.1" } else { "127.0.0.2" }.parse().unwrap()])
    });
    let exempt = allowed("rebinding.internal");
    let own = sender(exempt.clone(), &dns);
    let url = format!("http://rebinding.internal:{port}/SECRET");
    for _ in 0..3 {
        assert_eq!(send_request(&own, request(&url, &exempt)).await.unwrap().status, 200);
    }
    assert_eq!((dns.queries(), receiver.accepted(), receiver.received().len()), (1, 1, 3));
    let nobody = tokio::time::timeout(std::time::Duration::ZERO, canary.accept()).await;
    assert!(nobody.is_err(), "it went where a second answer leads");
}

#[tokio::test]
async fn a_name_that_turns_to_a_forbidden_address_is_refused_from_then_on() {
    for turned in ["169.254.169.254", "10.0.0.1", "127.0.0.2", "::1", "::ffff:a9fe:a9fe"] {
        // First it leads to an allowed address, then to a forbidden one, then to both.
        let dns = Scripted::new(move |query| {
            let both = ["127.0.0.1", turned];
            let addresses = [&both[..1], &both[1..], &both[..]][query];
            Ok(addresses.iter().map(|address| address.parse().unwrap()).collect())
        });
        let own = sender(allowed("127.0.0.1"), &dns);
        let send = || request("https://rebinding.example.com/SECRET", &Allowed::default());
        // It is admitted, whoever listens there on port 443: most often nobody.
        let first = send_request(&own, send()).await;
        assert!(!matches!(first, Err(SendError::Refused(_))), "{turned}: {first:?}");
        for queries in 2..=3 {
            let Err(SendError::Refused(why)) = send_request(&own, send()).await else {
                panic!("{turned} was admitted");
            };
            assert!(why.contains("resolves to"), "{why}");
            assert_eq!(dns.queries(), queries, "one look-up for each connection");
        }
    }
}

#[tokio::test]
async fn proxies_of_the_environment_are_ignored() {
    let receiver = Receiver::answering(OK).await;
    let proxy = Receiver::answering("HTTP/1.1 502 X\r\ncontent-length: 0\r\n\r\n").await;
    let address = format!("http://{}", proxy.address);
    let names =
        ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    let mut child = Child::start(names.map(|name| (name, address.as_str())));
    let url = receiver.url();
    let answer = tokio::task::spawn_blocking(move || child.send(&url)).await.unwrap();
    assert_eq!(answer, "answered 200");
    assert_eq!((receiver.accepted(), proxy.accepted()), (1, 0));
}
