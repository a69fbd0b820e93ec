//! What is measured, for CloudWatch: counters and distributions of what happened since they were last
//! taken, which is at the end of each invocation.
//!
//! Everything is bounded: what is kept, what is printed, and the series that it makes. A stream is a
//! dimension; an integration is none, so that a thousand of them cost no more than one.

mod emf;
mod histogram;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{
    attempt::Attempted, delivery::Delivery, id::IntegrationId, integration::Stream, ledger::Counts,
    outcome::Outcome,
};

pub use emf::Emf;
pub use histogram::Histogram;

/// Integrations that are told apart in one invocation.
const TOLD_APART: usize = 1_000;
/// Integrations that are named beside the figures: Logs Insights looks into 200 fields of an event.
const NAMED: usize = 10;

macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident: $unit:literal),* $(,)?) => {
        /// What is measured. Each is a metric of this name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Metric {
            $($(#[$doc])* $name,)*
        }

        impl Metric {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in CloudWatch.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// Its unit, as CloudWatch names units.
            pub fn unit(self) -> &'static str {
                match self {
                    $(Self::$name => $unit,)*
                }
            }

            /// Whether it is told for each stream too.
            pub fn has_streams(self) -> bool {
                !matches!(
                    self,
                    Self::RequestsRejected
                        | Self::EventsExpired
                        | Self::Sweeps
                        | Self::BacklogIntegrations
                        | Self::BacklogDeliveries
                        | Self::BacklogEvents
                        | Self::BacklogAge
                )
            }
        }
    };
}

metrics! {
    /// Events that the queue has, and a client was told so.
    EventsAccepted: "Count",
    /// Requests to ingest that were refused, for whatever reason.
    RequestsRejected: "Count",
    /// Events that an endpoint took, for each integration that wanted them.
    EventsDelivered: "Count",
    /// Events laid aside, to be drained.
    EventsParked: "Count",
    /// Events whose schedule ran out.
    EventsDead: "Count",
    /// Events that were deleted undelivered, after their retention time.
    EventsExpired: "Count",
    /// Sweeps that ended well: one every 5 minutes, and that it is not there means that `drain` does
    /// not run.
    Sweeps: "Count",
    /// Attempts at a delivery that did not end well.
    AttemptsFailed: "Count",
    /// Requests made again: immediate retries, and those of the schedule.
    RequestsRetried: "Count",
    /// Breakers that opened.
    BreakerOpenings: "Count",
    /// Integrations with something parked.
    BacklogIntegrations: "Count",
    /// Deliveries that are parked; of each integration at most a listing's page is counted.
    BacklogDeliveries: "Count",
    /// Events that they hold.
    BacklogEvents: "Count",
    /// How long the oldest of them has been parked.
    BacklogAge: "Seconds",
    /// From accepting the oldest event of a delivery until the endpoint took it.
    EndToEndLatency: "Milliseconds",
    /// How long an endpoint took to answer a request.
    RequestLatency: "Milliseconds",
}

/// What is parked, of all integrations together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Integrations that have something parked.
    pub integrations: u64,
    /// Deliveries, as far as they were listed.
    pub deliveries: u64,
    /// The events in them.
    pub events: u64,
    /// How long the oldest has been parked.
    pub age: Duration,
}

/// One integration's part in what was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Its attempts that did not end well.
    pub failed: u64,
    /// Its events that were delivered.
    pub delivered: u64,
}

/// What was measured of one stream, or of none in particular.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Of which; `None` for what is of no stream.
    pub stream: Option<Stream>,
    /// Sums.
    pub counts: BTreeMap<Metric, u64>,
    /// Distributions.
    pub distributions: BTreeMap<Metric, Histogram>,
    /// The integrations with the most failed attempts, then those with the most events.
    pub integrations: Vec<(IntegrationId, Share)>,
}

#[derive(Debug, Default)]
struct Tally {
    counts: BTreeMap<Metric, u64>,
    distributions: BTreeMap<Metric, Histogram>,
    integrations: HashMap<IntegrationId, Share>,
}

impl Tally {
    fn add(&mut self, metric: Metric, count: u64) {
        if count > 0 {
            let sum = self.counts.entry(metric).or_default();
            *sum = sum.saturating_add(count);
        }
    }

    fn time(&mut self, metric: Metric, took: Duration) {
        self.distributions.entry(metric).or_default().add(took);
    }

    fn share(&mut self, id: &IntegrationId, failed: u64, delivered: u64) {
        if self.integrations.len() < TOLD_APART || self.integrations.contains_key(id) {
            let share = self.integrations.entry(id.clone()).or_default();
            share.failed = share.failed.saturating_add(failed);
            share.delivered = share.delivered.saturating_add(delivered);
        }
    }

    fn measured(self, stream: Option<Stream>) -> Measured {
        let Self { counts, distributions, integrations } = self;
        let mut integrations: Vec<_> = integrations.into_iter().collect();
        integrations.sort_by(|(a_id, a), (b_id, b)| {
            let order = |share: &Share| Reverse((share.failed, share.delivered));
            order(a).cmp(&order(b)).then_with(|| a_id.cmp(b_id))
        });
        integrations.truncate(NAMED);
        Measured { stream, counts, distributions, integrations }
    }
}

/// What was measured since it was last taken.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<HashMap<Option<Stream>, Tally>>);

impl Metrics {
    /// Measures what is of this stream.
    pub fn of(&self, stream: Stream) -> Meter<'_> {
        Meter { metrics: self, stream }
    }

    /// A request was refused.
    pub fn rejected(&self) {
        self.with(None, |tally| tally.add(Metric::RequestsRejected, 1));
    }

    /// Events were deleted undelivered.
    pub fn expired(&self, events: u64) {
        self.with(None, |tally| tally.add(Metric::EventsExpired, events));
    }

    /// A sweep ended well, whether it found anything or not.
    pub fn swept(&self) {
        self.with(None, |tally| tally.add(Metric::Sweeps, 1));
    }

    /// What is parked now, if anything is.
    pub fn backlog(&self, backlog: &Backlog) {
        if backlog.integrations == 0 {
            return;
        }
        self.with(None, |tally| {
            tally.add(Metric::BacklogIntegrations, backlog.integrations);
            tally.add(Metric::BacklogDeliveries, backlog.deliveries);
            tally.add(Metric::BacklogEvents, backlog.events);
            tally.add(Metric::BacklogAge, backlog.age.as_secs());
        });
    }

    /// Takes what was measured, stream by stream. Nothing where there is nothing to say.
    pub fn take(&self) -> Vec<Measured> {
        let tallies = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut measured: Vec<_> =
            tallies.into_iter().map(|(stream, tally)| tally.measured(stream)).collect();
        measured.retain(|one| !one.counts.is_empty() || !one.distributions.is_empty());
        measured.sort_by_key(|one| one.stream.map(|stream| format!("{stream:?}")));
        measured
    }

    fn with(&self, stream: Option<Stream>, change: impl FnOnce(&mut Tally)) {
        let mut tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(tallies.entry(stream).or_default());
    }
}

/// Measures what is of one stream.
#[derive(Clone, Copy, Debug)]
pub struct Meter<'a> {
    metrics: &'a Metrics,
    stream: Stream,
}

impl Meter<'_> {
    /// Events were accepted.
    pub fn accepted(self, events: usize) {
        self.with(|tally| tally.add(Metric::EventsAccepted, events as u64));
    }

    /// What became of events, as the ledger counts it.
    pub fn counted(self, counts: &Counts) {
        self.with(|tally| {
            tally.add(Metric::EventsDelivered, counts.delivered);
            tally.add(Metric::EventsParked, counts.parked);
            tally.add(Metric::EventsDead, counts.dead);
        });
    }

    /// An attempt was made at `delivery`; `again`: by the schedule, after one that failed.
    pub fn attempted(self, delivery: &Delivery, attempted: &Attempted, again: bool) {
        let Attempted { outcome, made, at, .. } = attempted;
        let failed = !matches!(outcome, Outcome::Delivered | Outcome::Unfinished);
        let delivered = delivery.count().saturating_sub(attempted.left() as u64);
        self.with(|tally| {
            tally.add(Metric::AttemptsFailed, u64::from(failed));
            let retried = if again { made.requests } else { made.retried };
            tally.add(Metric::RequestsRetried, u64::from(retried));
            for took in &made.took {
                tally.time(Metric::RequestLatency, *took);
            }
            if let Some(accepted_at) = delivery.provenance.accepted_at
                && delivered > 0
            {
                tally.time(Metric::EndToEndLatency, at.since(accepted_at));
            }
            tally.share(&delivery.integration, u64::from(failed), delivered);
        });
    }

    /// A breaker opened.
    pub fn opened(self) {
        self.with(|tally| tally.add(Metric::BreakerOpenings, 1));
    }

    fn with(self, change: impl FnOnce(&mut Tally)) {
        self.metrics.with(Some(self.stream), change);
    }
}

#[cfg(test)]
mod tests;
