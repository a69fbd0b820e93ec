//! The texts of queue messages and of laid-aside deliveries, each with a format version.
//!
//! Events travel as a plain JSON array, or compressed and in base64, whichever is smaller: SQS
//! charges by 64 KiB.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{error::Category, value::RawValue};

use crate::{
    delivery::{Delivery, Provenance},
    event::{self, Event},
    gzip::{gunzip, gzip},
    id::{DeliveryId, IntegrationId, ProjectId},
    integration::{Environment, Origin, Stream},
    ports::BATCH_BYTES,
    time::Timestamp,
    trace::TraceParent,
};

/// The version that is written. Older ones are read for as long as a message may live.
pub const VERSION: u32 = 1;
/// A text longer than this is not sent to SQS in one message: its limit less room for attributes.
pub const MAX_TEXT: usize = 1_000_000;
/// From this size on, events are compressed.
const COMPRESS_FROM: usize = 1024;
/// The most that one text may say it holds when decoded.
pub const MAX_DECODED: usize = 40 * 1024 * 1024;

/// Why a text is not a message for us.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// No version of this code can read it.
    #[error("not readable: {0}")]
    Foreign(String),
    /// A newer version of this code wrote it: a deploy is under way.
    #[error("format version {0} is newer than {VERSION}")]
    Newer(u32),
}

impl From<serde_json::Error> for Unreadable {
    /// Says where and what kind of error it is. The error's own text may quote the message.
    fn from(error: serde_json::Error) -> Self {
        let what = match error.classify() {
            Category::Data => "not one of our messages",
            Category::Syntax | Category::Eof | Category::Io => "not JSON",
        };
        Self::Foreign(format!("{what}, line {} column {}", error.line(), error.column()))
    }
}

/// Fresh events, from ingest to batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fresh {
    /// Whose.
    pub project: ProjectId,
    /// From which environment.
    pub environment: Environment,
    /// Of which stream.
    pub stream: Stream,
    /// How they came in.
    pub origin: Origin,
    /// When they were accepted.
    pub accepted_at: Timestamp,
    /// The trace of the request that they came with.
    pub trace: Option<TraceParent>,
}

/// A delivery that waits in the RetryQueue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// The delivery.
    pub delivery: Delivery,
    /// No attempt before this.
    pub not_before: Timestamp,
}

/// A delivery that is laid aside in the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Its id.
    pub id: DeliveryId,
    /// The project of the integration.
    pub project: ProjectId,
    /// Where it goes.
    pub integration: IntegrationId,
    /// How much of its schedule it has used, in milliseconds: time laid aside does not count.
    pub age_ms: i64,
    /// What it carries.
    pub events: Vec<Event>,
    /// Their numbers; see [`Delivery::numbers`].
    pub numbers: Vec<u32>,
    /// See [`Delivery::rest`].
    pub rest: bool,
    /// See [`Delivery::provenance`].
    pub provenance: Provenance,
}

/// A wake-up of the drainer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wake {
    /// Whose backlog.
    pub integration: IntegrationId,
    /// The project of the integration.
    pub project: ProjectId,
    /// Which wake-up: older ones than the health item's are dropped.
    pub wake_gen: u64,
    /// The pace of the slice before, in deliveries a second.
    pub rate: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    v: u32,
    #[serde(flatten)]
    rest: T,
}

#[derive(Serialize, Deserialize)]
struct Text<'a, H> {
    v: u32,
    head: H,
    count: usize,
    bytes: usize,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    plain: Option<&'a RawValue>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    gzip: Option<&'a str>,
}

#[derive(Serialize, Deserialize)]
struct FreshHead {
    project: ProjectId,
    environment: Environment,
    stream: Stream,
    #[serde(default, skip_serializing_if = "Origin::is_api")]
    origin: Origin,
    accepted_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<TraceParent>,
}

#[derive(Serialize, Deserialize)]
struct DeliveryHead {
    id: DeliveryId,
    project: ProjectId,
    integration: IntegrationId,
    began: Timestamp,
    not_before: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    numbers: Vec<u32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    rest: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<TraceParent>,
}

#[derive(Serialize, Deserialize)]
struct AsideHead {
    id: DeliveryId,
    project: ProjectId,
    integration: IntegrationId,
    age_ms: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    numbers: Vec<u32>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    rest: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<TraceParent>,
}

/// A message of fresh events whose events are not decoded yet, so that their size can be weighed.
#[derive(Debug)]
pub struct Packed<'a> {
    /// What they are.
    pub fresh: Fresh,
    /// How many events.
    pub count: usize,
    /// Size of their array when decoded.
    pub bytes: usize,
    plain: Option<&'a RawValue>,
    gzip: Option<&'a str>,
}

impl Fresh {
    /// The text of a message with these events.
    pub fn encode(&self, events: &[Event]) -> String {
        let head = FreshHead {
            project: self.project.clone(),
            environment: self.environment.clone(),
            stream: self.stream,
            origin: self.origin,
            accepted_at: self.accepted_at,
            trace: self.trace.clone(),
        };
        encode(&head, events)
    }

    /// Reads the text of a message without decoding its events.
    pub fn decode(text: &str) -> Result<Packed<'_>, Unreadable> {
        let text: Text<'_, FreshHead> = read(text)?;
        if text.bytes > MAX_DECODED {
            return Err(Unreadable::Foreign(format!("says it holds {} bytes", text.bytes)));
        }
        let FreshHead { project, environment, stream, origin, accepted_at, trace } = text.head;
        Ok(Packed {
            fresh: Self { project, environment, stream, origin, accepted_at, trace },
            count: text.count,
            bytes: text.bytes,
            plain: text.plain,
            gzip: text.gzip,
        })
    }
}

impl Packed<'_> {
    /// Decodes the events.
    pub fn events(&self) -> Result<Vec<Event>, Unreadable> {
        unpack(self.count, self.bytes, self.plain, self.gzip)
    }
}

impl Scheduled {
    /// The text of a message with this delivery.
    pub fn encode(&self) -> String {
        let Delivery { id, project, integration, began, events, numbers, rest, provenance } =
            &self.delivery;
        let Provenance { accepted_at, trace } = provenance.clone();
        let head = DeliveryHead {
            id: id.clone(),
            project: project.clone(),
            integration: integration.clone(),
            began: *began,
            not_before: self.not_before,
            numbers: numbers.clone(),
            rest: *rest,
            accepted_at,
            trace,
        };
        encode(&head, events)
    }

    /// Reads the text of a message.
    pub fn decode(text: &str) -> Result<Self, Unreadable> {
        let text: Text<'_, DeliveryHead> = read(text)?;
        let events = unpack(text.count, text.bytes, text.plain, text.gzip)?;
        let DeliveryHead { not_before, accepted_at, trace, .. } = text.head;
        let DeliveryHead { id, project, integration, began, numbers, rest, .. } = text.head;
        let provenance = Provenance { accepted_at, trace };
        let delivery =
            Delivery { id, project, integration, began, events, numbers, rest, provenance };
        Ok(Self { delivery, not_before })
    }
}

impl Aside {
    /// A delivery to lay aside that has used `now − began` of its schedule.
    pub fn new(delivery: Delivery, now: Timestamp) -> Self {
        let Delivery { id, project, integration, began, events, numbers, rest, provenance } =
            delivery;
        let age_ms = now.0.saturating_sub(began.0).max(0);
        Self { id, project, integration, age_ms, events, numbers, rest, provenance }
    }

    /// The delivery again, its schedule going on where it stopped.
    pub fn resume(self, now: Timestamp) -> Delivery {
        let Self { id, project, integration, age_ms, events, numbers, rest, provenance } = self;
        let began = Timestamp(now.0.saturating_sub(age_ms));
        Delivery { id, project, integration, began, events, numbers, rest, provenance }
    }

    /// The same with its whole schedule before it, for a replay.
    #[must_use]
    pub fn anew(self) -> Self {
        Self { age_ms: 0, ..self }
    }

    /// The object's bytes: a compressed text.
    pub fn encode(&self) -> Bytes {
        let head = AsideHead {
            id: self.id.clone(),
            project: self.project.clone(),
            integration: self.integration.clone(),
            age_ms: self.age_ms,
            numbers: self.numbers.clone(),
            rest: self.rest,
            accepted_at: self.provenance.accepted_at,
            trace: self.provenance.trace.clone(),
        };
        let array = event::join(&self.events);
        gzip(write(&head, self.events.len(), &array, None).as_bytes()).into()
    }

    /// Reads an object's bytes.
    pub fn decode(object: &[u8]) -> Result<Self, Unreadable> {
        let text = gunzip(object, MAX_DECODED).map_err(|e| Unreadable::Foreign(e.to_string()))?;
        let text = std::str::from_utf8(&text).map_err(|e| Unreadable::Foreign(e.to_string()))?;
        let text: Text<'_, AsideHead> = read(text)?;
        let events = unpack(text.count, text.bytes, text.plain, text.gzip)?;
        let AsideHead { accepted_at, trace, id, project, integration, age_ms, numbers, rest } =
            text.head;
        let provenance = Provenance { accepted_at, trace };
        Ok(Self { id, project, integration, age_ms, events, numbers, rest, provenance })
    }
}

impl Wake {
    /// The text of the message.
    pub fn encode(&self) -> String {
        serde_json::to_string(&Versioned { v: VERSION, rest: self }).unwrap_or_default()
    }

    /// Reads the text of a message.
    pub fn decode(text: &str) -> Result<Self, Unreadable> {
        check_version(text)?;
        let wake: Versioned<Self> = serde_json::from_str(text)?;
        Ok(wake.rest)
    }
}

fn encode<H: Serialize>(head: &H, events: &[Event]) -> String {
    let array = event::join(events);
    if array.len() >= COMPRESS_FROM || !fits_sqs(&array) {
        let packed = BASE64_STANDARD.encode(gzip(&array));
        if packed.len() < array.len() || !fits_sqs(&array) {
            return write(head, events.len(), &array, Some(&packed));
        }
    }
    write(head, events.len(), &array, None)
}

/// SQS refuses U+FFFE and U+FFFF, which JSON strings may contain as they are.
fn fits_sqs(array: &[u8]) -> bool {
    array.len() < 3 || !array.windows(3).any(|w| w == [0xEF, 0xBF, 0xBE] || w == [0xEF, 0xBF, 0xBF])
}

fn write<H: Serialize>(head: &H, count: usize, array: &[u8], packed: Option<&str>) -> String {
    let plain = match packed {
        Some(_) => None,
        // The array is made of texts that were parsed before.
        None => serde_json::from_slice::<&RawValue>(array).ok(),
    };
    let text = Text { v: VERSION, head, count, bytes: array.len(), plain, gzip: packed };
    serde_json::to_string(&text).unwrap_or_default()
}

fn check_version(text: &str) -> Result<(), Unreadable> {
    #[derive(Deserialize)]
    struct Head {
        v: u32,
    }
    match serde_json::from_str::<Head>(text)?.v {
        0 => Err(Unreadable::Foreign("format version 0".to_owned())),
        v if v > VERSION => Err(Unreadable::Newer(v)),
        _ => Ok(()),
    }
}

fn read<'a, H: Deserialize<'a>>(text: &'a str) -> Result<Text<'a, H>, Unreadable> {
    check_version(text)?;
    Ok(serde_json::from_str(text)?)
}

fn unpack(
    count: usize,
    bytes: usize,
    plain: Option<&RawValue>,
    packed: Option<&str>,
) -> Result<Vec<Event>, Unreadable> {
    let array = match (plain, packed) {
        (Some(plain), None) => Bytes::copy_from_slice(plain.get().as_bytes()),
        (None, Some(packed)) => {
            let packed = BASE64_STANDARD
                .decode(packed)
                .map_err(|error| Unreadable::Foreign(error.to_string()))?;
            let limit = bytes.min(MAX_DECODED);
            gunzip(&packed, limit).map_err(|error| Unreadable::Foreign(error.to_string()))?.into()
        }
        _ => return Err(Unreadable::Foreign("neither plain nor gzip".to_owned())),
    };
    let events = event::split(&array)?;
    if events.is_empty() || events.len() != count {
        return Err(Unreadable::Foreign(format!("says {count} events, holds {}", events.len())));
    }
    Ok(events)
}

const _: () = assert!(MAX_TEXT < BATCH_BYTES);

#[cfg(test)]
mod tests;
