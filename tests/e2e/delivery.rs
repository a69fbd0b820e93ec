//! From the API to the webhook, all being well.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    api::{GZIPPED, gzip},
    project::Project,
    receiver::{Received, Receiver},
    sample::{self, ENVIRONMENT, ENVIRONMENT_NAME},
    stack::now,
    wait::until,
};

/// The schema of the vendors' page: fields, whether they are texts or else numbers, and whether
/// they are there without exception.
const SCHEMA: [(&str, bool, bool); 14] = [
    ("key", true, true),
    ("split", true, true),
    ("environmentId", true, true),
    ("environmentName", true, true),
    ("treatment", true, true),
    ("time", false, true),
    ("bucketingKey", true, true),
    ("label", true, false),
    ("machineName", true, false),
    ("machineIp", true, false),
    ("splitVersionNumber", false, false),
    ("sdk", true, false),
    ("sdkVersion", true, false),
    ("properties", true, false),
];

#[tokio::test]
async fn a_trace_leads_from_the_request_to_the_endpoint_and_into_the_delivery_log() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let (project, webhook) = Project::with_webhook(json!({"trace": true})).await;
    let parent = format!("00-{trace}-00f067aa0ba902b7-01");
    let body = serde_json::to_vec(&sample::impressions("traced", 1)).unwrap();
    project.send("/v1/impressions", &[("traceparent", &parent)], body).await.expect(202);
    webhook.until_requests(1).await;
    let told = webhook.receiver.received()[0].header("traceparent").to_owned();
    assert!(told.starts_with(&parent[..36]) && told != parent, "{told}");
    let attempt = until("the attempt to be logged", async || {
        let listed = webhook.admin("GET", "/attempts", &[], None).await.expect(200).body;
        listed["attempts"].get(0).cloned().ok_or_else(|| listed.to_string())
    });
    assert_eq!(attempt.await["trace_id"], trace);
}

#[tokio::test]
async fn five_thousand_in_five_thousand_out() {
    let (project, webhook) = Project::with_webhook(json!({})).await;
    let sent = sample::impressions("user", 5_000);
    for (n, some) in sent.chunks(500).enumerate() {
        if n % 5 == 3 {
            let body = gzip(&serde_json::to_vec(some).unwrap());
            let answer = project.send("/v1/impressions", &GZIPPED, body);
            assert_eq!(answer.await.expect(202).body, json!({"accepted": 500}));
        } else {
            project.post(some).await;
        }
    }
    webhook.has_delivered_all(&sent).await;
    assert_eq!(webhook.receiver.keys().len(), 5_000);
    for event in webhook.receiver.accepted() {
        has_the_schema(&event);
    }
    let requests = webhook.receiver.received();
    for request in &requests {
        is_a_webhook_request(request);
        assert!(request.is_gzipped());
        assert!(request.events().len() <= 500, "{} events", request.events().len());
    }
    let ids: BTreeSet<_> = requests.iter().map(Received::id).collect();
    assert_eq!(ids.len(), requests.len(), "each delivery has an id of its own");
}

#[tokio::test]
async fn slack_gets_it_plain() {
    let project = Project::new().await;
    let receiver = Receiver::start().await;
    let url = format!("http://hooks.slack.com:{}/services/T000/B000/path", receiver.port);
    let webhook = project.webhook_at(&url, receiver, json!({})).await;
    let sent = sample::dozen("slack");
    project.post(&sent).await;
    webhook.has_delivered_all(&sent).await;
    for request in webhook.receiver.received() {
        is_a_webhook_request(&request);
        assert!(!request.is_gzipped());
        assert_eq!(request.path, "/services/T000/B000/path");
        let host = format!("hooks.slack.com:{}", webhook.receiver.port);
        assert_eq!(request.header("host"), host);
    }
}

fn is_a_webhook_request(request: &Received) {
    assert_eq!(request.header("content-type"), "application/json");
    assert_eq!(request.header("user-agent"), concat!("Flagpost/", env!("CARGO_PKG_VERSION")));
    assert!(!request.id().is_empty());
    let sent_at: i64 = request.header("webhook-timestamp").parse().unwrap();
    assert!((0..3_600).contains(&(now().seconds() - sent_at)), "{sent_at}");
}

fn has_the_schema(event: &Value) {
    let fields = event.as_object().unwrap();
    for (name, is_text, required) in SCHEMA {
        match fields.get(name) {
            Some(value) => assert!(if is_text { value.is_string() } else { value.is_i64() }),
            None => assert!(!required, "no {name} in {event}"),
        }
    }
    let known: BTreeSet<_> = SCHEMA.iter().map(|(name, ..)| *name).collect();
    assert!(fields.keys().all(|name| known.contains(name.as_str())), "{event}");
    assert_eq!(event["environmentId"], ENVIRONMENT);
    assert_eq!(event["environmentName"], ENVIRONMENT_NAME);
}
