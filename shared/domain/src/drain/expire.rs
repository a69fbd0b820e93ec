//! The ends of laid-aside deliveries that no endpoint will get: expired, or discarded.

use std::time::Duration;

use crate::{
    id::{IntegrationId, ProjectId},
    ledger::Counts,
    parked::{ParkedKey, Place},
    ports::{Clock, HealthStore, LedgerStore, Listed, Objects, PortResult, Ports},
    time::Timestamp,
};

use super::{Drain, holds};

/// Time that is kept for the last writes.
const RESERVE: Duration = Duration::from_secs(10);

impl<P: Ports> Drain<P> {
    /// Deletes what is past its retention time, by the objects' last modification, and counts it as
    /// expired. How many deliveries. What there is no time for is left to the next run.
    pub async fn expire(&self, deadline: Timestamp) -> PortResult<u64> {
        let mut deliveries = 0;
        for (place, keep) in
            [(Place::Parked, self.retention.parked), (Place::Dead, self.retention.dead)]
        {
            deliveries += self.expire_place(place, keep, deadline).await?;
        }
        tracing::info!(deliveries, "expired");
        Ok(deliveries)
    }

    async fn expire_place(
        &self,
        place: Place,
        keep: Duration,
        deadline: Timestamp,
    ) -> PortResult<u64> {
        let now = self.ports.clock().now();
        let mut deliveries = 0;
        let mut after: Option<String> = None;
        loop {
            let prefix = format!("{}/", place.name());
            let page = self.ports.objects().list(&prefix, after.as_deref()).await?;
            if page.is_empty() {
                return Ok(deliveries);
            }
            let mut young_from = None;
            for Listed { key, modified } in &page {
                if self.ports.clock().now().plus(RESERVE) > deadline {
                    return Ok(deliveries);
                }
                let Some(parsed) = ParkedKey::parse(key) else {
                    continue;
                };
                if now.since(*modified) <= keep {
                    // Keys sort by time: what follows of this integration is younger.
                    young_from = Some(parsed.integration);
                    break;
                }
                self.ports.objects().delete(key).await?;
                let expired = Counts { expired: parsed.count, ..left(place, parsed.count) };
                self.count(&parsed.integration, &expired).await;
                deliveries += 1;
            }
            after = match young_from {
                // `0` is the character after `/`: the next integration.
                Some(integration) => Some(format!("{prefix}{integration}0")),
                None => page.last().map(|listed| listed.key.clone()),
            };
        }
    }

    /// The integration was deleted: what is parked is dropped, and counted as discarded. What is
    /// dead expires.
    pub(super) async fn discard(
        &self,
        project: &ProjectId,
        id: &IntegrationId,
        owner: &str,
        deadline: Timestamp,
    ) -> PortResult<()> {
        let store = self.ports.store();
        loop {
            let health = store.health(project, id).await?;
            if !holds(&health, owner) {
                return Ok(());
            }
            let page = self.ports.objects().list(&Place::Parked.prefix(id), None).await?;
            if page.is_empty() {
                if store.finish(id, owner, health.backlog_gen).await? {
                    tracing::info!(integration = %id, "discarded: the integration was deleted");
                    return Ok(());
                }
                continue;
            }
            for Listed { key, .. } in page {
                let now = self.ports.clock().now();
                if now.plus(RESERVE) > deadline {
                    return self.go_on(project, id, owner, now, None).await;
                }
                self.ports.objects().delete(&key).await?;
                if let Some(parsed) = ParkedKey::parse(&key) {
                    let discarded =
                        Counts { discarded: parsed.count, ..left(Place::Parked, parsed.count) };
                    self.count(id, &discarded).await;
                }
            }
        }
    }

    pub(super) async fn count(&self, id: &IntegrationId, counts: &Counts) {
        if *counts == Counts::default() {
            return;
        }
        let hour = self.ports.clock().now().hour();
        if let Err(error) = self.ports.store().add_counts(id, &hour, counts).await {
            tracing::error!(%error, integration = %id, ?counts, "ledger not written");
        }
    }
}

fn left(place: Place, events: u64) -> Counts {
    match place {
        Place::Parked => Counts { unparked: events, ..Counts::default() },
        Place::Dead => Counts { undead: events, ..Counts::default() },
    }
}
