//! What becomes of a parked delivery after its attempt.

use futures_util::{StreamExt, stream};

use crate::{
    attempt::Attempted,
    attempt_log::{Function, Record},
    breaker::Breaker,
    delivery::Delivery,
    diagnose::{change_breaker, pause_gone},
    disposition::{Disposition, Stop, dispose},
    integration::Integration,
    ledger::Counts,
    message::{Aside, Unreadable},
    notice::Change,
    outcome::Outcome,
    park::WIDTH,
    parked::{ParkedKey, Place},
    ports::{Clock, Objects, PortResult, Ports},
    schedule::schedule,
};

use super::{slice::Slice, tried::Tried};

/// What failed of a parked delivery, parked under a key of its own.
pub(super) struct Part {
    pub(super) key: String,
    delivery: Delivery,
    outcome: Outcome,
}

impl<P: Ports> Slice<'_, P> {
    /// Sees to what became of a parked delivery. Where that fails it stays where it is.
    pub(super) async fn settle(&mut self, tried: Tried) {
        let key = tried.key().map(str::to_owned);
        if let (Err(error), Some(key)) = (self.try_settle(tried).await, key) {
            tracing::warn!(%error, key, "left where it is");
            self.listing.left.insert(key);
            self.trouble.push(error);
        }
    }

    async fn try_settle(&mut self, tried: Tried) -> PortResult<()> {
        let (key, delivery, attempted) = match tried {
            Tried::Vanished => return Ok(()),
            Tried::Trouble(_, error) => return Err(error),
            Tried::NotNow(key) => {
                self.listing.left.insert(key);
                return Ok(());
            }
            Tried::Unreadable(key, Unreadable::Newer(version)) => {
                tracing::warn!(key, version, "parked delivery of a newer format left alone");
                self.listing.left.insert(key);
                return Ok(());
            }
            Tried::Unreadable(key, Unreadable::Foreign(reason)) => {
                tracing::error!(key, reason, "parked delivery cannot be read: moved to the dead");
                return self.move_to_dead(&key).await;
            }
            Tried::Uncut(key, delivery) => {
                let bounds = (self.integration.max_events(), self.integration.max_bytes);
                let pieces = delivery.pieces(bounds.0, bounds.1);
                return self.replace(&key, pieces).await.map(drop);
            }
            Tried::Attempted(key, delivery, attempted) => (key, delivery, attempted),
        };
        self.seen.extend(attempted.observation(&delivery));
        let now = self.drain.ports.clock().now();
        let (disposition, _) =
            dispose(&attempted.outcome, &delivery, &self.drain.policy.schedule, now);
        self.meter().attempted(&delivery, &attempted, false);
        let record = Record::new(Function::Drain, &delivery, &attempted);
        self.log.note(record.and_then(disposition));
        match disposition {
            Disposition::Delivered | Disposition::Split | Disposition::GoOn => {
                self.gate.went_well(now);
            }
            _ => self.gate.went_badly(now),
        }
        if attempted.left() == 0 {
            let events = delivery.count();
            self.drain.ports.objects().delete(&key).await?;
            self.counts += Counts { unparked: events, delivered: events, ..Counts::default() };
            return Ok(());
        }
        for part in self.part(key, delivery, attempted).await? {
            self.try_settle_part(part).await?;
        }
        Ok(())
    }

    /// Sees to what became of a part that is parked. Where that fails it is drained as if it had not been
    /// tried.
    pub(super) async fn settle_part(&mut self, part: Part) {
        let key = part.key.clone();
        if let Err(error) = self.try_settle_part(part).await {
            tracing::warn!(%error, key, "left where it is");
            self.trouble.push(error);
        }
    }

    async fn try_settle_part(&mut self, Part { key, delivery, outcome }: Part) -> PortResult<()> {
        let now = self.drain.ports.clock().now();
        let (disposition, stop) = dispose(&outcome, &delivery, &self.drain.policy.schedule, now);
        self.dispose(&key, delivery, disposition, stop).await
    }

    /// What failed of a delivery, each request's events under a key of their own. What was not tried
    /// stays parked.
    async fn part(
        &mut self,
        key: String,
        delivery: Delivery,
        attempted: Attempted,
    ) -> PortResult<Vec<Part>> {
        if attempted.is_whole(&delivery) {
            let outcome = attempted.failed.into_iter().next().map(|(_, outcome)| outcome);
            return Ok(outcome
                .map(|outcome| Part { key, delivery, outcome })
                .into_iter()
                .collect());
        }
        let delivered = delivery.count() - attempted.left() as u64;
        let failed = attempted.failed.into_iter();
        let failed: Vec<_> =
            failed.map(|(positions, outcome)| (delivery.part_of(&positions), outcome)).collect();
        let mut parts: Vec<_> = failed.iter().map(|(part, _)| part.clone()).collect();
        if !attempted.untried.is_empty() {
            let began = self.drain.ports.clock().now();
            parts.push(Delivery { began, ..delivery.part_of(&attempted.untried) });
        }
        // First the parts take its place: then nothing is sent twice or counted wrongly.
        let keys = self.replace(&key, parts).await?;
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.counts += Counts { unparked: delivered, delivered, ..Counts::default() };
        let keyed = keys.into_iter().zip(failed);
        Ok(keyed.map(|(key, (delivery, outcome))| Part { key, delivery, outcome }).collect())
    }

    async fn dispose(
        &mut self,
        key: &str,
        delivery: Delivery,
        disposition: Disposition,
        stop: Option<Stop>,
    ) -> PortResult<()> {
        let Integration { project, id, .. } = &*self.integration;
        let (ports, policy) = (&self.drain.ports, &self.drain.policy.breaker);
        let events = delivery.count();
        let unparked = Counts { unparked: events, ..Counts::default() };
        match (disposition, stop) {
            (_, Some(Stop::Wait(until))) => {
                // It stays where it is.
                let hold = |breaker: &Breaker, now| breaker.hold(policy, until, now);
                self.asked = Some(until);
                match change_breaker(ports, policy, project, id, self.meter(), hold).await {
                    Ok(health) => self.health = health,
                    // The timer goes by it all the same.
                    Err(error) => {
                        tracing::warn!(%error, integration = %id, "Retry-After not written");
                    }
                }
            }
            // `drain` waits as long as a request may take, and what failed is none of the others.
            (_, Some(Stop::Unanswered)) | (Disposition::Delivered | Disposition::GoOn, _) => {}
            (_, Some(Stop::Gone)) => {
                self.health = pause_gone(ports, project, id).await?;
            }
            (Disposition::Schedule(due), _) => {
                let one = vec![(delivery, due)];
                for sent in schedule(ports.queues(), one, ports.clock().now()).await {
                    sent?;
                }
                // Until it is gone it is not to be tried from here as well.
                self.listing.left.insert(key.to_owned());
                ports.objects().delete(key).await?;
                self.listing.left.remove(key);
                self.counts += Counts { scheduled: events, ..unparked };
            }
            // An age beyond the schedule, and still it fails.
            (Disposition::Dead | Disposition::Park, _) => self.move_to_dead(key).await?,
            (Disposition::Split, _) => match delivery.halves() {
                Ok(halves) => self.replace(key, halves.into()).await.map(drop)?,
                Err(_) => self.move_to_dead(key).await?,
            },
        }
        Ok(())
    }

    /// A probe that failed uses up no slot while the endpoint may be ill, but what was tried of it and what
    /// was not go apart: what was tried. The next probe is what comes after the last, so that no event
    /// keeps the others from being tried.
    pub(super) async fn part_probe(&mut self, tried: Tried) -> Vec<Part> {
        let Tried::Attempted(key, delivery, attempted) = tried else { return Vec::new() };
        self.meter().attempted(&delivery, &attempted, false);
        let record = Record::new(Function::Drain, &delivery, &attempted);
        self.log.note(record.and_then(Disposition::Park));
        self.part(key.clone(), delivery, attempted).await.unwrap_or_else(|error| {
            tracing::warn!(%error, key, "left in one piece");
            Vec::new()
        })
    }

    /// Puts parts of a parked delivery in its place, under its time: their keys.
    async fn replace(&mut self, key: &str, parts: Vec<Delivery>) -> PortResult<Vec<String>> {
        let objects = self.drain.ports.objects();
        let Some(parsed) = ParkedKey::parse(key) else {
            tracing::error!(key, "no name of ours: left alone");
            self.listing.left.insert(key.to_owned());
            return Ok(Vec::new());
        };
        let now = self.drain.ports.clock().now();
        let mut keys = Vec::new();
        let puts: Vec<_> = parts
            .into_iter()
            .map(|part| {
                let (delivery, count) = (part.id.clone(), part.count());
                let key = ParkedKey { delivery, count, ..parsed.clone() }.text();
                let body = Aside::new(part, now).encode();
                keys.push(key.clone());
                async move { objects.put(&key, body).await }
            })
            .collect();
        let mut put = stream::iter(puts).buffer_unordered(WIDTH);
        while let Some(done) = put.next().await {
            done?;
        }
        objects.delete(key).await?;
        Ok(keys)
    }

    async fn move_to_dead(&mut self, key: &str) -> PortResult<()> {
        let objects = self.drain.ports.objects();
        let Some(parsed) = ParkedKey::parse(key) else {
            tracing::error!(key, "no name of ours: left alone");
            self.listing.left.insert(key.to_owned());
            return Ok(());
        };
        if let Some(body) = objects.get(key).await? {
            let events = parsed.count;
            let at = self.drain.ports.clock().now();
            let dead = ParkedKey { place: Place::Dead, at, ..parsed };
            objects.put(&dead.text(), body).await?;
            objects.delete(key).await?;
            self.counts += Counts { unparked: events, dead: events, ..Counts::default() };
            self.changes.push(Change::Dead { delivery: dead.delivery, events });
        }
        Ok(())
    }
}
