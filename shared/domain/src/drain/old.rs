//! Telling of backlogs that are old.

use crate::{
    health::Health,
    notice::{Change, tell},
    ports::{Clock, HealthStore, PortResult, Ports},
    time::Timestamp,
};

use super::Drain;

impl<P: Ports> Drain<P> {
    /// Tells of a backlog whose oldest delivery is older than it should be, once until it is empty.
    pub(super) async fn tell_if_old(&self, health: &Health) {
        if health.told_old_at.is_none()
            && let Err(error) = self.try_tell_if_old(health).await
        {
            tracing::warn!(%error, integration = %health.integration, "age of the backlog not told");
        }
    }

    async fn try_tell_if_old(&self, health: &Health) -> PortResult<()> {
        match self.parked(&health.integration).await?.oldest {
            Some(oldest) => self.tell_older(health, oldest).await,
            None => Ok(()),
        }
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
