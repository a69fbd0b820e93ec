//! A customer's endpoint that counts what it is sent.

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
    naive::gunzip,
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
    if asked.header("webhook-id").is_empty() {
        return Err("no webhook-id".into());
    }
    let plain = match asked.header("content-encoding") {
        "gzip" => gunzip(&asked.body)?.into(),
        _ => asked.body.clone(),
    };
    let events: Vec<&RawValue> = serde_json::from_slice(&plain)?;
    Ok(events.len() as u64)
}

#[cfg(test)]
mod tests {
    use hyper::Method;

    use super::*;
    use crate::naive::gzip;

    fn asked(body: Vec<u8>, headers: &[(&'static str, &'static str)]) -> Asked {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        Asked {
            method: Method::POST,
            path: "/".to_owned(),
            headers: headers.collect(),
            body: body.into(),
        }
    }

    #[test]
    fn events_are_counted_and_nothing_else() {
        let counts = Counts::default();
        let packed = gzip(b"[{},{}]", 1).unwrap();
        let well = asked(packed.clone(), &[("content-encoding", "gzip"), ("webhook-id", "d")]);
        assert_eq!(counts.take(&well).status(), 200);
        for ill in [
            asked(packed.clone(), &[("content-encoding", "gzip")]),
            asked(packed, &[("webhook-id", "d")]),
            asked(b"{}".to_vec(), &[("webhook-id", "d")]),
        ] {
            assert_eq!(counts.take(&ill).status(), 400);
        }
        assert_eq!(counts.events.load(Ordering::Relaxed), 2);
        assert_eq!(counts.requests.load(Ordering::Relaxed), 1);
    }
}
