//! Bad endpoints do not delay good ones: in virtual time, so that the same seeds give the same
//! figures wherever this runs.

use flagpost_simulation::{
    fault::Fault,
    neighbours::{Shape, cases},
    queue::IN_FLIGHT_MAX,
    scale::{Both, IN_FLIGHT, Scale, both},
};

/// What the 99th percentile may be, by that with all well.
const RATIO: f64 = 1.2;

fn check(shape: Shape, most: usize, seeds: u64) {
    let cases = cases(shape, most, seeds);
    for case in &cases {
        assert_eq!(case.violation, None, "{case}");
        assert!(case.injected > 0, "{case}");
        assert!(case.onset.bad.len() > 200, "{case}");
        assert!(case.onset.ratio() <= RATIO, "the first minute: {case}");
        assert!(case.whole.ratio() <= RATIO, "{case}");
    }
}

#[test]
fn tenants_do_not_wait_for_bad_ones() {
    check(Shape::Tenants, 1_250, 4);
}

#[test]
fn tenants_do_not_wait_for_bad_ones_with_five_batches_at_a_time() {
    check(Shape::Tenants, 5, 4);
}

#[test]
fn who_shares_events_does_not_wait_for_bad_ones() {
    check(Shape::FanOut, 1_250, 2);
}

#[test]
fn who_shares_events_does_not_wait_for_bad_ones_with_five_batches_at_a_time() {
    check(Shape::FanOut, 5, 2);
}

#[test]
fn a_thousand_integrations_go_on_while_a_fifth_is_ill_for_hours() {
    let scale = Scale { seed: 1, projects: 200, each: 5, hours: 6, requests: 600 };
    let both = both(scale);
    let Both { well, ill, pair } = &both;
    assert_eq!(well.violation, None);
    assert_eq!(ill.violation, None);
    for fault in [
        Fault::EndpointDown,
        Fault::EndpointHangs,
        Fault::EndpointFlaps,
        Fault::EndpointLimits,
        Fault::EndpointSlow,
    ] {
        assert!(ill.tally.of(fault) > 0, "{fault} did not happen");
    }
    assert!(pair.ratio() <= RATIO, "{both}");
    assert_eq!([well.uneasy, ill.uneasy], [0, 0], "who is well costs no writes of health");
    assert_eq!(well.health_writes, 0);
    assert!(IN_FLIGHT * 2 == IN_FLIGHT_MAX && ill.in_flight.iter().all(|most| *most < IN_FLIGHT));
}
