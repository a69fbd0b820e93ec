//! Ingest with one key, and what it queued.

use std::future::Future;

use serde_json::Value;

use crate::{
    ingest::{Accepted, Ingest, Limits},
    integration::{Origin, Stream},
    key::hash,
    memory::{World, environment},
    message::Fresh,
    native::{Answer, Post},
    ports::{KeyGrant, Queue},
    problem::Problem,
    secret::Secret,
};

pub(crate) const KEY: &str = "fpk_0123456789012345678901234567890123456789012";
pub(crate) const LIMITS: Limits =
    Limits { body_bytes: 4_194_304, events: 10_000, deduplicate: true };

pub(crate) struct Stand(pub(crate) World);

/// One message's stream and origin, and its events.
pub(crate) type Queued = (Stream, Origin, Vec<Value>);

impl Stand {
    pub(crate) fn new() -> Self {
        Self::with(None)
    }

    pub(crate) fn with(secret: Option<&str>) -> Self {
        let world = World::new();
        let grant = KeyGrant {
            id: "k".into(),
            project: "web".into(),
            environment: environment(),
            secret: secret.map(Secret::new),
        };
        world.state().keys.insert(hash(KEY), grant);
        Self(world)
    }

    pub(crate) async fn serve(&self, post: Post) -> (Result<Accepted, Problem>, Answer) {
        Ingest::new(&self.0, &self.0, &self.0, LIMITS).serve(post).await
    }

    /// What the queue got since it was last asked, as texts.
    pub(crate) fn texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        for message in self.0.take(Queue::Events) {
            let events = Fresh::decode(&message.body).unwrap().events().unwrap();
            texts.extend(events.iter().map(|e| String::from_utf8(e.as_bytes().to_vec()).unwrap()));
        }
        texts
    }

    /// The same as values, with their stream and origin.
    pub(crate) fn queued(&self) -> Vec<Queued> {
        let read = |body: &str| {
            let packed = Fresh::decode(body).unwrap();
            let events = packed.events().unwrap();
            let values = events.iter().map(|e| serde_json::from_slice(e.as_bytes()).unwrap());
            (packed.fresh.stream, packed.fresh.origin, values.collect())
        };
        self.0.take(Queue::Events).iter().map(|message| read(&message.body)).collect()
    }

    /// The one message that an accepted request became.
    pub(crate) async fn accepted(&self, post: Post) -> (Answer, Queued) {
        let (outcome, answer) = self.serve(post).await;
        assert!(outcome.is_ok(), "{outcome:?}");
        let mut queued = self.queued();
        assert_eq!(queued.len(), 1);
        (answer, queued.remove(0))
    }

    /// The refusal of a request, of which nothing was queued.
    pub(crate) async fn refused(&self, post: Post) -> (Problem, Answer) {
        let (outcome, answer) = self.serve(post).await;
        assert!(self.queued().is_empty(), "nothing is accepted");
        (outcome.unwrap_err(), answer)
    }
}

/// The body of an answer.
pub(crate) fn body(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap()
}

/// Runs to its end what waits for nothing.
pub(crate) fn now<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}
