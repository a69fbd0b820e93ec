//! What is sent, and what is made of the answer.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use flagpost_adapters::webhook::{Settings, WebhookSender};
use flagpost_domain::destination::Allowed;
use flagpost_domain::ports::{Request, SendError};
use tokio::time::Instant;

use crate::receiver::{OK, Receiver};
use crate::sending::{Silent, allowed, headers, request, send, send_request, sender, time_out};

#[tokio::test]
async fn a_request_has_exactly_these_headers() {
    let receiver = Receiver::answering(OK).await;
    let sender = sender();
    for gzipped in [false, true] {
        let body = Bytes::from(vec![0x1f; 100_000]);
        let plain = request(&receiver.url(), &allowed("127.0.0.1"));
        send_request(&sender, Request { body, gzipped, ..plain }).await.unwrap();
    }
    let host = receiver.address.to_string();
    let mut headers: BTreeMap<String, String> = [
        ("accept", "*/*"),
        ("content-length", "100000"),
        ("content-type", "application/json"),
        ("host", &host),
        ("user-agent", "Flagpost/test"),
        ("webhook-id", "delivery-1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    let requests = receiver.received();
    assert_eq!(requests[0].line, "POST /SECRET?token=SECRET HTTP/1.1");
    assert_eq!(requests[0].headers, headers);
    assert_eq!(requests[0].body, vec![0x1f; 100_000]);
    headers.insert("content-encoding".into(), "gzip".into());
    assert_eq!(requests[1].headers, headers);
    assert_eq!(requests.len(), 2);
}

#[tokio::test]
async fn what_is_no_header_value_is_an_error_and_sends_nothing() {
    let receiver = Receiver::answering(OK).await;
    let plain = request(&receiver.url(), &allowed("127.0.0.1"));
    let mut headers = headers();
    headers.set("webhook-id", "a\r\nb: c");
    let result = send_request(&sender(), Request { headers, ..plain }).await;
    assert!(matches!(result, Err(SendError::Protocol(_))), "{result:?}");
    assert_eq!(receiver.accepted(), 0);
}

#[tokio::test]
async fn every_status_is_passed_on_with_its_body() {
    let sender = sender();
    for status in [200, 201, 202, 299, 300, 304, 400, 401, 404, 410, 413, 429, 500, 502, 503, 599] {
        let body = if status == 304 { "" } else { "why" };
        let length = body.len();
        let receiver = Receiver::answering(format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}"
        ))
        .await;
        let answer = send(&sender, &receiver.url()).await.unwrap();
        assert_eq!((answer.status, answer.retry_after), (status, None));
        assert_eq!(answer.body, body.as_bytes());
        assert_eq!(receiver.accepted(), 1);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Receiver::answering(OK).await;
    for location in [
        "http://169.254.169.254/latest/meta-data/",
        &target.url(),
        "/elsewhere",
        "//[::1]/",
        "SECRET",
    ] {
        for status in [301, 302, 303, 307, 308] {
            let receiver = Receiver::answering(format!(
                "HTTP/1.1 {status} X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"
            ))
            .await;
            assert_eq!(send(&sender(), &receiver.url()).await.unwrap().status, status);
            assert_eq!(receiver.received().len(), 1);
        }
    }
    assert_eq!(target.accepted(), 0);
}

#[tokio::test]
async fn retry_after_is_passed_on_as_sent() {
    let long = "1".repeat(65);
    for (sent, passed) in [
        ("retry-after: 120\r\n", Some("120")),
        ("Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", Some("Wed, 21 Oct 2026 07:28:00 GMT")),
        ("retry-after: nonsense\r\n", Some("nonsense")),
        ("retry-after: \r\n", Some("")),
        ("retry-after: é\r\n", None),
        (&format!("retry-after: {long}\r\n"), None),
        ("", None),
    ] {
        let receiver =
            Receiver::answering(format!("HTTP/1.1 503 X\r\n{sent}content-length: 0\r\n\r\n")).await;
        let answer = send(&sender(), &receiver.url()).await.unwrap();
        assert_eq!(answer.retry_after.as_deref(), passed, "{sent}");
    }
}

#[tokio::test]
async fn informational_answers_are_passed_over() {
    let receiver =
        Receiver::answering(format!("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n{OK}")).await;
    assert_eq!(send(&sender(), &receiver.url()).await.unwrap().status, 200);
}

#[tokio::test]
async fn the_body_is_read_to_its_end_or_to_its_limit() {
    for (sent, kept) in [
        (0, 0),
        (1, 1),
        (16 * 1024 - 1, 16 * 1024 - 1),
        (16 * 1024, 16 * 1024),
        (16 * 1024 + 1, 16 * 1024),
    ] {
        let body = "x".repeat(sent);
        let length = format!("content-length: {sent}\r\n\r\n{body}");
        let chunked = format!("transfer-encoding: chunked\r\n\r\n{sent:x}\r\n{body}\r\n0\r\n\r\n");
        let chunked =
            if sent == 0 { "transfer-encoding: chunked\r\n\r\n0\r\n\r\n".into() } else { chunked };
        for rest in [length, chunked] {
            let receiver = Receiver::answering(format!("HTTP/1.1 200 OK\r\n{rest}")).await;
            assert_eq!(send(&sender(), &receiver.url()).await.unwrap().body.len(), kept);
        }
    }
}

#[tokio::test]
async fn of_a_huge_answer_the_limit_is_read_and_the_connection_closed() {
    const TOTAL: usize = 100 << 20;
    let written = Arc::new(AtomicUsize::new(0));
    let (closed, wait_closed) = tokio::sync::oneshot::channel();
    let closed = Arc::new(std::sync::Mutex::new(Some(closed)));
    let to_written = Arc::clone(&written);
    let receiver = Receiver::start(move |mut connection| {
        let (written, closed) = (Arc::clone(&to_written), closed.lock().unwrap().take().unwrap());
        async move {
            connection.request().await;
            connection.write(format!("HTTP/1.1 200 OK\r\ncontent-length: {TOTAL}\r\n\r\n")).await;
            let block = vec![b'x'; 1 << 16];
            while written.load(Ordering::SeqCst) < TOTAL && connection.write(&block).await {
                written.fetch_add(block.len(), Ordering::SeqCst);
            }
            closed.send(()).unwrap();
        }
    })
    .await;
    let sender = sender();
    let answer = send(&sender, &receiver.url()).await.unwrap();
    assert_eq!(answer.body, vec![b'x'; 16 * 1024]);
    wait_closed.await.unwrap();
    assert!(written.load(Ordering::SeqCst) < TOTAL, "the rest was refused");
}

#[tokio::test]
async fn endless_headers_end_in_an_error() {
    for endless in
        ["x-filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n", "xxxxxxxxxxxxxxxx"]
    {
        let receiver = Receiver::start(move |mut connection| async move {
            connection.request().await;
            connection.write("HTTP/1.1 200 OK\r\nx-first: ").await;
            let block = endless.repeat(1000);
            while connection.write(&block).await {}
        })
        .await;
        let result = send(&sender(), &receiver.url()).await;
        assert!(matches!(result, Err(SendError::Protocol(_))), "{result:?}");
        assert_eq!(receiver.accepted(), 1);
    }
}

#[tokio::test]
async fn what_is_not_http_is_an_error() {
    for garbage in [
        "SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\na b c\r\n\r\n",
        "\0\0\0\0\0\0\0\0\0\0",
    ] {
        let receiver = Receiver::answering(garbage).await;
        let result = send(&sender(), &receiver.url()).await;
        assert!(matches!(result, Err(SendError::Protocol(_))), "{garbage:?}: {result:?}");
        assert_eq!(receiver.accepted(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_times_out() {
    let receiver = Receiver::start(|mut connection| async move {
        connection.request().await;
        pending::<()>().await;
    })
    .await;
    time_out(&receiver, sender(), 1).await;
}

/// A byte comes every 100 ms: less than the limits of head and body in the time of a request.
async fn drip(head: &'static str) {
    let receiver = Receiver::start(move |mut connection| async move {
        connection.request().await;
        connection.write(head).await;
        while connection.write("x").await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    time_out(&receiver, sender(), 1).await;
}

#[tokio::test]
async fn a_head_that_drips_times_out() {
    drip("HTTP/1.1 200 OK\r\nx: ").await;
}

#[tokio::test]
async fn a_body_that_drips_times_out() {
    drip("HTTP/1.1 200 OK\r\ncontent-length: 16000\r\n\r\n").await;
}

#[tokio::test]
async fn a_body_without_a_length_that_drips_times_out() {
    drip("HTTP/1.1 200 OK\r\n\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn connecting_has_three_seconds_and_finding_the_address_is_part_of_it() {
    let settings = Settings { lookup: Arc::new(Silent), ..Settings::new(Allowed::default()) };
    let sender = WebhookSender::new(&settings).unwrap();
    let began = Instant::now();
    assert_eq!(send(&sender, "https://example.com/SECRET").await, Err(SendError::Timeout));
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(3) && took < Duration::from_secs(4), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn the_handshake_is_part_of_connecting() {
    let mute = Receiver::start(|connection| async move {
        pending::<()>().await;
        drop(connection);
    })
    .await;
    let sender = WebhookSender::new(&Settings::new(allowed("127.0.0.1"))).unwrap();
    let began = Instant::now();
    let url = mute.url().replace("http:", "https:");
    assert_eq!(send(&sender, &url).await, Err(SendError::Timeout));
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(3) && took < Duration::from_secs(4), "{took:?}");
}

#[test]
fn production_has_the_limits_of_the_documents() {
    let settings = Settings::new(Allowed::default());
    assert_eq!(settings.connect, Duration::from_secs(3));
    assert_eq!(settings.whole, Duration::from_secs(10));
    assert_eq!(settings.body, 16 * 1024);
}
