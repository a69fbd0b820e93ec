use serde_json::{Value, json};

use super::*;
use crate::{
    attempt_log::{Function, Then},
    destination::Allowed,
    key::hash,
    memory::{World, integration},
    time::Timestamp,
};

/// An attempt of the integration `a` at each of these milliseconds, of which every third failed.
fn world(times: std::ops::Range<i64>) -> World {
    let world = World::with(vec![integration("a"), integration("b")]);
    let records = times.map(|at| record("a", at, at % 3 == 0));
    world.state().attempts = records.chain([record("b", 7, true)]).collect();
    world
}

fn record(integration: &str, at: i64, failed: bool) -> Record {
    let (outcome, then, error) = if failed {
        (attempt_log::Result::Failed, Then::Dead, Some("status 500".to_owned()))
    } else {
        (attempt_log::Result::Delivered, Then::Delivered, None)
    };
    Record {
        integration: integration.into(),
        delivery: format!("d{at}").as_str().into(),
        at: Timestamp(at),
        from: Function::Batch,
        outcome,
        requests: 1,
        status: Some(if failed { 500 } else { 200 }),
        error,
        duration_ms: 20,
        events: 2,
        delivered: if failed { 0 } else { 2 },
        bytes: 300,
        bytes_sent: 90,
        answer: Some("ok".to_owned()),
        trace_id: (!failed).then(|| "4bf92f3577b34da6a3ce929d0e0e4736".to_owned()),
        then,
        next_at: None,
    }
}

async fn list(world: &World, query: &str) -> (u16, Value) {
    let admin = Admin::new(world, hash("the admin key"), Allowed::default());
    let fields = Fields::query(&query::pairs(query));
    match admin.list_attempts(&"web".into(), &"a".into(), fields).await {
        Ok(reply) => (reply.status, serde_json::from_str(&reply.body.unwrap()).unwrap()),
        Err(Failure::Refused(problem)) => {
            (problem.status(), serde_json::from_str(&problem.body()).unwrap())
        }
        Err(Failure::Port(error)) => (503, json!(error.to_string())),
    }
}

/// The times of one answer, and its `next`.
async fn page(world: &World, query: &str) -> (Vec<i64>, Option<String>) {
    let (status, answer) = list(world, query).await;
    assert_eq!(status, 200, "{query}: {answer}");
    let attempts = answer["attempts"].as_array().unwrap();
    let times = attempts.iter().map(|one| one["at"].as_i64().unwrap()).collect();
    (times, answer["next"].as_str().map(str::to_owned))
}

/// All pages: the times, and how many pages there were.
async fn pages(world: &World, query: &str) -> (Vec<i64>, usize) {
    let (mut all, mut count, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let (times, next) = page(world, &format!("{query}{cursor}")).await;
        all.extend(times);
        count += 1;
        let Some(next) = next else { return (all, count) };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn an_attempt_is_shown_with_its_name() {
    let world = world(5..6);
    let expected = json!({
        "attempts": [{
            "id": "0000000000005-d5", "integration": "a", "delivery": "d5", "at": 5, "from": "batch",
            "outcome": "delivered", "requests": 1, "status": 200, "duration_ms": 20, "events": 2,
            "delivered": 2, "bytes": 300, "bytes_sent": 90, "answer": "ok",
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "then": "delivered",
        }],
        "next": null,
    });
    assert_eq!(list(&world, "").await, (200, expected));
}

#[tokio::test]
async fn pages_go_from_new_to_old_and_are_the_whole() {
    let world = world(0..121);
    let whole: Vec<_> = (0..121).rev().collect();
    for (limit, count) in [(1, 121), (11, 11), (60, 3), (100, 2)] {
        let paged = pages(&world, &format!("limit={limit}")).await;
        assert_eq!(paged, (whole.clone(), count), "{limit}");
    }
    assert_eq!(pages(&world, "from=0").await.1, 3, "50 by default");
    let span = pages(&world, "from=20&to=25&limit=2").await;
    assert_eq!(span, (vec![24, 23, 22, 21, 20], 3), "`to` is not in it");
    world.state().calls.clear();
    page(&world, "limit=100").await;
    assert_eq!(world.state().calls["attempts"], 1, "one read for one page");
}

#[tokio::test]
async fn one_outcome_is_looked_for_until_there_is_enough_of_it() {
    let world = world(0..900);
    let failed: Vec<_> = (0..900).rev().filter(|at| at % 3 == 0).collect();
    for (limit, count) in [(7, 43), (100, 3)] {
        let paged = pages(&world, &format!("outcome=failed&limit={limit}")).await;
        assert_eq!(paged, (failed.clone(), count), "{limit}");
    }
    let other = pages(&world, "outcome=gone").await;
    assert_eq!(other, (vec![], 1));
    let within = pages(&world, "outcome=failed&from=10&to=19").await;
    assert_eq!(within, (vec![18, 15, 12], 1));
}

#[tokio::test]
async fn a_search_ends_at_its_bound_and_the_next_goes_on_from_there() {
    let world = world(0..0);
    let successes = (0..4_000).map(|at| record("a", 10_000 + at, false));
    world.state().attempts = successes.chain([record("a", 9_000, true)]).collect();
    world.state().calls.clear();
    let (times, next) = page(&world, "outcome=failed").await;
    assert_eq!((times, next.is_some()), (vec![], true));
    assert_eq!(world.state().calls["attempts"], READS);
    assert_eq!(pages(&world, "outcome=failed").await, (vec![9_000], 3));
}

#[tokio::test]
async fn every_fault_of_a_query_is_named() {
    let world = world(0..3);
    for (query, field) in [
        ("outcome=lost", "outcome"),
        ("outcome=", "outcome"),
        ("limit=101", "limit"),
        ("from=2&to=2", "to"),
        ("from=now", "from"),
        ("cursor=x", "cursor"),
        // `-5`, `5-d`: no names of records.
        ("cursor=LTU", "cursor"),
        ("cursor=NS1k", "cursor"),
        ("state=dead", "state"),
    ] {
        let (status, answer) = list(&world, query).await;
        let errors = answer["errors"].as_array().unwrap();
        assert_eq!((status, errors.len()), (400, 1), "{query}: {answer}");
        assert_eq!(errors[0]["field"], field, "{query}");
    }
    world.fail("attempts", 1);
    assert_eq!(list(&world, "").await.0, 503);
    world.state().integrations.clear();
    assert_eq!(list(&world, "").await.0, 404, "others' attempts are not shown by their id alone");
}
