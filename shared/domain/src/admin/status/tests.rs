use serde_json::{Value, json};

use super::*;
use crate::{
    admin::memory::Memory,
    breaker::{Breaker, Open},
};

const NOW: Timestamp = Timestamp(1_000_000);

fn health() -> Health {
    Health::new("shop".into(), "i1".into())
}

fn open() -> Breaker {
    let open = Open { since: NOW, until: Timestamp(1_030_000), cause: Cause::FailureRate };
    Breaker { open: Some(open), slow: true, ..Breaker::default() }
}

fn shown(hidden: Option<State>, health: &Health, hours: &[(String, Counts)]) -> Value {
    serde_json::to_value(show(hidden, health, Backlog::default(), hours)).unwrap()
}

#[test]
fn one_that_was_never_unwell_is_well() {
    let none = json!({"open": false, "since": null, "until": null, "cause": null});
    let value = shown(None, &health(), &[]);
    assert_eq!(value["state"], "well");
    assert_eq!(value["breaker"], none);
    assert_eq!(value["pause"], Value::Null);
    assert_eq!(value["next_probe_at"], Value::Null);
    assert_eq!(value["next_wake_at"], Value::Null);
    assert_eq!(
        value["backlog"],
        json!({"deliveries": 0, "events": 0, "at_least": false, "oldest_at": null})
    );
    assert_eq!(value["ledger"]["balances"], true);
    assert_eq!(value["ledger"]["hours"], json!([]));
}

#[test]
fn what_weighs_more_is_the_state_and_nothing_is_hidden() {
    let mut health = Health { breaker: open(), next_wake_at: Some(NOW), ..health() };
    let value = shown(None, &health, &[]);
    assert_eq!(value["state"], "open");
    assert_eq!(
        value["breaker"],
        json!({"open": true, "since": 1_000_000, "until": 1_030_000, "cause": "failure_rate"})
    );
    assert_eq!(value["next_probe_at"], 1_030_000);
    assert_eq!(value["next_wake_at"], 1_000_000);

    health.pause = Some(Pause { at: NOW, reason: "410 Gone".into() });
    let value = shown(None, &health, &[]);
    assert_eq!(value["state"], "paused");
    assert_eq!(value["pause"], json!({"at": 1_000_000, "reason": "410 Gone"}));
    assert_eq!(value["breaker"]["open"], true);
    assert_eq!(value["next_probe_at"], Value::Null, "nothing is probed while it is paused");

    assert_eq!(shown(Some(State::Disabled), &health, &[])["state"], "disabled");
    assert_eq!(shown(Some(State::Deleted), &health, &[])["state"], "deleted");

    let slow = Health { breaker: Breaker { open: None, ..open() }, pause: None, ..health };
    assert_eq!(shown(None, &slow, &[])["state"], "slow");
}

#[test]
fn the_ledger_is_shown_by_hour_and_summed() {
    let hours = [
        ("2026-11-21T05".to_owned(), Counts { matched: 5, parked: 5, ..Counts::default() }),
        (
            "2026-11-21T06".to_owned(),
            Counts { matched: 1, delivered: 6, unparked: 5, ..Counts::default() },
        ),
    ];
    let value = shown(None, &health(), &hours);
    let ledger = &value["ledger"];
    assert_eq!(ledger["hours"][0]["hour"], "2026-11-21T05");
    assert_eq!(ledger["hours"][0]["parked"], 5);
    assert_eq!(ledger["hours"][1]["delivered"], 6);
    assert_eq!(ledger["total"]["matched"], 6);
    assert_eq!(ledger["total"]["discarded"], 0);
    assert_eq!(ledger["balances"], true);
    let lost = [("2026-11-21T05".to_owned(), Counts { matched: 1, ..Counts::default() })];
    assert_eq!(shown(None, &health(), &lost)["ledger"]["balances"], false);
}

fn parked(count: u64) -> Memory {
    let memory = Memory::default();
    let key = |n| format!("parked/i1/{n:013}-d{n}-2.json.gz");
    memory.inner().objects = (0..count).map(key).collect();
    memory
}

#[tokio::test]
async fn a_backlog_is_counted_from_its_keys() {
    let memory = parked(2_500);
    let others = ["parked/i10/0000000000001-d-9.json.gz", "dead/i1/0000000000001-d-9.json.gz"];
    memory.inner().objects.extend(others.map(str::to_owned));
    memory.inner().objects.push("parked/i1/not-ours".to_owned());
    let counted = backlog(&memory, &"i1".into()).await.unwrap();
    assert_eq!((counted.deliveries, counted.events, counted.at_least), (2_500, 5_000, false));
}

#[tokio::test]
async fn exactly_as_many_as_are_counted_is_not_at_least() {
    let counted = backlog(&parked(20_000), &"i1".into()).await.unwrap();
    assert_eq!((counted.deliveries, counted.events, counted.at_least), (20_000, 40_000, false));
}

#[tokio::test]
async fn a_longer_backlog_is_at_least_that_and_not_listed_further() {
    let memory = parked(25_000);
    let counted = backlog(&memory, &"i1".into()).await.unwrap();
    assert_eq!((counted.deliveries, counted.events, counted.at_least), (20_000, 40_000, true));
    assert_eq!(memory.inner().pages, 21);
}

#[tokio::test]
async fn the_oldest_is_what_is_parked_for_longest_whatever_its_name_says() {
    // The first by name was dead, and parked again a moment ago.
    let memory = parked(1_500);
    let key = |n: i64| format!("parked/i1/{n:013}-d{n}-2.json.gz");
    for n in 0..1_500 {
        memory.inner().written.insert(key(n), Timestamp(n + 10_000));
    }
    memory.inner().written.insert(key(0), Timestamp(99_000));
    memory.inner().written.insert(key(1_200), Timestamp(1_200));
    let counted = backlog(&memory, &"i1".into()).await.unwrap();
    assert_eq!(counted.oldest_at, Some(Timestamp(1_200)));
    assert_eq!(memory.inner().pages, 3, "no more listings than it takes to count");
}

#[tokio::test]
async fn where_nothing_is_parked_nothing_is_the_oldest() {
    let memory = parked(0);
    memory.inner().objects.push("parked/i1/not-ours".to_owned());
    assert_eq!(backlog(&memory, &"i1".into()).await.unwrap(), Backlog::default());
}
