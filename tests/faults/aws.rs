//! Every call that the functions make to AWS is spoiled, one after the other, in four ways.
//!
//! A clean run of each scenario says which calls there are. Then each of them gets each fault, for
//! longer than the SDK goes on trying, in a run of its own.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Duration,
};

use futures_util::future::join_all;

use crate::{
    lane::{Done, Lane, Run},
    ministack::MiniStack,
    proxy::{FAULTS, Fault},
    scenario::Scenario,
    wait::{now, pass},
};

/// Runs side by side. They wait far more than they compute.
const LANES: u32 = 32;
/// Three processes start for each: not all at once.
const START_EVERY: Duration = Duration::from_millis(400);

#[tokio::test]
async fn whichever_call_to_aws_fails_in_whichever_way_no_accepted_event_is_lost() {
    let ministack = MiniStack::start().await;
    let began = now();
    // The shortest comes last: a call that is made in several is spoiled in that one.
    let clean = [Scenario::Gone, Scenario::Paced, Scenario::Direct].map(async |scenario| {
        let lane = Lane::make(&ministack).await;
        assert_eq!(lane.run(Run { scenario, spoiled: None }).await.lost, None);
        lane.calls().map(move |call| (call, scenario))
    });
    let calls: BTreeMap<_, _> = join_all(clean).await.into_iter().flatten().collect();
    println!("{} calls: {calls:#?}", calls.len());
    // Fewer would mean that the scenarios do not go all their ways any more.
    assert!(calls.len() >= 39, "{calls:?}");
    println!("clean runs took {:?}", now().since(began));

    let runs = FAULTS.iter().flat_map(|fault| {
        // That an answer is lost matters only where something was done.
        let calls = calls.iter().filter(|(call, _)| *fault != Fault::Lost || !reads(call));
        calls.map(|(call, scenario)| Run {
            scenario: *scenario,
            spoiled: Some((call.clone(), *fault)),
        })
    });
    // The drainer's failures wait the longest: they come first.
    let mut runs: Vec<_> = runs.collect();
    runs.sort_by_key(|run| run.spoiled.as_ref().is_some_and(|(call, _)| call.starts_with("drain")));
    let all = runs.len();
    let runs = Mutex::new(runs);
    let lanes = (0..LANES).map(async |number| {
        pass(START_EVERY * number).await;
        let lane = Lane::make(&ministack).await;
        let mut done = Vec::new();
        while let Some(run) = next(&runs) {
            done.push(lane.run(run).await);
        }
        done
    });
    let done: Vec<_> = join_all(lanes).await.into_iter().flatten().collect();
    tell(&done);
    println!("{all} runs took {:?}", now().since(began));
    assert_eq!(done.len(), all);
    let lost: Vec<_> =
        done.iter().filter_map(|done| Some((&done.spoiled, done.lost.as_ref()?))).collect();
    assert!(lost.is_empty(), "{lost:#?}");
    // A way that a scenario does not always go may be missed by one run, but not by a run of each fault.
    let called = |done: &Done| done.spoiled.as_ref().map(|(call, _)| call.clone());
    let injected: BTreeSet<_> =
        done.iter().filter(|done| done.injected > 0).filter_map(called).collect();
    let idle: Vec<_> = calls.keys().filter(|call| !injected.contains(*call)).collect();
    assert!(idle.is_empty(), "never injected: {idle:?}");
}

fn reads(call: &str) -> bool {
    ["GetItem", "Query", "GetObject", "ListObjects"].iter().any(|read| call.contains(read))
}

fn next(runs: &Mutex<Vec<Run>>) -> Option<Run> {
    runs.lock().unwrap().pop()
}

fn tell(done: &[Done]) {
    for Done { spoiled, injected, resent, repeated, took, .. } in done {
        println!(
            "{spoiled:?}: injected {injected}, sent again {resent}, repeated {repeated}, {took:?}"
        );
    }
    for fault in FAULTS {
        let of = done.iter().filter(|done| done.spoiled.as_ref().is_some_and(|(_, f)| *f == fault));
        let (runs, injected, repeated) = of.fold((0, 0, 0), |(runs, injected, repeated), done| {
            (runs + 1, injected + done.injected, repeated + done.repeated)
        });
        println!("{fault:?}: {runs} runs, {injected} calls spoiled, {repeated} events repeated");
    }
}
