//! One integration's deliveries in one invocation: at most two at a time, and none after it hangs,
//! asks for a pause, is paused, or time runs short.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};

use crate::{
    attempt::{ATTEMPT, Attempted, attempt},
    breaker::{Breaker, Observation},
    diagnose::{change_breaker, is_telling, observe, pause_gone},
    disposition::{Disposition, Stop, dispose},
    health::{Route, Why},
    integration::Integration,
    ledger::Counts,
    park::{lay_aside, park},
    parked::Place,
    ports::{Clock, LedgerStore, PortError, Ports, Queue},
    schedule::schedule,
    time::Timestamp,
};

use super::{
    Batch,
    work::{Job, Source},
};

/// Requests under way to one integration.
const WIDTH: usize = 2;
/// Deliveries of one integration put on the schedule by one invocation; the rest is parked.
const SCHEDULED_MAX: usize = 200;
/// Deliveries stored at a time, so that no more are held in memory.
const STORE_AT_ONCE: usize = 32;
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
    Paced(Why),
    Stopped(Stop),
}

pub(super) struct Lane<'a, P> {
    batch: &'a Batch<P>,
    integration: &'a Integration,
    deadline: Timestamp,
    end: Option<End>,
    counts: Counts,
    failed: BTreeSet<usize>,
    seen: Vec<Observation>,
    observed_at: Timestamp,
    schedule: Vec<(Job, Timestamp)>,
    park: Vec<Job>,
    scheduled: usize,
}

/// A job that had its attempt, or could not get one.
enum Tried {
    Attempted(Job, Attempted, Option<Timestamp>),
    NotHidden(Job),
}

impl<'a, P: Ports> Lane<'a, P> {
    pub(super) fn new(
        batch: &'a Batch<P>,
        integration: &'a Integration,
        deadline: Timestamp,
    ) -> Self {
        Self {
            batch,
            integration,
            deadline,
            end: None,
            counts: Counts::default(),
            failed: BTreeSet::new(),
            seen: Vec::new(),
            observed_at: batch.ports.clock().now(),
            schedule: Vec::new(),
            park: Vec::new(),
            scheduled: 0,
        }
    }

    pub(super) async fn run(mut self, mut jobs: impl Iterator<Item = Job>) -> Report {
        let mut halves = VecDeque::new();
        let mut under_way = FuturesUnordered::new();
        loop {
            while under_way.len() < WIDTH && self.may_attempt().await {
                let Some(job) = halves.pop_front().or_else(|| jobs.next()) else {
                    break;
                };
                under_way.push(self.batch.try_job(self.integration, job));
            }
            let Some(tried) = under_way.next().await else {
                break;
            };
            self.settle(tried, &mut halves).await;
            self.store(STORE_AT_ONCE).await;
        }
        for job in halves.into_iter().chain(jobs) {
            self.leave(job).await;
            self.store(STORE_AT_ONCE).await;
        }
        self.store(0).await;
        self.observe().await;
        self.write_ledger().await;
        Report { failed: self.failed }
    }

    async fn may_attempt(&mut self) -> bool {
        if self.end.is_some() {
            return false;
        }
        let now = self.batch.ports.clock().now();
        if now.plus(ATTEMPT) > self.deadline {
            self.end = Some(End::NoTime);
            return false;
        }
        let store = self.batch.ports.store();
        if let Route::Paced(why) = self.batch.known.route(store, &self.integration.id, now).await {
            self.end = Some(End::Paced(why));
        } else if !self.integration.enabled {
            // It takes nothing new, and what it has stays parked.
            self.end = Some(End::Paced(Why::Paused));
        }
        self.end.is_none()
    }

    async fn settle(&mut self, tried: Tried, halves: &mut VecDeque<Job>) {
        let (job, attempted, kept_until) = match tried {
            Tried::Attempted(job, attempted, kept_until) => (job, attempted, kept_until),
            // It comes back when its visibility ends, and no slot is used up.
            Tried::NotHidden(job) => {
                self.failed.extend(job.records);
                return;
            }
        };
        self.seen.extend(attempted.observation(&job.delivery));
        let (disposition, stop) = dispose(
            &attempted.outcome,
            &job.delivery,
            &self.batch.policy.schedule,
            self.batch.ports.clock().now(),
        );
        if let Some(stop) = stop {
            self.stop(stop).await;
        }
        match disposition {
            Disposition::Delivered => self.done(&job, |counts, n| counts.delivered += n),
            Disposition::Schedule(due) => match (&job.source, kept_until) {
                // Its visibility ends at its next slot: SQS keeps it.
                (Source::Message(_), Some(_)) => self.failed.extend(job.records),
                _ => self.schedule.push((job, due)),
            },
            Disposition::Park => self.park.push(job),
            Disposition::Dead => self.bury(job).await,
            Disposition::Split => match job.halves() {
                Ok([a, b]) => halves.extend([a, b]),
                Err(job) => self.park.push(job),
            },
        }
        if self.seen.iter().any(|observation| observation.ill)
            && self.batch.ports.clock().now().since(self.observed_at) >= OBSERVE_EVERY
        {
            self.observe().await;
        }
    }

    /// What becomes of a delivery that gets no attempt.
    async fn leave(&mut self, job: Job) {
        let now = self.batch.ports.clock().now();
        match (self.end, &job.source) {
            (Some(End::NoTime), Source::Message(receipt)) => {
                self.batch.hide(Queue::Retry, receipt, Duration::ZERO).await;
                self.failed.extend(job.records);
            }
            (Some(End::NoTime), _) => self.schedule.push((job, now)),
            _ => self.park.push(job),
        }
    }

    async fn stop(&mut self, stop: Stop) {
        self.end.get_or_insert(End::Stopped(stop));
        let Integration { project, id, .. } = self.integration;
        let (ports, policy) = (&self.batch.ports, &self.batch.policy.breaker);
        match stop {
            Stop::TimedOut => {}
            Stop::Wait(until) => {
                let hold = |breaker: &Breaker, now| breaker.hold(until, now);
                match change_breaker(ports, policy, project, id, hold).await {
                    Ok(health) => self.batch.known.learn(health),
                    Err(error) => {
                        tracing::warn!(%error, integration = %id, "Retry-After not written");
                    }
                }
            }
            Stop::Gone => {
                if let Err(error) = pause_gone(ports, project, id).await {
                    tracing::warn!(%error, integration = %id, "pause not written");
                }
            }
        }
    }

    /// When the drainer should look at what is parked now.
    fn wake_at(&self) -> Timestamp {
        match self.end {
            Some(End::Paced(Why::Open(until)) | End::Stopped(Stop::Wait(until))) => until,
            _ => self.batch.ports.clock().now(),
        }
    }

    /// Stores what waits to be stored, if it is more than `at_most`.
    async fn store(&mut self, at_most: usize) {
        if self.schedule.len() > at_most {
            let mut jobs = std::mem::take(&mut self.schedule);
            let room = SCHEDULED_MAX.saturating_sub(self.scheduled).min(jobs.len());
            self.park.extend(jobs.split_off(room).into_iter().map(|(job, _)| job));
            self.scheduled += jobs.len();
            self.send(jobs).await;
        }
        if self.park.len() > at_most {
            let jobs = std::mem::take(&mut self.park);
            self.lay_aside(jobs).await;
        }
    }

    async fn send(&mut self, jobs: Vec<(Job, Timestamp)>) {
        let ports = &self.batch.ports;
        let deliveries = jobs.iter().map(|(job, due)| (job.delivery.clone(), *due)).collect();
        let results = schedule(ports.queues(), deliveries, ports.clock().now()).await;
        for ((job, _), result) in jobs.into_iter().zip(results) {
            match result {
                Ok(()) => self.done(&job, |counts, n| counts.scheduled += n),
                Err(error) => self.not_stored(job, &error),
            }
        }
    }

    async fn lay_aside(&mut self, jobs: Vec<Job>) {
        let now = self.batch.ports.clock().now();
        let deliveries = jobs
            .iter()
            .map(|job| {
                let mut delivery = job.delivery.clone();
                if !job.attempted {
                    delivery.began = now;
                }
                delivery
            })
            .collect();
        let Integration { project, id, .. } = self.integration;
        let results = park(&self.batch.ports, project, id, deliveries, self.wake_at()).await;
        for (job, result) in jobs.into_iter().zip(results) {
            match result {
                Ok(()) => self.done(&job, |counts, n| counts.parked += n),
                Err(error) => self.not_stored(job, &error),
            }
        }
    }

    async fn bury(&mut self, job: Job) {
        match lay_aside(&self.batch.ports, Place::Dead, job.delivery.clone()).await {
            Ok(()) => {
                tracing::warn!(
                    delivery = %job.delivery.id,
                    integration = %self.integration.id,
                    events = job.delivery.events.len(),
                    "delivery dead: its schedule ran out"
                );
                self.done(&job, |counts, n| counts.dead += n);
            }
            Err(error) => self.not_stored(job, &error),
        }
    }

    /// The delivery is safe: counted, together with where it came from.
    fn done(&mut self, job: &Job, count: impl Fn(&mut Counts, u64)) {
        let events = job.delivery.count();
        match job.source {
            Source::Fresh => self.counts.matched += events,
            Source::Message(_) | Source::Half => self.counts.unscheduled += events,
        }
        count(&mut self.counts, events);
    }

    fn not_stored(&mut self, job: Job, error: &PortError) {
        tracing::error!(%error, delivery = %job.delivery.id, "delivery not stored");
        self.failed.extend(job.records);
    }

    async fn observe(&mut self) {
        let Batch { ports, policy, known, unwritten } = self.batch;
        let Integration { project, id, .. } = self.integration;
        let now = ports.clock().now();
        self.observed_at = now;
        let seen = std::mem::take(&mut self.seen);
        let before = unwritten.take(id, &policy.breaker, now);
        let telling = is_telling(&before, &seen) || (!seen.is_empty() && known.is_unwell(id));
        if !telling {
            unwritten.keep(id, before, &seen, &policy.breaker, now);
        } else if let Some(health) =
            observe(ports, &policy.breaker, project, id, &seen, &before).await
        {
            known.learn(health);
        }
    }

    async fn write_ledger(&self) {
        if self.counts == Counts::default() {
            return;
        }
        let ports = &self.batch.ports;
        let hour = ports.clock().now().hour();
        let id = &self.integration.id;
        if let Err(error) = ports.store().add_counts(id, &hour, &self.counts).await {
            tracing::error!(%error, integration = %id, counts = ?self.counts, "ledger not written");
        }
    }
}

impl<P: Ports> Batch<P> {
    async fn try_job(&self, integration: &Integration, mut job: Job) -> Tried {
        let now = self.ports.clock().now();
        let Job { delivery, source, .. } = &job;
        let mut kept_until = None;
        if let Source::Message(receipt) = source
            && let Some(due) = self.policy.schedule.next(&delivery.id, delivery.began, now)
        {
            // First the next slot, then the attempt: a crash uses up a slot and never adds one.
            if !self.hide(Queue::Retry, receipt, due.since(now)).await {
                return Tried::NotHidden(job);
            }
            kept_until = Some(due);
        }
        if !job.attempted {
            job.delivery.began = now;
            job.attempted = true;
        }
        let attempted =
            attempt(&self.ports, &self.policy.allowed, integration, &job.delivery).await;
        Tried::Attempted(job, attempted, kept_until)
    }
}
