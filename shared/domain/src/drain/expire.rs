//! The ends of laid-aside deliveries that no endpoint will get: expired, or discarded.
//!
//! A deletion in S3 does not tell whether there was anything to delete. So whoever takes from a place has
//! its turn (see [`Place::turn`]), and lists once it has: what is there then is nobody else's to take,
//! and is counted once.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use futures_util::{
    StreamExt,
    stream::{self, FuturesUnordered},
};

use crate::{
    beside::beside,
    breaker::Breaker,
    health::Health,
    id::{IntegrationId, ProjectId},
    ledger::Counts,
    message::Aside,
    park::{WIDTH, finish_if_empty, mark},
    parked::{ParkedKey, Place},
    ports::{Clock, Found, HealthStore, Listed, Objects, PortResult, Ports, Registry},
    time::Timestamp,
};

use super::{Drain, TROUBLE, holds};

/// Time that is kept for the last writes.
const RESERVE: Duration = Duration::from_secs(10);
/// Integrations that are seen to at a time.
const BESIDE: usize = 8;
/// How often it is run, by the template's schedule.
pub(super) const EVERY: Duration = Duration::from_hours(24);

/// One parked delivery of each integration that is not past its time.
type Kept = BTreeMap<IntegrationId, ParkedKey>;

/// A look through a place.
#[derive(Default)]
struct Look {
    /// Of an integration with something past its time, the first of that.
    past: Option<ParkedKey>,
    /// What is not, on the way there.
    kept: Kept,
}

/// A delivery beside its retention time.
enum Age {
    Past,
    Within,
    /// It, and what follows of its integration: keys sort by time.
    AllWithin,
}

impl<P: Ports> Drain<P> {
    /// Deletes what is past its retention time, by the objects' last modification, and counts it as
    /// expired. How many deliveries. What there is no time for, and what another has the turn to take
    /// from, is left to the next run, or to the drainer; see [`Listing::new`].
    ///
    /// Whoever has something parked and no timer gets one: an object may be written though its
    /// answer was lost, and then nobody knows of it.
    ///
    /// [`Listing::new`]: super::listing::Listing::new
    pub async fn expire(&self, deadline: Timestamp) -> PortResult<u64> {
        let mut deliveries = 0;
        let mut kept = Kept::new();
        for place in [Place::Parked, Place::Dead] {
            deliveries += self.expire_place(place, deadline, &mut kept).await?;
        }
        for key in kept.values() {
            if !self.has_time(deadline) {
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

    pub(super) fn has_time(&self, deadline: Timestamp) -> bool {
        self.ports.clock().now().plus(RESERVE) <= deadline
    }

    /// Looks for integrations with something past its time, and sees to a few of them side by side: one
    /// takes several calls, and there may be thousands.
    async fn expire_place(
        &self,
        place: Place,
        deadline: Timestamp,
        kept: &mut Kept,
    ) -> PortResult<u64> {
        let mut under_way = FuturesUnordered::new();
        let mut done = VecDeque::new();
        let mut after = None;
        // Whatever happens, what is under way still has to count what it deleted.
        let end = loop {
            let look = self.look(place, after, deadline);
            match beside(look, &mut under_way, &mut done).await {
                Err(error) => break Err(error),
                Ok(Look { past, kept: found }) => {
                    kept.extend(found);
                    let Some(first) = past else {
                        break Ok(());
                    };
                    after = Some(behind(place, &first.integration));
                    under_way.push(self.expire_one(first, deadline));
                }
            }
            if under_way.len() >= BESIDE {
                done.extend(under_way.next().await);
            }
        };
        while let Some(one) = under_way.next().await {
            done.push_back(one);
        }
        let mut deliveries = 0;
        for (expired, found) in done {
            deliveries += expired;
            kept.extend(found);
        }
        end.map(|()| deliveries)
    }

    /// Expires what one integration has past its time: how many deliveries, and what is not past it.
    async fn expire_one(&self, first: ParkedKey, deadline: Timestamp) -> (u64, Kept) {
        let mut kept = Kept::new();
        let expired = self.expire_in_turn(&first, deadline, &mut kept).await;
        // The others must not wait for this one.
        let expired = expired.unwrap_or_else(|error| {
            tracing::warn!(%error, integration = %first.integration, "not expired");
            0
        });
        (expired, kept)
    }

    /// Looks through a place, from after this key, for the next integration with something past its time.
    async fn look(
        &self,
        place: Place,
        mut after: Option<String>,
        deadline: Timestamp,
    ) -> PortResult<Look> {
        let prefix = format!("{}/", place.name());
        let mut look = Look::default();
        while self.has_time(deadline) {
            let page = self.ports.objects().list(&prefix, after.as_deref()).await?;
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.key.clone());
            for listed in &page {
                let Some(key) = ParkedKey::parse(&listed.key) else {
                    continue;
                };
                match self.age(&key, listed, &mut look.kept) {
                    Age::Within => {}
                    Age::AllWithin => {
                        after = Some(behind(place, &key.integration));
                        break;
                    }
                    Age::Past => {
                        look.past = Some(key);
                        return Ok(look);
                    }
                }
            }
        }
        Ok(look)
    }

    fn age(&self, key: &ParkedKey, listed: &Listed, kept: &mut Kept) -> Age {
        let now = self.ports.clock().now();
        let keep = self.retention.of(key.place);
        if now.since(listed.modified) > keep {
            return Age::Past;
        }
        if key.place == Place::Parked {
            kept.entry(key.integration.clone()).or_insert_with(|| key.clone());
        }
        if now.since(key.at) > keep { Age::Within } else { Age::AllWithin }
    }

    /// Expires what an integration has past its time in a place, of which this is one, unless another
    /// has the turn there.
    async fn expire_in_turn(
        &self,
        first: &ParkedKey,
        deadline: Timestamp,
        kept: &mut Kept,
    ) -> PortResult<u64> {
        let project = self.project_of(first).await?;
        let ParkedKey { place, integration, .. } = first;
        let lease = place.turn(integration);
        let now = self.ports.clock().now();
        let owner = self.owner(now);
        let until = now.plus(self.lease);
        let taken = self.ports.store().take_lease(&project, &lease, &owner, now, until).await;
        let expired = match taken {
            Ok(true) => self.expire_all(*place, integration, deadline, kept).await,
            Ok(false) => {
                tracing::info!(%integration, place = place.name(), "expires later: not its turn");
                return Ok(0);
            }
            Err(error) => Err(error),
        };
        if *place == Place::Parked && matches!(expired, Ok(1..)) {
            match finish_if_empty(&self.ports, &project, integration, &owner).await {
                Ok(true) => return expired,
                Ok(false) => {}
                // Then it stands until a drain finds that there is nothing.
                Err(error) => tracing::warn!(%error, %integration, "timer not cleared"),
            }
        }
        // Also where taking it failed: it may have been taken all the same.
        self.give_back(&lease, &owner).await;
        expired
    }

    async fn expire_all(
        &self,
        place: Place,
        integration: &IntegrationId,
        deadline: Timestamp,
        kept: &mut Kept,
    ) -> PortResult<u64> {
        let prefix = place.prefix(integration);
        let mut deliveries = 0;
        let mut after: Option<String> = None;
        while self.has_time(deadline) {
            let page = self.ports.objects().list(&prefix, after.as_deref()).await?;
            let Some(last) = page.last() else {
                break;
            };
            after = Some(last.key.clone());
            let (mut past, mut ended) = (Vec::new(), false);
            for listed in &page {
                let Some(key) = ParkedKey::parse(&listed.key) else {
                    continue;
                };
                match self.age(&key, listed, kept) {
                    Age::Past => past.push((listed.key.clone(), key)),
                    Age::Within => {}
                    Age::AllWithin => {
                        ended = true;
                        break;
                    }
                }
            }
            let found = past.len();
            let left = self.remove(place, past, expired).await.len();
            deliveries += (found - left) as u64;
            if ended {
                break;
            }
        }
        Ok(deliveries)
    }

    /// Whose a delivery is: its health item says so, or where its integration was never unwell the
    /// delivery itself. What neither says is nobody's to drain or to replay.
    async fn project_of(&self, key: &ParkedKey) -> PortResult<ProjectId> {
        let nobody = ProjectId::from("");
        let health = self.ports.store().health(&nobody, &key.integration).await?;
        if health.project != nobody {
            return Ok(health.project);
        }
        let object = self.ports.objects().get(&key.text()).await?;
        let aside = object.and_then(|object| Aside::decode(&object).ok());
        Ok(aside.map_or(nobody, |aside| aside.project))
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

    /// Deletes objects and counts their events, for whoever has the turn to. The names of those that
    /// could not be deleted.
    pub(super) async fn remove(
        &self,
        place: Place,
        objects: Vec<(String, ParkedKey)>,
        count_as: impl Fn(&mut Counts, u64),
    ) -> Vec<String> {
        let deletions: Vec<_> = objects
            .into_iter()
            .map(|(key, parsed)| async move {
                let deleted = self.ports.objects().delete(&key).await;
                if let Err(error) = deleted {
                    tracing::warn!(%error, key, "not deleted");
                    return Err(key);
                }
                Ok(parsed)
            })
            .collect();
        let mut deleted = stream::iter(deletions).buffer_unordered(WIDTH);
        let mut left = Vec::new();
        let mut counts: BTreeMap<IntegrationId, Counts> = BTreeMap::new();
        while let Some(deleted) = deleted.next().await {
            match deleted {
                Ok(ParkedKey { integration, count, .. }) => {
                    let counts = counts.entry(integration).or_default();
                    *counts += gone(place, count);
                    count_as(counts, count);
                }
                Err(key) => left.push(key),
            }
        }
        for (integration, counts) in counts {
            if counts.expired > 0 {
                let (place, events) = (place.name(), counts.expired);
                tracing::warn!(%integration, place, events, "events expired");
            }
            self.metrics.expired(counts.expired);
            self.uncounted.add(&self.ports, &integration, counts).await;
        }
        left
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
            let found = parked.len();
            if self.remove(Place::Parked, parked, discarded).await.len() == found {
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

/// A key behind all that an integration has in a place: `0` is the character after `/`.
fn behind(place: Place, integration: &IntegrationId) -> String {
    format!("{}/{integration}0", place.name())
}

/// Counts what is deleted past its time.
pub(super) fn expired(counts: &mut Counts, events: u64) {
    counts.expired += events;
}

fn gone(place: Place, events: u64) -> Counts {
    match place {
        Place::Parked => Counts { unparked: events, ..Counts::default() },
        Place::Dead => Counts { undead: events, ..Counts::default() },
    }
}
