//! Where the drain of one integration waits for its pace; with a limit, where each request does.
//!
//! Without a limit deliveries are paced, and what their attempts send is their own affair. With one
//! every request passes the gate just before it is sent, immediate retries too: what was read from
//! the bucket before, and how long that took, does not matter.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    limits::{Limits, PerSecond},
    pacing::{MAX, Pacer},
    ports::Clock,
    time::Timestamp,
};

/// A delivery is read from the bucket so long before its request may begin.
const READING: Duration = Duration::from_millis(500);
/// So many deliveries may be read, or wait at the gate, as pass it in this many seconds.
const AHEAD_SECONDS: f64 = 0.25;
/// Who waits for others to pass looks again after this.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// Who waits at the gate sees after this at the latest that the slice has ended.
const NOTICE: Duration = Duration::from_secs(1);

/// The gate of one slice.
#[derive(Debug)]
pub struct Gate {
    bound: Option<PerSecond>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pacer: Pacer,
    /// The last requests that began, oldest first: as many as may begin within the bound's time.
    begun: VecDeque<Timestamp>,
    /// Deliveries that were started and have sent nothing yet, and requests that wait.
    coming: u32,
}

impl Gate {
    /// The gate of a slice that begins. `rate` is what the slice before had; `well` is whether nothing
    /// speaks against the full pace of an integration that has limits.
    pub fn new(limits: Limits, rate: Option<f64>, well: bool, now: Timestamp) -> Self {
        let most = limits.per_second.map_or(MAX, PerSecond::rate);
        let full = (well && !limits.is_none()).then_some(most);
        let pacer = Pacer::up_to(most, rate.or(full), now);
        let state = State { pacer, begun: VecDeque::new(), coming: 0 };
        Self { bound: limits.per_second, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pace to start the next slice with.
    pub fn rate(&self) -> f64 {
        self.state().pacer.rate()
    }

    /// A delivery succeeded.
    pub fn went_well(&self, now: Timestamp) {
        self.state().pacer.went_well(now);
    }

    /// A delivery failed.
    pub fn went_badly(&self, now: Timestamp) {
        self.state().pacer.went_badly(now);
    }

    /// The endpoint is well again: from the beginning.
    pub fn begin_again(&self, now: Timestamp) {
        let mut state = self.state();
        state.pacer = state.pacer.begun_again(now);
    }

    /// How long to wait before another delivery may be started.
    pub fn wait(&self, now: Timestamp) -> Duration {
        let state = self.state();
        let wait = state.wait(self.bound, now);
        if self.bound.is_none() {
            return wait;
        }
        if f64::from(state.coming) >= (state.pacer.rate() * AHEAD_SECONDS).max(1.0) {
            return wait.max(LOOK_AGAIN);
        }
        wait.saturating_sub(READING)
    }

    /// A delivery is started. With a limit its requests count, and not it.
    pub fn start(&self, now: Timestamp) {
        if self.bound.is_none() {
            self.state().pacer.start(now);
        }
    }

    /// With a limit, what the requests of a delivery need: the first of them begins by `latest`, and
    /// none once `ended` is set.
    pub fn turn(self: &Arc<Self>, ended: &Arc<AtomicBool>, latest: Timestamp) -> Option<Turn> {
        self.bound?;
        self.state().coming += 1;
        Some(Turn { gate: Arc::clone(self), ended: Arc::clone(ended), latest, comes: true })
    }

    /// For how long requests that began count for the limit; nothing without one.
    pub fn within(&self) -> Duration {
        self.bound.map(PerSecond::within).unwrap_or_default()
    }

    /// How long it takes until nothing that began here counts any more, and somebody else may begin.
    pub fn until_quiet(&self, now: Timestamp) -> Duration {
        let quiet = |last: &Timestamp| last.plus(self.within()).since(now).min(self.within());
        self.state().begun.back().map(quiet).unwrap_or_default()
    }
}

impl State {
    fn wait(&self, bound: Option<PerSecond>, now: Timestamp) -> Duration {
        let pace = self.pacer.wait(now);
        let Some(bound) = bound else { return pace };
        let most = usize::try_from(bound.most()).unwrap_or(usize::MAX);
        let oldest = self.begun.front().filter(|_| self.begun.len() >= most);
        // A clock that was set back must not hold it up for longer.
        let within =
            |oldest: &Timestamp| oldest.plus(bound.within()).since(now).min(bound.within());
        pace.max(oldest.map(within).unwrap_or_default())
    }

    fn begin(&mut self, bound: Option<PerSecond>, now: Timestamp) {
        self.pacer.start(now);
        self.begun.push_back(now);
        let most = bound.map_or(1, PerSecond::most);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        self.begun.drain(..self.begun.len().saturating_sub(most));
    }
}

/// What lets the requests of one attempt pass, one after the other.
#[derive(Debug)]
pub struct Turn {
    gate: Arc<Gate>,
    ended: Arc<AtomicBool>,
    latest: Timestamp,
    /// Whether it is among those that come.
    comes: bool,
}

impl Turn {
    /// Waits until the attempt's first request may begin: when it does. `None`: it may not any more.
    pub async fn first<C: Clock>(&mut self, clock: &C) -> Option<Timestamp> {
        let latest = self.latest;
        self.pass(clock, |now, _| now <= latest).await
    }

    /// Waits until a further request may begin: when it does. `None`, without having waited in vain:
    /// it may not before `until`.
    pub async fn next<C: Clock>(&mut self, clock: &C, until: Timestamp) -> Option<Timestamp> {
        self.pass(clock, |now, wait| now.plus(wait) <= until).await
    }

    async fn pass<C: Clock>(
        &mut self,
        clock: &C,
        in_time: impl Fn(Timestamp, Duration) -> bool,
    ) -> Option<Timestamp> {
        self.come();
        let passed = loop {
            let now = clock.now();
            let wait = {
                let mut state = self.gate.state();
                let wait = state.wait(self.gate.bound, now);
                if self.ended.load(Ordering::Relaxed) || !in_time(now, wait) {
                    break None;
                }
                if wait.is_zero() {
                    state.begin(self.gate.bound, now);
                    break Some(now);
                }
                wait
            };
            clock.sleep(wait.min(NOTICE)).await;
        };
        self.go();
        passed
    }

    fn come(&mut self) {
        if !std::mem::replace(&mut self.comes, true) {
            self.gate.state().coming += 1;
        }
    }

    fn go(&mut self) {
        if std::mem::replace(&mut self.comes, false) {
            let mut state = self.gate.state();
            state.coming = state.coming.saturating_sub(1);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.go();
    }
}

#[cfg(test)]
mod tests;
