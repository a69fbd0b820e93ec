//! What becomes of a delivery after an attempt: one decision for `batch` and `drain`.

use crate::{delivery::Delivery, outcome::Outcome, retry::Schedule, time::Timestamp};

/// What becomes of the delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The endpoint has it.
    Delivered,
    /// It is tried again at this time.
    Schedule(Timestamp),
    /// It is laid aside.
    Park,
    /// Its schedule ran out: kept for replay.
    Dead,
    /// Its halves go on in its place.
    Split,
    /// What is left of it goes on at once.
    GoOn,
}

/// Why an integration gets no more attempts for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It hangs, and would hold the invocation.
    TimedOut,
    /// It asked to be left alone until then.
    Wait(Timestamp),
    /// It answered 410 Gone.
    Gone,
    /// It did not answer for as long as `batch` waits: the drainer has more time.
    Unanswered,
}

/// Decides by the outcome, and by the schedule of a delivery that failed.
pub fn dispose(
    outcome: &Outcome,
    delivery: &Delivery,
    schedule: &Schedule,
    now: Timestamp,
) -> (Disposition, Option<Stop>) {
    match outcome {
        Outcome::Delivered => (Disposition::Delivered, None),
        Outcome::Wait(until) => (Disposition::Park, Some(Stop::Wait(*until))),
        Outcome::Gone => (Disposition::Park, Some(Stop::Gone)),
        Outcome::Unfinished => (Disposition::GoOn, None),
        Outcome::Unanswered => (Disposition::Park, Some(Stop::Unanswered)),
        Outcome::TooLarge if delivery.events.len() > 1 => (Disposition::Split, None),
        Outcome::TooLarge => (failed(delivery, schedule, now), None),
        Outcome::Failed(failure) => {
            (failed(delivery, schedule, now), failure.timed_out.then_some(Stop::TimedOut))
        }
    }
}

fn failed(delivery: &Delivery, schedule: &Schedule, now: Timestamp) -> Disposition {
    match schedule.next(&delivery.id, delivery.began, now) {
        Some(due) => Disposition::Schedule(due),
        None => Disposition::Dead,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{memory::delivery, outcome::Failure};

    const BEGAN: Timestamp = Timestamp(1_800_000_000_000);

    fn after(outcome: &Outcome, events: usize, minutes: u64) -> (Disposition, Option<Stop>) {
        let delivery = Delivery { began: BEGAN, ..delivery("d", events) };
        let now = BEGAN.plus(Duration::from_mins(minutes));
        dispose(outcome, &delivery, &Schedule::default(), now)
    }

    fn failure(timed_out: bool) -> Outcome {
        Outcome::Failed(Failure { timed_out, ..Failure::ill("status 500".into()) })
    }

    #[test]
    fn a_failure_goes_on_the_schedule_and_is_dead_at_its_end() {
        let (Disposition::Schedule(due), None) = after(&failure(false), 1, 0) else { panic!() };
        let age = due.since(BEGAN).as_secs();
        assert!((54..=66).contains(&age), "{age}");
        assert_eq!(after(&failure(false), 1, 240).0, Disposition::Dead);
        assert_eq!(after(&failure(false), 1, 999).0, Disposition::Dead);
    }

    #[test]
    fn a_hanging_endpoint_gets_no_more_attempts() {
        assert_eq!(after(&failure(true), 1, 0).1, Some(Stop::TimedOut));
    }

    #[test]
    fn what_the_endpoint_asks_for_is_obeyed() {
        let until = BEGAN.plus(Duration::from_mins(9));
        assert_eq!(
            after(&Outcome::Wait(until), 1, 0),
            (Disposition::Park, Some(Stop::Wait(until)))
        );
        assert_eq!(after(&Outcome::Gone, 1, 0), (Disposition::Park, Some(Stop::Gone)));
    }

    #[test]
    fn too_large_is_split_until_one_event_is_left() {
        assert_eq!(after(&Outcome::TooLarge, 2, 0), (Disposition::Split, None));
        assert!(matches!(after(&Outcome::TooLarge, 1, 0), (Disposition::Schedule(_), None)));
    }
}
