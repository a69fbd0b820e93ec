//! The product's own use cases, over ports that do nothing: what is left is what they cost.

use bytes::Bytes;
use flagpost_domain::{
    batch::{Batch, Policy, Record},
    breaker,
    ingest::{Ingest, Limits},
    integration::{Integration, MAX_BYTES, MAX_EVENTS, Own, Stream},
    metrics::Metrics,
    native::Post,
    preset::Preset,
    retry::Schedule,
    secret::Secret,
    time::Timestamp,
};

use crate::{
    Outcome, naive,
    ports::{Endpoint, Idle, KEY, Store, Texts, WallClock},
};

/// The project of all events.
pub(crate) const PROJECT: &str = "web";
/// The environment that the key of all requests names, and that the integration wants.
pub(crate) const ENVIRONMENT: &str = "prod";

/// An integration of the preset `split` that takes the impressions of some environments, and whose
/// deliveries are signed.
pub(crate) fn integration(url: &str) -> Integration {
    Integration {
        id: "bench".into(),
        project: PROJECT.into(),
        name: "bench".to_owned(),
        url: url.to_owned(),
        stream: Stream::Impressions,
        preset: Preset::Split,
        environments: vec!["staging".to_owned(), ENVIRONMENT.to_owned()],
        enabled: true,
        own: Own { secret: Some(Secret::new(naive::SECRET)), ..Own::default() },
        max_events: MAX_EVENTS,
        max_bytes: MAX_BYTES,
        created_at: Timestamp(1_795_000_000_000),
        updated_at: Timestamp(1_795_000_000_000),
        version: 1,
    }
}

/// Ingest over a queue that takes everything.
pub(crate) struct Taker<'a> {
    ingest: Ingest<&'a Texts, Store, WallClock>,
}

impl<'a> Taker<'a> {
    pub(crate) fn new(texts: &'a Texts) -> Self {
        let limits = Limits { body_bytes: 4_400_000, events: 100_000, deduplicate: true };
        let store = Store::with(Vec::new());
        Self { ingest: Ingest::new(texts, store, WallClock, limits) }
    }

    /// What it measured.
    pub(crate) fn metrics(&self) -> &Metrics {
        self.ingest.metrics()
    }

    /// Accepts a request: how many events it has.
    pub(crate) async fn accept(&self, body: &Bytes) -> Outcome<usize> {
        let post = Post::to("/v1/impressions", body.clone())
            .with("authorization", format!("Bearer {KEY}"))
            .with("content-type", "application/json");
        Ok(self.ingest.accept(post).await?.events)
    }
}

/// The texts of the messages that ingest makes of these requests.
pub(crate) async fn messages(requests: &[Bytes]) -> Outcome<Vec<String>> {
    let texts = Texts::default();
    let taker = Taker::new(&texts);
    for request in requests {
        taker.accept(request).await?;
    }
    Ok(texts.take())
}

/// Batch over an endpoint that answers 200 at once.
pub(crate) struct Deliverer {
    batch: Batch<Idle>,
}

impl Deliverer {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        let integration = integration("https://hooks.example.com/flagpost");
        let policy = Policy {
            schedule: Schedule::default(),
            breaker: breaker::Policy::default(),
            allowed: "hooks.example.com".parse().unwrap_or_default(),
            keep_attempts: std::time::Duration::from_hours(7 * 24),
            old_backlog: std::time::Duration::from_hours(1),
        };
        Self { batch: Batch::new(Idle::new(Store::with(vec![integration]), endpoint), policy) }
    }

    /// What it measured.
    pub(crate) fn metrics(&self) -> &Metrics {
        self.batch.metrics()
    }

    /// Delivers messages.
    pub(crate) async fn deliver(&self, texts: &[String]) -> Outcome<()> {
        let record = |body| Record { body, receipt: "receipt", receives: 1 };
        let records: Vec<_> = texts.iter().map(|text| record(text.as_str())).collect();
        let failed = self.batch.fresh(&records, Timestamp(i64::MAX)).await;
        if failed.is_empty() {
            Ok(())
        } else {
            Err(format!("{} messages were not delivered", failed.len()).into())
        }
    }
}
