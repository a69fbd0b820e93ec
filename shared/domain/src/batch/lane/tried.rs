//! What one delivery of a lane came to.

use std::time::Duration;

use super::{Batch, Job, Source};
use crate::{
    attempt::{ATTEMPT, Attempted, PATIENCE, attempt},
    compiled::Compiled,
    delivery::Delivery,
    integration::Integration,
    ports::{Clock, Ports, Queue},
    time::Timestamp,
};

/// A job that had its attempt, or could not get one.
pub(super) enum Tried {
    /// With the time until which the message is hidden, where it stays in its queue.
    Attempted(Job, Box<Attempted>, Option<Timestamp>),
    /// It comes back when its visibility ends.
    NotNow(Job),
    /// It had its last attempt already.
    Over(Job),
    /// A long outage of ours kept it from its last attempt: the drainer makes it.
    HeldUp(Job),
}

impl<P: Ports> Batch<P> {
    /// Makes an attempt at a job, if its schedule has one left and there is time for it.
    pub(super) async fn try_job(
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
