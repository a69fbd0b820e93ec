//! Waking the drainer after a change that lets a backlog move.

use std::time::Duration;

use super::{Admin, TRIES};
use crate::{
    id::{IntegrationId, ProjectId},
    message::Wake,
    park::send_wake,
    ports::{Clock, HealthStore, PortResult, Services},
};

impl<P: Services> Admin<P> {
    /// Sets the integration's timer anew to now and sends the wake-up. Without a timer nothing is
    /// parked, and there is nothing to wake for.
    pub(super) async fn wake(&self, project: &ProjectId, id: &IntegrationId) -> PortResult<()> {
        let store = self.ports.store();
        for _ in 0..TRIES {
            let health = store.health(project, id).await?;
            if health.next_wake_at.is_none() {
                return Ok(());
            }
            let now = self.ports.clock().now();
            if let Some(wake_gen) = store.set_timer(id, health.wake_gen, now, None).await? {
                let wake = Wake {
                    integration: id.clone(),
                    project: project.clone(),
                    wake_gen,
                    rate: None,
                };
                return send_wake(self.ports.queues(), &wake, Duration::ZERO).await;
            }
        }
        // Whoever won set the timer, and sends the wake-up.
        Ok(())
    }
}
