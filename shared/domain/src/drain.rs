//! Draining what is parked: the probe, the paced drain, and who may do it.
//!
//! One function at a time has an integration's lease, which expiry takes too. A slice ends in exactly one of these ways:
//! the backlog is found empty and the timer cleared; the timer is set anew and a new wake-up sent;
//! or the wake-up comes back, because something failed. So a timer stands as long as anything may
//! be parked.

mod backlog;
mod expire;
mod listing;
mod old;
mod settle;
mod slice;
mod sweep;
mod tried;

use std::time::Duration;

use crate::{
    batch::Policy,
    compiled::Compiler,
    count::Uncounted,
    gate::Gate,
    health::Health,
    id::{IntegrationId, ProjectId, unique},
    message::Wake,
    metrics::Metrics,
    park::send_wake,
    parked::Place,
    ports::{Clock, Found, HealthStore, PortResult, Ports, Queue, Random, Registry},
    queueing::{hide, set_aside},
    time::Timestamp,
};

use slice::{Slice, SliceEnd};

/// After a failed call to an AWS service the same wake-up comes back after this.
const TROUBLE: Duration = Duration::from_secs(30);

/// While another has the lease, the wake-up comes back after this at least,
const HELD_MIN: Duration = Duration::from_secs(1);
/// and at most.
const HELD_MAX: Duration = Duration::from_secs(15);

/// The use case, with what a container remembers between invocations.
#[derive(Debug)]
pub struct Drain<P> {
    ports: P,
    policy: Policy,
    compiler: Compiler,
    /// The function's time-out and a minute: nobody works longer under one lease.
    lease: Duration,
    retention: Retention,
    uncounted: Uncounted,
    metrics: Metrics,
}

/// How long undelivered deliveries are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Parked ones; 14 days.
    pub parked: Duration,
    /// Dead ones; 30 days.
    pub dead: Duration,
}

impl Retention {
    fn of(self, place: Place) -> Duration {
        match place {
            Place::Parked => self.parked,
            Place::Dead => self.dead,
        }
    }
}

/// What becomes of a wake-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WakeEnd {
    /// It is done with.
    Done,
    /// It should come back after this time.
    Again(Duration),
}

impl<P: Ports> Drain<P> {
    /// The use case over these ports.
    pub fn new(ports: P, policy: Policy, lease: Duration, retention: Retention) -> Self {
        Self {
            ports,
            policy,
            compiler: Compiler::default(),
            lease,
            retention,
            uncounted: Uncounted::default(),
            metrics: Metrics::default(),
        }
    }

    /// What was measured.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Takes a message of the WakeQueue: whether it is done. If not, it is hidden until it is
    /// wanted again.
    pub async fn receive(&self, body: &str, receipt: &str, deadline: Timestamp) -> bool {
        let queues = self.ports.queues();
        let end = match Wake::decode(body) {
            Ok(wake) => self.wake(&wake, deadline).await,
            Err(error) => return set_aside(queues, Queue::Wake, body, receipt, &error).await,
        };
        if let WakeEnd::Again(wait) = end {
            hide(queues, Queue::Wake, receipt, wait).await;
        }
        end == WakeEnd::Done
    }

    /// Follows a wake-up: drains a slice of the integration's backlog.
    pub async fn wake(&self, wake: &Wake, deadline: Timestamp) -> WakeEnd {
        match self.try_wake(wake, deadline).await {
            Ok(end) => end,
            Err(error) => {
                tracing::error!(%error, integration = %wake.integration, "drain stopped");
                WakeEnd::Again(TROUBLE)
            }
        }
    }

    async fn try_wake(&self, wake: &Wake, deadline: Timestamp) -> PortResult<WakeEnd> {
        let Wake { integration: id, project, .. } = wake;
        let store = self.ports.store();
        let health = store.health(project, id).await?;
        let now = self.ports.clock().now();
        let Some(due) = health.next_wake_at.filter(|_| wake.wake_gen >= health.wake_gen) else {
            return Ok(WakeEnd::Done);
        };
        if due > now {
            // A delay is at most 15 minutes, and clocks differ.
            return Ok(WakeEnd::Again(due.since(now)));
        }
        let owner = self.owner(now);
        let end = match store.take_lease(project, id, &owner, now, now.plus(self.lease)).await {
            Ok(true) => {
                let calm = health.breaker.is_calm(&self.policy.breaker, now);
                self.under_lease(wake, &owner, deadline, calm).await
            }
            Ok(false) => {
                let held = store.health(project, id).await?.lease.map_or(now, |lease| lease.until);
                // It may be released long before its end.
                return Ok(WakeEnd::Again(held.since(now).clamp(HELD_MIN, HELD_MAX)));
            }
            Err(error) => Err(error),
        };
        // Also where taking it failed: it may have been taken all the same.
        if end.is_err() {
            self.give_back(id, &owner).await;
        }
        end
    }

    /// A name for whoever holds a lease from now on.
    fn owner(&self, now: Timestamp) -> String {
        let mut random = [0; 16];
        random.copy_from_slice(&self.ports.random().bytes()[..16]);
        unique(now, random)
    }

    async fn give_back(&self, lease: &IntegrationId, owner: &str) {
        if let Err(error) = self.ports.store().release_lease(lease, owner).await {
            tracing::warn!(%error, %lease, "lease not released, it ends by itself");
        }
    }

    async fn under_lease(
        &self,
        wake: &Wake,
        owner: &str,
        deadline: Timestamp,
        calm: bool,
    ) -> PortResult<WakeEnd> {
        let Wake { integration: id, project, rate, .. } = wake;
        let store = self.ports.store();
        let end = match store.integration(project, id).await? {
            Found::Deleted => {
                self.discard(project, id, owner, deadline).await?;
                return Ok(WakeEnd::Done);
            }
            Found::Unknown => {
                tracing::error!(integration = %id, "neither integration nor tombstone found");
                SliceEnd::Leave
            }
            Found::Present(integration) if !integration.enabled => SliceEnd::Leave,
            Found::Present(integration) => {
                let gate = Gate::new(integration.own.limits, *rate, calm, self.ports.clock().now());
                let slice = Slice::new(self, *integration, owner, deadline, gate);
                Box::pin(slice.run()).await?
            }
        };
        match end {
            SliceEnd::Empty => {}
            // Resuming, enabling or the sweep sends a new wake-up.
            SliceEnd::Leave => {
                store.release_lease(id, owner).await?;
            }
            SliceEnd::GoOn { at, rate } => {
                self.go_on(project, id, owner, at, Some(rate)).await?;
                // Last: the bus may keep it waiting.
                self.tell_if_old(project, id).await;
            }
        }
        Ok(WakeEnd::Done)
    }

    /// Sets the timer anew, which releases the lease, and sends the wake-up for it.
    async fn go_on(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        owner: &str,
        at: Timestamp,
        rate: Option<f64>,
    ) -> PortResult<()> {
        let store = self.ports.store();
        let mut health = store.health(project, id).await?;
        let wake_gen = loop {
            if let Some(wake_gen) = store.set_timer(id, health.wake_gen, at, Some(owner)).await? {
                break wake_gen;
            }
            let again = store.health(project, id).await?;
            let next = again.wake_gen == health.wake_gen + 1 && again.next_wake_at == Some(at);
            if next && !holds(&again, owner) {
                // It took effect, and only the answer was lost.
                break again.wake_gen;
            }
            if !holds(&again, owner) || again.wake_gen == health.wake_gen {
                // The lease ended meanwhile: whoever has it now, or the sweep, goes on.
                return Ok(());
            }
            health = again;
        };
        let wake = Wake { integration: id.clone(), project: project.clone(), wake_gen, rate };
        // The timer stands: the sweep sends what this does not.
        let _ = send_wake(self.ports.queues(), &wake, at.since(self.ports.clock().now())).await;
        Ok(())
    }
}

fn holds(health: &Health, owner: &str) -> bool {
    health.lease.as_ref().is_some_and(|lease| lease.owner == owner)
}

#[cfg(test)]
mod tests;
