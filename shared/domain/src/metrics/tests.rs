mod thousand;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::{
    batch::{Batch, Record, tests::message},
    integration::Integration,
    memory::{Reply, START, World, integration, policy},
    time::Timestamp,
};

pub(super) fn emf() -> Emf {
    Emf { namespace: "Flagpost".into(), stack: "flagpost-test".into() }
}

/// What the specification says of a document, rule by rule: the metrics that CloudWatch makes of it,
/// each by its name and its dimensions with their values.
pub(super) fn checked(document: &str) -> BTreeSet<(String, Vec<(String, String)>)> {
    assert!(document.len() < 16 * 1024, "1 MB at most, and far from it: {}", document.len());
    assert!(!document.contains('\n'), "one line");
    let root: Value = serde_json::from_str(document).unwrap();
    let root = root.as_object().unwrap();
    let metadata = root["_aws"].as_object().unwrap();
    assert_eq!(metadata.keys().collect::<Vec<_>>(), ["CloudWatchMetrics", "Timestamp"]);
    assert!(metadata["Timestamp"].as_i64().unwrap() > 1_700_000_000_000, "milliseconds");
    let mut series = BTreeSet::new();
    for directive in metadata["CloudWatchMetrics"].as_array().unwrap() {
        let members: Vec<_> = directive.as_object().unwrap().keys().collect();
        assert_eq!(members, ["Dimensions", "Metrics", "Namespace"], "and no others");
        let namespace = directive["Namespace"].as_str().unwrap();
        assert!((1..=255).contains(&namespace.len()));
        let metrics = directive["Metrics"].as_array().unwrap();
        assert!((1..=100).contains(&metrics.len()));
        let sets = directive["Dimensions"].as_array().unwrap();
        assert!(!sets.is_empty());
        for set in sets {
            let names = set.as_array().unwrap();
            assert!(names.len() <= 9, "AWS counts up to 30 today; the schema says 9");
            let dimensions: Vec<_> = names
                .iter()
                .map(|name| {
                    let name = name.as_str().unwrap();
                    let value = root[name].as_str().unwrap();
                    assert!((1..=255).contains(&value.len()));
                    (name.to_owned(), value.to_owned())
                })
                .collect();
            for metric in metrics {
                series.insert((metric["Name"].as_str().unwrap().to_owned(), dimensions.clone()));
            }
        }
        for metric in metrics {
            assert_eq!(metric.as_object().unwrap().keys().collect::<Vec<_>>(), ["Name", "Unit"]);
            let name = metric["Name"].as_str().unwrap();
            assert!((1..=255).contains(&name.len()));
            assert!(
                ["Count", "Seconds", "Milliseconds"].contains(&metric["Unit"].as_str().unwrap())
            );
            match &root[name] {
                Value::Number(_) => {}
                Value::Array(numbers) => {
                    assert!((1..=100).contains(&numbers.len()), "{}", numbers.len());
                    assert!(numbers.iter().all(Value::is_number));
                }
                other => panic!("{name} is neither a number nor an array of numbers: {other}"),
            }
        }
    }
    series
}

fn documents(metrics: &Metrics) -> Vec<Value> {
    let measured = metrics.take();
    let lines: Vec<_> =
        measured.iter().flat_map(|measured| emf().documents(measured, START)).collect();
    for line in &lines {
        checked(line);
    }
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn what_an_invocation_did_is_one_document_for_each_stream() {
    let world = World::with(vec![integration("a"), integration("b")]);
    world.reply("b", Reply::Status(500));
    let batch = Batch::new(&world, policy());
    world.pass(Duration::from_millis(480));
    let body = message(0..3);
    let record = Record { body: &body, receipt: "r", receives: 1 };
    let deadline = world.time().plus(Duration::from_secs(60));
    assert!(batch.fresh(&[record], deadline).await.is_empty());
    let [document] = documents(batch.metrics()).try_into().unwrap();
    let figures = json!({
        "EventsDelivered": 3, "AttemptsFailed": 1, "RequestsRetried": 1,
        "EndToEndLatency": [500], "RequestLatency": [20, 20, 20],
        "Stack": "flagpost-test", "Stream": "impressions",
        "Integrations": [
            {"Integration": "b", "AttemptsFailed": 1, "EventsDelivered": 0},
            {"Integration": "a", "AttemptsFailed": 0, "EventsDelivered": 3},
        ],
    });
    for (name, value) in figures.as_object().unwrap() {
        if name == "EndToEndLatency" {
            // Which of the two goes first is not said.
            let took = document[name][0].as_u64().unwrap();
            assert!((500..=900).contains(&took), "{took}");
        } else {
            assert_eq!(document[name], *value, "{name}");
        }
    }
    assert!(documents(batch.metrics()).is_empty(), "nothing more to say");
    assert!(batch.fresh(&[], deadline).await.is_empty());
    assert!(documents(batch.metrics()).is_empty(), "nothing happened");
}

#[tokio::test]
async fn a_breaker_that_opens_is_counted_once_and_its_deliveries_are_parked() {
    let world = World::with(vec![integration("a")]);
    world.reply("a", Reply::RetryAfter(503, 60));
    let batch = Batch::new(&world, policy());
    for n in 0..3 {
        let body = message(n..n + 1);
        let record = Record { body: &body, receipt: "r", receives: 1 };
        let deadline = world.time().plus(Duration::from_secs(60));
        batch.fresh(&[record], deadline).await;
    }
    let [document] = documents(batch.metrics()).try_into().unwrap();
    assert_eq!((&document["BreakerOpenings"], &document["EventsParked"]), (&json!(1), &json!(3)));
    assert!(document.get("EndToEndLatency").is_none() && document.get("EventsDelivered").is_none());
}

#[test]
fn what_is_of_no_stream_has_the_stack_for_its_only_dimension() {
    let metrics = Metrics::default();
    metrics.rejected();
    metrics.rejected();
    metrics.expired(0);
    metrics.backlog(&Backlog::default());
    let [document] = documents(&metrics).try_into().unwrap();
    assert_eq!(document["RequestsRejected"], 2);
    assert_eq!(document["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["Stack"]]));
    assert!(document.get("Stream").is_none() && document.get("BacklogAge").is_none());
    metrics.swept();
    let [document] = documents(&metrics).try_into().unwrap();
    assert_eq!(document["Sweeps"], 1, "an idle stack's sweep is told too");
    metrics.expired(7);
    let age = Duration::from_secs(90);
    metrics.backlog(&Backlog { integrations: 1, deliveries: 2, events: 30, age });
    let [document] = documents(&metrics).try_into().unwrap();
    assert_eq!((&document["EventsExpired"], &document["BacklogAge"]), (&json!(7), &json!(90)));
    assert_eq!(
        (&document["BacklogDeliveries"], &document["BacklogEvents"]),
        (&json!(2), &json!(30))
    );
}

#[test]
fn ten_thousand_integrations_and_a_million_answers_make_a_few_small_documents() {
    let metrics = Metrics::default();
    for n in 0u32..10_000 {
        let id = format!("01a1fd2a6c807b1c8d2e{n:012}");
        let delivery = crate::memory::delivery("d", 1);
        let delivery = Delivery { integration: id.as_str().into(), ..delivery };
        let attempted = Attempted {
            outcome: Outcome::Delivered,
            failed: vec![],
            untried: vec![],
            given_up: false,
            began: START,
            at: START,
            latency: Duration::ZERO,
            made: crate::attempt::Made {
                requests: 100,
                took: (0..100).map(|m| Duration::from_millis(u64::from(n) * 7 + m)).collect(),
                ..Default::default()
            },
        };
        metrics.of(Stream::Events).attempted(&delivery, &attempted, n % 2 == 0);
    }
    let all = documents(&metrics);
    assert_eq!(all.len(), 10);
    assert_eq!(all[0]["RequestsRetried"], 500_000);
    assert_eq!(all[0]["Integrations"].as_array().unwrap().len(), NAMED);
    assert!(all[1..].iter().all(|document| document.get("RequestsRetried").is_none()));
    let values: Vec<_> = all
        .iter()
        .flat_map(|document| document["RequestLatency"].as_array().unwrap())
        .map(|value| value.as_u64().unwrap())
        .collect();
    assert_eq!((values.len(), values[0]), (1_000, 0));
    assert!(values.is_sorted() && *values.last().unwrap() > 69_000);
}

#[test]
fn names_and_units_are_those_that_cloudwatch_knows() {
    let names: BTreeSet<_> = Metric::ALL.iter().map(|metric| metric.name()).collect();
    assert_eq!(names.len(), Metric::ALL.len());
    assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_alphabetic())));
}

#[tokio::test]
async fn the_sweep_measures_what_is_parked() {
    let world = World::with(vec![integration("a"), Integration { ..integration("b") }]);
    for (id, events) in [("a", 2), ("a", 3), ("b", 5)] {
        let one = Delivery { integration: id.into(), ..crate::memory::delivery("d", events) };
        let parked =
            crate::park::park(&&world, &"web".into(), &id.into(), vec![one], world.time()).await;
        assert!(parked.iter().all(Result::is_ok));
        world.pass(Duration::from_secs(100));
    }
    let days = |days: u64| Duration::from_hours(24 * days);
    let retention = crate::drain::Retention { parked: days(14), dead: days(30) };
    let drain = crate::drain::Drain::new(&world, policy(), Duration::from_secs(180), retention);
    assert_eq!(drain.sweep(Timestamp(i64::MAX)).await.unwrap(), 2, "both are overdue");
    let [document] = documents(drain.metrics()).try_into().unwrap();
    let figures = json!({
        "BacklogIntegrations": 2, "BacklogDeliveries": 3, "BacklogEvents": 10, "BacklogAge": 300,
    });
    for (name, value) in figures.as_object().unwrap() {
        assert_eq!(document[name], *value, "{name}");
    }
    world.fail("list", 1);
    assert_eq!(drain.sweep(Timestamp(i64::MAX)).await.unwrap(), 0, "they were woken just now");
    let [document] = documents(drain.metrics()).try_into().unwrap();
    assert_eq!(document["BacklogIntegrations"], 1, "what could not be listed is left out");
    world.state().objects.clear();
    drain.sweep(Timestamp(i64::MAX)).await.unwrap();
    assert!(documents(drain.metrics()).is_empty(), "nothing is parked");
    assert_eq!(world.time(), Timestamp(START.0 + 300_000));
}
