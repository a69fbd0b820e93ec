//! Telling of backlogs that are old.

use crate::{
    health::Health,
    id::{IntegrationId, ProjectId},
    notice::{Change, tell},
    ports::{Clock, HealthStore, PortResult, Ports},
    time::Timestamp,
};

use super::Drain;

impl<P: Ports> Drain<P> {
    /// Tells of a backlog whose oldest delivery is older than it should be, once until it is empty.
    pub(super) async fn tell_if_old(&self, project: &ProjectId, id: &IntegrationId) {
        if let Err(error) = self.try_tell_if_old(project, id).await {
            tracing::warn!(%error, integration = %id, "age of the backlog not told");
        }
    }

    async fn try_tell_if_old(&self, project: &ProjectId, id: &IntegrationId) -> PortResult<()> {
        let health = self.ports.store().health(project, id).await?;
        if health.told_old_at.is_none()
            && let Some(oldest) = self.parked(id).await?.oldest
        {
            self.tell_older(&health, oldest).await?;
        }
        Ok(())
    }

    /// The same where the time of the oldest is known.
    pub(super) async fn tell_if_older(&self, health: &Health, oldest: Timestamp) {
        if health.told_old_at.is_none()
            && let Err(error) = self.tell_older(health, oldest).await
        {
            tracing::warn!(%error, integration = %health.integration, "age of the backlog not told");
        }
    }

    async fn tell_older(&self, health: &Health, oldest: Timestamp) -> PortResult<()> {
        let Health { project, integration: id, .. } = health;
        let now = self.ports.clock().now();
        if now.since(oldest) >= self.policy.old_backlog
            && self.ports.store().mark_told(id, now).await?
        {
            let change = Change::BacklogOld { since: oldest };
            tell(&self.ports, project, id, vec![change]).await;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
