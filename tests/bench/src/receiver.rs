//! A customer's endpoint that checks signatures and counts what it is sent.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use serde_json::value::RawValue;

use crate::{
    Outcome,
    http::{Asked, answer, serve},
    naive::{gunzip, sign},
};

/// The endpoint.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    events: AtomicU64,
    bytes: AtomicU64,
}

/// What came, up to now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) requests: u64,
    pub(crate) events: u64,
    /// As sent.
    pub(crate) bytes: u64,
}

impl Receiver {
    pub(crate) async fn start() -> Outcome<Self> {
        let counts = Arc::<Counts>::default();
        let counting = Arc::clone(&counts);
        let url = serve(move |asked| counting.take(&asked)).await?;
        Ok(Self { url: format!("{url}/flagpost"), counts })
    }

    pub(crate) fn received(&self) -> Received {
        Received {
            requests: self.counts.requests.load(Ordering::Relaxed),
            events: self.counts.events.load(Ordering::Relaxed),
            bytes: self.counts.bytes.load(Ordering::Relaxed),
        }
    }
}

impl Counts {
    fn take(&self, asked: &Asked) -> Response<Full<Bytes>> {
        match events(asked) {
            Ok(events) => {
                self.requests.fetch_add(1, Ordering::Relaxed);
                self.events.fetch_add(events, Ordering::Relaxed);
                self.bytes.fetch_add(asked.body.len() as u64, Ordering::Relaxed);
                answer(200, "text/plain", "ok".to_owned())
            }
            Err(error) => answer(400, "text/plain", error.to_string()),
        }
    }
}

/// How many events a request holds.
fn events(asked: &Asked) -> Outcome<u64> {
    let plain = match asked.header("content-encoding") {
        "gzip" => gunzip(&asked.body)?.into(),
        _ => asked.body.clone(),
    };
    let signature = sign(asked.header("webhook-id"), asked.header("webhook-timestamp"), &plain)?;
    if asked.header("webhook-signature") != signature {
        return Err("another signature".into());
    }
    let events: Vec<&RawValue> = serde_json::from_slice(&plain)?;
    Ok(events.len() as u64)
}

#[cfg(test)]
mod tests {
    use hyper::Method;

    use super::*;
    use crate::naive::gzip;

    fn asked(plain: &[u8], signature: Option<&str>) -> Asked {
        let signature = signature.map_or_else(|| sign("d", "1", plain).unwrap(), str::to_owned);
        let headers = [
            ("content-encoding", "gzip"),
            ("webhook-id", "d"),
            ("webhook-timestamp", "1"),
            ("webhook-signature", &signature),
        ];
        let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Asked {
            method: Method::POST,
            path: "/".to_owned(),
            headers: headers.into_iter().collect(),
            body: gzip(plain, 1).unwrap().into(),
        }
    }

    #[test]
    fn events_are_counted_and_nothing_else() {
        let counts = Counts::default();
        assert_eq!(counts.take(&asked(b"[{},{}]", None)).status(), 200);
        let of_another = sign("d", "1", b"[{}]").unwrap();
        for ill in
            [asked(b"[{},{}]", Some(&of_another)), asked(b"[{},{}]", Some("")), asked(b"{}", None)]
        {
            assert_eq!(counts.take(&ill).status(), 400);
        }
        assert_eq!(counts.events.load(Ordering::Relaxed), 2);
        assert_eq!(counts.requests.load(Ordering::Relaxed), 1);
    }
}
