//! Limits of endpoints: how many requests begin within a second, and how many are under way, over all
//! functions together.

use std::collections::{BTreeMap, VecDeque};

use flagpost_domain::{
    limits::{Limits, PerSecond},
    time::millis,
};

/// Requests that began longer ago count for no limit.
const KEPT_MS: i64 = 20_000;

/// The requests of integrations with limits, by the integrations' numbers.
#[derive(Debug, Default)]
pub struct Limited {
    begun: BTreeMap<u32, VecDeque<i64>>,
    in_flight: BTreeMap<u32, usize>,
    /// Requests that were counted for a limit.
    pub counted: u64,
}

impl Limited {
    /// A request begins, by the sender's clock. The limits are all those that the sender may know of.
    /// `Err` says how that is one too many by each of them.
    pub fn begins(&mut self, integration: u32, known: &[Limits], now: i64) -> Result<(), String> {
        let begun = self.begun.entry(integration).or_default();
        begun.push_back(now);
        while begun.front().is_some_and(|at| *at <= now - KEPT_MS) {
            begun.pop_front();
        }
        let under_way = self.in_flight.entry(integration).or_default();
        *under_way += 1;
        if known.iter().any(Limits::is_none) {
            return Ok(());
        }
        self.counted += 1;
        let keeps = |bound: PerSecond| {
            let since = now - millis(bound.within());
            begun.iter().filter(|at| **at > since).count()
                <= usize::try_from(bound.most()).unwrap_or(usize::MAX)
        };
        if !known.iter().any(|limits| limits.per_second.is_none_or(keeps)) {
            let ago: Vec<_> = begun.iter().map(|at| now - at).collect();
            return Err(format!("more than {known:?} allow: requests began {ago:?} ms ago"));
        }
        if !known.iter().any(|limits| limits.in_flight.is_none_or(|most| *under_way <= most)) {
            return Err(format!("{under_way} requests under way, and the limits are {known:?}"));
        }
        Ok(())
    }

    /// Nobody waits for an answer to it any more.
    pub fn ends(&mut self, integration: u32) {
        if let Some(under_way) = self.in_flight.get_mut(&integration) {
            *under_way = under_way.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(per_second: Option<f64>, in_flight: Option<usize>) -> Limits {
        let per_second = per_second.and_then(|number| number.try_into().ok());
        Limits { per_second, in_flight }
    }

    #[test]
    fn a_third_within_a_second_is_one_too_many_by_two_a_second() {
        let two = [limits(Some(2.0), None)];
        let mut limited = Limited::default();
        assert_eq!(limited.begins(0, &two, 0), Ok(()));
        assert_eq!(limited.begins(0, &two, 600), Ok(()));
        assert!(limited.begins(0, &two, 999).is_err());
        assert_eq!(limited.begins(1, &two, 999), Ok(()), "another's");
        let either = [limits(Some(2.0), None), limits(Some(5.0), None)];
        assert_eq!(limited.begins(0, &either, 999), Ok(()));
        let seldom = [limits(Some(0.1), None)];
        assert!(limited.begins(1, &seldom, 10_998).is_err());
    }

    #[test]
    fn no_more_are_under_way_than_are_allowed() {
        let one = [limits(None, Some(1))];
        let mut limited = Limited::default();
        assert_eq!(limited.begins(0, &one, 0), Ok(()));
        limited.ends(0);
        assert_eq!(limited.begins(0, &one, 1), Ok(()));
        assert!(limited.begins(0, &one, 2).is_err());
    }
}
