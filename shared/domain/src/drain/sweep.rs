//! The sweep: a lost wake-up costs minutes, and never events.

use std::time::Duration;

use crate::{
    message::Wake,
    park::send_wake,
    ports::{Clock, HealthStore, PortResult, Ports, Timer},
    time::Timestamp,
};

use super::Drain;

/// A wake-up may be this late before it is taken for lost: queues and cold starts take their time.
const GRACE: Duration = Duration::from_secs(60);
/// Every timer is due before this.
const EVER: Timestamp = Timestamp(i64::MAX);

impl<P: Ports> Drain<P> {
    /// Sends a new wake-up for each timer that is overdue, whatever its breaker says, unless a
    /// lease is held or the operator paused the integration. How many it sent. Measures the backlog
    /// too: a timer stands for as long as anything may be parked.
    pub async fn sweep(&self, deadline: Timestamp) -> PortResult<usize> {
        let now = self.ports.clock().now();
        let store = self.ports.store();
        let mut sent = 0;
        let timers = store.overdue(EVER).await?;
        for Timer { health, due } in &timers {
            let held = health.lease.as_ref().is_some_and(|lease| lease.until > now);
            if *due >= now.minus(GRACE) || held || health.pause.is_some() {
                continue;
            }
            let id = &health.integration;
            match store.set_timer(id, health.wake_gen, now, None).await {
                Ok(Some(wake_gen)) => {
                    let project = health.project.clone();
                    let wake = Wake { integration: id.clone(), project, wake_gen, rate: None };
                    let woken = send_wake(self.ports.queues(), &wake, Duration::ZERO).await;
                    sent += usize::from(woken.is_ok());
                }
                Ok(None) => {}
                // The others must not wait for this one.
                Err(error) => tracing::warn!(%error, integration = %id, "timer not swept"),
            }
        }
        self.measure_backlog(&timers, deadline).await;
        tracing::info!(sent, "sweep of overdue timers");
        Ok(sent)
    }
}
