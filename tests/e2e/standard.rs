//! The preset `standard`, and who gets what.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    api::bearer,
    project::{Project, Webhook},
    receiver::Reply,
    sample,
};

#[tokio::test]
async fn free_form_objects_arrive_byte_for_byte() {
    let project = Project::new().await;
    let webhook = project.webhook(json!({"preset": "standard", "stream": "events"})).await;
    // Every 2xx is success.
    webhook.receiver.answers(|_| Reply::status(204));
    let objects = [
        r#"{"event" : "sign-up", "n":1.0e2,"big":123456789012345678901234567890 }"#,
        "{}",
        r#"{"environmentId":"its own","text":"\u00fc ü 🦊 \/","twice":1,"twice":2}"#,
        "{\n  \"nested\": [ {\"a\": null} , [ ] ]\n}",
    ];
    let body = format!("[ {} ]\n", objects.join(" ,\t"));
    let answer = project.send("/v1/events", &[], body).await.expect(202);
    assert_eq!(answer.body, json!({"accepted": 4}));
    let answer = project.send("/v1/events", &[], r#" {"alone":true} "#).await.expect(202);
    assert_eq!(answer.body, json!({"accepted": 1}));
    webhook.has_settled(5).await;

    let mut bodies = String::new();
    for request in webhook.receiver.received() {
        assert!(!request.is_gzipped());
        bodies += std::str::from_utf8(&request.body).unwrap();
    }
    assert!(bodies.contains(&objects.join(",")), "{bodies}");
    assert!(bodies.contains(r#"{"alone":true}"#), "{bodies}");
}

#[tokio::test]
async fn standard_webhooks_are_gzipped_where_that_is_set() {
    let (project, webhook) =
        Project::with_webhook(json!({"preset": "standard", "stream": "impressions", "gzip": true}))
            .await;
    let sent = sample::dozen("gzip");
    project.post(&sent).await;
    webhook.has_delivered_all(&sent).await;
    assert!(webhook.receiver.received().iter().all(super::receiver::Received::is_gzipped));
}

#[tokio::test]
async fn each_integration_gets_what_it_wants_and_all_of_it() {
    let project = Project::new().await;
    let events = async |environments: &[&str]| {
        let environments = json!(environments);
        let settings =
            json!({"preset": "standard", "stream": "events", "environments": environments});
        project.webhook(settings).await
    };
    let (one, other) = (events(&[]).await, events(&[]).await);
    let staging_only = events(&["staging"]).await;
    let nowhere = events(&["another"]).await;
    let impressions = project.webhook(json!({})).await;

    let in_production: Vec<_> = (0..30).map(|n| json!({"n": n})).collect();
    let body = serde_json::to_vec(&in_production).unwrap();
    project.send("/v1/events", &[], body).await.expect(202);
    let staging = bearer(&project.new_key("staging", "Staging").await.text("key"));
    let headers = [("authorization", staging.as_str())];
    project.api.call("POST", "/v1/events", &headers, r#"{"n":100}"#).await.expect(202);

    one.has_settled(31).await;
    other.has_settled(31).await;
    staging_only.has_settled(1).await;
    let all: BTreeSet<_> = (0..30).chain([100]).collect();
    assert_eq!((numbers(&one), numbers(&other)), (all.clone(), all));
    assert_eq!(numbers(&staging_only), [100].into());
    for webhook in [&nowhere, &impressions] {
        webhook.has_settled(0).await;
        assert_eq!(webhook.receiver.count(), 0);
    }
}

fn numbers(webhook: &Webhook) -> BTreeSet<i64> {
    let taken = webhook.receiver.accepted();
    taken.iter().map(|event: &Value| event["n"].as_i64().unwrap()).collect()
}
