//! Replaying what is dead: it is parked again with its whole schedule before it, and the paced drain
//! does the rest.
//!
//! First the copy in `parked/` is written, then the backlog marked, then the dead object deleted,
//! then the ledger written. Wherever that stops, the delivery is in one of the two places, or in
//! both; and the copy has a name of its own, so that the next replay writes the same object. Where
//! the drainer was faster than that next replay, the endpoint gets the delivery twice, under the same
//! `webhook-id`.

use std::{
    slice,
    sync::atomic::{AtomicBool, Ordering},
};

use futures_util::{StreamExt, stream};

use super::{
    span::Span,
    sweep::{Act, Part, Swept, TIME, may_begin},
    unreadable,
};
use crate::{
    admin::{Admin, Failure, Reply, fields::Fields},
    id::{IntegrationId, ProjectId},
    ledger::Counts,
    message::{Aside, Unreadable},
    park::{WIDTH, mark},
    parked::{ParkedKey, Place},
    ports::{Clock, Objects, PortError, PortResult, Services},
    time::Timestamp,
};

const TAKEN: &str = "its dead deliveries are being replayed, purged or expired: try again when \
                     that has ended";

/// What became of the copy of a dead delivery.
enum Copied {
    Put(ParkedKey),
    /// It is not there any more.
    Vanished,
    Unreadable(Unreadable),
    Failed(PortError),
    /// There was no time left for it, or trouble with another.
    NotBegun,
}

impl<P: Services> Admin<P> {
    /// Replays the dead of a span of time.
    pub(in crate::admin) async fn replay_deliveries(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        mut fields: Fields,
    ) -> Result<Reply, Failure> {
        let span = Span::read(&mut fields);
        let dry_run = fields.flag("dry_run").unwrap_or_default();
        fields.finish()?;
        self.find(project, id).await?;
        let span = span.until(self.ports.clock().now());
        let over = async |act| self.go_over(project, id, Place::Dead, &span, act).await;
        let swept = if dry_run {
            over(Act::Count).await?
        } else {
            let turn = self.take_turn(project, id, Place::Dead, TAKEN).await?;
            let swept = over(Act::Replay).await;
            self.end_turn(turn).await;
            swept?
        };
        Reply::json(200, &swept)
    }

    /// Replays one delivery. One that is parked, or parked again, needs no more than a wake-up.
    pub(in crate::admin) async fn replay_delivery(
        &self,
        project: &ProjectId,
        key: &ParkedKey,
        fields: Fields,
    ) -> Result<Reply, Failure> {
        fields.finish()?;
        let id = &key.integration;
        self.find(project, id).await?;
        let mut part = Part::default();
        if key.place == Place::Dead {
            let turn = self.take_turn(project, id, Place::Dead, TAKEN).await?;
            let end = self.ports.clock().now().plus(TIME);
            part = self.replay_some(project, id, slice::from_ref(key), end).await;
            self.end_turn(turn).await;
        }
        if let Some(error) = part.error {
            return Err(error.into());
        }
        if let Some(error) = part.unreadable {
            return Err(unreadable(key, error));
        }
        if part.deliveries == 0 {
            if !self.is_there(&key.moved(Place::Parked)).await? {
                return Err(Failure::not_found("delivery"));
            }
            mark(&self.ports, project, id, self.ports.clock().now()).await?;
        }
        Reply::json(200, &Swept::one(&part))
    }

    async fn is_there(&self, key: &ParkedKey) -> PortResult<bool> {
        let text = key.text();
        let listed = self.ports.objects().list(&text, None).await?;
        Ok(listed.first().is_some_and(|listed| listed.key == text))
    }

    /// Replays these, side by side.
    pub(super) async fn replay_some(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        keys: &[ParkedKey],
        end: Timestamp,
    ) -> Part {
        let trouble = AtomicBool::new(false);
        let copies: Vec<_> = keys.iter().map(|key| self.copy(key, end, &trouble)).collect();
        let copied: Vec<_> = stream::iter(copies).buffered(WIDTH).collect().await;
        let mut part = Part::default();
        let mut put = Vec::new();
        for copied in copied {
            match copied {
                Copied::Put(key) => put.push(key),
                Copied::Vanished => {}
                Copied::Unreadable(error) => {
                    part.skipped += 1;
                    part.unreadable = Some(error);
                }
                Copied::Failed(error) => part.failed(error),
                Copied::NotBegun => part.unfinished = true,
            }
        }
        if put.is_empty() {
            return part;
        }
        if let Err(error) = mark(&self.ports, project, id, self.ports.clock().now()).await {
            // No drainer may know of the copies: taken back, if that works, so that what stays dead
            // is not delivered as well.
            self.delete_all(put.iter().map(|key| key.moved(Place::Parked))).await;
            part.failed(error);
            return part;
        }
        for (key, deleted) in self.delete_all(put).await {
            match deleted {
                Ok(()) => part.add(&key),
                Err(error) => part.failed(error),
            }
        }
        let events = part.events;
        let counts = Counts { undead: events, parked: events, ..Counts::default() };
        self.uncounted.add(&self.ports, id, counts).await;
        part
    }

    /// Writes the parked copy of a dead delivery.
    async fn copy(&self, key: &ParkedKey, end: Timestamp, trouble: &AtomicBool) -> Copied {
        if !may_begin(&self.ports, end, trouble) {
            return Copied::NotBegun;
        }
        let objects = self.ports.objects();
        let failed = |error| {
            trouble.store(true, Ordering::Relaxed);
            Copied::Failed(error)
        };
        let object = match objects.get(&key.text()).await {
            Ok(Some(object)) => object,
            Ok(None) => return Copied::Vanished,
            Err(error) => return failed(error),
        };
        let copy = match Aside::decode(&object) {
            Ok(aside) => aside.anew().encode(),
            Err(error) => {
                tracing::warn!(%error, key = key.text(), "not replayed: cannot be read");
                return Copied::Unreadable(error);
            }
        };
        drop(object);
        match objects.put(&key.moved(Place::Parked).text(), copy).await {
            Ok(()) => Copied::Put(key.clone()),
            Err(error) => failed(error),
        }
    }

    async fn delete_all(
        &self,
        keys: impl IntoIterator<Item = ParkedKey>,
    ) -> Vec<(ParkedKey, PortResult<()>)> {
        let objects = self.ports.objects();
        let deletions: Vec<_> = keys
            .into_iter()
            .map(|key| async move {
                let deleted = objects.delete(&key.text()).await;
                (key, deleted)
            })
            .collect();
        stream::iter(deletions).buffered(WIDTH).collect().await
    }
}
