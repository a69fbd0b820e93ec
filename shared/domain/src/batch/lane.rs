//! One integration's deliveries in one invocation: at most two at a time, and none after it hangs,
//! asks for a pause, is paused, or time runs short.

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
    attempt::{ATTEMPT, Attempted, PATIENCE, attempt},
    attempt_log::{Function, Record},
    beside::beside,
    breaker::{Breaker, Observation},
    compiled::Compiled,
    delivery::Delivery,
    diagnose::{change_breaker, is_telling, jitter, observe, pause_gone},
    disposition::{Disposition, Stop, dispose},
    health::{Route, Why},
    integration::Integration,
    ledger::Counts,
    metrics::Meter,
    notice::{Change, tell_of_dead},
    outcome::Outcome,
    park::{lay_aside, park},
    parked::Place,
    ports::{Clock, PortError, PortResult, Ports, Queue},
    schedule::schedule,
    time::Timestamp,
    within::within,
};

use super::{
    Batch, Invocation, RESERVE,
    work::{Job, Jobs, Source},
};

/// Requests under way to one integration.
const WIDTH: usize = 2;
/// Deliveries of one integration put on the schedule by one invocation; the rest is parked.
const SCHEDULED_MAX: usize = 200;
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

/// A job that had its attempt, or could not get one.
enum Tried {
    /// With the time until which the message is hidden, where it stays in its queue.
    Attempted(Job, Box<Attempted>, Option<Timestamp>),
    /// It comes back when its visibility ends.
    NotNow(Job),
    /// It had its last attempt already.
    Over(Job),
    /// A long outage of ours kept it from its last attempt: the drainer makes it.
    HeldUp(Job),
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

    async fn stop(&mut self, stop: Stop) {
        self.end.get_or_insert(End::Stopped(stop));
        let Integration { project, id, .. } = self.integration;
        let Batch { ports, policy, known, .. } = self.batch;
        let (policy, meter) = (&policy.breaker, self.meter());
        let written = match stop {
            Stop::TimedOut => {
                self.invocation.hanging().insert(id.clone());
                return;
            }
            Stop::Wait(until) => {
                let hold = |breaker: &Breaker, now| breaker.hold(policy, until, now);
                self.in_time(change_breaker(ports, policy, project, id, meter, hold)).await
            }
            Stop::Unanswered => {
                self.invocation.hanging().insert(id.clone());
                // What was seen before it comes first: added later, it would speak for the endpoint.
                let seen = std::mem::take(&mut self.seen);
                let before = self.batch.unwritten.take(id);
                let jitter = jitter(ports);
                let suspect = |breaker: &Breaker, now| {
                    breaker.observe(policy, &seen, &before, now, jitter).suspect()
                };
                self.in_time(change_breaker(ports, policy, project, id, meter, suspect)).await
            }
            Stop::Gone => self.in_time(pause_gone(ports, project, id)).await,
        };
        match written {
            Some(Ok(health)) => {
                self.held |= matches!(stop, Stop::Wait(_));
                known.learn(health, ports.clock().now());
            }
            Some(Err(error)) => {
                tracing::warn!(%error, integration = %id, ?stop, "the endpoint's wish not written");
            }
            None => {
                tracing::warn!(integration = %id, ?stop, "no time to write the endpoint's wish");
            }
        }
    }

    /// When the drainer should look at what is parked now.
    fn wake_at(&self) -> Timestamp {
        match self.end {
            Some(End::Paced(Why::Open(until))) => until,
            Some(End::Stopped(Stop::Wait(until))) if self.held => until,
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
        let sending = schedule(ports.queues(), deliveries, ports.clock().now());
        let results = self.in_time(sending).await;
        for ((job, _), result) in jobs.into_iter().zip(each(results)) {
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
        let parking = park(&self.batch.ports, project, id, deliveries, self.wake_at());
        let results = self.in_time(parking).await;
        for (job, result) in jobs.into_iter().zip(each(results)) {
            match result {
                Ok(()) => self.done(&job, |counts, n| counts.parked += n),
                Err(error) => self.not_stored(job, &error),
            }
        }
    }

    async fn bury(&mut self, job: Job) {
        let put = lay_aside(&self.batch.ports, Place::Dead, job.delivery.clone());
        match self.in_time(put).await.unwrap_or_else(|| Err(out_of_time())) {
            Ok(_) => {
                tracing::warn!(
                    delivery = %job.delivery.id,
                    integration = %self.integration.id,
                    events = job.delivery.events.len(),
                    "delivery dead: its schedule ran out"
                );
                let (delivery, events) = (job.delivery.id.clone(), job.delivery.count());
                self.changes.push(Change::Dead { delivery, events });
                self.done(&job, |counts, n| counts.dead += n);
            }
            Err(error) => self.not_stored(job, &error),
        }
    }

    /// The delivery is safe: counted, together with where it came from.
    fn done(&mut self, job: &Job, count: impl Fn(&mut Counts, u64)) {
        let events = job.delivery.count();
        match job.source {
            Source::Fresh => self.counts.matched += events + job.ahead,
            Source::Message(_) | Source::Part => self.counts.unscheduled += events + job.ahead,
        }
        self.counts.delivered += job.ahead;
        count(&mut self.counts, events);
    }

    fn not_stored(&mut self, job: Job, error: &PortError) {
        tracing::error!(%error, delivery = %job.delivery.id, "delivery not stored");
        self.failed.extend(job.records);
    }

    async fn observe(&mut self) {
        let Batch { ports, policy, known, unwritten, .. } = self.batch;
        let Integration { project, id, .. } = self.integration;
        let now = ports.clock().now();
        self.observed_at = now;
        let seen = std::mem::take(&mut self.seen);
        let before = unwritten.take(id);
        let telling = is_telling(&before, &seen) || (!seen.is_empty() && known.is_unwell(id));
        if !telling {
            unwritten.keep(id, before.and(&policy.breaker, &seen, now));
            return;
        }
        let meter = self.meter();
        let writing = observe(ports, &policy.breaker, project, id, meter, &seen, &before);
        if let Some(Some(health)) = self.in_time(writing).await {
            known.learn(health, now);
        }
    }
}

/// One result for each, also where time ran out: then nobody knows what became of any.
fn each(results: Option<Vec<PortResult<()>>>) -> impl Iterator<Item = PortResult<()>> {
    results.into_iter().flatten().chain(std::iter::repeat_with(|| Err(out_of_time())))
}

fn out_of_time() -> PortError {
    PortError::Failed { call: "storing", reason: "the invocation ran out of time".to_owned() }
}

impl<P: Ports> Batch<P> {
    async fn try_job(
        &self,
        integration: &Integration,
        compiled: &Compiled,
        mut job: Job,
        deadline: Timestamp,
    ) -> Tried {
        let now = self.ports.clock().now();
        let Job { delivery, source, .. } = &job;
        let mut kept_until = None;
        if let Source::Message(receipt) = source {
            let Delivery { id, began, .. } = delivery;
            let schedule = &self.policy.schedule;
            if schedule.is_over(id, *began, now) {
                return Tried::Over(job);
            }
            if schedule.was_held_up(id, *began, now) {
                return Tried::HeldUp(job);
            }
            // First the next slot, then the attempt: a crash uses up a slot and never adds one.
            kept_until = schedule.next(id, *began, now);
            if let Some(due) = kept_until {
                if !self.hide(Queue::Retry, receipt, due.since(now)).await {
                    return Tried::NotNow(job);
                }
            } else {
                // The last attempt: if what comes of it cannot be stored, it comes back when that
                // is sure, and is not tried again.
                let over = schedule.over_at(id, *began).since(now);
                if !self.hide(Queue::Retry, receipt, over).await {
                    return Tried::NotNow(job);
                }
            }
            if self.ports.clock().now().plus(ATTEMPT) > deadline {
                // Hiding took the time. No slot is used up by that.
                self.hide(Queue::Retry, receipt, Duration::ZERO).await;
                return Tried::NotNow(job);
            }
        }
        if !job.attempted {
            job.delivery.began = now;
            job.attempted = true;
        }
        let (ports, allowed) = (&self.ports, &self.policy.allowed);
        let attempted =
            attempt(ports, allowed, integration, compiled, &job.delivery, Some(PATIENCE)).await;
        Tried::Attempted(job, Box::new(attempted), kept_until)
    }
}
