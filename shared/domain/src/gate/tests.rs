use proptest::prelude::*;

use super::*;
use crate::memory::{START, World};

fn limits(per_second: f64) -> Limits {
    Limits { per_second: Some(per_second.try_into().unwrap()), in_flight: None }
}

/// When requests begin that come as soon as they may, each `late` by so many milliseconds and going
/// well or not, for so many seconds.
fn begun(per_second: f64, seconds: u64, mut each: impl FnMut() -> (u64, bool)) -> Vec<Timestamp> {
    let gate = Gate::new(limits(per_second), None, true, START);
    let bound = gate.bound;
    let mut now = START;
    let mut begun = Vec::new();
    while now < START.plus(Duration::from_secs(seconds)) {
        let wait = gate.state().wait(bound, now);
        if wait.is_zero() {
            gate.state().begin(bound, now);
            begun.push(now);
            let (late, well) = each();
            if well {
                gate.went_well(now);
            } else {
                gate.went_badly(now);
            }
            now = now.plus(Duration::from_millis(late));
        }
        // As the clock's own sleep: never early.
        now = now.plus(wait.max(Duration::from_micros(999)) + Duration::from_micros(999));
    }
    begun
}

/// Most that begin within any time of this length.
fn most_within(begun: &[Timestamp], time: Duration) -> usize {
    let count = |first: usize| {
        let end = begun[first].plus(time);
        begun[first..].iter().take_while(|at| **at < end).count()
    };
    (0..begun.len()).map(count).max().unwrap_or_default()
}

proptest! {
    #[test]
    fn no_second_has_more_requests_than_the_limit_wherever_it_begins(
        thousandths in 100u32..=60_000, late in proptest::collection::vec(0u64..700, 50),
        bad in proptest::collection::vec(proptest::bool::weighted(0.05), 50),
    ) {
        let per_second = f64::from(thousandths) / 1000.0;
        let mut n = 0;
        let begun = begun(per_second, 60, || {
            n += 1;
            // Now and then one is late.
            (if n % 7 == 0 { late[n % 50] } else { 0 }, !bad[n % 50])
        });
        let whole = usize::try_from(thousandths.div_ceil(1000)).unwrap();
        let bound = PerSecond::try_from(per_second).unwrap();
        prop_assert!(most_within(&begun, Duration::from_secs(1)) <= whole);
        prop_assert!(most_within(&begun, bound.within()) <= whole);
    }
}

#[test]
fn who_is_well_begins_at_the_limit_and_keeps_to_it() {
    for (per_second, least) in [(0.1, 6), (2.0, 119), (7.0, 415), (100.0, 5_950), (1000.0, 30_000)]
    {
        let count = begun(per_second, 60, || (0, true)).len();
        assert!(count >= least, "{count} requests in a minute at {per_second} a second");
    }
}

#[test]
fn failures_slow_it_down_and_successes_bring_it_back_to_the_limit() {
    let gate = Gate::new(limits(8.0), None, true, START);
    for _ in 0..3 {
        gate.went_badly(START);
    }
    assert!((gate.rate() - 1.0).abs() < 1e-9, "{}", gate.rate());
    for seconds in 1..=16 {
        gate.went_well(START.plus(Duration::from_secs(seconds)));
    }
    assert!((gate.rate() - 8.0).abs() < 1e-9, "{}", gate.rate());
    let slow = Gate::new(limits(0.1), None, true, START);
    slow.went_badly(START);
    assert!((slow.rate() - 0.1).abs() < 1e-9, "no slower than the slowest limit");
}

#[test]
fn the_pace_of_the_slice_before_goes_on_and_who_is_not_well_begins_slowly() {
    let rate = |rate, well, limits| Gate::new(limits, rate, well, START).rate();
    let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(close(rate(Some(3.0), true, limits(8.0)), 3.0));
    assert!(close(rate(Some(30.0), true, limits(8.0)), 8.0));
    assert!(close(rate(None, false, limits(8.0)), 1.0));
    assert!(close(rate(None, false, limits(0.5)), 0.5));
    assert!(close(rate(None, true, Limits::default()), 1.0), "without limits as ever");
    let in_flight = Limits { per_second: None, in_flight: Some(3) };
    assert!(close(rate(None, true, in_flight), MAX), "nothing but the width holds it back");
    let gate = Gate::new(limits(8.0), None, true, START);
    gate.begin_again(START);
    assert!(close(gate.rate(), 1.0), "after a breaker's pause");
}

#[test]
fn a_few_are_read_ahead_and_no_more() {
    let ended = Arc::default();
    let started = |per_second: f64| {
        let gate = Arc::new(Gate::new(limits(per_second), None, true, START));
        let mut turns = Vec::new();
        while gate.wait(START).is_zero() && turns.len() < 1_000 {
            turns.extend(gate.turn(&ended, Timestamp(i64::MAX)));
        }
        let count = turns.len();
        drop(turns);
        assert!(gate.wait(START).is_zero(), "who never came to it makes room");
        count
    };
    assert_eq!(started(0.1), 1);
    assert_eq!(started(2.0), 1);
    assert_eq!(started(100.0), 25);
}

#[tokio::test]
async fn a_turn_ends_with_the_slice_and_is_not_waited_for_in_vain() {
    let world = World::new();
    let clock = &&world;
    let ended = Arc::default();
    let gate = Arc::new(Gate::new(limits(0.5), None, true, START));
    let turn = |latest| gate.turn(&ended, latest).unwrap();
    let far = START.plus(Duration::from_mins(1));

    let mut first = turn(far);
    assert_eq!(first.first(clock).await, Some(START));
    // Two seconds later it may, and that is too late.
    assert_eq!(first.next(clock, START.plus(Duration::from_millis(1_999))).await, None);
    assert_eq!(world.time(), START, "no time was lost");
    let at = first.next(clock, far).await.unwrap();
    assert!(at.since(START) >= Duration::from_secs(2), "{at:?}");
    assert_eq!(gate.until_quiet(at), Duration::from_secs(2));
    assert_eq!(turn(START).first(clock).await, None, "the slice has no more time");
    ended.store(true, Ordering::Relaxed);
    assert_eq!(first.next(clock, far).await, None);
    assert_eq!(turn(far).first(clock).await, None);
    assert!(gate.until_quiet(far).is_zero());
}

#[test]
fn a_clock_that_is_set_back_does_not_stop_it() {
    let gate = Gate::new(limits(1.0), None, true, START);
    gate.state().begin(gate.bound, START.plus(Duration::from_hours(1)));
    assert!(gate.until_quiet(START) <= Duration::from_secs(1));
    assert!(gate.wait(START) <= Duration::from_secs(10));
}
