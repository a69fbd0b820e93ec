//! The retry schedule, by age: a delivery is due at fixed times after its schedule began.
//!
//! Jitter is a property of the delivery, not rolled anew at each failure, which would turn ten
//! attempts into dozens. Nothing counts receives, since throttles raise them.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::{id::DeliveryId, ports::VISIBILITY_MAX, time::Timestamp};

/// A slot closer than this to an attempt's start is passed over.
const TOO_CLOSE: Duration = Duration::from_secs(5);
/// A delivery received this long after its last slot was held up by us: it is parked, untried.
const OUR_OUTAGE: Duration = Duration::from_mins(15);
/// Before its last attempt a delivery is hidden for this long after its last slot, and before what
/// it came to is stored it is not seen again. That is far from [`OUR_OUTAGE`]: otherwise throttles
/// could make the one look like the other. A message is hidden for 12 h at most.
const LAST_CALL: Duration = Duration::from_hours(11);
/// Clocks differ,
const LAST_CALL_EARLY: Duration = Duration::from_mins(10);
/// and throttles take their time. After an outage even longer than that nobody knows whether the last
/// attempt was made: it is made once more.
const LAST_CALL_LATE: Duration = Duration::from_hours(2);
/// Slots closer to each other are refused: with jitter, the later one would be too close.
const MIN_GAP_SECONDS: u64 = 7;
/// More slots than this are taken for a mistake.
const MAX_SLOTS: usize = 20;

/// Why a list of slots makes no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// None, or too many.
    #[error("{0} slots; allowed are 1 to {MAX_SLOTS}")]
    Count(usize),
    /// So close to the one before (or to the first attempt) that it would be passed over.
    #[error("slot {0} is not {MIN_GAP_SECONDS} s or more after what is before it")]
    Close(usize),
    /// Beyond the longest visibility timeout.
    #[error("slot {0} is later than 12 h")]
    Late(usize),
}

/// When failed deliveries are tried again, as ages since the first attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Vec<Duration>);

impl Default for Schedule {
    /// 1, 3, 7, 15, 30, 60, 105, 165 and 240 minutes.
    fn default() -> Self {
        Self([1, 3, 7, 15, 30, 60, 105, 165, 240].map(Duration::from_mins).to_vec())
    }
}

impl Schedule {
    /// A schedule of 1 to 20 slots, each 7 s or more after the one before, up to 12 h.
    pub fn new(slots: Vec<Duration>) -> Result<Self, ScheduleError> {
        if slots.is_empty() || slots.len() > MAX_SLOTS {
            return Err(ScheduleError::Count(slots.len()));
        }
        let mut before = Duration::ZERO;
        for (index, slot) in slots.iter().enumerate() {
            if *slot > VISIBILITY_MAX {
                return Err(ScheduleError::Late(index + 1));
            }
            if *slot < before + Duration::from_secs(MIN_GAP_SECONDS) {
                return Err(ScheduleError::Close(index + 1));
            }
            before = *slot;
        }
        Ok(Self(slots))
    }

    /// The last slot, as an age.
    pub fn last(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }

    /// The first slot of a schedule that begins now.
    pub fn first(&self, delivery: &DeliveryId, now: Timestamp) -> Timestamp {
        self.dues(delivery, now).min().unwrap_or(now)
    }

    /// When the delivery is due next, of a schedule that began at `began`; `None` when no slot is
    /// left.
    pub fn next(
        &self,
        delivery: &DeliveryId,
        began: Timestamp,
        now: Timestamp,
    ) -> Option<Timestamp> {
        self.dues(delivery, began).filter(|due| *due > now.plus(TOO_CLOSE)).min()
    }

    /// Whether so much time passed since the last slot that the delay was ours, not the endpoint's,
    /// and the last attempt was not made yet.
    pub fn was_held_up(&self, delivery: &DeliveryId, began: Timestamp, now: Timestamp) -> bool {
        now > self.last_due(delivery, began).plus(OUR_OUTAGE) && !self.is_over(delivery, began, now)
    }

    /// Whether the last attempt was made, and what came of it could not be stored.
    pub fn is_over(&self, delivery: &DeliveryId, began: Timestamp, now: Timestamp) -> bool {
        let over = self.over_at(delivery, began);
        (over.minus(LAST_CALL_EARLY)..=over.plus(LAST_CALL_LATE)).contains(&now)
    }

    /// Until when a delivery is hidden before its last attempt.
    pub fn over_at(&self, delivery: &DeliveryId, began: Timestamp) -> Timestamp {
        self.last_due(delivery, began).plus(LAST_CALL)
    }

    fn last_due(&self, delivery: &DeliveryId, began: Timestamp) -> Timestamp {
        self.dues(delivery, began).max().unwrap_or(began)
    }

    fn dues(&self, delivery: &DeliveryId, began: Timestamp) -> impl Iterator<Item = Timestamp> {
        let last = self.0.len() - 1;
        self.0.iter().enumerate().map(move |(k, slot)| {
            let due = slot.mul_f64(1.0 + 0.1 * spread(delivery, k));
            // The schedule promises an end.
            began.plus(if k == last { due.min(*slot) } else { due })
        })
    }
}

/// A hash of delivery and slot in −1..=1. Parts of a delivery go by the times of the whole: a slot
/// that was used before it was split must not come once more.
fn spread(delivery: &DeliveryId, slot: usize) -> f64 {
    let hash =
        Sha256::new().chain_update(delivery.whole()).chain_update(slot.to_be_bytes()).finalize();
    let high = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    f64::from(high) / f64::from(u32::MAX) * 2.0 - 1.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BEGAN: Timestamp = Timestamp(1_800_000_000_000);

    /// Follows the schedule as the RetryQueue does: an attempt at each due time.
    fn ages(schedule: &Schedule, delivery: &DeliveryId) -> Vec<Duration> {
        let mut now = BEGAN;
        let mut ages = vec![Duration::ZERO];
        while let Some(due) = schedule.next(delivery, BEGAN, now) {
            now = due;
            ages.push(now.since(BEGAN));
        }
        ages
    }

    #[test]
    fn senseless_slots_are_refused() {
        let seconds =
            |all: &[u64]| Schedule::new(all.iter().map(|s| Duration::from_secs(*s)).collect());
        assert_eq!(seconds(&[]), Err(ScheduleError::Count(0)));
        assert_eq!(seconds(&[1; 21]), Err(ScheduleError::Count(21)));
        assert_eq!(seconds(&[9, 9]), Err(ScheduleError::Close(2)));
        assert_eq!(seconds(&[6]), Err(ScheduleError::Close(1)));
        assert_eq!(seconds(&[7, 43_201]), Err(ScheduleError::Late(2)));
        assert!(seconds(&[7, 43_200]).is_ok());
    }

    #[test]
    fn a_crash_uses_up_a_slot_and_never_adds_one() {
        let schedule = Schedule::default();
        let id = "d".into();
        let first = schedule.next(&id, BEGAN, BEGAN).unwrap();
        // Set before the attempt; whatever happens then, the next receive is at that time.
        let second = schedule.next(&id, BEGAN, first).unwrap();
        assert!(second > first.plus(Duration::from_secs(60)));
        assert_eq!(schedule.next(&id, BEGAN, first.plus(Duration::from_secs(3))), Some(second));
    }

    #[test]
    fn parts_go_by_the_slots_of_the_whole() {
        let schedule = Schedule::default();
        for minutes in [0, 8, 29, 59, 170] {
            let now = BEGAN.plus(Duration::from_mins(minutes));
            let next = |id: &str| schedule.next(&id.into(), BEGAN, now);
            for part in ["d.a", "d.b.a", "d.p3.b"] {
                assert_eq!(next(part), next("d"), "{part}");
            }
        }
    }

    #[test]
    fn a_long_outage_of_ours_is_told_from_a_last_attempt_that_was_made() {
        let schedule = Schedule::default();
        let id = "d".into();
        let after = |minutes: u64| BEGAN.plus(Duration::from_mins(240 + minutes));
        // The last slot is up to 24 minutes before the end of the schedule.
        assert!(!schedule.was_held_up(&id, BEGAN, schedule.last_due(&id, BEGAN)));
        for minutes in [16, 60, 10 * 60] {
            assert!(schedule.was_held_up(&id, BEGAN, after(minutes)), "{minutes}");
            assert!(!schedule.is_over(&id, BEGAN, after(minutes)), "{minutes}");
        }
        let over = schedule.over_at(&id, BEGAN);
        for late in [Duration::ZERO, Duration::from_hours(1)] {
            assert!(schedule.is_over(&id, BEGAN, over.plus(late)));
            assert!(!schedule.was_held_up(&id, BEGAN, over.plus(late)));
        }
        // By a clock that is behind it is over all the same.
        assert!(schedule.is_over(&id, BEGAN, over.minus(Duration::from_secs(3))));
        // After a day without service nothing is given up that may not have been tried.
        let day = over.plus(Duration::from_hours(13));
        assert!(schedule.was_held_up(&id, BEGAN, day) && !schedule.is_over(&id, BEGAN, day));
    }

    proptest! {
        #[test]
        fn ten_attempts_within_four_hours_each_near_its_slot(id in "[a-z0-9]{32}") {
            let ages = ages(&Schedule::default(), &id.as_str().into());
            prop_assert_eq!(ages.len(), 10);
            for (age, minutes) in ages.iter().zip([0u32, 1, 3, 7, 15, 30, 60, 105, 165, 240]) {
                let slot = f64::from(minutes) * 60.0;
                prop_assert!((age.as_secs_f64() - slot).abs() <= slot * 0.1 + 0.001);
            }
            prop_assert!(ages[9] <= Duration::from_mins(240));
        }

        #[test]
        fn jitter_is_the_deliverys_own(id in "[a-z0-9]{32}", seconds in 0u64..14_400) {
            let id: DeliveryId = id.as_str().into();
            let now = BEGAN.plus(Duration::from_secs(seconds));
            let schedule = Schedule::default();
            prop_assert_eq!(schedule.next(&id, BEGAN, now), schedule.next(&id, BEGAN, now));
        }
    }
}
