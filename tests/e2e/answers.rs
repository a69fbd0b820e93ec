//! What an endpoint's answers mean.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::json;

use crate::{
    project::Project,
    receiver::{Received, Reply},
    sample,
};

#[tokio::test]
async fn gone_pauses_with_that_reason() {
    let (project, webhook) = Project::with_webhook(json!({})).await;
    webhook.receiver.answers_always(410);
    let sent = sample::dozen("gone");
    project.post(&sent).await;
    let status = webhook.until("it is parked", |status| status.counts().parked == 12).await;
    assert_eq!(status.state(), "paused");
    assert_eq!(status.0["pause"]["reason"], "the endpoint answered 410 Gone");
    assert!(status.balances(), "{status:?}");
    assert_eq!(webhook.receiver.count(), 1, "there is no immediate retry");

    webhook.receiver.answers_always(200);
    webhook.resume().await;
    webhook.has_delivered_all(&sent).await;
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let (project, webhook) = Project::with_webhook(json!({})).await;
    webhook.receiver.answers(|_| Reply::status(429).with("retry-after", "3"));
    let sent = sample::dozen("limited");
    project.post(&sent).await;
    let status = webhook.until("it is parked", |status| status.counts().parked == 12).await;
    assert!(status.is_open("retry_after"), "{status:?}");
    assert!(status.balances(), "{status:?}");
    webhook.until_requests(3).await;
    webhook.receiver.answers_always(200);
    webhook.has_delivered_all(&sent).await;
    assert_eq!(webhook.status().await.state(), "well");

    let requests = webhook.receiver.received();
    assert!(requests.iter().all(|request| request.id() == requests[0].id()));
    for pair in requests.windows(2) {
        let gap = pair[1].at.since(pair[0].at);
        assert!(gap >= Duration::from_secs(3), "asked again after {gap:?}");
    }
}

#[tokio::test]
async fn too_large_is_split_in_halves() {
    let (project, webhook) = Project::with_webhook(json!({})).await;
    webhook
        .receiver
        .answers(|request| Reply::status(if request.events().len() > 3 { 413 } else { 200 }));
    let sent = sample::dozen("large");
    project.post(&sent).await;
    webhook.has_delivered_all(&sent).await;

    let requests = webhook.receiver.received();
    let whole = requests[0].id();
    let sizes: BTreeMap<_, _> = requests
        .iter()
        .map(|request| (request.id().strip_prefix(whole).unwrap(), request.events().len()))
        .collect();
    let wanted =
        [("", 12), (".a", 6), (".a.a", 3), (".a.b", 3), (".b", 6), (".b.a", 3), (".b.b", 3)];
    assert_eq!(sizes, wanted.into());
    assert_eq!(requests.len(), wanted.len(), "each was sent once");
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let (project, webhook) = Project::with_webhook(json!({})).await;
    let elsewhere = format!("http://127.0.0.1:{}/elsewhere", webhook.receiver.port);
    webhook.receiver.answers(move |_| Reply::status(307).with("location", elsewhere.clone()));
    let sent = sample::dozen("redirect");
    project.post(&sent).await;
    let status = webhook.until("it is scheduled", |status| status.counts().scheduled == 12).await;
    assert!(status.balances(), "{status:?}");

    webhook.receiver.answers_always(200);
    webhook.has_delivered_all(&sent).await;
    let requests = webhook.receiver.received();
    let paths: BTreeSet<_> = requests.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, BTreeSet::from(["/impressions"]));
    let statuses: Vec<_> = requests.iter().map(|request| request.status).collect();
    assert_eq!(statuses, [307, 307, 200]);
}

#[tokio::test]
async fn for_split_204_is_a_failed_delivery_and_not_ill_health() {
    let (project, webhook) = Project::with_webhook(json!({"max_events": 1})).await;
    webhook.receiver.answers_always(204);
    let sent = sample::dozen("no-content");
    project.post(&sent).await;
    // Two attempts at each of twelve deliveries, a slot apart: as ill health that would be enough
    // to open the breaker twice over.
    webhook.until_requests(4 * sent.len()).await;
    let status = webhook.status().await;
    assert_eq!(status.state(), "well");
    assert_eq!((status.counts().delivered, status.counts().parked), (0, 0), "{status:?}");

    webhook.receiver.answers_always(200);
    webhook.until("all is delivered", |status| status.counts().delivered == 12).await;
    webhook.has_settled(sent.len()).await;
    let received = webhook.receiver.received();
    let (well, failed): (Vec<_>, Vec<_>) =
        received.iter().partition(|request| request.status == 200);
    let ids = |requests: &[&Received]| -> BTreeSet<String> {
        requests.iter().map(|request| request.id().to_owned()).collect()
    };
    assert_eq!((well.len(), ids(&well)), (12, ids(&failed)), "each once, under its own id");
}
