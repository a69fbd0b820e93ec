//! What an endpoint is sent at most, as its operator wants it.
//!
//! Only the drainer sends to an integration with limits. There is one of it at a time, so that they
//! hold over all functions together without anything being counted between them.

use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

/// Requests under way at a time: no more can be allowed.
pub const MAX_IN_FLIGHT: usize = 100;

/// An integration's limits; none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Requests a second.
    #[serde(default)]
    pub per_second: Option<PerSecond>,
    /// Requests under way at a time, 1 to [`MAX_IN_FLIGHT`].
    #[serde(default)]
    pub in_flight: Option<usize>,
}

impl Limits {
    /// Whether there are none.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Requests a second, 0.1 to 1000 in steps of a thousandth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "f64")]
pub struct PerSecond {
    thousandths: u32,
}

/// It is not a number of requests a second that can be kept to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a number, 0.1 to 1000, with three decimals at most")]
pub struct NotPerSecond;

impl TryFrom<f64> for PerSecond {
    type Error = NotPerSecond;

    fn try_from(number: f64) -> Result<Self, NotPerSecond> {
        // A duration rounds to whole nanoseconds, and so tells 0.1 from 0.1001.
        let seconds = Duration::try_from_secs_f64(number).map_err(|_| NotPerSecond)?;
        let thousandths = u32::try_from(seconds.as_millis()).map_err(|_| NotPerSecond)?;
        let exact = Duration::from_millis(u64::from(thousandths)) == seconds;
        if exact && (100..=1_000_000).contains(&thousandths) {
            Ok(Self { thousandths })
        } else {
            Err(NotPerSecond)
        }
    }
}

impl Serialize for PerSecond {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.thousandths.is_multiple_of(1000) {
            serializer.serialize_u32(self.thousandths / 1000)
        } else {
            serializer.serialize_f64(self.rate())
        }
    }
}

impl PerSecond {
    /// As a number.
    pub fn rate(self) -> f64 {
        f64::from(self.thousandths) / 1000.0
    }

    /// So many requests may begin within any [`PerSecond::within`]: of 2 a second, two; of 0.1, one.
    pub fn most(self) -> u32 {
        self.thousandths.div_ceil(1000)
    }

    /// A second for whole numbers. For others it is longer, so that no second has more than the next
    /// whole number, and the mean is kept to: 1.5 a second are two in 1,334 ms, 0.1 one in 10 s.
    pub fn within(self) -> Duration {
        let millis = (u64::from(self.most()) * 1_000_000).div_ceil(u64::from(self.thousandths));
        Duration::from_millis(millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn per_second(number: f64) -> PerSecond {
        number.try_into().unwrap()
    }

    #[test]
    fn numbers_out_of_range_and_too_fine_are_refused() {
        for number in [0.0, 0.099, 1000.001, 1e300, -1.0, f64::NAN, f64::INFINITY, 0.1001] {
            assert_eq!(PerSecond::try_from(number), Err(NotPerSecond), "{number}");
        }
        for number in [0.1, 0.333, 1.0, 2.5, 999.999, 1000.0] {
            let kept = per_second(number).rate();
            assert!((kept - number).abs() < 1e-12, "{number}: {kept}");
        }
    }

    #[test]
    fn any_second_has_no_more_than_a_whole_number_and_any_longer_time_no_more_than_the_mean() {
        let bound = |number: f64| {
            let bound = per_second(number);
            (bound.most(), bound.within().as_millis())
        };
        assert_eq!(bound(2.0), (2, 1000));
        assert_eq!(bound(1000.0), (1000, 1000));
        assert_eq!(bound(0.1), (1, 10_000));
        assert_eq!(bound(1.5), (2, 1334));
    }

    #[test]
    fn they_are_stored_as_they_were_set() {
        for text in [
            r#"{"per_second":2,"in_flight":null}"#,
            r#"{"per_second":0.5,"in_flight":3}"#,
            r#"{"per_second":null,"in_flight":100}"#,
        ] {
            let limits: Limits = serde_json::from_str(text).unwrap();
            assert!(!limits.is_none());
            assert_eq!(serde_json::to_string(&limits).unwrap(), text);
        }
        assert!(serde_json::from_str::<Limits>(r#"{"per_second":0}"#).is_err());
        assert!(serde_json::from_str::<Limits>("{}").unwrap().is_none());
    }
}
