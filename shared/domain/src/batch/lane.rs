//! One integration's deliveries in one invocation: at most two at a time, and none after it hangs,
//! asks for a pause, is paused, or time runs short.

mod endpoint;
mod store;
mod tried;

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};

use crate::{
    attempt::ATTEMPT,
    attempt_log::{Function, Record},
    beside::beside,
    breaker::Observation,
    compiled::Compiled,
    delivery::Delivery,
    disposition::{Disposition, Stop, dispose},
    health::{Route, Why},
    integration::Integration,
    ledger::Counts,
    metrics::Meter,
    notice::{Change, tell_of_dead},
    outcome::Outcome,
    ports::{Clock, Ports, Queue},
    time::Timestamp,
    within::within,
};

use super::{
    Batch, Invocation, RESERVE,
    work::{Job, Jobs, Source},
};

use tried::Tried;

/// Requests under way to one integration.
const WIDTH: usize = 2;
/// Deliveries stored at a time, so that no more are held in memory.
const STORE_AT_ONCE: usize = 32;
/// Storing takes this long at least; what there is less time for comes back by itself.
const STORING: Duration = Duration::from_secs(4);
/// While attempts fail, their health is written this often.
const OBSERVE_EVERY: Duration = Duration::from_secs(5);

/// What a lane came to.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Records that are not done.
    pub(super) failed: BTreeSet<usize>,
}

/// Why no further attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    NoTime,
    /// Nobody knows whether it is paused.
    Unknown,
    Paced(Why),
    /// It has limits: only the drainer sends to it.
    Limited,
    Stopped(Stop),
}

pub(super) struct Lane<'a, P> {
    batch: &'a Batch<P>,
    integration: &'a Integration,
    compiled: &'a Compiled,
    invocation: &'a Invocation,
    /// Events that the integration's filter does not want.
    pub(super) filtered: Arc<AtomicU64>,
    end: Option<End>,
    /// Whether the endpoint's `Retry-After` was written: then the drainer may come no sooner.
    held: bool,
    counts: Counts,
    /// Deliveries that are dead: an operator is told of them.
    changes: Vec<Change>,
    failed: BTreeSet<usize>,
    seen: Vec<Observation>,
    observed_at: Timestamp,
    schedule: Vec<(Job, Timestamp)>,
    park: Vec<Job>,
    scheduled: usize,
}

impl<'a, P: Ports> Lane<'a, P> {
    pub(super) fn new(
        batch: &'a Batch<P>,
        integration: &'a Integration,
        compiled: &'a Compiled,
        invocation: &'a Invocation,
    ) -> Self {
        Self {
            batch,
            integration,
            compiled,
            invocation,
            filtered: Arc::default(),
            end: None,
            held: false,
            counts: Counts::default(),
            changes: Vec::new(),
            failed: BTreeSet::new(),
            seen: Vec::new(),
            observed_at: batch.ports.clock().now(),
            schedule: Vec::new(),
            park: Vec::new(),
            scheduled: 0,
        }
    }

    pub(super) async fn run(mut self, mut jobs: impl Jobs) -> Report {
        let mut halves = VecDeque::new();
        let mut under_way = FuturesUnordered::new();
        let mut done = VecDeque::new();
        loop {
            while under_way.len() + done.len() < WIDTH
                && beside(self.may_attempt(), &mut under_way, &mut done).await
            {
                let Some(job) = halves.pop_front().or_else(|| jobs.next()) else {
                    break;
                };
                let deadline = self.invocation.deadline;
                under_way.push(self.batch.try_job(self.integration, self.compiled, job, deadline));
            }
            let tried = match done.pop_front() {
                Some(tried) => tried,
                None => match under_way.next().await {
                    Some(tried) => tried,
                    None => break,
                },
            };
            beside(self.settle(tried, &mut halves), &mut under_way, &mut done).await;
            beside(self.store(STORE_AT_ONCE), &mut under_way, &mut done).await;
        }
        jobs.only_to_store();
        for job in halves.into_iter().chain(jobs) {
            self.leave(job).await;
            self.store(STORE_AT_ONCE).await;
        }
        self.store(0).await;
        self.observe().await;
        self.counts.filtered += self.filtered.load(Ordering::Relaxed);
        self.meter().counted(&self.counts);
        let Batch { ports, uncounted, .. } = self.batch;
        if self.in_time(uncounted.add(ports, &self.integration.id, self.counts)).await.is_none() {
            let integration = &self.integration.id;
            tracing::error!(%integration, counts = ?self.counts, "no time to write the ledger");
        }
        let changes = std::mem::take(&mut self.changes);
        if self.in_time(tell_of_dead(ports, self.integration, changes)).await.is_none() {
            tracing::error!(integration = %self.integration.id, "no time to tell of dead deliveries");
        }
        Report { failed: self.failed }
    }

    fn meter(&self) -> Meter<'a> {
        self.batch.metrics.of(self.integration.stream)
    }

    /// Whatever is done after an attempt must not outlast the invocation: what is not acknowledged
    /// by then comes back, for everybody.
    async fn in_time<F: Future>(&self, work: F) -> Option<F::Output> {
        let end = self.invocation.deadline.minus(RESERVE);
        within(self.batch.ports.clock(), end, work).await
    }

    async fn may_attempt(&mut self) -> bool {
        if self.end.is_some() {
            return false;
        }
        let Integration { id, enabled, .. } = self.integration;
        let route = self.in_time(self.batch.known.route(&self.batch.ports, id)).await.flatten();
        let now = self.batch.ports.clock().now();
        self.end = match route {
            None => Some(End::Unknown),
            Some(Route::Paced(why)) => Some(End::Paced(why)),
            // It takes nothing new, and what it has stays parked.
            Some(Route::Direct) if !enabled => Some(End::Paced(Why::Paused)),
            Some(Route::Direct) if self.integration.is_limited() => Some(End::Limited),
            Some(Route::Direct) if self.invocation.hanging().contains(id) => {
                Some(End::Stopped(Stop::TimedOut))
            }
            Some(Route::Direct) if now.plus(ATTEMPT) > self.invocation.deadline => {
                Some(End::NoTime)
            }
            Some(Route::Direct) => None,
        };
        self.end.is_none()
    }

    async fn settle(&mut self, tried: Tried, halves: &mut VecDeque<Job>) {
        let (job, attempted, kept_until) = match tried {
            Tried::Attempted(job, attempted, kept_until) => (job, attempted, kept_until),
            Tried::NotNow(job) => {
                self.failed.extend(job.records);
                return;
            }
            Tried::Over(job) => return self.bury(job).await,
            Tried::HeldUp(job) => return self.park.push(job),
        };
        self.seen.extend(attempted.observation(&job.delivery));
        let now = self.batch.ports.clock().now();
        let schedule = &self.batch.policy.schedule;
        let (disposition, _) = dispose(&attempted.outcome, &job.delivery, schedule, now);
        let again = job.source != Source::Fresh;
        self.meter().attempted(&job.delivery, &attempted, again);
        let record = Record::new(Function::Batch, &job.delivery, &attempted);
        self.invocation.log.note(record.and_then(disposition));
        if attempted.left() == 0 {
            self.done(&job, |counts, n| counts.delivered += n);
        } else {
            let (failed, untried) = job.after(&attempted);
            for (job, outcome) in failed {
                self.dispose(job, &outcome, kept_until, halves).await;
            }
            match untried {
                // It leaves the endpoint alone for a slot, and uses none up.
                Some(job) if attempted.given_up => {
                    let now = self.batch.ports.clock().now();
                    let due = self.batch.policy.schedule.first(&job.delivery.id, now);
                    let delivery = Delivery { began: due, ..job.delivery };
                    self.schedule.push((Job { delivery, ..job }, due));
                }
                untried => halves.extend(untried),
            }
        }
        if self.seen.iter().any(|observation| observation.ill)
            && self.batch.ports.clock().now().since(self.observed_at) >= OBSERVE_EVERY
        {
            self.observe().await;
        }
    }

    async fn dispose(
        &mut self,
        job: Job,
        outcome: &Outcome,
        kept_until: Option<Timestamp>,
        halves: &mut VecDeque<Job>,
    ) {
        let now = self.batch.ports.clock().now();
        let (disposition, stop) = dispose(outcome, &job.delivery, &self.batch.policy.schedule, now);
        if let Some(stop) = stop {
            self.stop(stop).await;
        }
        match disposition {
            Disposition::Delivered => self.done(&job, |counts, n| counts.delivered += n),
            Disposition::GoOn => halves.push_back(job),
            // Its visibility ends at its next slot, be it the last: SQS keeps it.
            Disposition::Schedule(_) | Disposition::Dead
                if kept_until.is_some() && matches!(job.source, Source::Message(_)) =>
            {
                self.failed.extend(job.records);
            }
            Disposition::Schedule(due) => self.schedule.push((job, due)),
            Disposition::Park => self.park.push(job),
            Disposition::Dead => self.bury(job).await,
            Disposition::Split => match job.halves() {
                Ok([a, b]) => halves.extend([a, b]),
                Err(job) => self.park.push(job),
            },
        }
    }

    /// What becomes of a delivery that gets no attempt.
    async fn leave(&mut self, mut job: Job) {
        let now = self.batch.ports.clock().now();
        if !job.attempted {
            // What others of its delivery were tried for is none of its schedule.
            job.delivery.began = now;
        }
        if now.plus(STORING) > self.invocation.deadline {
            self.failed.extend(job.records);
            return;
        }
        let Delivery { id, began, .. } = &job.delivery;
        if job.source != Source::Fresh && self.batch.policy.schedule.is_over(id, *began, now) {
            return self.bury(job).await;
        }
        let (max_events, max_bytes) = (self.integration.max_events(), self.integration.max_bytes);
        match (self.end, &job.source) {
            (Some(End::Unknown), Source::Part) => self.schedule.push((job, now)),
            (Some(End::Unknown), _) => self.failed.extend(job.records),
            (Some(End::NoTime), Source::Message(receipt)) => {
                self.in_time(self.batch.hide(Queue::Retry, receipt, Duration::ZERO)).await;
                self.failed.extend(job.records);
            }
            // What is on the schedule is sent as it is; what is parked is cut first.
            (Some(End::NoTime), _) if job.delivery.fits(max_events, max_bytes) => {
                self.schedule.push((job, now));
            }
            _ => self.park.push(job),
        }
    }
}
