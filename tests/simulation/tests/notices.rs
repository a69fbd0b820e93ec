//! Operational events of a breaker that ten functions see fail at once.

use flagpost_domain::notice::{By, Change, Notice};
use flagpost_simulation::{
    endpoint::Mode,
    population::{City, Population},
};
use serde_json::json;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
/// Functions that see the last failures.
const FUNCTIONS: u32 = 10;
/// Failures that are too few to open a breaker.
const BEFORE: u32 = 4;
/// Failures that are spread over less than 30 s do not open it either.
const SPREAD: i64 = 35 * SECOND;
/// Functions start within this, and then wait for an answer that all get at the same time.
const ANSWERED: i64 = 1_500;

/// An endpoint fails four functions, and then ten at the same time, of which each alone would open its
/// breaker. Later it is well. How many of the ten were about to open it, and what was told.
fn ten_at_once(seed: u64, call_ms: i64) -> (u64, Vec<Notice>) {
    let mut city = City::with_calls(seed, None, call_ms);
    city.found(Population { projects: 1, each: 1 });
    city.set(0, json!({"immediate_retry": "none"}));
    let begin = city.world.now() + MINUTE;
    let strike = begin + SPREAD;
    city.endpoint(0, |endpoint| {
        endpoint.modes = [
            (0, Mode::FailsAt(begin + ANSWERED)),
            (strike, Mode::FailsAt(strike + ANSWERED)),
            (strike + 5 * SECOND, Mode::Well),
        ]
        .into();
    });
    city.run(begin);
    city.strike(0, BEFORE);
    city.run(strike);
    assert!(city.told().is_empty() && city.openings_tried(0) == 0, "four failures are too few");
    city.strike(0, FUNCTIONS);
    city.run(strike + 5 * SECOND);
    let all = usize::try_from(BEFORE + FUNCTIONS).unwrap_or_default();
    assert_eq!(city.seen(0).len(), all, "all ten were answered");
    assert_eq!(city.told().len(), 1, "seed {seed}: {:?}", city.told());
    city.run(strike + 30 * MINUTE);
    assert_eq!(city.violation(), None);
    assert_eq!(city.untold(), None);
    let counts = city.ledger(0);
    assert_eq!((counts.matched, counts.delivered), (14, 14), "{counts:?}");
    assert!(counts.balances());
    (city.openings_tried(0), city.told())
}

#[test]
fn a_breaker_that_ten_functions_see_fail_at_once_is_told_of_once_and_so_is_its_closing() {
    let mut most = 0;
    for call_ms in [0, 1, 20] {
        for seed in 0..20 {
            let (tried, told) = ten_at_once(seed, call_ms);
            assert!(tried >= 1, "seed {seed}");
            most = most.max(tried);
            let [opened, closed] = &told[..] else { panic!("seed {seed}: {told:?}") };
            let by_breaker = matches!(
                &opened.change,
                Change::Paused { by: By::Breaker, until: Some(until), .. } if *until > opened.at
            );
            assert!(by_breaker, "{opened:?}");
            assert_eq!(closed.change, Change::Resumed { by: By::Breaker });
        }
    }
    // Each of them saw it closed, and only one was not refused.
    assert_eq!(most, u64::from(FUNCTIONS));
}
