//! Requests counted exactly: what the endpoint sees of an event that it never takes, over the
//! whole schedule, amid many that it takes, so that no breaker opens.

#![expect(clippy::unwrap_used, reason = "what is broken is to be seen")]

use std::collections::BTreeSet;

use flagpost_domain::ledger::Counts;
use flagpost_simulation::{
    endpoint::Arrival,
    population::{City, Population},
};
use serde_json::{Value, json};

const MINUTE: i64 = 60_000;
/// The schedule takes four hours; so long are events sent, and looked at.
const HOURS: i64 = 5;
/// So often comes one that is taken.
const EVERY: i64 = MINUTE;
/// The same where several are refused.
const OFTEN: i64 = 4_000;

/// How many of these come.
fn singles(every: i64) -> u64 {
    u64::try_from(HOURS * 60 * MINUTE / every).unwrap()
}

/// A City with one integration that is set so, whose endpoint answers `status` to events `poisons`
/// of the first request, after `takes` milliseconds. One request carries `together` events, and
/// then single ones follow for hours.
fn city(settings: Value, together: u32, poisons: &[u32], status: u16, takes: i64) -> City {
    busy(settings, together, poisons, status, takes, EVERY)
}

/// The same, with a single event every so many milliseconds.
fn busy(
    settings: Value,
    together: u32,
    poisons: &[u32],
    status: u16,
    takes: i64,
    every: i64,
) -> City {
    let mut city = City::new(7, None);
    city.found(Population { projects: 1, each: 1 });
    city.set(0, settings);
    let mut tenant = city.tenants[0].clone();
    let begin = city.world.now() + MINUTE;
    let first = city.number(0, together);
    city.endpoint(0, |endpoint| {
        endpoint.poisons = poisons.iter().map(|place| first[*place as usize]).collect();
        endpoint.poisoned = status;
        endpoint.takes = takes;
    });
    tenant.requests.push((begin, 0, first));
    for after in (0..HOURS * 60 * MINUTE).step_by(usize::try_from(every).unwrap()) {
        tenant.requests.push((begin + every + after, 0, city.number(0, 1)));
    }
    city.send(tenant);
    city.run(begin + HOURS * 60 * MINUTE + 10 * MINUTE);
    assert_eq!(city.violation(), None);
    city
}

/// The requests with an event, attempt by attempt.
fn attempts(seen: &[Arrival], event: u32) -> Vec<Vec<&Arrival>> {
    let mut attempts: Vec<Vec<&Arrival>> = Vec::new();
    for one in seen.iter().filter(|one| one.events.contains(&event)) {
        match attempts.last_mut() {
            Some(last) if last.last().is_some_and(|before| one.at - before.at < 20_000) => {
                last.push(one);
            }
            _ => attempts.push(vec![one]),
        }
    }
    attempts
}

/// A single event to which the endpoint always answers so.
fn alone(retry: Option<&str>, status: u16, takes: i64) -> City {
    let settings = json!({
        "preset": "amplitude", "max_events": 1, "immediate_retry": retry,
    });
    city(settings, 1, &[0], status, takes)
}

/// How many requests each attempt had, of ten attempts with one id; the event is dead then.
fn requests(city: &City) -> Vec<usize> {
    let seen = city.seen(0);
    let attempts = attempts(&seen, 0);
    let ids: BTreeSet<_> = attempts.iter().flatten().map(|one| one.id.as_str()).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(attempts.len(), 10);
    let lasted = attempts[9][0].at - attempts[0][0].at;
    assert!((210 * MINUTE..=240 * MINUTE).contains(&lasted), "{lasted} ms");
    let counts = city.ledger(0);
    let sent = singles(EVERY) + 1;
    let expected = [sent, sent - 1, 1];
    assert_eq!([counts.matched, counts.delivered, counts.dead], expected, "{counts:?}");
    attempts.iter().map(Vec::len).collect()
}

#[test]
fn backoff_makes_thirty_requests_for_a_503_and_ten_for_a_400() {
    for retry in [None, Some("backoff")] {
        for (status, each) in [(503, 3), (500, 3), (429, 3), (400, 1), (404, 1)] {
            let city = alone(retry, status, 50);
            assert_eq!(requests(&city), [each; 10], "{status}");
        }
    }
}

#[test]
fn once_makes_twenty_requests_whatever_the_answer_was_and_none_ten() {
    for status in [503, 400] {
        assert_eq!(requests(&alone(Some("once"), status, 50)), [2; 10], "once, {status}");
        assert_eq!(requests(&alone(Some("none"), status, 50)), [1; 10], "none, {status}");
    }
}

#[test]
fn the_waits_are_those_that_are_promised() {
    let waits = |retry: &str| {
        let city = alone(Some(retry), 503, 50);
        let seen = city.seen(0);
        let attempts = attempts(&seen, 0);
        let wait = |pair: &[&Arrival]| pair[1].at - pair[0].answered_at;
        attempts.iter().map(|one| one.windows(2).map(wait).collect()).collect::<Vec<Vec<i64>>>()
    };
    let backoff = waits("backoff");
    for waits in &backoff {
        assert!((50..=150).contains(&waits[0]) && (100..=300).contains(&waits[1]), "{waits:?}");
    }
    let different: BTreeSet<_> = backoff.iter().flatten().collect();
    assert!(different.len() > 10, "no jitter: {different:?}");
    assert_eq!(waits("once"), vec![vec![300]; 10]);
}

#[test]
fn no_request_of_a_backoff_begins_after_four_seconds() {
    let city = alone(Some("backoff"), 503, 1_900);
    let seen = city.seen(0);
    let attempts = attempts(&seen, 0);
    assert_eq!(attempts.len(), 10);
    for attempt in &attempts {
        let last = attempt[attempt.len() - 1].at - attempt[0].at;
        assert!(last <= 4_000, "{last} ms");
        // The third would begin 4 s and some milliseconds after the first, or just in time.
        assert!((2..=3).contains(&attempt.len()));
    }
    let count: usize = attempts.iter().map(Vec::len).sum();
    assert!((20..30).contains(&count), "{count}");
}

/// Fifty events in one delivery, each a request of its own, of which some are never taken.
fn fifty(poisons: &[u32], status: u16) {
    let settings = json!({"preset": "amplitude", "max_events": 50});
    // So many are taken meanwhile that it is not seen as ill.
    let city = busy(settings, 50, poisons, status, 20, OFTEN);
    let seen = city.seen(0);
    let each = if status >= 500 { 3 } else { 1 };
    for event in 0..50 {
        let attempts = attempts(&seen, event);
        let made: Vec<_> = attempts.iter().map(Vec::len).collect();
        let of: Vec<_> = attempts.into_iter().flatten().collect();
        if poisons.contains(&event) {
            assert_eq!(made, [each; 10], "event {event}");
        } else {
            assert_eq!((of.len(), of[0].status), (1, Some(200)), "event {event}");
        }
        let place = format!(".{}", event + 1);
        assert!(of.iter().all(|one| one.id.ends_with(&place)), "event {event}");
        let whole = |one: &Arrival| one.id.split_once('.').map(|(whole, _)| whole.to_owned());
        assert!(of.iter().all(|one| whole(one) == whole(&seen[0])), "event {event}");
    }
    let dead = u64::try_from(poisons.len()).unwrap();
    let sent = 50 + singles(OFTEN);
    let Counts { matched, delivered, dead: laid, filtered, .. } = city.ledger(0);
    assert_eq!([matched, delivered, laid, filtered], [sent, sent - dead, dead, 0]);
}

#[test]
fn one_event_of_fifty_hinders_no_other() {
    for status in [400, 500] {
        for place in [0, 17, 49] {
            fifty(&[place], status);
        }
    }
}

#[test]
fn two_events_of_fifty_hinder_no_other() {
    fifty(&[0, 1], 400);
    fifty(&[8, 30], 500);
}

#[test]
fn four_events_of_fifty_hinder_no_other_in_the_front() {
    fifty(&[0, 1, 2, 3], 400);
    fifty(&[0, 1, 2, 3], 500);
}

#[test]
fn who_fails_five_times_in_a_row_is_left_alone_until_the_first_slot() {
    for (status, each) in [(400, 1), (503, 3)] {
        let settings = json!({"preset": "amplitude", "max_events": 50});
        let city = busy(settings, 50, &[0, 1, 2, 3, 4, 5, 6], status, 20, OFTEN / 2);
        let seen = city.seen(0);
        let first = seen[0].at;
        for event in 0..50 {
            let attempts = attempts(&seen, event);
            let began = attempts[0][0].at - first;
            let slot = if event < 5 { 0..5_000 } else { 54_000..70_000 };
            assert!(slot.contains(&began), "event {event} after {began} ms");
            let made: Vec<_> = attempts.iter().map(Vec::len).collect();
            if event < 7 {
                assert_eq!(made, [each; 10], "event {event}");
                let lasted = attempts[9][0].at - attempts[0][0].at;
                assert!((210 * MINUTE..=241 * MINUTE).contains(&lasted), "{lasted} ms");
            } else {
                assert_eq!((made, attempts[0][0].status), (vec![1], Some(200)), "event {event}");
            }
        }
        assert_eq!(city.ledger(0).dead, 7);
    }
}

#[test]
fn an_attempt_begins_requests_for_five_seconds_and_the_rest_goes_on_at_once() {
    let settings = json!({"preset": "amplitude", "max_events": 50});
    let city = city(settings, 50, &[0], 400, 270);
    let seen = city.seen(0);
    let first = seen[0].at;
    let began: Vec<_> = (0..50).map(|event| attempts(&seen, event)[0][0].at - first).collect();
    assert!(began.windows(2).all(|pair| pair[1] > pair[0]), "in their order: {began:?}");
    assert!(began[49] < 15_000, "at once: {began:?}");
    let made: Vec<_> = (0..50).map(|event| attempts(&seen, event).len()).collect();
    assert_eq!((made[0], &made[1..]), (10, &[1; 49][..]));
    assert_eq!(city.ledger(0).dead, 1);
    // An attempt with what was sent at first, one with each rest, and nine of what failed.
    assert_eq!(city.made().attempts, singles(EVERY) + 3 + 9);
}

#[test]
fn what_a_filter_leaves_out_is_counted_and_not_sent() {
    let settings = json!({
        "preset": "amplitude", "payload": "ndjson", "filter": {"kind": ["click", "view"]},
    });
    let city = city(settings, 60, &[], 400, 20);
    let seen = city.seen(0);
    assert_eq!(seen[0].events.len(), 40);
    let Counts { matched, delivered, filtered, .. } = city.ledger(0);
    let sent = 60 + singles(EVERY);
    assert_eq!([matched, delivered, filtered], [sent / 3 * 2, sent / 3 * 2, sent / 3]);
}
