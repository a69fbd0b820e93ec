//! One slice of a drain: as much as one invocation has time for.

use std::{
    collections::{HashSet, VecDeque},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use futures_util::{
    StreamExt, future,
    stream::{self, FuturesUnordered},
};

use crate::{
    attempt::{ATTEMPT, Attempted, attempt},
    breaker::{Before, Breaker, Observation},
    delivery::Delivery,
    diagnose::{change_breaker, is_telling, jitter, observe, pause_gone},
    disposition::{Disposition, Stop, dispose},
    health::{Health, Route, Why},
    integration::Integration,
    ledger::Counts,
    message::{Aside, Unreadable},
    outcome::Outcome,
    pacing::Pacer,
    park::WIDTH as WIDTH_STORE,
    parked::{ParkedKey, Place},
    ports::{Clock, Found, HealthStore, Objects, PortError, PortResult, Ports, Registry},
    schedule::schedule,
    time::Timestamp,
};

use super::{Drain, holds};

/// Requests under way to one integration.
const WIDTH: usize = 2;
/// The same to a slow one, which holds no invocation of `batch`.
const WIDTH_SLOW: usize = 10;
/// Pause, breaker and lease are read again this often.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// The configuration is read again this often.
const CONFIGURE_EVERY: Duration = Duration::from_secs(30);
/// The ledger is written this often.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// So many failed calls are enough to end a slice.
const TROUBLE_ENOUGH: usize = 3;
/// What this version cannot handle is looked at again after this.
const LEFT_ALONE: Duration = Duration::from_mins(5);

/// How a slice ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum SliceEnd {
    /// Nothing is parked, and the timer is cleared.
    Empty,
    /// Paused, or the lease is lost: the timer stands as it is.
    Leave,
    /// There is more to do then.
    GoOn { at: Timestamp, rate: f64 },
}

pub(super) struct Slice<'a, P> {
    drain: &'a Drain<P>,
    integration: Arc<Integration>,
    configured_at: Timestamp,
    owner: &'a str,
    deadline: Timestamp,
    pacer: Pacer,
    health: Health,
    checked_at: Option<Timestamp>,
    seen: Vec<Observation>,
    /// What was seen before and not written, since all was well.
    before: Before,
    counts: Counts,
    counted_at: Timestamp,
    listing: Listing,
    /// Keys that stay where they are, whatever this slice does.
    left: HashSet<String>,
    /// Calls that failed on the way. One object that makes trouble does not hold up the others.
    trouble: Vec<PortError>,
    /// Until when the endpoint asked to be left alone, also where that could not be written.
    asked: Option<Timestamp>,
}

/// A pass over what is parked, oldest first.
#[derive(Debug, Default)]
struct Listing {
    page: VecDeque<String>,
    after: Option<String>,
    /// The backlog's generation before the pass began; `None` before that.
    backlog_gen: Option<u64>,
    ended: bool,
    found: bool,
}

/// A parked delivery that had its attempt, or could not get one.
enum Tried {
    Attempted(String, Delivery, Attempted),
    /// It has more than the integration takes at a time.
    Uncut(String, Delivery),
    /// There was no time left for an attempt.
    NotNow(String),
    /// It is not there any more.
    Vanished,
    Unreadable(String, Unreadable),
    Trouble(String, PortError),
}

impl Tried {
    fn key(&self) -> Option<&str> {
        match self {
            Self::Attempted(key, ..)
            | Self::Uncut(key, _)
            | Self::NotNow(key)
            | Self::Unreadable(key, _)
            | Self::Trouble(key, _) => Some(key),
            Self::Vanished => None,
        }
    }
}

impl<'a, P: Ports> Slice<'a, P> {
    pub(super) fn new(
        drain: &'a Drain<P>,
        integration: Integration,
        owner: &'a str,
        deadline: Timestamp,
        rate: Option<f64>,
    ) -> Self {
        let now = drain.ports.clock().now();
        Self {
            drain,
            health: Health::new(integration.project.clone(), integration.id.clone()),
            integration: Arc::new(integration),
            configured_at: now,
            owner,
            deadline,
            pacer: Pacer::new(rate, now),
            checked_at: None,
            seen: Vec::new(),
            before: Before::default(),
            counts: Counts::default(),
            counted_at: now,
            listing: Listing::default(),
            left: HashSet::new(),
            trouble: Vec::new(),
            asked: None,
        }
    }

    pub(super) async fn run(mut self) -> PortResult<SliceEnd> {
        let mut under_way = FuturesUnordered::new();
        // Whatever happens, what is under way is settled: it may have been delivered.
        let mut end = loop {
            match self.next_step(under_way.len()).await {
                Ok(Step::End(end)) => break Ok(end),
                Err(error) => break Err(error),
                Ok(Step::Look) => {}
                Ok(Step::Start(key)) => {
                    under_way.push(self.drain.try_key(
                        Arc::clone(&self.integration),
                        key,
                        self.deadline,
                    ));
                }
                Ok(Step::Wait(wait)) => {
                    let sleep = pin!(self.drain.ports.clock().sleep(wait));
                    let tried = if under_way.is_empty() {
                        sleep.await;
                        None
                    } else {
                        match future::select(under_way.next(), sleep).await {
                            future::Either::Left((tried, _)) => tried,
                            future::Either::Right(_) => None,
                        }
                    };
                    if let Some(tried) = tried {
                        self.settle(tried).await;
                    }
                }
            }
        };
        while let Some(tried) = under_way.next().await {
            self.settle(tried).await;
        }
        self.write_health().await;
        self.write_counts().await;
        // An endpoint's wish that came with the last answers counts too.
        if let Ok(SliceEnd::GoOn { at, .. }) = &mut end {
            let open = self.health.breaker.open.map(|open| open.until);
            *at = open.into_iter().chain(self.asked).fold(*at, Timestamp::max);
        }
        end
    }

    async fn next_step(&mut self, under_way: usize) -> PortResult<Step> {
        let now = self.drain.ports.clock().now();
        let check = self.checked_at.is_none_or(|at| now.since(at) >= CHECK_EVERY);
        let changed = check && !self.check(now).await?;
        let go_on = |at| Ok(Step::End(SliceEnd::GoOn { at, rate: self.pacer.rate() }));
        if !holds(&self.health, self.owner) {
            return Ok(Step::End(SliceEnd::Leave));
        }
        if changed {
            return go_on(now);
        }
        if let Some(until) = self.asked.filter(|until| *until > now) {
            return go_on(until);
        }
        if self.trouble.len() >= TROUBLE_ENOUGH {
            return Err(self.trouble.swap_remove(0));
        }
        let probing = match self.health.route() {
            Route::Paced(Why::Paused) => return Ok(Step::End(SliceEnd::Leave)),
            Route::Paced(Why::Open(until)) if until > now => return go_on(until),
            Route::Paced(Why::Open(_)) => true,
            Route::Paced(Why::Slow) | Route::Direct => false,
        };
        if now.plus(ATTEMPT) > self.deadline {
            return go_on(now);
        }
        if probing {
            // The probe is alone.
            return if under_way > 0 { Ok(Step::Wait(CHECK_EVERY)) } else { self.probe().await };
        }
        let width = if self.health.breaker.slow { WIDTH_SLOW } else { WIDTH };
        let wait = self.pacer.wait(now);
        if under_way >= width || !wait.is_zero() {
            let wait = if wait.is_zero() { CHECK_EVERY } else { wait.min(CHECK_EVERY) };
            return Ok(Step::Wait(wait));
        }
        if let Some(key) = self.next_key().await? {
            self.pacer.start(now);
            return Ok(Step::Start(key));
        }
        if under_way > 0 {
            return Ok(Step::Wait(CHECK_EVERY));
        }
        self.end_of_pass(now).await
    }

    /// A pass found nothing more: finished if it found nothing at all.
    async fn end_of_pass(&mut self, now: Timestamp) -> PortResult<Step> {
        let listing = std::mem::take(&mut self.listing);
        if listing.found {
            return Ok(Step::Look);
        }
        if let Some(error) = self.trouble.pop() {
            return Err(error);
        }
        if !self.left.is_empty() {
            self.check(now).await?;
            if Some(self.health.backlog_gen) != listing.backlog_gen {
                return Ok(Step::Look);
            }
            let at = now.plus(LEFT_ALONE);
            return Ok(Step::End(SliceEnd::GoOn { at, rate: self.pacer.rate() }));
        }
        self.write_counts().await;
        let generation = listing.backlog_gen.unwrap_or_default();
        let store = self.drain.ports.store();
        if store.finish(&self.integration.id, self.owner, generation).await? {
            return Ok(Step::End(SliceEnd::Empty));
        }
        // Something was parked meanwhile, or the lease is lost.
        self.checked_at = None;
        Ok(Step::Look)
    }

    /// Reads again what may stop the drain: whether the integration still takes deliveries.
    async fn check(&mut self, now: Timestamp) -> PortResult<bool> {
        self.write_health().await;
        if now.since(self.counted_at) >= COUNT_EVERY {
            self.write_counts().await;
        }
        let Integration { project, id, .. } = &*self.integration;
        self.health = self.drain.ports.store().health(project, id).await?;
        self.checked_at = Some(now);
        if now.since(self.configured_at) >= CONFIGURE_EVERY {
            match self.drain.ports.store().integration(project, id).await? {
                Found::Present(integration) if integration.enabled => {
                    self.integration = Arc::new(*integration);
                    self.configured_at = now;
                }
                // The next slice sees to it.
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    async fn write_health(&mut self) {
        let seen = std::mem::take(&mut self.seen);
        let (ports, policy) = (&self.drain.ports, &self.drain.policy.breaker);
        let calm = self.health.breaker.is_calm(policy, ports.clock().now());
        if calm && !is_telling(&self.before, &seen) {
            let before = std::mem::take(&mut self.before);
            self.before = before.and(policy, &seen, ports.clock().now());
            return;
        }
        if seen.is_empty() {
            return;
        }
        let Integration { project, id, .. } = &*self.integration;
        let before = std::mem::take(&mut self.before);
        if let Some(health) = observe(ports, policy, project, id, &seen, &before).await {
            self.health = health;
        }
    }

    async fn write_counts(&mut self) {
        let counts = std::mem::take(&mut self.counts);
        self.drain.uncounted.add(&self.drain.ports, &self.integration.id, counts).await;
        self.counted_at = self.drain.ports.clock().now();
    }

    async fn next_key(&mut self) -> PortResult<Option<String>> {
        let Integration { project, id, .. } = &*self.integration;
        loop {
            while let Some(key) = self.listing.page.pop_front() {
                if !self.left.contains(&key) {
                    self.listing.found = true;
                    return Ok(Some(key));
                }
            }
            if self.listing.ended {
                return Ok(None);
            }
            if self.listing.backlog_gen.is_none() {
                let health = self.drain.ports.store().health(project, id).await?;
                self.listing.backlog_gen = Some(health.backlog_gen);
            }
            let prefix = Place::Parked.prefix(id);
            let page =
                self.drain.ports.objects().list(&prefix, self.listing.after.as_deref()).await?;
            self.listing.ended = page.is_empty();
            self.listing.after = page.last().map(|listed| listed.key.clone());
            self.listing.page = page.into_iter().map(|listed| listed.key).collect();
        }
    }

    /// The breaker's pause is over: one delivery says whether the endpoint is well again. It is the
    /// oldest, or the one after the last that failed, so that a poison delivery cannot keep a
    /// healthy endpoint shut.
    async fn probe(&mut self) -> PortResult<Step> {
        self.listing = Listing { after: self.health.breaker.probed.clone(), ..Listing::default() };
        let mut key = self.next_key().await?;
        if key.is_none() {
            self.listing = Listing::default();
            key = self.next_key().await?;
        }
        let Some(key) = key else {
            let now = self.drain.ports.clock().now();
            return self.end_of_pass(now).await;
        };
        // The drain itself begins at the oldest.
        self.listing = Listing::default();
        let tried =
            self.drain.try_key(Arc::clone(&self.integration), key.clone(), self.deadline).await;
        let verdict = match &tried {
            Tried::Attempted(_, delivery, attempted) => verdict(delivery, &attempted.outcome),
            Tried::Vanished
            | Tried::NotNow(_)
            | Tried::Unreadable(..)
            | Tried::Trouble(..)
            | Tried::Uncut(..) => Verdict::None,
        };
        let (ports, policy) = (&self.drain.ports, &self.drain.policy.breaker);
        // First what became of the delivery: it may be with the endpoint already.
        if !matches!(verdict, Verdict::Ill) {
            self.settle(tried).await;
        }
        let Integration { project, id, .. } = &*self.integration;
        match verdict {
            Verdict::Well => {
                let close = |breaker: &Breaker, now| breaker.close(now);
                self.health = change_breaker(ports, policy, project, id, close).await?;
                self.pacer = Pacer::new(None, ports.clock().now());
                // It needs no second look at the endpoint's health.
                self.seen.clear();
            }
            Verdict::Ill | Verdict::Waits => {
                let jitter = jitter(ports);
                let extend = |breaker: &Breaker, now| breaker.extend(policy, &key, now, jitter);
                self.health = change_breaker(ports, policy, project, id, extend).await?;
            }
            Verdict::None => {}
        }
        Ok(Step::Look)
    }

    /// Sees to what became of a parked delivery. Where that fails it stays where it is.
    async fn settle(&mut self, tried: Tried) {
        let key = tried.key().map(str::to_owned);
        if let (Err(error), Some(key)) = (self.try_settle(tried).await, key) {
            tracing::warn!(%error, key, "left where it is");
            self.left.insert(key);
            self.trouble.push(error);
        }
    }

    async fn try_settle(&mut self, tried: Tried) -> PortResult<()> {
        let (key, delivery, attempted) = match tried {
            Tried::Vanished => return Ok(()),
            Tried::Trouble(_, error) => return Err(error),
            Tried::NotNow(key) => {
                self.left.insert(key);
                return Ok(());
            }
            Tried::Unreadable(key, Unreadable::Newer(version)) => {
                tracing::warn!(key, version, "parked delivery of a newer format left alone");
                self.left.insert(key);
                return Ok(());
            }
            Tried::Unreadable(key, Unreadable::Foreign(reason)) => {
                tracing::error!(key, reason, "parked delivery cannot be read: moved to the dead");
                return self.move_to_dead(&key).await;
            }
            Tried::Uncut(key, delivery) => {
                let Integration { max_events, max_bytes, .. } = *self.integration;
                return self.replace(&key, delivery.pieces(max_events, max_bytes)).await;
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
            self.left.insert(key.to_owned());
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
        let mut put = stream::iter(puts).buffer_unordered(WIDTH_STORE);
        while let Some(done) = put.next().await {
            done?;
        }
        objects.delete(key).await
    }

    async fn move_to_dead(&mut self, key: &str) -> PortResult<()> {
        let objects = self.drain.ports.objects();
        let Some(parsed) = ParkedKey::parse(key) else {
            tracing::error!(key, "no name of ours: left alone");
            self.left.insert(key.to_owned());
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

/// What to do next.
enum Step {
    End(SliceEnd),
    /// Look again.
    Look,
    Start(String),
    /// Wait for an answer, at most so long.
    Wait(Duration),
}

/// What a probe says of the endpoint.
enum Verdict {
    Well,
    Ill,
    /// It asked for more time, and gets the next pause at least.
    Waits,
    /// Nothing, or it is said by other means.
    None,
}

fn verdict(delivery: &Delivery, outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::Failed(failure) if failure.ill => Verdict::Ill,
        // A failure that is not ill health is a 2xx: the fault is the delivery's.
        Outcome::Delivered | Outcome::Failed(_) => Verdict::Well,
        Outcome::TooLarge if delivery.events.len() < 2 => Verdict::Ill,
        Outcome::Wait(_) => Verdict::Waits,
        Outcome::TooLarge | Outcome::Gone => Verdict::None,
    }
}

impl<P: Ports> Drain<P> {
    async fn try_key(
        &self,
        integration: Arc<Integration>,
        key: String,
        deadline: Timestamp,
    ) -> Tried {
        let object = match self.ports.objects().get(&key).await {
            Ok(Some(object)) => object,
            Ok(None) => return Tried::Vanished,
            Err(error) => return Tried::Trouble(key, error),
        };
        let delivery = match Aside::decode(&object) {
            Ok(aside) => aside.resume(self.ports.clock().now()),
            Err(error) => return Tried::Unreadable(key, error),
        };
        // What was parked untried is cut only now, by the integration's bounds of today.
        if !delivery.fits(integration.max_events, integration.max_bytes) {
            return Tried::Uncut(key, delivery);
        }
        // Reading it may have taken long.
        if self.ports.clock().now().plus(ATTEMPT) > deadline {
            return Tried::NotNow(key);
        }
        let attempted = attempt(&self.ports, &self.policy.allowed, &integration, &delivery).await;
        Tried::Attempted(key, delivery, attempted)
    }
}
