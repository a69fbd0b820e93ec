//! The filter beside a naive matcher, on random patterns and events.
//!
//! `FLAGPOST_FILTER_CASES` sets the number of cases; without it there are as many as fit into a
//! few seconds of a debug build. Each case is made from its number alone, so that one that
//! differs can be looked at again.
#![cfg(test)]

mod event;
mod naive;
mod pattern;

use flagpost_filter::Filter;
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use serde_json::Value;

#[expect(
    clippy::disallowed_methods,
    reason = "how long to search is up to the person who runs the test"
)]
fn cases() -> u64 {
    std::env::var("FLAGPOST_FILTER_CASES")
        .map_or(40_000, |cases| cases.parse().expect("a number of cases"))
}

#[test]
fn the_filter_and_a_naive_matcher_agree() {
    let mut matched = 0;
    for case in 0..cases() {
        let mut chance = Pcg64Mcg::seed_from_u64(case);
        let pattern = pattern::pattern(&mut chance, 3);
        let filter = Filter::compile(&pattern)
            .unwrap_or_else(|error| panic!("case {case}: {error}: {pattern}"));
        let text = event::event(&mut chance, &pattern);
        let event: Value = serde_json::from_str(&text).unwrap();
        let expected = naive::matches(&pattern, &event);
        assert_eq!(
            filter.matches(text.as_bytes()).unwrap(),
            expected,
            "case {case}: {pattern} {text}"
        );
        matched += u64::from(expected);
    }
    println!("{} cases compared, of which {matched} matched", cases());
    assert!(matched > cases() / 5 && matched < cases() / 5 * 4, "{matched} of {} matched", cases());
}
