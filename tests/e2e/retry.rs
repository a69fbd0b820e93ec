//! A delivery that fails: the immediate retry, and the slots.

use flagpost_domain::time::Timestamp;
use serde_json::json;

use crate::{
    project::Project,
    receiver::Received,
    sample,
    stack::{FIRST_SLOT, SLOTS},
};

#[tokio::test]
async fn a_failure_is_retried_once_at_once_and_then_at_the_first_slot() {
    let (project, webhook) = Project::with_webhook(json!({})).await;
    webhook.receiver.answers_always(500);
    let sent = sample::dozen("retry");
    project.post(&sent).await;
    webhook.until_requests(2).await;
    webhook.receiver.answers_always(200);
    webhook.has_delivered_all(&sent).await;

    let requests = webhook.receiver.received();
    let [first, second, third] = &requests[..] else { panic!("{} requests", requests.len()) };
    for request in [second, third] {
        assert_eq!((request.id(), &request.body), (first.id(), &first.body));
    }
    assert!(second.at.since(first.at).as_millis() >= 295, "{:?}", second.at.since(first.at));
    assert!(third.at >= began(first).plus(FIRST_SLOT), "{:?}", third.at.since(first.at));
}

#[tokio::test]
async fn the_slots_are_kept_and_then_it_is_dead() {
    let (project, webhook) = Project::with_webhook(json!({})).await;
    webhook.receiver.answers_always(500);
    let sent = sample::dozen("slots");
    let count = sent.len() as u64;
    project.post(&sent).await;
    let status = webhook.until("its schedule is over", |status| status.counts().dead > 0).await;

    assert_eq!(status.counts().waiting(), [0, 0, count.into()], "{status:?}");
    assert_eq!((status.counts().matched, status.counts().delivered), (count, 0), "{status:?}");
    assert_eq!(status.counts().parked, 0, "one delivery alone does not open the breaker");
    assert_eq!(status.state(), "well");
    assert!(status.balances(), "{status:?}");

    let requests = webhook.receiver.received();
    assert!(requests.iter().all(|request| request.id() == requests[0].id()));
    assert!(requests.iter().all(|request| request.body == requests[0].body));
    let (attempts, rest) = requests.as_chunks::<2>();
    assert!(rest.is_empty(), "each attempt is two requests");
    // Ten where the delivery's own jitter leaves room between all slots: one that is less than 5 s
    // after an attempt is passed over, and here slots are but ten seconds apart.
    assert!((5..=10).contains(&attempts.len()), "{} attempts", attempts.len());
    for (attempt, slot) in attempts[1..].iter().zip(SLOTS) {
        let age = attempt[0].at.since(began(&requests[0]));
        assert!(age.as_millis() >= u128::from(slot) * 900, "{age:?} for the slot at {slot} s");
    }
}

/// A delivery's schedule began at this time or just after: its id, a version 7 UUID, was made just before.
fn began(first: &Received) -> Timestamp {
    Timestamp(i64::from_str_radix(&first.id()[..12], 16).unwrap())
}
