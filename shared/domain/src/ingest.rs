//! Taking events in: all of a request, or none of it and the reason.

use std::time::Duration;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::{
    array::first_values,
    delivery::runs,
    event::Event,
    expiring::Expiring,
    gzip::{GunzipError, gunzip},
    impression::{EnvironmentTexts, FieldFault, normalise},
    integration::{Origin, Stream},
    key::{bearer, hash, is_ingest_key},
    message::{Fresh, MAX_TEXT},
    ports::{Clock, KeyGrant, KeyHash, Outgoing, Queue, Queues, Registry},
    problem::{Fault, Kind, Problem},
    queueing::send_all,
};

/// How long a key's grant, or that it has none, may be remembered.
const KEY_AGE: Duration = Duration::from_secs(60);
/// Keys remembered, and as many that are not valid.
const KEYS: usize = 10_000;
/// Faults listed in an answer.
const FAULTS: usize = 20;
/// A body may grow by this much at most when decompressed.
const GUNZIP_RATIO: usize = 100;
/// A body may grow to this at most when decompressed.
const GUNZIP_BYTES: usize = 32 * 1024 * 1024;
/// One event at most, as it was sent.
pub const EVENT_BYTES: usize = 256 * 1024;
/// Events that go into one message at most, by their size before compression.
const MESSAGE_BYTES: usize = 2 * 1024 * 1024;

/// What a deployment may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A request's body at most, as received.
    pub body_bytes: usize,
    /// Events in one request at most.
    pub events: usize,
}

/// A request to ingest.
// No `Debug`: it holds a key and a body.
#[derive(Clone)]
pub struct Post {
    /// The stream that the route stands for.
    pub stream: Stream,
    /// `Authorization`.
    pub authorization: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Content-Encoding`.
    pub content_encoding: Option<String>,
    /// The body as received.
    pub body: Bytes,
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
}

impl<Q: Queues, S: Registry, C: Clock> Ingest<Q, S, C> {
    /// The use case over these ports.
    pub fn new(queues: Q, store: S, clock: C, limits: Limits) -> Self {
        Self {
            queues,
            store,
            clock,
            limits,
            valid: Expiring::new(KEYS, KEY_AGE),
            invalid: Expiring::new(KEYS, KEY_AGE),
        }
    }

    /// Accepts all events of a request: how many. When it returns, the queue has them.
    pub async fn accept(&self, post: Post) -> Result<usize, Problem> {
        self.check_size(post.body.len())?;
        let grant = self.authenticate(post.authorization.as_deref()).await?;
        let is_gzip = is_gzip(post.content_encoding.as_deref())?;
        check_media_type(post.content_type.as_deref(), is_gzip)?;
        let body = if is_gzip { decompress(&post.body)? } else { post.body };
        let environment = EnvironmentTexts::new(&grant.environment);
        let events = self.read(post.stream, &body, &environment)?;
        let count = events.len();
        let fresh = Fresh {
            project: grant.project,
            environment: grant.environment,
            stream: post.stream,
            origin: Origin::Api,
            accepted_at: self.clock.now(),
        };
        self.send(&fresh, events).await?;
        Ok(count)
    }

    /// Refuses a body that is too large, before any work.
    pub fn check_size(&self, bytes: usize) -> Result<(), Problem> {
        let limit = self.limits.body_bytes;
        if bytes > limit {
            let detail = format!("the body has {bytes} bytes; at most {limit} are allowed");
            return Err(Problem::new(Kind::ContentTooLarge, detail));
        }
        Ok(())
    }

    async fn authenticate(&self, authorization: Option<&str>) -> Result<KeyGrant, Problem> {
        let key = bearer(authorization).ok_or_else(|| {
            Problem::unauthorized("Authorization must be `Bearer` and an ingest key")
        })?;
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

    fn read(
        &self,
        stream: Stream,
        body: &Bytes,
        environment: &EnvironmentTexts,
    ) -> Result<Vec<Event>, Problem> {
        let raw = parse(body, self.limits.events)?;
        if raw.is_empty() {
            let detail = "the array is empty; send one event or more";
            return Err(Problem::new(Kind::EmptyRequest, detail));
        }
        let mut events = Vec::with_capacity(raw.len());
        let mut faults = Vec::new();
        let mut faulty = 0;
        for (index, raw) in raw.iter().enumerate() {
            match read_event(stream, raw, body, environment) {
                Ok(event) => events.push(event),
                Err(found) => {
                    faulty += 1;
                    let room = FAULTS - faults.len();
                    faults.extend(found.into_iter().take(room).map(
                        |FieldFault { field, detail }| Fault { index: Some(index), field, detail },
                    ));
                }
            }
        }
        if faulty > 0 {
            let detail = format!(
                "{faulty} of {} events have faults, the first {} faults are listed; nothing was accepted",
                raw.len(),
                faults.len(),
            );
            return Err(Problem::new(Kind::InvalidEvents, detail).with_errors(faults));
        }
        Ok(events)
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

/// Whether the body is JSON by its type. Compressed bodies may also say that they are binary: a
/// gateway may pass `application/json` on as text, which ends any gzip.
fn check_media_type(content_type: Option<&str>, is_gzip: bool) -> Result<(), Problem> {
    let Some(content_type) = content_type else {
        return Ok(());
    };
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let json = ["application/json", "text/json"].contains(&essence.as_str())
        || (essence.starts_with("application/") && essence.ends_with("+json"));
    let binary = ["application/gzip", "application/x-gzip", "application/octet-stream"];
    if json || (is_gzip && binary.contains(&essence.as_str())) {
        return Ok(());
    }
    let detail = "Content-Type must be application/json, or, with Content-Encoding: gzip, \
                  application/gzip";
    Err(Problem::new(Kind::UnsupportedMediaType, detail))
}

/// Whether the body is compressed, by its `Content-Encoding`.
fn is_gzip(content_encoding: Option<&str>) -> Result<bool, Problem> {
    match content_encoding.map(|encoding| encoding.trim().to_ascii_lowercase()).as_deref() {
        None | Some("" | "identity") => Ok(false),
        Some("gzip" | "x-gzip") => Ok(true),
        Some(_) => Err(Problem::new(
            Kind::UnsupportedMediaType,
            "Content-Encoding must be gzip, identity or absent",
        )),
    }
}

fn decompress(body: &Bytes) -> Result<Bytes, Problem> {
    let limit = body.len().saturating_mul(GUNZIP_RATIO).min(GUNZIP_BYTES);
    gunzip(body, limit).map(Bytes::from).map_err(|error| match error {
        GunzipError::NotGzip(_) => Problem::new(
            Kind::InvalidGzip,
            "Content-Encoding says gzip, and the body is not; if it was when it was sent, send it \
             with Content-Type: application/gzip, since a gateway may pass JSON on as text",
        ),
        GunzipError::TooLarge(limit) => Problem::new(
            Kind::DecompressionLimit,
            format!(
                "the body has more than {limit} bytes when decompressed; allowed are \
                 {GUNZIP_RATIO} times its size and at most {GUNZIP_BYTES}"
            ),
        ),
    })
}

/// The events of a body, one object or an array of at most `limit` values.
fn parse(body: &Bytes, limit: usize) -> Result<Vec<&RawValue>, Problem> {
    let invalid = |error: serde_json::Error| {
        // The text of a syntax error holds positions and expectations, no data.
        Problem::new(Kind::InvalidJson, format!("the body must be a JSON array or object: {error}"))
    };
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => {
            let (raw, count) = first_values(body, limit).map_err(invalid)?;
            if count > limit {
                let detail = format!("the request has {count} events; at most {limit} are allowed");
                return Err(Problem::new(Kind::TooManyEvents, detail));
            }
            Ok(raw)
        }
        Some(b'{') => serde_json::from_slice(body).map(|one| vec![one]).map_err(invalid),
        _ => Err(Problem::new(Kind::InvalidJson, "the body must be a JSON array or object")),
    }
}

fn read_event(
    stream: Stream,
    raw: &RawValue,
    body: &Bytes,
    environment: &EnvironmentTexts,
) -> Result<Event, Vec<FieldFault>> {
    let whole = |detail: String| vec![FieldFault { field: None, detail }];
    let text = raw.get();
    if !text.starts_with('{') {
        return Err(whole("must be an object".to_owned()));
    }
    // Before any look inside: reading members costs many times their text.
    if text.len() > EVENT_BYTES {
        let detail = format!("has {} bytes; at most {EVENT_BYTES} are allowed", text.len());
        return Err(whole(detail));
    }
    match stream {
        Stream::Impressions => normalise(text, environment),
        Stream::Events | Stream::Identities => {
            Ok(Event::from_object(body.slice_ref(text.as_bytes())))
        }
    }
}

#[cfg(test)]
mod tests;
