//! The circuit breaker of one integration: a pure function of what was counted and of `now`.
//!
//! Failures add to two time buckets, this one and the last. It opens on a sustained high rate and
//! never on sporadic errors. Time alone never closes it: a probe must succeed. Half-open is not a
//! state: it is "open, pause over, lease held".

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    id::DeliveryId,
    time::{Timestamp, millis},
};

/// Failed attempts before a rate can open the breaker, and failures in a row for thin traffic.
const ENOUGH: u32 = 5;
/// How many response times are kept to tell slow endpoints.
const RECENT: usize = 9;
/// An endpoint is slow when the median of the recent response times is above this.
const SLOW_MS: u32 = 2_000;
/// The longest that an endpoint's own `Retry-After` is obeyed.
pub const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);
/// The shortest.
const HOLD_MIN: Duration = Duration::from_secs(1);

/// The breaker's time constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Length of a counting bucket; 60 s.
    pub bucket: Duration,
    /// Failures must be spread over at least this; 30 s.
    pub span: Duration,
    /// The first pause; 30 s. Each further one is twice as long.
    pub pause_first: Duration,
    /// The longest pause; 15 minutes.
    pub pause_max: Duration,
    /// So long must an endpoint be well before pauses start short again; 10 minutes.
    pub healthy_reset: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            bucket: Duration::from_secs(60),
            span: Duration::from_secs(30),
            pause_first: Duration::from_secs(30),
            pause_max: Duration::from_mins(15),
            healthy_reset: Duration::from_mins(10),
        }
    }
}

impl Policy {
    fn bucket_of(&self, at: Timestamp) -> i64 {
        at.0.div_euclid(millis(self.bucket).max(1))
    }
}

/// What one attempt said about its endpoint's health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// When the attempt ended.
    pub at: Timestamp,
    /// The delivery it was for: thin traffic needs failures from at least two.
    pub delivery: DeliveryId,
    /// Whether the endpoint is ill by it.
    pub ill: bool,
    /// Time to the (last) answer, or to the time-out.
    pub latency: Duration,
}

impl Observation {
    /// Its response time in milliseconds.
    pub fn latency_ms(&self) -> u32 {
        u32::try_from(self.latency.as_millis()).unwrap_or(u32::MAX)
    }
}

/// What a container saw earlier and did not write, since the endpoint was well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// The bucket of `ok`.
    pub bucket: i64,
    /// Successes in that bucket.
    pub ok: u32,
    /// Response times of successes in milliseconds, oldest first, of any bucket.
    pub recent_ms: Vec<u32>,
}

impl Before {
    /// With these successes too.
    #[must_use]
    pub fn and(mut self, policy: &Policy, seen: &[Observation], now: Timestamp) -> Self {
        let bucket = policy.bucket_of(now);
        if bucket != self.bucket {
            self.bucket = bucket;
            self.ok = 0;
        }
        self.ok = self.ok.saturating_add(u32::try_from(seen.len()).unwrap_or(u32::MAX));
        self.recent_ms.extend(seen.iter().map(Observation::latency_ms));
        keep_recent(&mut self.recent_ms);
        self
    }
}

/// Counts of one stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// `now / bucket length`.
    pub index: i64,
    /// Failed attempts.
    pub failed: u32,
    /// Successful attempts.
    pub ok: u32,
    /// First failure in it.
    pub first: Option<Timestamp>,
    /// Last failure in it.
    pub last: Option<Timestamp>,
}

/// Failures in a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streak {
    /// How many.
    pub failures: u32,
    /// When the first of them ended.
    pub since: Timestamp,
    /// The delivery of the first.
    pub delivery: Option<DeliveryId>,
    /// Whether any was of another delivery than the first.
    pub several: bool,
}

/// Why the breaker is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A sustained high rate of failures.
    FailureRate,
    /// Thin traffic that failed without exception.
    FailuresInARow,
    /// The endpoint asked for it with 429 or 503 and `Retry-After`.
    RetryAfter,
}

/// An open breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// When it opened.
    pub since: Timestamp,
    /// End of the pause: from then on one probe may go out.
    pub until: Timestamp,
    /// Why.
    pub cause: Cause,
}

/// One integration's breaker, as stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Breaker {
    /// This stretch of time.
    pub current: Bucket,
    /// The stretch before.
    pub previous: Bucket,
    /// Failures in a row.
    pub streak: Streak,
    /// Present while it is open.
    pub open: Option<Open>,
    /// How many pauses there were since the endpoint was last well for long.
    pub level: u32,
    /// When it last saw a failure, opened or closed. A failure long after this finds `level` at 0.
    pub uneasy_at: Timestamp,
    /// Recent response times in milliseconds, oldest first.
    pub recent_ms: Vec<u32>,
    /// Whether the median of `recent_ms` is too high to be served directly.
    pub slow: bool,
    /// Key of the parked delivery that was the last probe: the next probe is the next key.
    pub probed: Option<String>,
}

impl Breaker {
    /// Counts `seen`, and `before` that what was not written yet. Opens if that is due. `jitter` is
    /// in −1..=1.
    #[must_use]
    pub fn observe(
        &self,
        policy: &Policy,
        seen: &[Observation],
        before: &Before,
        now: Timestamp,
        jitter: f64,
    ) -> Self {
        let mut next = self.clone();
        next.roll(policy, now);
        if before.bucket == next.current.index {
            next.current.ok += before.ok;
        }
        if !before.recent_ms.is_empty() {
            next.streak = Streak::default();
        }
        next.recent_ms.extend(&before.recent_ms);
        for observation in seen {
            next.count(policy, observation);
        }
        keep_recent(&mut next.recent_ms);
        next.slow = is_slow(&next.recent_ms);
        if next.open.is_none()
            && let Some(cause) = next.diagnosis(policy)
        {
            next.open_for(policy, now, cause, jitter);
        }
        next
    }

    /// A probe failed: the pause is extended, twice as long as the last. `key` is the parked
    /// delivery that was tried.
    #[must_use]
    pub fn extend(&self, policy: &Policy, key: &str, now: Timestamp, jitter: f64) -> Self {
        let mut next = self.clone();
        let (since, cause) =
            self.open.map_or((now, Cause::FailuresInARow), |open| (open.since, open.cause));
        next.open_for(policy, now, cause, jitter);
        if let Some(open) = &mut next.open {
            open.since = since;
            // What the endpoint asked for stands.
            open.until = open.until.max(self.open.map_or(now, |open| open.until));
        }
        next.probed = Some(key.to_owned());
        next
    }

    /// A probe succeeded: closed at once, and what was counted before no longer speaks against it.
    #[must_use]
    pub fn close(&self, now: Timestamp) -> Self {
        Self {
            open: None,
            level: self.level,
            uneasy_at: now,
            recent_ms: self.recent_ms.clone(),
            slow: self.slow,
            ..Self::default()
        }
    }

    /// The endpoint asked to be left alone until `until`; a second to an hour is granted.
    #[must_use]
    pub fn hold(&self, policy: &Policy, until: Timestamp, now: Timestamp) -> Self {
        // `Retry-After: 0`, and a date in the past, must not make a loop of it.
        let until = until.clamp(now.plus(HOLD_MIN), now.plus(RETRY_AFTER_MAX));
        let mut next = self.clone();
        next.calm_down(policy, now);
        next.uneasy_at = now;
        next.open = Some(match self.open {
            Some(open) => Open { until: open.until.max(until), ..open },
            None => Open { since: now, until, cause: Cause::RetryAfter },
        });
        next
    }

    /// `batch` waited in vain for an answer. One such request is enough for slow: with fewer than it
    /// takes by the median, the next invocations would be held up too.
    #[must_use]
    pub fn suspect(&self) -> Self {
        let mut next = self.clone();
        next.recent_ms.extend([SLOW_MS + 1; RECENT / 2 + 1]);
        keep_recent(&mut next.recent_ms);
        next.slow = is_slow(&next.recent_ms);
        next
    }

    /// Whether it has nothing to say: closed, not slow, no failure in either bucket. Only others
    /// cost reads and writes.
    pub fn is_calm(&self, policy: &Policy, now: Timestamp) -> bool {
        let mut rolled = self.clone();
        rolled.roll(policy, now);
        rolled.open.is_none()
            && !rolled.slow
            && rolled.current.failed == 0
            && rolled.previous.failed == 0
    }

    fn roll(&mut self, policy: &Policy, now: Timestamp) {
        let index = policy.bucket_of(now);
        if index > self.current.index {
            self.previous = if index == self.current.index + 1 {
                self.current
            } else {
                Bucket { index: index - 1, ..Bucket::default() }
            };
            self.current = Bucket { index, ..Bucket::default() };
        }
    }

    fn count(&mut self, policy: &Policy, seen: &Observation) {
        if seen.ill {
            self.calm_down(policy, seen.at);
        }
        let index = policy.bucket_of(seen.at);
        let bucket =
            if index >= self.current.index { &mut self.current } else { &mut self.previous };
        self.recent_ms.push(seen.latency_ms());
        if !seen.ill {
            bucket.ok += 1;
            self.streak = Streak::default();
            return;
        }
        bucket.failed += 1;
        bucket.first = Some(bucket.first.map_or(seen.at, |first| first.min(seen.at)));
        bucket.last = Some(bucket.last.map_or(seen.at, |last| last.max(seen.at)));
        self.uneasy_at = self.uneasy_at.max(seen.at);
        if self.streak.failures == 0 {
            self.streak.since = seen.at;
            self.streak.delivery = Some(seen.delivery.clone());
        }
        self.streak.failures += 1;
        self.streak.several |= self.streak.delivery.as_ref() != Some(&seen.delivery);
    }

    /// Forgets earlier pauses if the endpoint was well for long.
    fn calm_down(&mut self, policy: &Policy, now: Timestamp) {
        if self.open.is_none() && now.since(self.uneasy_at) >= policy.healthy_reset {
            self.level = 0;
        }
    }

    fn diagnosis(&self, policy: &Policy) -> Option<Cause> {
        let failed = self.previous.failed + self.current.failed;
        let all = failed + self.previous.ok + self.current.ok;
        let first = self.previous.first.or(self.current.first)?;
        let last = self.current.last.or(self.previous.last)?;
        if failed >= ENOUGH && failed * 2 >= all && last.since(first) >= policy.span {
            return Some(Cause::FailureRate);
        }
        let streak = &self.streak;
        (streak.failures >= ENOUGH && streak.several && last.since(streak.since) >= policy.span)
            .then_some(Cause::FailuresInARow)
    }

    fn open_for(&mut self, policy: &Policy, now: Timestamp, cause: Cause, jitter: f64) {
        let doubled = policy
            .pause_first
            .saturating_mul(2u32.saturating_pow(self.level.min(16)))
            .min(policy.pause_max);
        let pause = doubled.mul_f64(1.0 + 0.1 * jitter.clamp(-1.0, 1.0));
        self.open = Some(Open { since: now, until: now.plus(pause), cause });
        self.level = self.level.saturating_add(1);
        self.uneasy_at = now;
    }
}

/// Drops all but the most recent response times.
pub fn keep_recent(recent_ms: &mut Vec<u32>) {
    recent_ms.drain(..recent_ms.len().saturating_sub(RECENT));
}

/// Whether the median of the recent response times is too high. Fewer than five say nothing: one
/// slow answer does not speak for the endpoint.
pub fn is_slow(recent_ms: &[u32]) -> bool {
    let mut sorted = recent_ms.to_vec();
    sorted.sort_unstable();
    sorted.len() >= RECENT.div_ceil(2) && sorted[sorted.len() / 2] > SLOW_MS
}

#[cfg(test)]
mod tests;
