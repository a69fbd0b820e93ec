//! The ends of laid-aside deliveries that no endpoint will get: expired, or discarded.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt, stream};

use crate::{
    breaker::Breaker,
    health::Health,
    id::{IntegrationId, ProjectId},
    ledger::Counts,
    message::Aside,
    park::{WIDTH, mark},
    parked::{ParkedKey, Place},
    ports::{Clock, Found, HealthStore, Listed, Objects, PortResult, Ports, Registry},
    time::Timestamp,
};

use super::{Drain, TROUBLE, holds};

/// Time that is kept for the last writes.
const RESERVE: Duration = Duration::from_secs(10);

impl<P: Ports> Drain<P> {
    /// Deletes what is past its retention time, by the objects' last modification, and counts it as
    /// expired. How many deliveries. What there is no time for is left to the next run.
    ///
    /// Whoever has something parked and no timer gets one: an object may be written though its
    /// answer was lost, and then nobody knows of it.
    pub async fn expire(&self, deadline: Timestamp) -> PortResult<u64> {
        let mut deliveries = 0;
        let mut parked = Vec::new();
        for (place, keep) in
            [(Place::Parked, self.retention.parked), (Place::Dead, self.retention.dead)]
        {
            deliveries += self.expire_place(place, keep, deadline, &mut parked).await?;
        }
        for key in parked.iter().filter(|key| key.place == Place::Parked) {
            if self.ports.clock().now().plus(RESERVE) > deadline {
                break;
            }
            // The others must not wait for this one.
            if let Err(error) = self.wake_forgotten(key).await {
                tracing::warn!(%error, integration = %key.integration, "timer not looked at");
            }
        }
        self.forget_deleted().await?;
        tracing::info!(deliveries, "expired");
        Ok(deliveries)
    }

    async fn expire_place(
        &self,
        place: Place,
        keep: Duration,
        deadline: Timestamp,
        kept: &mut Vec<ParkedKey>,
    ) -> PortResult<u64> {
        let clock = self.ports.clock();
        let now = clock.now();
        let prefix = format!("{}/", place.name());
        let mut deliveries = 0;
        let mut after: Option<String> = None;
        while clock.now().plus(RESERVE) <= deadline {
            let page = self.ports.objects().list(&prefix, after.as_deref()).await?;
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.key.clone());
            let mut old = Vec::new();
            for Listed { key, modified } in &page {
                let Some(parsed) = ParkedKey::parse(key) else {
                    continue;
                };
                if now.since(*modified) > keep {
                    old.push((key.clone(), parsed));
                    continue;
                }
                if kept.last().is_none_or(|last| last.integration != parsed.integration) {
                    kept.push(parsed.clone());
                }
                if now.since(parsed.at) <= keep {
                    // Keys sort by time: what follows of this integration is younger still. `0` is
                    // the character after `/`: the next integration.
                    after = Some(format!("{prefix}{}0", parsed.integration));
                    break;
                }
            }
            deliveries += self.remove(place, old, |counts, events| counts.expired += events).await;
        }
        Ok(deliveries)
    }

    /// Sets the timer of an integration that has this object parked, and none.
    async fn wake_forgotten(&self, key: &ParkedKey) -> PortResult<()> {
        let Some(object) = self.ports.objects().get(&key.text()).await? else {
            return Ok(());
        };
        // What cannot be read is seen to where it is drained.
        let Ok(Aside { project, integration: id, .. }) = Aside::decode(&object) else {
            return Ok(());
        };
        let timer = self.ports.store().health(&project, &id).await?.next_wake_at;
        if timer.is_none() {
            tracing::warn!(integration = %id, "parked without a timer: woken");
            mark(&self.ports, &project, &id, self.ports.clock().now()).await?;
        }
        Ok(())
    }

    /// Deletes objects and counts their events: how many deliveries. What cannot be deleted is left
    /// to the next run.
    async fn remove(
        &self,
        place: Place,
        objects: Vec<(String, ParkedKey)>,
        count_as: impl Fn(&mut Counts, u64),
    ) -> u64 {
        let deletions: Vec<_> = objects
            .into_iter()
            .map(|(key, parsed)| async move {
                let deleted = self.ports.objects().delete(&key).await;
                if let Err(error) = &deleted {
                    tracing::warn!(%error, key, "not deleted");
                }
                deleted.is_ok().then_some(parsed)
            })
            .collect();
        let mut deleted = stream::iter(deletions).buffer_unordered(WIDTH);
        let mut deliveries = 0;
        let mut counts: BTreeMap<IntegrationId, Counts> = BTreeMap::new();
        while let Some(deleted) = deleted.next().await {
            if let Some(ParkedKey { integration, count, .. }) = deleted {
                deliveries += 1;
                let counts = counts.entry(integration).or_default();
                *counts += left(place, count);
                count_as(counts, count);
            }
        }
        for (integration, counts) in counts {
            self.metrics.expired(counts.expired);
            self.uncounted.add(&self.ports, &integration, counts).await;
        }
        deliveries
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
            let now = self.ports.clock().now();
            if now.plus(RESERVE) > deadline {
                return self.go_on(project, id, owner, now, None).await;
            }
            let named =
                |Listed { key, .. }: Listed| ParkedKey::parse(&key).map(|parsed| (key, parsed));
            let parked: Vec<_> = page.into_iter().filter_map(named).collect();
            let discarded = |counts: &mut Counts, events| counts.discarded += events;
            if self.remove(Place::Parked, parked, discarded).await == 0 {
                return self.go_on(project, id, owner, now.plus(TROUBLE), None).await;
            }
        }
    }

    /// Takes the health of deleted integrations out of what every container reads.
    async fn forget_deleted(&self) -> PortResult<()> {
        let store = self.ports.store();
        for health in store.unwell().await? {
            let Health { project, integration: id, .. } = &health;
            if store.integration(project, id).await? == Found::Deleted {
                store.set_pause(project, id, None).await?;
                let unpaused = Health { pause: None, ..health };
                // If somebody counts at this moment it stays, for another day.
                store.swap_breaker(&unpaused, &Breaker::default(), true).await?;
            }
        }
        Ok(())
    }
}

fn left(place: Place, events: u64) -> Counts {
    match place {
        Place::Parked => Counts { unparked: events, ..Counts::default() },
        Place::Dead => Counts { undead: events, ..Counts::default() },
    }
}
