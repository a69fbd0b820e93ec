//! The operator's pause: set, and lifted.

use super::{Admin, AdminPorts, Failure, Reply, fields::Fields};
use crate::{
    health::Pause,
    id::{IntegrationId, ProjectId},
    notice::{By, Change, tell},
    ports::{Clock, HealthStore},
};

impl<P: AdminPorts> Admin<P> {
    /// Pauses. One that is paused already stays so since when it was, with the new reason if one
    /// is given.
    pub(super) async fn pause(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        mut fields: Fields,
    ) -> Result<Reply, Failure> {
        let reason = fields.optional_text("reason", 1..=256);
        fields.finish()?;
        self.find(project, id).await?;
        let store = self.ports.store();
        let present = store.health(project, id).await?.pause;
        let pause = match (&present, reason) {
            (Some(present), None) => present.clone(),
            (Some(present), Some(reason)) => Pause { at: present.at, reason },
            (None, reason) => Pause {
                at: self.ports.clock().now(),
                reason: reason.unwrap_or_else(|| "operator".to_owned()),
            },
        };
        if present.as_ref() != Some(&pause) && store.set_pause(project, id, Some(&pause)).await? {
            let (by, reason) = (By::Operator, pause.reason);
            let change = Change::Paused { by, reason, until: None };
            tell(&self.ports, project, id, vec![change]).await;
        }
        self.status(project, id).await
    }

    /// Lifts the pause, the operator's or that after 410 Gone, and wakes the drainer. An open
    /// breaker stays open.
    pub(super) async fn resume(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        fields: Fields,
    ) -> Result<Reply, Failure> {
        fields.finish()?;
        self.find(project, id).await?;
        let store = self.ports.store();
        if store.health(project, id).await?.pause.is_some()
            && store.set_pause(project, id, None).await?
        {
            let change = Change::Resumed { by: By::Operator };
            tell(&self.ports, project, id, vec![change]).await;
        }
        // Also where it was not paused: it may be that an earlier wake-up was not sent.
        let unsent = self.wake(project, id).await.err();
        Ok(Reply { unsent, ..self.status(project, id).await? })
    }
}
