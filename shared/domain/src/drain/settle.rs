//! What becomes of a parked delivery after its attempt.

use futures_util::{StreamExt, stream};

use crate::{
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
                return self.replace(&key, delivery.pieces(bounds.0, bounds.1)).await;
            }
            Tried::Attempted(key, delivery, attempted) => (key, delivery, attempted),
        };
        self.seen.extend(attempted.observation(&delivery));
        let now = self.drain.ports.clock().now();
        let (disposition, stop) =
            dispose(&attempted.outcome, &delivery, &self.drain.policy.schedule, now);
        match disposition {
            Disposition::Delivered | Disposition::Split => self.pacer.went_well(now),
            _ => self.pacer.went_badly(now),
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
            // `drain` waits as long as a request may take.
            (_, Some(Stop::Unanswered)) => {}
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
                Ok(halves) => self.replace(key, halves.into()).await?,
                Err(_) => self.move_to_dead(key).await?,
            },
        }
        Ok(())
    }

    /// Puts parts of a parked delivery in its place, under its time.
    async fn replace(&mut self, key: &str, parts: Vec<Delivery>) -> PortResult<()> {
        let objects = self.drain.ports.objects();
        let Some(parsed) = ParkedKey::parse(key) else {
            tracing::error!(key, "no name of ours: left alone");
            self.listing.left.insert(key.to_owned());
            return Ok(());
        };
        let now = self.drain.ports.clock().now();
        let puts: Vec<_> = parts
            .into_iter()
            .map(|part| {
                let (delivery, count) = (part.id.clone(), part.count());
                let key = ParkedKey { delivery, count, ..parsed.clone() }.text();
                let body = Aside::new(part, now).encode();
                async move { objects.put(&key, body).await }
            })
            .collect();
        let mut put = stream::iter(puts).buffer_unordered(WIDTH);
        while let Some(done) = put.next().await {
            done?;
        }
        objects.delete(key).await
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
