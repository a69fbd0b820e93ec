//! What becomes of a parked delivery after its attempt.

use futures_util::{StreamExt, stream};

use crate::{
    attempt_log::{Function, Record},
    breaker::Breaker,
    delivery::Delivery,
    diagnose::{change_breaker, pause_gone},
    disposition::{Disposition, Stop, dispose},
    integration::Integration,
    ledger::Counts,
    message::{Aside, Unreadable},
    park::WIDTH,
    parked::{ParkedKey, Place},
    ports::{Clock, Objects, PortResult, Ports},
    schedule::schedule,
};

use super::{slice::Slice, tried::Tried};

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
        let (disposition, stop) =
            dispose(&attempted.outcome, &delivery, &self.drain.policy.schedule, now);
        let record = Record::new(Function::Drain, &delivery, &attempted);
        self.log.note(record.and_then(disposition));
        match disposition {
            Disposition::Delivered | Disposition::Split | Disposition::GoOn => {
                self.pacer.went_well(now);
            }
            _ => self.pacer.went_badly(now),
        }
        let (mut key, mut delivery) = (key, delivery);
        if attempted.is_changed(&delivery) {
            let all = delivery.count();
            delivery = delivery.left(&attempted.left);
            let delivered = all - delivery.count();
            // What is left takes its place first: then nothing is sent twice or counted wrongly.
            let Some(left) = self.replace(&key, vec![delivery.clone()]).await?.pop() else {
                return Ok(());
            };
            key = left;
            self.counts += Counts { unparked: delivered, delivered, ..Counts::default() };
        }
        self.dispose(&key, delivery, disposition, stop).await
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
                match change_breaker(ports, policy, project, id, hold).await {
                    Ok(health) => self.health = health,
                    // The timer goes by it all the same.
                    Err(error) => {
                        tracing::warn!(%error, integration = %id, "Retry-After not written");
                    }
                }
            }
            // `drain` waits as long as a request may take. What is left stays where it is.
            (_, Some(Stop::Unanswered)) | (Disposition::GoOn, _) => {}
            (_, Some(Stop::Gone)) => {
                self.health = pause_gone(ports, project, id).await?;
            }
            (Disposition::Delivered, _) => {
                ports.objects().delete(key).await?;
                self.counts += Counts { delivered: events, ..unparked };
            }
            (Disposition::Schedule(due), _) => {
                let one = vec![(delivery, due)];
                for sent in schedule(ports.queues(), one, ports.clock().now()).await {
                    sent?;
                }
                ports.objects().delete(key).await?;
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

    /// A probe that failed stays where it is, but the next begins with the events that this one did
    /// not come to: none of them keeps the others from being tried.
    pub(super) async fn reorder(&mut self, tried: Tried) {
        let Tried::Attempted(key, delivery, attempted) = tried else { return };
        if attempted.is_changed(&delivery)
            && let Err(error) = self.replace(&key, vec![delivery.left(&attempted.left)]).await
        {
            tracing::warn!(%error, key, "left in its old order");
        }
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
        // In another order it has the same name.
        if !keys.iter().any(|one| one == key) {
            objects.delete(key).await?;
        }
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
        }
        Ok(())
    }
}
