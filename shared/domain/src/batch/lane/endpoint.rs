//! What a lane learns of its endpoint, written for all functions.

use super::{Batch, End, Lane};
use crate::{
    breaker::Breaker,
    diagnose::{change_breaker, is_telling, jitter, observe, pause_gone},
    disposition::Stop,
    integration::Integration,
    ports::{Clock, Ports},
};

impl<P: Ports> Lane<'_, P> {
    /// The endpoint is to be left alone: no attempt begins any more.
    pub(super) async fn stop(&mut self, stop: Stop) {
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

    /// Writes what the attempts so far say of its health.
    pub(super) async fn observe(&mut self) {
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
