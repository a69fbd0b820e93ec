//! Operational events: on the default bus, and as webhooks.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::{
    bus::Bus,
    containers::Containers,
    project::{Project, Webhook},
    receiver::Reply,
    sample,
    signatures::{STANDARD_SECRET, case, verify},
    stack::{SLOTS, now},
    wait::let_pass,
};

/// Functions that see the last failures.
const FUNCTIONS: usize = 10;
/// Failures that are too few to open a breaker.
const BEFORE: usize = 4;
/// `BreakerSpanSeconds`, and somewhat more.
const SPREAD: Duration = Duration::from_millis(4_500);
/// Nothing more comes so long after the last.
const QUIET: Duration = Duration::from_secs(5);

/// An integration that is told what happens in its project.
async fn operations(project: &Project) -> Webhook {
    let settings = json!({
        "preset": "standard", "stream": "operations", "payload": "object", "secret": STANDARD_SECRET,
    });
    project.webhook(settings).await
}

#[tokio::test]
async fn a_breaker_that_ten_functions_see_fail_at_once_is_told_of_once_and_so_is_its_closing() {
    let project = Project::new().await;
    let bus = Bus::of(&project).await;
    let operations = operations(&project).await;
    let webhook = project.webhook(json!({"max_events": 1, "immediate_retry": "none"})).await;
    let containers = Containers::start(&project.stack, FUNCTIONS).await;
    let sent = sample::impressions("told", 2 * FUNCTIONS + BEFORE);
    // As ingest makes them.
    let made: Vec<_> = sent.iter().cloned().map(sample::delivered).collect();

    // All is well: each container knows the integration from here on.
    containers.deliver(&project, &made[..FUNCTIONS]).await;
    assert_eq!(webhook.receiver.count(), FUNCTIONS);
    let began = now();
    webhook.receiver.answers_always(500);
    containers.deliver(&project, &made[FUNCTIONS..FUNCTIONS + BEFORE]).await;
    assert_eq!(webhook.status().await.state(), "well", "{BEFORE} failures are too few");
    let_pass(SPREAD.saturating_sub(now().since(began))).await;
    // Retries of what failed before do not come in between.
    let barrier = Arc::new(Barrier::new(FUNCTIONS));
    let held = Arc::clone(&barrier);
    webhook.receiver.answers(move |_| Reply::status(500).together(&held));
    let before = webhook.receiver.count();
    containers.deliver(&project, &made[FUNCTIONS + BEFORE..]).await;
    assert_eq!(webhook.receiver.count(), before + FUNCTIONS, "ten requests by ten functions");
    assert_eq!(containers.saying("breaker opened"), 1);
    let status = webhook.status().await;
    assert_eq!(status.state(), "open", "{status:?}");
    let open_until = status.0["breaker"]["until"].clone();

    let mut told = Vec::new();
    bus.until(&mut told, 1).await;
    webhook.receiver.answers_always(200);
    webhook.has_delivered_all(&sent).await;
    bus.until(&mut told, 2).await;
    operations.has_settled(2).await;
    let_pass(QUIET).await;
    told.extend(bus.received().await);
    assert_eq!(told.len(), 2, "{told:?}");

    // Exactly what is documented.
    let (opened, closed) = (&told[0], &told[1]);
    let detail = &opened["detail"];
    let expected = json!({
        "id": detail["id"], "at": detail["at"], "project": project.id, "integration": webhook.id,
        "type": "integration.paused", "by": "breaker", "reason": detail["reason"],
        "until": detail["until"],
    });
    assert_eq!(*detail, expected);
    let reasons = ["every attempt failed", "too many attempts failed"];
    assert!(reasons.iter().any(|reason| detail["reason"] == *reason), "{detail}");
    let number = |name: &str| detail[name].as_i64().unwrap();
    assert!((began.0..now().0).contains(&number("at")) && number("until") > number("at"));
    assert!(open_until.is_null() || open_until.as_i64() >= detail["until"].as_i64(), "{status:?}");
    let detail = &closed["detail"];
    let expected = json!({
        "id": detail["id"], "at": detail["at"], "project": project.id, "integration": webhook.id,
        "type": "integration.resumed", "by": "breaker",
    });
    assert_eq!(*detail, expected);
    for event in &told {
        assert_eq!(
            (&event["source"], &event["detail-type"]),
            (&json!("flagpost"), &event["detail"]["type"])
        );
        assert_eq!(event["resources"], json!([format!("flagpost:{}/{}", project.id, webhook.id)]));
    }
    are_the_webhooks(&operations, &told).await;
}

/// What the integration of the stream of operations was sent: the same as the bus, each signed and once.
async fn are_the_webhooks(operations: &Webhook, told: &[Value]) {
    let requests = operations.receiver.received();
    let ids: BTreeSet<_> = requests.iter().map(|request| request.id().to_owned()).collect();
    assert_eq!((requests.len(), ids.len()), (told.len(), told.len()), "each once");
    let cases: Vec<_> = requests
        .iter()
        .map(|request| case("standard_webhooks", STANDARD_SECRET, request))
        .collect();
    assert_eq!(verify(&cases).await, vec![true; cases.len()]);
    let mut bodies: Vec<Value> =
        requests.iter().map(|request| serde_json::from_str(request.text()).unwrap()).collect();
    bodies.sort_by_key(|body| body["data"]["id"].to_string());
    let mut wanted: Vec<_> = told.iter().map(|event| webhook_of(&event["detail"])).collect();
    wanted.sort_by_key(|body| body["data"]["id"].to_string());
    for (body, wanted) in bodies.iter_mut().zip(wanted) {
        let timestamp = body["timestamp"].take();
        assert!(timestamp.as_str().is_some_and(|text| text.ends_with('Z')), "{timestamp}");
        assert_eq!(*body, wanted);
    }
}

/// An event in the form of a webhook, with no time.
fn webhook_of(detail: &Value) -> Value {
    let mut data = detail.clone();
    let fields = data.as_object_mut().unwrap();
    let kind = fields.remove("type");
    fields.remove("at");
    json!({"type": kind, "timestamp": null, "data": data})
}

#[tokio::test]
async fn what_an_operator_does_is_told_once_in_both_ways() {
    let project = Project::new().await;
    let bus = Bus::of(&project).await;
    let operations = operations(&project).await;
    let webhook = project.webhook(json!({})).await;
    webhook.pause("the warehouse is being moved").await;
    webhook.pause("it still is").await;
    webhook.resume().await;
    webhook.resume().await;
    webhook.change(json!({"enabled": false})).await;
    webhook.change(json!({"enabled": false, "max_events": 7})).await;
    webhook.change(json!({"enabled": true})).await;
    let mut told = Vec::new();
    bus.until(&mut told, 4).await;
    operations.has_settled(4).await;
    let_pass(QUIET).await;
    told.extend(bus.received().await);
    let mut kinds: Vec<_> = told.iter().map(|event| event["detail"].clone()).collect();
    kinds.sort_by_key(|detail| detail["id"].to_string());
    for detail in &mut kinds {
        for name in ["id", "at", "project", "integration"] {
            assert!(detail.as_object_mut().unwrap().remove(name).is_some(), "{name}");
        }
    }
    let expected = [
        json!({"type": "integration.paused", "by": "operator", "reason": "the warehouse is being moved"}),
        json!({"type": "integration.resumed", "by": "operator"}),
        json!({"type": "integration.disabled"}),
        json!({"type": "integration.enabled"}),
    ];
    assert_eq!(kinds, expected);
    are_the_webhooks(&operations, &told).await;
}

#[tokio::test]
async fn a_dead_delivery_of_an_operations_url_is_told_on_the_bus_alone() {
    let project = Project::new().await;
    let bus = Bus::of(&project).await;
    let (failing, well) = (operations(&project).await, operations(&project).await);
    failing.change(json!({"immediate_retry": "none"})).await;
    failing.receiver.answers_always(400);
    // A single event: one delivery that fails opens no breaker, and its schedule runs out.
    let webhook = project.webhook(json!({})).await;
    webhook.pause("to be told").await;
    let mut told = Vec::new();
    bus.until(&mut told, 2).await;
    let_pass(QUIET * 2).await;
    told.extend(bus.received().await);
    let kinds: Vec<_> = told.iter().map(|event| &event["detail-type"]).collect();
    assert_eq!(kinds, ["integration.paused", "delivery.dead"], "{told:?}");
    let detail = &told[1]["detail"];
    // Where each event is a request, its id goes on with the event's place.
    let first = failing.receiver.received()[0].clone();
    let delivery = first.id().split_once('.').map(|(delivery, _)| delivery);
    let expected = json!({
        "id": detail["id"], "at": detail["at"], "project": project.id, "integration": failing.id,
        "type": "delivery.dead", "delivery": delivery, "events": 1,
    });
    assert_eq!(*detail, expected);
    // On a busy machine a slot may be missed.
    let requests = failing.receiver.received();
    assert!((2..=SLOTS.len() + 1).contains(&requests.len()), "{} requests", requests.len());
    assert!(requests.iter().all(|one| one.id() == first.id()), "that delivery, and nothing else");
    let counts = failing.status().await.counts();
    assert_eq!((counts.matched, counts.dead), (1, 1), "{counts:?}");
    well.has_settled(1).await;
    are_the_webhooks(&well, &told[..1]).await;
}
