//! Where deliveries go that are not delivered: on the schedule, parked, or to the dead. Counted once
//! they are safe.

use super::{End, Job, Lane, Source};
use crate::{
    disposition::Stop,
    health::Why,
    integration::Integration,
    ledger::Counts,
    notice::Change,
    park::{lay_aside, park},
    parked::Place,
    ports::{Clock, PortError, PortResult, Ports},
    schedule::schedule,
    time::Timestamp,
};

/// Deliveries of one integration put on the schedule by one invocation; the rest is parked.
const SCHEDULED_MAX: usize = 200;

impl<P: Ports> Lane<'_, P> {
    /// Stores what waits to be stored, if it is more than `at_most`.
    pub(super) async fn store(&mut self, at_most: usize) {
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

    pub(super) async fn bury(&mut self, job: Job) {
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
    pub(super) fn done(&mut self, job: &Job, count: impl Fn(&mut Counts, u64)) {
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

    /// When the drainer should look at what is parked now.
    fn wake_at(&self) -> Timestamp {
        match self.end {
            Some(End::Paced(Why::Open(until))) => until,
            Some(End::Stopped(Stop::Wait(until))) if self.held => until,
            _ => self.batch.ports.clock().now(),
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
