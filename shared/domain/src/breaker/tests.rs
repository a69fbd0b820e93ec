use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn at(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

fn seen(seconds: u64, delivery: &str, ill: bool) -> Observation {
    Observation {
        at: at(seconds),
        delivery: delivery.into(),
        ill,
        latency: Duration::from_millis(20),
    }
}

fn after(observations: &[Observation]) -> Breaker {
    let now = observations.last().map_or(NOW, |last| last.at);
    Breaker::default().observe(&Policy::default(), observations, &Before::default(), now, 0.0)
}

#[test]
fn a_sustained_high_rate_opens_it() {
    let breaker = after(&(0..5).map(|n| seen(n * 8, "d", true)).collect::<Vec<_>>());
    let open = breaker.open.unwrap();
    assert_eq!(open.cause, Cause::FailureRate);
    assert_eq!(open.until, at(32 + 30));
}

#[test]
fn a_burst_shorter_than_the_span_does_not() {
    assert_eq!(after(&(0..29).map(|n| seen(n, "d", true)).collect::<Vec<_>>()).open, None);
}

#[test]
fn one_error_in_ten_never_opens_it() {
    let mut breaker = Breaker::default();
    for n in 0..5_000 {
        let one = seen(n, &format!("d{n}"), n % 10 == 0);
        breaker = breaker.observe(&Policy::default(), &[one], &Before::default(), at(n), 0.0);
        assert_eq!(breaker.open, None, "after {n} attempts");
    }
}

#[test]
fn thin_traffic_opens_it_by_failures_in_a_row_of_two_deliveries() {
    let policy = Policy::default();
    let fail = |deliveries: [&str; 5]| {
        let mut breaker = Breaker::default();
        for (n, delivery) in deliveries.iter().enumerate() {
            let when = n as u64 * 600;
            breaker = breaker.observe(
                &policy,
                &[seen(when, delivery, true)],
                &Before::default(),
                at(when),
                0.0,
            );
        }
        breaker.open.map(|open| open.cause)
    };
    assert_eq!(fail(["a", "a", "a", "b", "a"]), Some(Cause::FailuresInARow));
    assert_eq!(fail(["a"; 5]), None, "one poison delivery is not an ill endpoint");
}

#[test]
fn successes_that_were_not_written_count_with_the_next_failure() {
    let failures: Vec<_> = (0..5).map(|n| seen(n * 8, "d", true)).collect();
    let six: Vec<_> = (0..6).map(|_| seen(0, "d", false)).collect();
    let before = Before::default().and(&Policy::default(), &six, at(32));
    let breaker = Breaker::default().observe(&Policy::default(), &failures, &before, at(32), 0.0);
    assert_eq!(breaker.open, None, "5 of 11 is less than half");
}

#[test]
fn pauses_double_up_to_the_longest_and_a_probe_alone_closes() {
    let policy = Policy::default();
    let mut breaker = after(&(0..5).map(|n| seen(n * 8, "d", true)).collect::<Vec<_>>());
    let mut now = breaker.open.unwrap().until;
    let mut pauses = Vec::new();
    for _ in 0..7 {
        breaker = breaker.extend(&policy, "key", now, 0.0);
        let until = breaker.open.unwrap().until;
        pauses.push(until.since(now).as_secs());
        now = until;
    }
    assert_eq!(pauses, [60, 120, 240, 480, 900, 900, 900]);
    let later =
        breaker.observe(&policy, &[], &Before::default(), now.plus(Duration::from_hours(99)), 0.0);
    assert!(later.open.is_some(), "time alone never closes it");
    let closed = breaker.close(now);
    assert_eq!(closed.open, None);
    assert!(closed.is_calm(&policy, now));
}

#[test]
fn the_level_falls_back_only_after_healthy_minutes() {
    let policy = Policy::default();
    let breaker = after(&(0..5).map(|n| seen(n * 8, "d", true)).collect::<Vec<_>>());
    let closed = breaker.close(at(100));
    let fail_from = |start: u64| {
        let failures: Vec<_> = (0..5).map(|n| seen(start + n * 8, "d", true)).collect();
        let breaker = closed.observe(&policy, &failures, &Before::default(), at(start + 32), 0.0);
        let open = breaker.open.unwrap();
        open.until.since(open.since).as_secs()
    };
    assert_eq!(fail_from(200), 60, "soon after: twice as long");
    assert_eq!(fail_from(100 + 600), 30, "after ten minutes: short again");
}

#[test]
fn a_wish_after_long_health_starts_with_short_pauses() {
    let policy = Policy::default();
    let troubled = Breaker { level: 5, uneasy_at: NOW, ..Breaker::default() };
    let held = troubled.hold(&policy, at(601), at(600));
    assert_eq!(held.extend(&policy, "key", at(601), 0.0).open.unwrap().until, at(631));
}

#[test]
fn retry_after_is_obeyed_for_at_most_an_hour() {
    let held = Breaker::default().hold(&Policy::default(), at(120), NOW);
    assert_eq!(held.open.unwrap().until, at(120));
    assert_eq!(held.open.unwrap().cause, Cause::RetryAfter);
    let greedy = Breaker::default().hold(&Policy::default(), at(999_999), NOW);
    assert_eq!(greedy.open.unwrap().until, at(3600));
    let at_once = Breaker::default().hold(&Policy::default(), NOW, NOW);
    assert_eq!(at_once.open.unwrap().until, at(1), "never none at all");
    let extended = held.extend(&Policy::default(), "key", NOW, 0.0);
    assert_eq!(extended.open.unwrap().until, at(120), "a failed probe does not shorten it");
    assert_eq!(
        held.hold(&Policy::default(), at(60), NOW).open.unwrap().until,
        at(120),
        "never shortened"
    );
}

#[test]
fn one_answer_that_did_not_come_in_time_is_enough_for_slow_and_five_quick_ones_end_it() {
    let fast = |n: i64| Observation {
        at: Timestamp(n),
        delivery: "d".into(),
        ill: false,
        latency: Duration::from_millis(30),
    };
    let policy = Policy::default();
    let many: Vec<_> = (0..9).map(fast).collect();
    let well = Breaker::default().observe(&policy, &many, &Before::default(), Timestamp(9), 0.0);
    let suspect = well.suspect();
    assert!(suspect.slow && suspect.open.is_none());
    assert_eq!(suspect.streak, well.streak, "it is no failure");
    let after =
        |n| suspect.observe(&policy, &many[..n], &Before::default(), Timestamp(20), 0.0).slow;
    assert!(!after(5));
    assert!(Breaker::default().suspect().slow, "also of an endpoint of which nothing is known");
}

#[test]
fn slow_is_the_median_of_the_recent() {
    let policy = Policy::default();
    let answer = |ms| Observation {
        at: NOW,
        delivery: "d".into(),
        ill: false,
        latency: Duration::from_millis(ms),
    };
    let observe = |all: &[u64]| {
        let seen: Vec<_> = all.iter().map(|ms| answer(*ms)).collect();
        Breaker::default().observe(&policy, &seen, &Before::default(), NOW, 0.0)
    };
    assert!(!observe(&[9_000; 4]).slow, "too few to say");
    assert!(observe(&[9_000; 5]).slow);
    assert!(!observe(&[9_000, 30, 9_000, 30, 30]).slow);
    let slow = observe(&[9_000; 9]);
    let well = slow.observe(
        &policy,
        &(0..5).map(|_| answer(30)).collect::<Vec<_>>(),
        &Before::default(),
        NOW,
        0.0,
    );
    assert!(!well.slow);
}

#[test]
fn it_is_calm_again_two_buckets_after_the_last_failure() {
    let policy = Policy::default();
    let breaker = after(&[seen(0, "d", true)]);
    assert!(!breaker.is_calm(&policy, at(59)));
    assert!(breaker.is_calm(&policy, at(121)));
}

proptest! {
    #[test]
    fn a_pause_is_within_a_tenth_of_its_length(level in 0u32..40, jitter in -1.0f64..1.0) {
        let policy = Policy::default();
        let breaker = Breaker { level, ..Breaker::default() };
        let open = breaker.extend(&policy, "k", NOW, jitter).open.unwrap();
        let pause = open.until.since(NOW);
        prop_assert!(pause >= policy.pause_first.mul_f64(0.89));
        prop_assert!(pause <= policy.pause_max.mul_f64(1.11));
    }

    #[test]
    fn less_than_half_failing_never_opens_by_rate(
        pattern in proptest::collection::vec(any::<bool>(), 1..200),
    ) {
        let seen: Vec<_> = pattern
            .iter()
            .enumerate()
            .flat_map(|(n, ill)| {
                let n = n as u64;
                // Two successes go with each attempt, so at most a third fails, and never in a row.
                [seen(n, "a", *ill), seen(n, "b", false), seen(n, "c", false)]
            })
            .collect();
        let breaker = Breaker::default().observe(&Policy::default(), &seen, &Before::default(), at(200), 0.0);
        prop_assert_eq!(breaker.open, None);
    }
}
