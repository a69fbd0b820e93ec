//! How often a delivery is tried that never succeeds, at Amplitude's policy: on 5xx and 429 up to three requests in each of
//! ten attempts, on anything else one.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::{
    project::{Project, Webhook},
    receiver::Received,
    stack::{FIRST_SLOT, SLOTS},
};

/// Two requests that are closer to each other are of one attempt: slots are ten seconds apart, and an attempt leaves at
/// least 5 s to the next.
const SAME_ATTEMPT: Duration = Duration::from_secs(4);
/// Webhooks for each answer. One delivery alone does not open the breaker, so each has one. Its own jitter may leave less
/// than 5 s between two slots, of which the second is then passed over: with some of them one has room for nearly all.
const EACH: usize = 4;

#[tokio::test]
async fn a_503_gets_at_most_thirty_requests_in_up_to_ten_attempts() {
    is_tried_and_then_dead(503, 3).await;
}

#[tokio::test]
async fn a_429_without_a_time_is_no_other() {
    is_tried_and_then_dead(429, 3).await;
}

#[tokio::test]
async fn a_400_gets_one_request_in_each_attempt() {
    is_tried_and_then_dead(400, 1).await;
}

async fn is_tried_and_then_dead(status: u16, requests_each: usize) {
    let project = Project::new().await;
    let webhooks: Vec<_> = join_all((0..EACH).map(|_| async {
        let webhook = project.webhook(json!({"preset": "amplitude"})).await;
        webhook.receiver.answers_always(status);
        webhook
    }))
    .await;
    project.send("/v1/events", &[], r#"{"event_type":"never taken"}"#).await.expect(202);
    let attempts =
        join_all(webhooks.iter().map(|webhook| attempts_until_dead(webhook, requests_each))).await;
    let most = *attempts.iter().max().unwrap();
    println!(
        "{status}, attempts until it was dead: {attempts:?}, requests in each: {requests_each}"
    );
    assert!((8..=10).contains(&most), "{most} attempts at most");
}

/// How many attempts were made until it was dead, each of them as it must be.
async fn attempts_until_dead(webhook: &Webhook, requests_each: usize) -> usize {
    let status = webhook.until("its schedule is over", |status| status.counts().dead > 0).await;
    assert_eq!(status.counts().waiting(), [0, 0, 1], "{status:?}");
    assert_eq!((status.counts().matched, status.counts().delivered), (1, 0), "{status:?}");
    assert_eq!((status.counts().parked, status.state()), (0, "well"), "{status:?}");
    assert!(status.balances(), "{status:?}");

    let requests = webhook.receiver.received();
    assert!(requests.len() <= 10 * requests_each, "{} requests", requests.len());
    let same =
        |request: &Received| (request.id(), &request.body) == (requests[0].id(), &requests[0].body);
    assert!(requests.iter().all(same));
    let attempts: Vec<_> =
        requests.chunk_by(|one, next| next.at.since(one.at) < SAME_ATTEMPT).collect();
    for attempt in &attempts {
        assert_eq!(attempt.len(), requests_each, "{:?}", times(&requests));
        for (pair, first_wait) in attempt.windows(2).zip([100, 200]) {
            // Give or take a half.
            let waited = pair[1].at.since(pair[0].at).as_millis();
            assert!(waited >= first_wait / 2 - 2, "waited {waited} ms: {:?}", times(&requests));
        }
        let took = attempt[attempt.len() - 1].at.since(attempt[0].at);
        assert!(took <= Duration::from_secs(4), "{took:?}");
    }
    assert!((5..=10).contains(&attempts.len()), "{:?}", times(&requests));
    for (attempt, slot) in attempts[1..].iter().zip(SLOTS) {
        let age = attempt[0].at.since(requests[0].at);
        assert!(age.as_millis() + 500 >= u128::from(slot) * 900, "{:?}", times(&requests));
    }
    assert!(attempts[1][0].at.since(requests[0].at) + Duration::from_millis(500) >= FIRST_SLOT);
    attempts.len()
}

/// When each came, since the first, in milliseconds.
fn times(requests: &[Received]) -> Vec<u128> {
    requests.iter().map(|request| request.at.since(requests[0].at).as_millis()).collect()
}
