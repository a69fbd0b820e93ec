//! A distribution of times in as few numbers as their precision needs.

use std::{collections::BTreeMap, time::Duration};

/// Times are kept to so many binary digits: a sixty-fourth of them, at worst, is lost.
const DIGITS: u32 = 6;

/// How often which time was seen, in milliseconds. Up to 63 ms they are kept as they are, and above
/// with an error of 1.6 % at most, so that there are never more than two thousand different ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram(BTreeMap<u64, u64>);

impl Histogram {
    /// Adds a time.
    pub fn add(&mut self, took: Duration) {
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        *self.0.entry(rounded(millis)).or_default() += 1;
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.0.values().sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them in their order; of more than `most`, as many as that, evenly spread by rank, the
    /// least and the greatest among them.
    pub fn values(&self, most: usize) -> Vec<u64> {
        let (all, most) = (self.len(), most as u64);
        if all <= most || most < 2 {
            let each = self.0.iter().flat_map(|(time, times)| (0..*times).map(|_| *time));
            return each.take(usize::try_from(most).unwrap_or(usize::MAX)).collect();
        }
        let mut ranks = (0..most).map(|n| n * (all - 1) / (most - 1)).peekable();
        let mut values = Vec::new();
        let mut before = 0;
        for (time, times) in &self.0 {
            before += times;
            while ranks.next_if(|rank| *rank < before).is_some() {
                values.push(*time);
            }
        }
        values
    }
}

/// The middle of the range that has these first binary digits.
fn rounded(value: u64) -> u64 {
    let lost = (u64::BITS - value.leading_zeros()).saturating_sub(DIGITS);
    ((value >> lost) << lost) | ((1 << lost) >> 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(times: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        for millis in times {
            histogram.add(Duration::from_millis(millis));
        }
        histogram
    }

    #[test]
    fn few_are_all_told_and_many_by_rank() {
        let few = histogram([7, 3, 3, 20]);
        assert_eq!((few.len(), few.values(100)), (4, vec![3, 3, 7, 20]));
        // A thousand, nine in ten of them fast.
        let many = histogram((0..1_000).map(|n| if n % 10 == 0 { 50 } else { 10 }));
        let values = many.values(100);
        assert_eq!(values.len(), 100);
        assert_eq!(values.iter().filter(|value| **value == 10).count(), 90);
        assert_eq!(Histogram::default().values(100), [0u64; 0]);
        assert!(Histogram::default().is_empty());
    }

    proptest! {
        #[test]
        fn precision_and_size_are_bounded(millis in 0u64..=u64::MAX) {
            let kept = rounded(millis);
            prop_assert!(millis.abs_diff(kept) <= millis / 64, "{kept}");
            prop_assert_eq!(rounded(kept), kept);
            // What differs differs in its length or its first digits.
            prop_assert!(u64::from(u64::BITS) * (1 << (DIGITS - 1)) < 2_100);
        }

        #[test]
        fn no_more_are_told_than_wanted_and_the_ends_always(
            times in proptest::collection::vec(0u64..100_000, 1..400), most in 2usize..120,
        ) {
            let histogram = histogram(times.iter().copied());
            let values = histogram.values(most);
            prop_assert_eq!(values.len(), times.len().min(most));
            prop_assert!(values.is_sorted());
            let ends = |all: &[u64]| (all.iter().min().copied(), all.iter().max().copied());
            let rounded: Vec<_> = times.iter().map(|time| rounded(*time)).collect();
            prop_assert_eq!(ends(&values), ends(&rounded));
        }
    }
}
