//! A limited endpoint: no more requests in any second than it is allowed, by the sender's clock, while
//! far more is accepted for it; and its neighbour, which notices nothing.

use std::time::Duration;

use flagpost_domain::{
    attempt_log::{Function, Record},
    ports::{AttemptRange, AttemptStore},
    time::Timestamp,
};
use serde_json::json;

use crate::{
    project::{Project, Webhook},
    sample,
    stack::now,
    wait::{let_pass, until},
};

/// Accepted every second, and for so many of them.
const A_SECOND: usize = 50;
const SECONDS: usize = 20;

#[tokio::test]
async fn two_a_second_are_sent_while_fifty_are_accepted_and_its_neighbour_notices_nothing() {
    let project = Project::new().await;
    // Five deliveries a second come, and two go.
    let settings =
        json!({"limits": {"per_second": 2}, "max_events": 10, "immediate_retry": "none"});
    let limited = project.webhook(settings).await;
    let neighbour = project.webhook(json!({})).await;
    let sent = sample::impressions("limited", A_SECOND * SECONDS);
    let began = now();
    let mut posted = Vec::new();
    for (second, some) in sent.chunks(A_SECOND).enumerate() {
        let due = began.plus(Duration::from_secs(second as u64));
        let_pass(due.since(now())).await;
        posted.push(now());
        project.post(some).await;
    }
    neighbour.has_delivered_all(&sent).await;
    let neighbour_done = now();
    let waiting = limited.status().await.backlog("events");
    limited.has_delivered_all(&sent).await;

    // By the sender's clock: with one request in each attempt, an attempt begins when its request does.
    let attempts = attempts(&limited, limited.receiver.count()).await;
    assert!(attempts.iter().all(|one| one.from == Function::Drain && one.requests == 1));
    let times: Vec<_> = attempts.iter().rev().map(|one| one.at).collect();
    let most = most_in_any_second(&times);
    assert!(most <= 2, "{most} requests in a second: {times:?}");
    let took = times[times.len() - 1].since(times[0]);
    let second = Duration::from_secs(1);
    assert!(took + second >= second * u32::try_from(times.len()).unwrap() / 2, "{took:?}");

    let latest = neighbour.receiver.received().iter().map(|request| request.at).max().unwrap();
    println!(
        "{} requests in {took:?}, {most} in a second at most; when the neighbour had all, {waiting} of {} \
         events waited; its last came {:?} after the last was posted, and was counted after {:?}",
        times.len(),
        sent.len(),
        latest.since(posted[posted.len() - 1]),
        neighbour_done.since(posted[posted.len() - 1]),
    );
    assert!(waiting > 0, "there was a backlog");
}

/// The delivery log, newest first, when all of it is written.
async fn attempts(webhook: &Webhook, count: usize) -> Vec<Record> {
    let table = webhook.stack.table();
    let far = Timestamp(9_999_999_999_999);
    let range = AttemptRange { from: Timestamp(0), to: far, before: None, limit: 1_000 };
    until(&format!("{count} attempts in the log"), async || {
        let found = table.attempts(&webhook.id, &range).await.unwrap();
        if found.len() >= count { Ok(found) } else { Err(format!("{} attempts", found.len())) }
    })
    .await
}

fn most_in_any_second(times: &[Timestamp]) -> usize {
    let second = Duration::from_secs(1);
    let begun =
        |first: &[Timestamp]| first.iter().take_while(|at| **at < first[0].plus(second)).count();
    (0..times.len()).map(|first| begun(&times[first..])).max().unwrap_or_default()
}
