//! Purging what is dead or parked: deleted for good, and counted as discarded.
//!
//! What is parked is purged only while the integration is paused or disabled, and under the lease
//! that the drainer would need: so only one of the two takes an object away, and counts it.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};

use super::{
    span::Span,
    state,
    sweep::{Act, Part, Swept, may_begin},
    turn::conflict,
};
use crate::{
    admin::{Admin, Failure, Reply, fields::Fields},
    id::{IntegrationId, ProjectId},
    integration::Integration,
    ledger::Counts,
    park::WIDTH,
    parked::{ParkedKey, Place},
    ports::{Clock, HealthStore, Objects, Services},
    time::Timestamp,
};

const DEAD_TAKEN: &str = "its dead deliveries are being replayed, purged or expired: try again \
                          when that has ended";
const PARKED_TAKEN: &str = "its parked deliveries are being drained, purged or expired; a drain \
                            ends within seconds of a pause: try again";
const NOT_PAUSED: &str = "what is parked is purged only while the integration is paused or \
                          disabled: pause it first";

/// What is to be purged.
pub(in crate::admin) struct Purge {
    place: Place,
    span: Span,
    dry_run: bool,
}

impl Purge {
    fn read(fields: &mut Fields) -> Self {
        let place = state(fields);
        let span = Span::read(fields);
        Self { place, span, dry_run: fields.flag("dry_run").unwrap_or_default() }
    }

    /// All that is parked.
    pub(in crate::admin) fn backlog(dry_run: bool) -> Self {
        Self { place: Place::Parked, span: Span::default(), dry_run }
    }
}

impl<P: Services> Admin<P> {
    /// Purges the dead or the parked of a span of time.
    pub(in crate::admin) async fn purge_deliveries(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        mut fields: Fields,
    ) -> Result<Reply, Failure> {
        let purge = Purge::read(&mut fields);
        fields.finish()?;
        let integration = self.find(project, id).await?;
        Reply::json(200, &self.purge(&integration, purge).await?)
    }

    /// Purges, or says how much that would be.
    pub(in crate::admin) async fn purge(
        &self,
        integration: &Integration,
        purge: Purge,
    ) -> Result<Swept, Failure> {
        let Purge { place, span, dry_run } = purge;
        let Integration { project, id, .. } = integration;
        // Also before a dry run: it is to show what the purge would do, and that would be refused.
        self.require_stopped(integration, place).await?;
        let span = span.until(self.ports.clock().now());
        if dry_run {
            return self.go_over(project, id, place, &span, Act::Count).await;
        }
        let taken = match place {
            Place::Dead => DEAD_TAKEN,
            Place::Parked => PARKED_TAKEN,
        };
        let turn = self.take_turn(project, id, place, taken).await?;
        // Once more: who resumed or enabled it meanwhile wants it delivered.
        let stopped = async {
            let integration = self.find(project, id).await?;
            self.require_stopped(&integration, place).await
        };
        let swept = match stopped.await {
            Ok(()) => self.go_over(project, id, place, &span, Act::Purge).await,
            Err(failure) => Err(failure),
        };
        match &swept {
            Ok(Swept { done: true, .. }) if place == Place::Parked => {
                self.end_purge(project, turn).await;
            }
            _ => self.end_turn(turn).await,
        }
        swept
    }

    /// 409 unless nothing would drain what is in a place.
    async fn require_stopped(
        &self,
        integration: &Integration,
        place: Place,
    ) -> Result<(), Failure> {
        let Integration { project, id, .. } = integration;
        if place == Place::Parked
            && integration.enabled
            && self.ports.store().health(project, id).await?.pause.is_none()
        {
            return Err(conflict(NOT_PAUSED).into());
        }
        Ok(())
    }

    /// Deletes these, side by side.
    pub(super) async fn purge_some(
        &self,
        id: &IntegrationId,
        place: Place,
        keys: &[ParkedKey],
        end: Timestamp,
    ) -> Part {
        let trouble = AtomicBool::new(false);
        let (objects, stopped) = (self.ports.objects(), &trouble);
        let deletions: Vec<_> = keys
            .iter()
            .map(|key| async move {
                if !may_begin(&self.ports, end, stopped) {
                    return (key, None);
                }
                let deleted = objects.delete(&key.text()).await;
                stopped.fetch_or(deleted.is_err(), Ordering::Relaxed);
                (key, Some(deleted))
            })
            .collect();
        let mut deletions = stream::iter(deletions).buffered(WIDTH);
        let mut part = Part::default();
        while let Some((key, deleted)) = deletions.next().await {
            match deleted {
                Some(Ok(())) => part.add(key),
                Some(Err(error)) => part.failed(error),
                None => part.unfinished = true,
            }
        }
        let events = part.events;
        let counts = match place {
            Place::Parked => Counts { unparked: events, ..Counts::default() },
            Place::Dead => Counts { undead: events, ..Counts::default() },
        };
        let counts = Counts { discarded: events, ..counts };
        self.uncounted.add(&self.ports, id, counts).await;
        part
    }
}
