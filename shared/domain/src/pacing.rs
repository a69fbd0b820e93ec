//! How fast a backlog is drained: slowly at first, faster while all goes well.
//!
//! A recovering endpoint that is sent its whole backlog at once fails again, or limits the rate.

use std::time::Duration;

use crate::time::Timestamp;

/// Deliveries per second at first, or requests where those have a limit.
const START: f64 = 1.0;
/// The slowest pace.
const MIN: f64 = 0.125;
/// The fastest pace of those that have no limit.
pub const MAX: f64 = 256.0;
/// While all goes well the pace doubles this often.
const DOUBLE_EVERY: Duration = Duration::from_secs(4);
/// The longest wait, at the slowest limit that can be set.
const LONGEST: Duration = Duration::from_secs(10);
/// A start that came late is made up for, by the time between two, or this: timers are late by a
/// few milliseconds, and would cost a fast pace a part of it.
const LATE: Duration = Duration::from_millis(20);

/// The pace of one drain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pacer {
    rate: f64,
    most: f64,
    rate_since: Timestamp,
    next: Timestamp,
}

impl Pacer {
    /// A pace that starts at `rate` deliveries a second, or at one.
    pub fn new(rate: Option<f64>, now: Timestamp) -> Self {
        Self::up_to(MAX, rate, now)
    }

    /// The same, which gets no faster than `most`.
    pub fn up_to(most: f64, rate: Option<f64>, now: Timestamp) -> Self {
        let rate = rate.filter(|rate| rate.is_finite()).unwrap_or(START);
        let rate = rate.max(MIN).min(most);
        Self { rate, most, rate_since: now, next: now }
    }

    /// The same from the beginning.
    #[must_use]
    pub fn begun_again(&self, now: Timestamp) -> Self {
        Self::up_to(self.most, None, now)
    }

    /// Deliveries per second, to start the next slice with.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// How long to wait before the next delivery may start.
    pub fn wait(&self, now: Timestamp) -> Duration {
        // A clock that was set back must not hold it up for longer.
        self.next.since(now).min(LONGEST)
    }

    /// A delivery starts.
    pub fn start(&mut self, now: Timestamp) {
        let gap = Duration::from_secs_f64(1.0 / self.rate);
        // Time in which nothing was started is not made up for by a burst.
        self.next = self.next.max(now.minus(gap.max(LATE))).plus(gap);
    }

    /// A delivery succeeded.
    pub fn went_well(&mut self, now: Timestamp) {
        if now.since(self.rate_since) >= DOUBLE_EVERY {
            self.rate = (self.rate * 2.0).min(self.most);
            self.rate_since = now;
        }
    }

    /// A delivery failed.
    pub fn went_badly(&mut self, now: Timestamp) {
        self.rate = (self.rate / 2.0).max(MIN).min(self.most);
        self.rate_since = now;
        self.next = self.next.max(now.plus(Duration::from_secs_f64(1.0 / self.rate)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    /// Starts of a drain in which every delivery takes no time and goes as `well` says.
    fn starts(seconds: u64, well: impl Fn(Timestamp) -> bool) -> Vec<u64> {
        let mut pacer = Pacer::new(None, NOW);
        let mut now = NOW;
        let mut starts = Vec::new();
        while now < NOW.plus(Duration::from_secs(seconds)) {
            let wait = pacer.wait(now);
            if wait.is_zero() {
                pacer.start(now);
                starts.push(now.since(NOW).as_secs());
                if well(now) { pacer.went_well(now) } else { pacer.went_badly(now) }
            }
            now = now.plus(wait.max(Duration::from_millis(1)));
        }
        starts
    }

    #[test]
    fn starts_at_one_a_second_and_doubles() {
        let starts = starts(13, |_| true);
        let in_second = |s| starts.iter().filter(|start| **start == s).count();
        assert_eq!([in_second(0), in_second(1), in_second(2)], [1, 1, 1]);
        assert!((2..=3).contains(&in_second(6)), "{}", in_second(6));
        assert!((7..=9).contains(&in_second(12)), "{}", in_second(12));
    }

    #[test]
    fn failures_slow_it_down_to_the_least() {
        let starts = starts(120, |_| false);
        assert!(starts.len() <= 18, "{} starts in two minutes", starts.len());
    }

    #[test]
    fn a_senseless_rate_from_a_message_is_bounded() {
        assert!((Pacer::new(Some(f64::NAN), NOW).rate() - 1.0).abs() < f64::EPSILON);
        assert!((Pacer::new(Some(1e9), NOW).rate() - MAX).abs() < f64::EPSILON);
        assert!((Pacer::new(Some(-1.0), NOW).rate() - MIN).abs() < f64::EPSILON);
    }

    proptest! {
        #[test]
        fn no_second_has_more_starts_than_the_pace_allows(bad in proptest::collection::vec(any::<bool>(), 60)) {
            let starts = starts(60, |now| {
                let second = usize::try_from(now.since(NOW).as_secs()).unwrap();
                !bad[second.min(59)]
            });
            for second in 0..60u32 {
                let allowed = 2f64.powf(f64::from(second) / 4.0 + 1.0).min(MAX) + 1.0;
                let count = starts.iter().filter(|start| **start == u64::from(second)).count();
                let count = f64::from(u32::try_from(count).unwrap());
                prop_assert!(count <= allowed, "{count} in second {second}");
            }
        }
    }
}
