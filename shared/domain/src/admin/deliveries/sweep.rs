//! Going over a span of deliveries, as far as there is time for in one request.

use std::time::Duration;

use serde::Serialize;

use super::span::{Span, Walk, cursor};
use crate::{
    admin::{Admin, Failure},
    id::{IntegrationId, ProjectId},
    ledger::Counts,
    message::Unreadable,
    parked::{ParkedKey, Place},
    ports::{Clock, PortError, Services},
    time::Timestamp,
};

/// After this time nothing more is begun: API Gateway gives up after 30 s, and what is under way
/// must be seen to.
pub(super) const TIME: Duration = Duration::from_secs(18);
/// So many are seen to before the ledger, and for a replay the backlog's mark, is written.
const CHUNK: usize = 128;

/// What is done with each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Counted: a dry run.
    Count,
    Replay,
    Purge,
}

/// What became of a span: the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(in crate::admin) struct Swept {
    deliveries: u64,
    events: u64,
    /// Deliveries that cannot be read, or not by this version: left where they are.
    skipped: u64,
    /// Whether it was gone over to its end.
    pub(in crate::admin) done: bool,
    dry_run: bool,
    /// Only what was laid aside before then was gone over; absent for a single delivery. Whoever
    /// sends it with the next request takes no more than what was told.
    to: Option<Timestamp>,
    /// The cursor behind what was seen to.
    next: Option<String>,
}

/// What became of some of them.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) deliveries: u64,
    pub(super) events: u64,
    pub(super) skipped: u64,
    /// Why the last of the skipped was.
    pub(super) unreadable: Option<Unreadable>,
    /// Whether some were not seen to.
    pub(super) unfinished: bool,
    /// A call that failed on the way.
    pub(super) error: Option<PortError>,
}

impl Part {
    pub(super) fn add(&mut self, key: &ParkedKey) {
        self.deliveries += 1;
        self.events += key.count;
    }

    pub(super) fn failed(&mut self, error: PortError) {
        self.unfinished = true;
        self.error = Some(error);
    }
}

impl Swept {
    /// The same answer for a single delivery.
    pub(super) fn one(part: &Part) -> Self {
        let (deliveries, events) = (part.deliveries, part.events);
        Self { deliveries, events, done: true, ..Self::default() }
    }
}

impl<P: Services> Admin<P> {
    /// Goes over a span, oldest first, until its end, the first trouble, or the end of the time.
    ///
    /// # Errors
    /// The trouble, if nothing at all was done before it.
    pub(super) async fn go_over(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        place: Place,
        span: &Span,
        act: Act,
    ) -> Result<Swept, Failure> {
        let clock = self.ports.clock();
        let end = clock.now().plus(TIME);
        let mut walk = Walk::new(place, id, span);
        let mut swept = Swept { dry_run: act == Act::Count, to: span.to(), ..Swept::default() };
        let trouble = loop {
            let keys = match walk.next(self.ports.objects(), CHUNK).await {
                Ok(keys) => keys,
                Err(error) => break Some(error),
            };
            let Some(last) = keys.last() else {
                swept.done = true;
                break None;
            };
            if clock.now() >= end {
                break None;
            }
            let part = match act {
                Act::Count => count(&keys),
                Act::Replay => self.replay_some(project, id, &keys, end).await,
                Act::Purge => self.purge_some(id, place, &keys, end).await,
            };
            swept.deliveries += part.deliveries;
            swept.events += part.events;
            swept.skipped += part.skipped;
            if part.unfinished {
                break part.error;
            }
            swept.next = cursor(last);
        };
        let Swept { deliveries, events, skipped, done, .. } = swept;
        if act != Act::Count {
            // What a throttled write left over gets another chance.
            self.uncounted.add(&self.ports, id, Counts::default()).await;
            let place = place.name();
            tracing::info!(integration = %id, ?act, place, deliveries, events, skipped, done, "swept");
        }
        match trouble {
            Some(error) if deliveries == 0 => Err(error.into()),
            Some(error) => {
                tracing::warn!(%error, integration = %id, ?act, "stopped early");
                Ok(swept)
            }
            None if done => Ok(Swept { next: None, ..swept }),
            None => Ok(swept),
        }
    }
}

fn count(keys: &[ParkedKey]) -> Part {
    let mut part = Part::default();
    for key in keys {
        part.add(key);
    }
    part
}

/// Whether there is time to begin with another, and no trouble so far.
pub(super) fn may_begin<P: Services>(
    services: &P,
    end: Timestamp,
    trouble: &std::sync::atomic::AtomicBool,
) -> bool {
    !trouble.load(std::sync::atomic::Ordering::Relaxed) && services.clock().now() < end
}
