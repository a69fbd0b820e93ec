//! Telling of backlogs that are old.

use crate::{
    health::Health,
    notice::{Change, tell},
    parked::{ParkedKey, Place},
    ports::{Clock, HealthStore, Listed, Objects, PortResult, Ports},
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
        let id = &health.integration;
        let page = self.ports.objects().list(&Place::Parked.prefix(id), None).await?;
        match oldest(&page) {
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

/// Since when the oldest of what is listed is parked. Names do not tell: what is replayed keeps its own.
pub(super) fn oldest(page: &[Listed]) -> Option<Timestamp> {
    let parked = page.iter().filter(|listed| ParkedKey::parse(&listed.key).is_some());
    parked.map(|listed| listed.modified).min()
}

#[cfg(test)]
mod tests;
