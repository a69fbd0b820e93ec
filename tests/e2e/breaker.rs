//! An endpoint's ill health: the breaker, the pause, the probe, and the way back.

use std::{collections::HashMap, time::Duration};

use serde_json::json;

use crate::{
    project::Project,
    receiver::{Received, Reply},
    sample,
    stack::{PAUSE_IS_KNOWN, SHORTEST_PAUSE},
    wait::let_pass,
};

#[tokio::test]
async fn one_error_in_ten_does_not_open_it() {
    let (project, webhook) = Project::with_webhook(json!({"max_events": 1})).await;
    let mut seen: HashMap<String, (usize, usize)> = HashMap::new();
    webhook.receiver.answers(move |request| {
        let first = (seen.len(), 0);
        let (number, requests) = seen.entry(request.id().to_owned()).or_insert(first);
        *requests += 1;
        // Both requests of the first attempt at every tenth delivery.
        Reply::status(if *number % 10 == 9 && *requests <= 2 { 500 } else { 200 })
    });
    let sent = sample::impressions("sporadic", 120);
    for some in sent.chunks(10) {
        project.post(some).await;
        // Sustained for longer than failures must last to open it.
        let_pass(Duration::from_millis(500)).await;
        assert_eq!(webhook.status().await.0["breaker"]["open"], false);
    }
    webhook.has_delivered_all(&sent).await;
    assert_eq!(webhook.receiver.count(), 120 + 12 * 2, "twelve deliveries had two errors each");
    let status = webhook.status().await;
    assert_eq!((status.counts().scheduled, status.counts().parked), (12, 0), "{status:?}");
}

#[tokio::test]
async fn it_opens_pauses_probes_and_drains_oldest_first_at_a_pace() {
    let (project, webhook) = Project::with_webhook(json!({})).await;
    // What speaks of overload: after other refusals there would be more probes in one pause.
    webhook.receiver.answers_always(503);
    let mut fresh = sample::impressions("paused", 200).into_iter();
    let mut sent = Vec::new();

    // It opens on sustained failure.
    while webhook.status().await.state() != "open" {
        sent.push(fresh.next().expect("an open breaker after 200 failures"));
        project.post(&sent[sent.len() - 1..]).await;
        let_pass(Duration::from_millis(700)).await;
    }
    // What failed before is parked when its slot comes.
    let_pass(PAUSE_IS_KNOWN).await;
    let all = sent.len() as i128;
    let status = webhook
        .until("all that failed is parked", |status| status.counts().waiting() == [0, all, 0])
        .await;
    // The latter where the machine is so busy that the traffic is thin.
    assert!(status.is_open("failure_rate") || status.is_open("failures_in_a_row"), "{status:?}");

    // While it is open everything is parked, in the order in which it comes.
    let quiet_from = webhook.receiver.count();
    let before = status.backlog("deliveries");
    for n in 1..=8 {
        sent.extend(fresh.next());
        project.post(&sent[sent.len() - 1..]).await;
        webhook
            .until("one more is parked", |status| status.backlog("deliveries") == before + n)
            .await;
    }
    let oldest_first = webhook.parked().await;
    webhook.until_requests(quiet_from + 5).await;
    webhook.receiver.answers_always(200);
    webhook.has_delivered_all(&sent).await;
    assert_eq!(webhook.status().await.state(), "well");

    let requests = webhook.receiver.received();
    let well = requests.iter().position(|request| request.status == 200).unwrap();
    only_probes_came(&requests[quiet_from..well]);
    drained_oldest_first(&requests[well..], &oldest_first);
    in_posting_order(&requests[well + 1..], &oldest_first[oldest_first.len() - 8..]);
    at_a_pace(&requests[well + 1..]);
}

/// One attempt in each pause, each at another delivery than the last.
fn only_probes_came(requests: &[Received]) {
    let probes: Vec<_> = requests.chunk_by(|a, b| a.id() == b.id()).collect();
    assert!(probes.len() >= 2, "{} probes", probes.len());
    for (n, probe) in probes.iter().enumerate() {
        // The first may have begun before we looked, the last may have been under way when the
        // endpoint got well.
        let is_whole = n > 0 && n + 1 < probes.len();
        assert!(probe.len() <= 2 && (probe.len() == 2 || !is_whole), "{} requests", probe.len());
    }
    for pair in probes.windows(2) {
        let pause = pair[1][0].at.since(pair[0][pair[0].len() - 1].at);
        assert!(pause >= SHORTEST_PAUSE, "a second probe after {pause:?}");
    }
}

/// The probe that succeeds, whichever it is, and then one after the other.
fn drained_oldest_first(requests: &[Received], oldest_first: &[String]) {
    let ids: Vec<_> = requests.iter().map(Received::id).collect();
    let rest: Vec<_> = oldest_first.iter().filter(|id| *id != ids[0]).collect();
    assert_eq!(rest.len() + 1, oldest_first.len(), "the probe was a parked delivery");
    assert_eq!(ids[1..], rest);
}

fn in_posting_order(requests: &[Received], ids: &[String]) {
    let theirs = requests.iter().filter(|request| ids.iter().any(|id| id == request.id()));
    let keys: Vec<_> = theirs.map(|request| request.events()[0]["key"].to_string()).collect();
    assert!(keys.len() >= 7 && keys.is_sorted(), "{keys:?}");
}

/// It starts with one delivery a second, for four seconds.
fn at_a_pace(requests: &[Received]) {
    let three_gaps = requests[3].at.since(requests[0].at);
    assert!(three_gaps >= Duration::from_millis(2_400), "four deliveries within {three_gaps:?}");
}
