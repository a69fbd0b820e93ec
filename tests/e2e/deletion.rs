//! An integration that is deleted while it still has deliveries.

use std::time::Duration;

use serde_json::json;

use crate::{
    project::{Project, Status},
    sample,
    stack::PAUSE_IS_KNOWN,
    wait::let_pass,
};

#[tokio::test]
async fn what_still_waits_is_discarded_and_counted() {
    let project = Project::new().await;
    let paused = project.webhook(json!({})).await;
    let failing = project.webhook(json!({})).await;
    paused.pause("to be deleted").await;
    failing.receiver.answers_always(500);
    let_pass(PAUSE_IS_KNOWN).await;
    let sent = sample::dozen("deleted");
    project.post(&sent).await;
    let parked = [0, 12, 0];
    paused.until("it is parked", |status| status.counts().waiting() == parked).await;
    let scheduled = [12, 0, 0];
    failing.until("it is scheduled", |status| status.counts().waiting() == scheduled).await;

    for webhook in [&paused, &failing] {
        webhook.delete().await;
        webhook.admin("GET", "", &[], None).await.expect(404);
        assert_eq!(webhook.status().await.state(), "deleted");
    }
    for webhook in [&paused, &failing] {
        // Functions may know it for 30 s more.
        let discarded = |status: &Status| status.counts().discarded > 0;
        let status = webhook.until("what waits is discarded", discarded).await;
        let counts = status.counts();
        assert_eq!((counts.matched, counts.discarded), (12, 12), "{status:?}");
        assert_eq!((counts.delivered, counts.waiting()), (0, [0; 3]), "{status:?}");
        assert!(status.balances(), "{status:?}");
    }
    assert_eq!(paused.parked().await, Vec::<String>::new());

    // From then on nothing is sent.
    let requests = failing.receiver.count();
    let_pass(Duration::from_secs(12)).await;
    assert_eq!(failing.receiver.count(), requests, "a slot has passed meanwhile");
    assert_eq!(paused.receiver.count(), 0);
}
