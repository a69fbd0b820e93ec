//! What an operator does: pause, resume, change, disable.

use std::time::Duration;

use serde_json::json;

use crate::{project::Project, sample, stack::PAUSE_IS_KNOWN, wait::let_pass};

#[tokio::test]
async fn a_pause_parks_and_resuming_drains() {
    let (project, webhook) = Project::with_webhook(json!({})).await;
    webhook.pause("the warehouse is being moved").await;
    let status = webhook.status().await;
    assert_eq!(status.state(), "paused");
    assert_eq!(status.0["pause"]["reason"], "the warehouse is being moved");
    let_pass(PAUSE_IS_KNOWN).await;

    let sent = sample::impressions("pause", 30);
    for some in sent.chunks(10) {
        project.post(some).await;
    }
    let parked = [0, 30, 0];
    let status = webhook.until("all is parked", |status| status.counts().waiting() == parked).await;
    assert_eq!((status.backlog("deliveries") > 0, status.backlog("events")), (true, 30));
    assert!(status.balances(), "{status:?}");
    // Time for the drainer to take the wake-up, and to leave it at that.
    let_pass(Duration::from_secs(3)).await;
    assert_eq!(webhook.receiver.count(), 0);

    webhook.resume().await;
    webhook.has_delivered_all(&sent).await;
    let status = webhook.status().await;
    assert_eq!((status.state(), &status.0["pause"]), ("well", &json!(null)));
}

#[tokio::test]
async fn a_change_needs_the_present_version() {
    let (_project, webhook) = Project::with_webhook(json!({})).await;
    let read = webhook.admin("GET", "", &[], None).await.expect(200);
    let tag = read.header("etag").to_owned();
    let change = async |if_match: &[(&str, &str)], max_events: u64| {
        let body = Some(json!({"max_events": max_events}));
        webhook.admin("PATCH", "", if_match, body).await
    };
    let changed = change(&[("if-match", &tag)], 100).await.expect(200);
    assert_eq!(changed.body["max_events"], 100);

    let stale = change(&[("if-match", &tag)], 200).await.expect(412);
    assert_eq!(stale.text("type"), "urn:flagpost:problem:precondition-failed");
    assert_eq!(stale.header("etag"), changed.header("etag"), "the present version is told");
    let missing = change(&[], 200).await.expect(428);
    assert_eq!(missing.text("type"), "urn:flagpost:problem:precondition-required");
    let read = webhook.admin("GET", "", &[], None).await.expect(200);
    assert_eq!(read.body, changed.body, "what was refused changed nothing");
}

#[tokio::test]
async fn a_disabled_integration_takes_nothing_new() {
    let (project, disabled) = Project::with_webhook(json!({})).await;
    let enabled = project.webhook(json!({})).await;
    let off = Some(json!({"enabled": false}));
    disabled.admin("PATCH", "", &[("if-match", "*")], off).await.expect(200);
    assert_eq!(disabled.status().await.state(), "disabled");

    let sent = sample::dozen("disabled");
    project.post(&sent).await;
    enabled.has_delivered_all(&sent).await;
    disabled.has_settled(0).await;
    assert_eq!(disabled.receiver.count(), 0);
}
