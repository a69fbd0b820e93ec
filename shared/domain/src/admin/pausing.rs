//! The operator's pause: set, and lifted.

use super::{Admin, Failure, Reply, deliveries::Purge, fields::Fields};
use crate::{
    health::Pause,
    id::{IntegrationId, ProjectId},
    notice::{By, Change, tell},
    ports::{Clock, HealthStore, PortError, PortResult, Services},
    problem::{Kind, Problem},
};

/// Where a resumed integration goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// With what is parked.
    Backlog,
    /// With what comes in from now on: what is parked is dropped.
    Now,
}

impl<P: Services> Admin<P> {
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
        mut fields: Fields,
    ) -> Result<Reply, Failure> {
        let from = fields.word("from", &[("backlog", From::Backlog), ("now", From::Now)]);
        let dry_run = fields.flag("dry_run").unwrap_or_default();
        if dry_run && from != Some(From::Now) {
            fields.fault("dry_run", "is only for `from` `now`");
        }
        fields.finish()?;
        if from == Some(From::Now) {
            return self.resume_from_now(project, id, dry_run).await;
        }
        self.find(project, id).await?;
        let unsent = self.lift_pause(project, id).await?;
        Ok(Reply { unsent, ..self.status(project, id).await? })
    }

    /// Drops what is parked, and then lifts the pause; what there is no time for leaves it paused.
    async fn resume_from_now(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        dry_run: bool,
    ) -> Result<Reply, Failure> {
        let integration = self.find(project, id).await?;
        // Otherwise a second such request would drop what came in after the first.
        if self.ports.store().health(project, id).await?.pause.is_none() {
            let detail = "it is not paused: there is nothing to resume, and nothing was dropped";
            return Err(Problem::new(Kind::Conflict, detail).into());
        }
        let dropped = self.purge(&integration, Purge::backlog(dry_run)).await?;
        let mut reply = Reply::json(200, &dropped)?;
        if dropped.done && !dry_run {
            reply.unsent = self.lift_pause(project, id).await?;
        }
        Ok(reply)
    }

    /// Lifts the pause and wakes the drainer: why that was not sent, if so.
    async fn lift_pause(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
    ) -> PortResult<Option<PortError>> {
        let store = self.ports.store();
        if store.health(project, id).await?.pause.is_some()
            && store.set_pause(project, id, None).await?
        {
            let change = Change::Resumed { by: By::Operator };
            tell(&self.ports, project, id, vec![change]).await;
        }
        // Also where it was not paused: it may be that an earlier wake-up was not sent.
        Ok(self.wake(project, id).await.err())
    }
}
