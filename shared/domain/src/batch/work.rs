//! The deliveries that a lane works on.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    delivery::{Delivery, runs},
    id::{DeliveryId, unique},
    integration::Integration,
    ports::{Clock, Ports, Random},
};

use super::Decoded;

/// A delivery, and the records that are done only when it is.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) delivery: Delivery,
    pub(super) records: BTreeSet<usize>,
    pub(super) source: Source,
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
    /// Half of such a message, which cannot be left there.
    Half,
}

impl Job {
    /// Its two halves in its place, or the job itself if it cannot be split.
    #[expect(clippy::result_large_err, reason = "not an error: the job goes on as it is")]
    pub(super) fn halves(self) -> Result<[Self; 2], Self> {
        let Self { delivery, records, source, attempted } = self;
        let half_source = match &source {
            Source::Fresh => Source::Fresh,
            Source::Message(_) | Source::Half => Source::Half,
        };
        let job = |delivery, source| Self { delivery, records: records.clone(), source, attempted };
        match delivery.halves() {
            Ok([a, b]) => Ok([job(a, half_source.clone()), job(b, half_source)]),
            Err(delivery) => Err(job(delivery, source)),
        }
    }
}

/// Cuts an integration's events into deliveries, one at a time as they are asked for.
pub(super) fn fresh_jobs<P: Ports>(
    ports: &P,
    integration: &Integration,
    messages: &[Arc<Decoded>],
) -> impl Iterator<Item = Job> {
    let events = messages
        .iter()
        .flat_map(|message| message.events.iter().map(|event| (event.clone(), message.record)));
    runs(events, integration.max_events, integration.max_bytes).map(|(events, records)| {
        let now = ports.clock().now();
        let mut random = [0; 16];
        random.copy_from_slice(&ports.random().bytes()[..16]);
        Job {
            delivery: Delivery {
                id: DeliveryId(unique(now, random)),
                project: integration.project.clone(),
                integration: integration.id.clone(),
                began: now,
                events,
            },
            records: records.into_iter().collect(),
            source: Source::Fresh,
            attempted: false,
        }
    })
}
