//! Rounds of several contenders, interleaved, and what they come to.

use std::time::Duration;

use crate::Outcome;

/// Fewer would make no median.
pub(crate) const LEAST: usize = 5;

/// Checks a number of rounds.
pub(crate) fn enough(rounds: usize) -> Outcome<usize> {
    if rounds < LEAST {
        Err(format!("at least {LEAST} rounds are needed").into())
    } else {
        Ok(rounds)
    }
}

/// One measurement of each round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series(Vec<f64>);

impl Series {
    /// Adds a round.
    pub(crate) fn push(&mut self, measured: f64) {
        self.0.push(measured);
    }

    /// The middle one, or the mean of the two in the middle; 0 of none.
    pub(crate) fn median(&self) -> f64 {
        let sorted = self.sorted();
        match sorted.len() {
            0 => 0.0,
            odd if odd % 2 == 1 => sorted[odd / 2],
            even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
        }
    }

    /// The least and the most; how far the rounds lie apart is how far the median is to be trusted.
    pub(crate) fn range(&self) -> (f64, f64) {
        let sorted = self.sorted();
        (sorted.first().copied().unwrap_or(0.0), sorted.last().copied().unwrap_or(0.0))
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

/// Nanoseconds for each of `events`.
#[expect(clippy::cast_precision_loss, reason = "a figure for reading")]
pub(crate) fn ns_each(cpu: Duration, events: usize) -> f64 {
    cpu.as_secs_f64() * 1e9 / events as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(measured: &[f64]) -> Series {
        Series(measured.to_vec())
    }

    fn same(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        assert!(same(series(&[9.0, 1.0, 5.0]).median(), 5.0));
        assert!(same(series(&[9.0, 1.0, 5.0, 6.0]).median(), 5.5));
        assert!(same(series(&[]).median(), 0.0));
        assert_eq!(series(&[9.0, 1.0, 5.0]).range(), (1.0, 9.0));
    }

    #[test]
    fn too_few_rounds_are_refused() {
        assert!(enough(4).is_err());
        assert_eq!(enough(5).unwrap(), 5);
    }

    #[test]
    fn time_is_shared_out_among_events() {
        assert!(same(ns_each(Duration::from_millis(2), 1_000), 2_000.0));
    }
}
