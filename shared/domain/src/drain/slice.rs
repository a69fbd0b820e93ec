//! One slice of a drain: as much as one invocation has time for.

mod probe;

use std::{
    collections::VecDeque,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{
    StreamExt,
    future::{Either, select},
    stream::FuturesUnordered,
};

use crate::{
    attempt::ATTEMPT,
    attempt_log::AttemptLog,
    beside::beside,
    breaker::{Before, Observation},
    diagnose::{is_telling, observe},
    gate::Gate,
    health::{Health, Route, Why},
    integration::Integration,
    ledger::Counts,
    limits::{Limits, PerSecond},
    metrics::Meter,
    notice::{Change, tell_of_dead},
    ports::{Clock, Found, HealthStore, PortError, PortResult, Ports, Registry},
    time::Timestamp,
};

use super::{Drain, holds, listing::Listing, settle::Part};

/// Requests under way to one integration.
const WIDTH: usize = 2;
/// The same to a slow one, which holds no invocation of `batch`.
const WIDTH_SLOW: usize = 10;
/// The same at most, whatever its limits allow: deliveries of a mebibyte, in a function's memory.
const WIDTH_MOST: usize = 64;
/// Pause, breaker and lease are read again this often.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// The configuration is read again this often.
const CONFIGURE_EVERY: Duration = Duration::from_secs(30);
/// The ledger is written this often.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// So many failed calls are enough to end a slice.
const TROUBLE_ENOUGH: usize = 3;
/// So long before the function's time is over all attempts have ended: health, counts, the delivery
/// log, notices and the timer are still to be written.
const END: Duration = Duration::from_secs(10);
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
    pub(super) drain: &'a Drain<P>,
    pub(super) integration: Arc<Integration>,
    configured_at: Timestamp,
    owner: &'a str,
    deadline: Timestamp,
    pub(super) gate: Arc<Gate>,
    pub(super) health: Health,
    checked_at: Option<Timestamp>,
    /// Whether a reading of the configuration found that the next slice should see to it.
    changed: bool,
    pub(super) seen: Vec<Observation>,
    /// What was seen before and not written, since all was well.
    before: Before,
    pub(super) counts: Counts,
    pub(super) log: AttemptLog,
    /// Deliveries that are dead: an operator is told of them.
    pub(super) changes: Vec<Change>,
    counted_at: Timestamp,
    pub(super) listing: Listing,
    /// Calls that failed on the way. One object that makes trouble does not hold up the others.
    pub(super) trouble: Vec<PortError>,
    /// Until when the endpoint asked to be left alone, also where that could not be written.
    pub(super) asked: Option<Timestamp>,
    /// Probes of this pause that were refused.
    refusals: usize,
    /// What was in them, part by part.
    refused: Vec<Part>,
    /// Set when the slice ends: what is still being read then gets no attempt.
    ended: Arc<AtomicBool>,
}

impl<'a, P: Ports> Slice<'a, P> {
    pub(super) fn new(
        drain: &'a Drain<P>,
        integration: Integration,
        owner: &'a str,
        deadline: Timestamp,
        gate: Gate,
    ) -> Self {
        let now = drain.ports.clock().now();
        Self {
            drain,
            health: Health::new(integration.project.clone(), integration.id.clone()),
            integration: Arc::new(integration),
            configured_at: now,
            owner,
            deadline: deadline.minus(END),
            gate: Arc::new(gate),
            checked_at: None,
            changed: false,
            seen: Vec::new(),
            before: Before::default(),
            counts: Counts::default(),
            log: AttemptLog::default(),
            changes: Vec::new(),
            counted_at: now,
            listing: Listing::new(drain),
            trouble: Vec::new(),
            asked: None,
            refusals: 0,
            refused: Vec::new(),
            ended: Arc::default(),
        }
    }

    pub(super) async fn run(mut self) -> PortResult<SliceEnd> {
        let mut under_way = FuturesUnordered::new();
        let mut done = VecDeque::new();
        // Whatever happens, what is under way is settled: it may have been delivered.
        let mut end = loop {
            while let Some(tried) = done.pop_front() {
                beside(self.settle(tried), &mut under_way, &mut done).await;
            }
            let step = beside(self.next_step(under_way.len()), &mut under_way, &mut done).await;
            while let Some(tried) = done.pop_front() {
                beside(self.settle(tried), &mut under_way, &mut done).await;
            }
            match step {
                Ok(Step::End(end)) => break Ok(end),
                Err(error) => break Err(error),
                Ok(Step::Look) => {}
                // By what ended meanwhile nothing may start. Where that is over before the slice ends, it is
                // still the oldest.
                Ok(Step::Start(key)) if self.is_stopped() => self.listing.put_back(key),
                Ok(Step::Start(key)) => {
                    let turn = self.gate.turn(&self.ended, self.latest());
                    under_way.push(self.drain.try_key(
                        Arc::clone(&self.integration),
                        key,
                        self.deadline,
                        Arc::clone(&self.ended),
                        turn,
                    ));
                }
                Ok(Step::Wait(wait)) => {
                    let sleep = pin!(self.drain.ports.clock().sleep(wait));
                    if under_way.is_empty() {
                        sleep.await;
                    } else if let Either::Left((tried, _)) = select(under_way.next(), sleep).await {
                        done.extend(tried);
                    }
                }
            }
        };
        self.ended.store(true, Ordering::Relaxed);
        while let Some(tried) = match done.pop_front() {
            Some(tried) => Some(tried),
            None => under_way.next().await,
        } {
            beside(self.settle(tried), &mut under_way, &mut done).await;
        }
        // Where there was no time for more probes, the next pause goes on after these.
        if let (Ok(SliceEnd::GoOn { .. }), Some(last)) = (&end, self.refused.pop())
            && let Err(error) = self.stay_open(last.key).await
        {
            tracing::warn!(%error, integration = %self.integration.id, "pause not extended");
        }
        self.write_health().await;
        self.write_counts().await;
        self.fall_quiet().await;
        // An endpoint's wish that came with the last answers counts too.
        if let Ok(SliceEnd::GoOn { at, .. }) = &mut end {
            let open = self.health.breaker.open.map(|open| open.until);
            *at = open.into_iter().chain(self.asked).fold(*at, Timestamp::max);
        }
        end
    }

    fn is_stopped(&self) -> bool {
        let now = self.drain.ports.clock().now();
        self.asked.is_some_and(|until| until > now)
            || matches!(self.health.route(), Route::Paced(Why::Paused | Why::Open(_)))
    }

    /// Keeps the lease until the next slice owes nothing to this one's last requests.
    async fn fall_quiet(&self) {
        let clock = self.drain.ports.clock();
        let wait = self.gate.until_quiet(clock.now());
        if !wait.is_zero() {
            clock.sleep(wait).await;
        }
    }

    /// The last moment at which an attempt may begin.
    fn latest(&self) -> Timestamp {
        self.deadline.minus(ATTEMPT + self.gate.within())
    }

    /// Deliveries under way at a time.
    fn width(&self) -> usize {
        let Limits { per_second, in_flight } = self.integration.own.limits;
        let usual = if self.health.breaker.slow { WIDTH_SLOW } else { WIDTH };
        let width = in_flight.unwrap_or_else(|| {
            // As many as keep to the pace if each takes a second.
            let paced = per_second.map_or(0, PerSecond::most);
            usize::try_from(paced).unwrap_or(usize::MAX).max(usual)
        });
        width.min(WIDTH_MOST)
    }

    async fn next_step(&mut self, under_way: usize) -> PortResult<Step> {
        let now = self.drain.ports.clock().now();
        let check = self.checked_at.is_none_or(|at| now.since(at) >= CHECK_EVERY);
        let changed = std::mem::take(&mut self.changed) || (check && !self.check(now).await?);
        let go_on = |at| Ok(Step::End(SliceEnd::GoOn { at, rate: self.gate.rate() }));
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
        if now > self.latest() {
            return go_on(now);
        }
        if probing {
            // The probe is alone.
            return if under_way > 0 { Ok(Step::Wait(CHECK_EVERY)) } else { self.probe().await };
        }
        let wait = self.gate.wait(now);
        if under_way >= self.width() || !wait.is_zero() {
            let wait = if wait.is_zero() { CHECK_EVERY } else { wait.min(CHECK_EVERY) };
            return Ok(Step::Wait(wait));
        }
        let latest = self.latest();
        if let Some(key) = self.listing.next(self.drain, &self.integration, latest).await? {
            self.gate.start(now);
            return Ok(Step::Start(key));
        }
        if under_way > 0 {
            return Ok(Step::Wait(CHECK_EVERY));
        }
        self.end_of_pass(now).await
    }

    /// A pass found nothing more: finished if it found nothing at all.
    async fn end_of_pass(&mut self, now: Timestamp) -> PortResult<Step> {
        let backlog_gen = self.listing.backlog_gen();
        let found = self.listing.begin(None);
        if found {
            return Ok(Step::Look);
        }
        if let Some(error) = self.trouble.pop() {
            return Err(error);
        }
        if !self.listing.left.is_empty() {
            self.check(now).await?;
            if Some(self.health.backlog_gen) != backlog_gen {
                return Ok(Step::Look);
            }
            let at = now.plus(LEFT_ALONE);
            return Ok(Step::End(SliceEnd::GoOn { at, rate: self.gate.rate() }));
        }
        let wait = self.gate.until_quiet(now);
        if !wait.is_zero() {
            // What comes meanwhile is this slice's too.
            return Ok(Step::Wait(wait.min(CHECK_EVERY)));
        }
        self.write_counts().await;
        let generation = backlog_gen.unwrap_or_default();
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
                Found::Present(new)
                    if new.enabled && new.own.limits == self.integration.own.limits =>
                {
                    self.integration = Arc::new(*new);
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
        if let Some(health) =
            observe(ports, policy, project, id, self.meter(), &seen, &before).await
        {
            self.health = health;
        }
    }

    pub(super) fn meter(&self) -> Meter<'a> {
        self.drain.metrics.of(self.integration.stream)
    }

    async fn write_counts(&mut self) {
        let counts = std::mem::take(&mut self.counts);
        self.meter().counted(&counts);
        self.drain.uncounted.add(&self.drain.ports, &self.integration.id, counts).await;
        self.log.write(&self.drain.ports, self.drain.policy.keep_attempts).await;
        let changes = std::mem::take(&mut self.changes);
        Box::pin(tell_of_dead(&self.drain.ports, &self.integration, changes)).await;
        self.counted_at = self.drain.ports.clock().now();
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
