//! The delivery log: what each attempt came to, for the operator to read.
//!
//! It is written at the end of an invocation, in batches, and kept for days. It is a log: what cannot
//! be written is dropped, and no delivery waits for it.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{
    attempt::Attempted,
    delivery::Delivery,
    disposition::Disposition,
    id::{DeliveryId, IntegrationId},
    outcome::Outcome,
    ports::{AttemptStore, Clock, Services},
    time::{Timestamp, millis},
};

/// Records held by one invocation. What comes beyond is dropped: nobody reads so many.
const HELD: usize = 5_000;

/// Which function made an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    /// At once, or at a slot of the schedule.
    Batch,
    /// From what was parked.
    Drain,
}

/// What an attempt came to, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Result {
    /// The endpoint has all of it.
    Delivered,
    /// A request failed.
    Failed,
    /// The endpoint asked to be left alone for a while.
    Waiting,
    /// The endpoint answered 410.
    Gone,
    /// The endpoint answered 413.
    TooLarge,
    /// There was no answer within the time that `batch` waits.
    Unanswered,
    /// Nothing failed, and there was no time for all requests.
    Unfinished,
}

/// What became of the delivery then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// It is done with.
    Delivered,
    /// It has another slot.
    Scheduled,
    /// It waits for the drainer.
    Parked,
    /// Its schedule ran out.
    Dead,
    /// Its halves go on.
    Split,
    /// What is left goes on at once.
    Again,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Whose.
    pub integration: IntegrationId,
    /// Of which delivery.
    pub delivery: DeliveryId,
    /// When it began.
    pub at: Timestamp,
    /// By which function.
    pub from: Function,
    /// What it came to.
    pub outcome: Result,
    /// Requests made, immediate retries included.
    pub requests: u32,
    /// The status that was answered, where there was an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it failed: never a body or a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long the last request took, in milliseconds.
    pub duration_ms: i64,
    /// Events in the delivery.
    pub events: u64,
    /// Those that the endpoint took.
    pub delivered: u64,
    /// Bytes of the bodies, before compression.
    pub bytes: u64,
    /// Bytes of the bodies as sent.
    pub bytes_sent: u64,
    /// How the endpoint's answer begins; see [`crate::answer_text`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// The trace that its events belong to, where they came with one: 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// What became of the delivery.
    pub then: Then,
    /// Its next slot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
}

impl Record {
    /// The record of an attempt at `delivery`, as it was before. [`Record::and_then`] completes it.
    pub fn new(from: Function, delivery: &Delivery, attempted: &Attempted) -> Self {
        let Attempted { outcome, began, latency, made, .. } = attempted;
        let events = delivery.count();
        Self {
            integration: delivery.integration.clone(),
            delivery: delivery.id.clone(),
            at: *began,
            from,
            outcome: result(outcome),
            requests: made.requests,
            status: made.status,
            error: match outcome {
                Outcome::Failed(failure) => Some(failure.reason.clone()),
                _ => None,
            },
            duration_ms: millis(*latency),
            events,
            delivered: events.saturating_sub(attempted.left() as u64),
            bytes: made.plain_bytes as u64,
            bytes_sent: made.sent_bytes as u64,
            answer: made.answer.clone(),
            trace_id: delivery.provenance.trace.as_ref().map(|it| it.trace_id().to_owned()),
            then: Then::Delivered,
            next_at: None,
        }
    }

    /// With what became of the delivery.
    #[must_use]
    pub fn and_then(self, disposition: Disposition) -> Self {
        let (then, next_at) = match disposition {
            Disposition::Delivered => (Then::Delivered, None),
            Disposition::Schedule(due) => (Then::Scheduled, Some(due)),
            Disposition::Park => (Then::Parked, None),
            Disposition::Dead => (Then::Dead, None),
            Disposition::Split => (Then::Split, None),
            Disposition::GoOn => (Then::Again, None),
        };
        Self { then, next_at, ..self }
    }

    /// Its name among the attempts of its integration; names sort by time.
    pub fn id(&self) -> String {
        format!("{:013}-{}", self.at.0.max(0), self.delivery)
    }
}

/// An outcome in one word.
pub(crate) fn result(outcome: &Outcome) -> Result {
    match outcome {
        Outcome::Delivered => Result::Delivered,
        Outcome::Failed(_) => Result::Failed,
        Outcome::Wait(_) => Result::Waiting,
        Outcome::Gone => Result::Gone,
        Outcome::TooLarge => Result::TooLarge,
        Outcome::Unanswered => Result::Unanswered,
        Outcome::Unfinished => Result::Unfinished,
    }
}

/// The records of one invocation, until they are written.
#[derive(Debug, Default)]
pub struct AttemptLog(Mutex<Vec<Record>>);

impl AttemptLog {
    /// Notes an attempt.
    pub fn note(&self, record: Record) {
        self.with(|records| {
            if records.len() == HELD {
                tracing::warn!(
                    held = HELD,
                    "delivery log full: the rest of this invocation is left out"
                );
            }
            // The one that is too many says so, once.
            if records.len() <= HELD {
                records.push(record);
            }
        });
    }

    /// Writes what was noted, to be kept for so long. What cannot be written is dropped, and told in the log.
    pub async fn write<P: Services>(&self, services: &P, keep: Duration) {
        let records = self.with(std::mem::take);
        if records.is_empty() {
            return;
        }
        let expires = services.clock().now().plus(keep);
        if let Err(error) = services.store().add_attempts(&records, expires).await {
            tracing::warn!(%error, attempts = records.len(), "delivery log not written whole");
        }
    }

    fn with<T>(&self, look: impl FnOnce(&mut Vec<Record>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests;
