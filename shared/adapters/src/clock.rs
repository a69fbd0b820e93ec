//! The wall clock and the random source of the operating system.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flagpost_domain::{
    ports::{Clock, Random},
    time::{Timestamp, millis},
};

/// The wall clock of the system, and the timer of tokio.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the wall clock is read")]
    fn now(&self) -> Timestamp {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(passed) => Timestamp(millis(passed)),
            Err(before) => Timestamp(millis(before.duration()).saturating_neg()),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is where waiting is done")]
    async fn sleep(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }
}

/// The random source of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    /// # Panics
    /// If the operating system has no randomness. Linux always has, once it is up, and ids and
    /// keys made without it would be a fault that nobody sees.
    #[expect(
        clippy::expect_used,
        clippy::disallowed_methods,
        reason = "this is where chance comes from; ids that are not random must never be made"
    )]
    fn bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the operating system has a random source");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_past_2026_and_goes_on() {
        let first = SystemClock.now();
        assert!(first > Timestamp(1_767_225_600_000));
        assert!(SystemClock.now() >= first);
    }

    #[tokio::test(start_paused = true)]
    #[expect(clippy::disallowed_methods, reason = "tokio's paused time is looked at")]
    async fn sleeping_takes_the_time_that_was_asked_for() {
        let before = tokio::time::Instant::now();
        SystemClock.sleep(Duration::from_mins(5)).await;
        assert!(before.elapsed() >= Duration::from_mins(5));
    }

    #[test]
    fn random_bytes_differ() {
        assert_ne!(SystemRandom.bytes(), SystemRandom.bytes());
    }
}
