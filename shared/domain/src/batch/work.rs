//! The deliveries that a lane works on.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    attempt::Attempted,
    compiled::Compiled,
    delivery::{Delivery, Provenance, Runs, runs},
    event::Event,
    id::{DeliveryId, unique},
    integration::{Integration, MAX_BYTES, MAX_EVENTS},
    outcome::Outcome,
    ports::{Clock, Ports, Random},
};

use super::Decoded;

/// A delivery, and the records that are done only when it is.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) delivery: Delivery,
    pub(super) records: BTreeSet<usize>,
    pub(super) source: Source,
    /// Events that were delivered without the others, and are not counted yet.
    pub(super) ahead: u64,
    /// Whether its schedule has begun.
    pub(super) attempted: bool,
}

/// Where a delivery comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Fresh events.
    Fresh,
    /// A message of the RetryQueue, by its receipt handle: left there, it is stored already.
    Message(String),
    /// Part of such a message, which cannot be left there.
    Part,
}

impl Source {
    /// That of a part.
    fn part(&self) -> Self {
        match self {
            Self::Fresh => Self::Fresh,
            Self::Message(_) | Self::Part => Self::Part,
        }
    }
}

impl Job {
    /// What goes on after an attempt, each as a job of its own: what failed, request by request, and
    /// what was not tried.
    pub(super) fn after(self, attempted: &Attempted) -> (Vec<(Self, Outcome)>, Option<Self>) {
        if attempted.is_whole(&self.delivery) {
            return match attempted.failed.first() {
                Some((_, outcome)) => (vec![(self, outcome.clone())], None),
                None => (Vec::new(), Some(Self { attempted: false, ..self })),
            };
        }
        // What was delivered is counted with the first that is safe.
        let mut ahead = self.ahead + self.delivery.count() - attempted.left() as u64;
        let mut part = |positions: &[usize]| Self {
            delivery: self.delivery.part_of(positions),
            records: self.records.clone(),
            source: self.source.part(),
            ahead: std::mem::take(&mut ahead),
            attempted: self.attempted,
        };
        let failed = attempted.failed.iter();
        let failed: Vec<_> =
            failed.map(|(positions, outcome)| (part(positions), outcome.clone())).collect();
        let untried = (!attempted.untried.is_empty()).then(|| part(&attempted.untried));
        (failed, untried.map(|job| Self { attempted: false, ..job }))
    }

    /// Its two halves in its place, or the job itself if it cannot be split.
    #[expect(clippy::result_large_err, reason = "not an error: the job goes on as it is")]
    pub(super) fn halves(self) -> Result<[Self; 2], Self> {
        let Self { delivery, records, source, ahead, attempted } = self;
        let half_source = source.part();
        let job = |delivery, source, ahead| {
            let records = records.clone();
            Self { delivery, records, source, ahead, attempted }
        };
        match delivery.halves() {
            Ok([a, b]) => Ok([job(a, half_source.clone(), ahead), job(b, half_source, 0)]),
            Err(delivery) => Err(job(delivery, source, ahead)),
        }
    }
}

/// The deliveries of a lane, one at a time as they are asked for.
pub(super) trait Jobs: Iterator<Item = Job> {
    /// From here on they are only stored: the fewer the better.
    fn only_to_store(&mut self) {}
}

impl Jobs for std::vec::IntoIter<Job> {}

/// An integration's fresh events, cut into deliveries.
pub(super) struct FreshJobs<'a, P, I: Iterator> {
    ports: &'a P,
    integration: &'a Integration,
    runs: Runs<I>,
}

/// Cuts the events that an integration wants into deliveries by its own bounds. Those that its
/// filter does not want are counted in `filtered`.
pub(super) fn fresh_jobs<'a, P: Ports>(
    ports: &'a P,
    integration: &'a Integration,
    compiled: &'a Compiled,
    messages: &'a [Arc<Decoded>],
    filtered: Arc<AtomicU64>,
) -> FreshJobs<'a, P, impl Iterator<Item = (Event, &'a Decoded)> + 'a> {
    let mut told = false;
    let events = messages
        .iter()
        .flat_map(|message| message.events.iter().map(|event| (event, &**message)))
        .filter(move |(event, _)| {
            let wanted = compiled.wants(event).unwrap_or_else(|error| {
                // Once for a batch: whoever sends one such event sends many.
                if !std::mem::replace(&mut told, true) {
                    let integration = &integration.id;
                    tracing::warn!(%integration, %error, "an event that its filter cannot read is not wanted");
                }
                false
            });
            filtered.fetch_add(u64::from(!wanted), Ordering::Relaxed);
            wanted
        })
        .map(|(event, message)| (event.clone(), message));
    let runs = runs(events, integration.max_events(), integration.max_bytes);
    FreshJobs { ports, integration, runs }
}

impl<'a, P: Ports, I: Iterator<Item = (Event, &'a Decoded)>> Iterator for FreshJobs<'a, P, I> {
    type Item = Job;

    fn next(&mut self) -> Option<Job> {
        let (events, messages) = self.runs.next()?;
        let now = self.ports.clock().now();
        let mut random = [0; 16];
        random.copy_from_slice(&self.ports.random().bytes()[..16]);
        Some(Job {
            delivery: Delivery {
                id: DeliveryId(unique(now, random)),
                project: self.integration.project.clone(),
                integration: self.integration.id.clone(),
                began: now,
                events,
                numbers: Vec::new(),
                rest: false,
                provenance: provenance(&messages),
            },
            ahead: 0,
            records: messages.into_iter().map(|message| message.record).collect(),
            source: Source::Fresh,
            attempted: false,
        })
    }
}

/// The oldest of these messages, and the first trace.
fn provenance(messages: &[&Decoded]) -> Provenance {
    Provenance {
        accepted_at: messages.iter().map(|message| message.fresh.accepted_at).min(),
        trace: messages.iter().find_map(|message| message.fresh.trace.clone()),
    }
}

impl<'a, P: Ports, I: Iterator<Item = (Event, &'a Decoded)>> Jobs for FreshJobs<'a, P, I> {
    fn only_to_store(&mut self) {
        self.runs.rebound(MAX_EVENTS, MAX_BYTES);
    }
}
