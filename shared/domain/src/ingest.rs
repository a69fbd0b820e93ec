//! Taking events in: all of a request, or none of it and the reason.

mod repeats;

use std::time::Duration;

use crate::{
    delivery::runs,
    event::Event,
    expiring::Expiring,
    impression::EnvironmentTexts,
    key::{hash, is_ingest_key},
    message::{Fresh, MAX_TEXT},
    metrics::Metrics,
    native::{self, Answer, Context, Key, Post, Read},
    ports::{Clock, KeyGrant, KeyHash, Outgoing, Queue, Queues, Registry, Seen},
    problem::{Kind, Problem},
    queueing::send_all,
    time::Timestamp,
    trace::TRACEPARENT,
};
use repeats::Claims;

/// How long a key's grant, or that it has none, may be remembered.
const KEY_AGE: Duration = Duration::from_secs(60);
/// Keys remembered, and as many that are not valid.
const KEYS: usize = 10_000;
/// Events that go into one message at most, by their size before compression.
const MESSAGE_BYTES: usize = 2 * 1024 * 1024;

/// What a deployment may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A request's body at most, as received.
    pub body_bytes: usize,
    /// Events in one request at most.
    pub events: usize,
    /// Whether an event that a client says it sent before is delivered once.
    pub deduplicate: bool,
}

/// What came of a request that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Events that will be delivered: the queue has them.
    pub events: usize,
    /// What was taken and is not delivered: no events of anybody's.
    pub dropped: usize,
    /// Events that had been accepted before.
    pub repeated: usize,
    /// The body's size, as received.
    pub bytes: usize,
    /// When.
    pub at: Timestamp,
}

/// The use case, with what it remembers between requests.
#[derive(Debug)]
pub struct Ingest<Q, S, C> {
    queues: Q,
    store: S,
    clock: C,
    limits: Limits,
    valid: Expiring<KeyHash, KeyGrant>,
    invalid: Expiring<KeyHash, ()>,
    metrics: Metrics,
}

impl<Q: Queues, S: Registry + Seen, C: Clock> Ingest<Q, S, C> {
    /// The use case over these ports.
    pub fn new(queues: Q, store: S, clock: C, limits: Limits) -> Self {
        Self {
            queues,
            store,
            clock,
            limits,
            valid: Expiring::new(KEYS, KEY_AGE),
            invalid: Expiring::new(KEYS, KEY_AGE),
            metrics: Metrics::default(),
        }
    }

    /// What was measured.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Accepts all events of a request, or none. When it returns, the queue has them.
    pub async fn accept(&self, post: Post) -> Result<Accepted, Problem> {
        let route = native::route_of(&post)?;
        let vendors = route.body_limit().unwrap_or(usize::MAX);
        within(vendors.min(self.limits.body_bytes), post.body.len())?;
        let (grant, body) = match route.key(&post)? {
            Key::Here(key) => {
                let grant = self.authenticate(&key).await?;
                (grant, native::decode(route, &post)?)
            }
            Key::InBody => {
                let body = native::decode(route, &post)?;
                let key = route.key_in(&body)?;
                (self.authenticate(&key).await?, body)
            }
        };
        let environment = EnvironmentTexts::new(&grant.environment);
        let now = self.clock.now();
        let read = route.read(&Context {
            post: &post,
            body: &body,
            grant: &grant,
            environment: &environment,
            now,
            events: self.limits.events,
            faults: route.fault_limit(),
        })?;
        // A trace that cannot be read is none: it is no fault of the events.
        let trace = post.header(TRACEPARENT).and_then(|text| text.parse().ok());
        let fresh = Fresh {
            project: grant.project.clone(),
            environment: grant.environment.clone(),
            stream: read.stream,
            origin: route.origin(&post),
            accepted_at: now,
            trace,
        };
        self.take(&fresh, read, post.body.len()).await
    }

    /// Serves a request whole: what came of it, and what the client is told.
    pub async fn serve(&self, post: Post) -> (Result<Accepted, Problem>, Answer) {
        let route = native::route(&post.path);
        let outcome = self.accept(post).await;
        if outcome.is_err() {
            self.metrics.rejected();
        }
        let answer = native::answer(route, &outcome);
        (outcome, answer)
    }

    /// Refuses a body that is too large, before any work.
    pub fn check_size(&self, bytes: usize) -> Result<(), Problem> {
        within(self.limits.body_bytes, bytes)
    }

    async fn authenticate(&self, key: &str) -> Result<KeyGrant, Problem> {
        let unknown = || Problem::unauthorized("the ingest key is unknown or was revoked");
        if !is_ingest_key(key) {
            return Err(unknown());
        }
        let hash = hash(key);
        let now = self.clock.now();
        if let Some(grant) = self.valid.get(&hash, now).fresh() {
            return Ok(grant);
        }
        if self.invalid.get(&hash, now).fresh().is_some() {
            return Err(unknown());
        }
        match self.store.key(&hash).await {
            Ok(Some(grant)) => {
                self.valid.put(hash, grant.clone(), now);
                Ok(grant)
            }
            Ok(None) => {
                self.invalid.put(hash, (), now);
                Err(unknown())
            }
            // Not even a known key: a revoked one must end within its minute.
            Err(error) => {
                tracing::error!(%error, "key not looked up");
                Err(Problem::unavailable("the key could not be looked up; send it again", 1))
            }
        }
    }

    async fn take(&self, fresh: &Fresh, read: Read, bytes: usize) -> Result<Accepted, Problem> {
        let Read { stream, events, identities, dropped } = read;
        let uploaded = events.len();
        let deduplicate = self.limits.deduplicate && identities.iter().any(Option::is_some);
        let (events, claims) = if deduplicate {
            Claims::make(&self.store, &self.clock, events, &identities).await?
        } else {
            (events, Claims::default())
        };
        let count = events.len();
        if let Err(problem) = self.send(fresh, events).await {
            claims.release(&self.store).await;
            return Err(problem);
        }
        claims.confirm(&self.store).await;
        self.metrics.of(stream).accepted(count);
        let at = fresh.accepted_at;
        Ok(Accepted { events: count, dropped, repeated: uploaded - count, bytes, at })
    }

    async fn send(&self, fresh: &Fresh, events: Vec<Event>) -> Result<(), Problem> {
        let messages: Vec<_> = texts(fresh, events)
            .into_iter()
            .map(|body| Outgoing {
                body,
                delay: Duration::ZERO,
                group: Some(fresh.project.to_string()),
            })
            .collect();
        let results = send_all(&self.queues, Queue::Events, &messages).await;
        let failed = results.iter().filter(|result| result.is_err()).count();
        let Some(Err(error)) = results.into_iter().find(Result::is_err) else {
            return Ok(());
        };
        tracing::error!(%error, failed, messages = messages.len(), "events not queued");
        Err(Problem::unavailable(
            "not all events could be queued; send all of them again, some may then arrive twice",
            1,
        ))
    }
}

fn within(limit: usize, bytes: usize) -> Result<(), Problem> {
    if bytes > limit {
        let detail = format!("the body has {bytes} bytes; at most {limit} are allowed");
        return Err(Problem::new(Kind::ContentTooLarge, detail));
    }
    Ok(())
}

/// The texts of as few messages as the limits allow.
fn texts(fresh: &Fresh, events: Vec<Event>) -> Vec<String> {
    let all = events.into_iter().map(|event| (event, ()));
    let mut texts = Vec::new();
    for (run, _) in runs(all, usize::MAX, MESSAGE_BYTES) {
        push_texts(fresh, &run, &mut texts);
    }
    texts
}

/// What compresses badly may be too large for one message: then its halves are tried.
fn push_texts(fresh: &Fresh, events: &[Event], texts: &mut Vec<String>) {
    let text = fresh.encode(events);
    if text.len() <= MAX_TEXT || events.len() < 2 {
        texts.push(text);
        return;
    }
    let (first, second) = events.split_at(events.len() / 2);
    push_texts(fresh, first, texts);
    push_texts(fresh, second, texts);
}

#[cfg(test)]
mod tests;
