//! Senders and requests as the tests want them.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use flagpost_adapters::webhook::{Lookup, Settings, WebhookSender};
use flagpost_domain::destination::{Allowed, Destination};
use flagpost_domain::ports::{Answer, Headers, Request, SendError, Sender};
use futures_util::future::BoxFuture;

use crate::receiver::Receiver;

/// Long enough for any machine; what must time out never comes at all.
pub(crate) const LONG: Duration = Duration::from_mins(2);

pub(crate) fn allowed(text: &str) -> Allowed {
    text.parse().unwrap()
}

/// Settings for receivers on 127.0.0.1 that give everything much time.
pub(crate) fn patient() -> Settings {
    Settings { connect: LONG, whole: LONG, ..Settings::new(allowed("127.0.0.1")) }
}

pub(crate) fn sender() -> WebhookSender {
    WebhookSender::new(&patient()).unwrap()
}

pub(crate) fn request(url: &str, allowed: &Allowed) -> Request {
    Request {
        to: Destination::parse(url, allowed).unwrap(),
        id: "delivery-1".into(),
        headers: headers(),
        body: Bytes::from_static(br#"[{"a":1}]"#),
        gzipped: false,
    }
}

/// Sends a request to `url`, whose path and query may be in no error.
pub(crate) async fn send(sender: &WebhookSender, url: &str) -> Result<Answer, SendError> {
    send_request(sender, request(url, &allowed("127.0.0.1"))).await
}

pub(crate) async fn send_request(
    sender: &WebhookSender,
    request: Request,
) -> Result<Answer, SendError> {
    let result = sender.send(request).await.answer;
    if let Err(error) = &result {
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error}");
    }
    result
}

/// Sends a request to `receiver`, which it answers with nothing, or too slowly, and lets it time
/// out once `requests` have arrived there. From then on time is virtual, so it takes none.
pub(crate) async fn time_out(receiver: &Receiver, sender: WebhookSender, requests: usize) {
    let url = receiver.url();
    let mut sending = tokio::spawn(async move { send(&sender, &url).await });
    tokio::select! {
        () = receiver.until(requests) => {}
        early = &mut sending => panic!("{early:?}"),
    }
    tokio::time::pause();
    assert_eq!(sending.await.unwrap(), Err(SendError::Timeout));
    assert_eq!(receiver.received().len(), requests);
}

type Answers = dyn Fn(usize) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// DNS whose answer to each query (numbered from 0) is a function.
pub(crate) struct Scripted {
    answers: Box<Answers>,
    queries: AtomicUsize,
}

impl Scripted {
    pub(crate) fn new(
        answers: impl Fn(usize) -> io::Result<Vec<IpAddr>> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { answers: Box::new(answers), queries: AtomicUsize::new(0) })
    }

    pub(crate) fn to(addresses: &str) -> Arc<Self> {
        let addresses: Vec<IpAddr> =
            addresses.split_whitespace().map(|address| address.parse().unwrap()).collect();
        Self::new(move |_| Ok(addresses.clone()))
    }

    pub(crate) fn queries(&self) -> usize {
        self.queries.load(Ordering::SeqCst)
    }
}

impl Lookup for Scripted {
    fn lookup(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let answer = (self.answers)(self.queries.fetch_add(1, Ordering::SeqCst));
        Box::pin(async { answer })
    }
}

/// DNS that never answers.
pub(crate) struct Silent;

impl Lookup for Silent {
    fn lookup(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(std::future::pending())
    }
}

/// Some headers, as the domain sets them.
pub(crate) fn headers() -> Headers {
    let mut headers = Headers::default();
    headers.set("content-type", "application/json");
    headers.set("user-agent", "Flagpost/test");
    headers.set("webhook-id", "delivery-1");
    headers
}
