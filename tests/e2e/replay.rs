//! What was not delivered, in the operator's hands: found, replayed, purged.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use crate::{
    project::{Project, Webhook},
    receiver::Received,
    sample,
    stack::PAUSE_IS_KNOWN,
    wait::{let_pass, until},
};

impl Webhook {
    /// Everything that is in a state, page by page, by `limit`: ids, oldest first.
    async fn listed(&self, state: &str, limit: usize) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let query = format!("/deliveries?state={state}&limit={limit}{cursor}");
            let page = self.admin("GET", &query, &[], None).await.expect(200).body;
            let deliveries = page["deliveries"].as_array().unwrap();
            assert!(deliveries.len() <= limit);
            all.extend(deliveries.iter().cloned());
            let Some(next) = page["next"].as_str() else { return all };
            cursor = format!("&cursor={next}");
        }
    }

    /// The `key` of every event that is found by listing a state and reading what is listed.
    async fn keys_in(&self, state: &str) -> Vec<String> {
        let mut keys = Vec::new();
        for listed in self.listed(state, 5).await {
            let path = format!("/deliveries/{state}/{}", listed["id"].as_str().unwrap());
            let mut read = self.admin("GET", &path, &[], None).await.expect(200).body;
            let payload = read.as_object_mut().unwrap().remove("payload").unwrap();
            assert_eq!(read, listed, "the same, and the events");
            let events = payload.as_array().unwrap();
            assert_eq!(listed["events"], events.len());
            keys.extend(events.iter().map(|event| event["key"].as_str().unwrap().to_owned()));
        }
        keys
    }

    /// Attempts of one outcome, page by page, newest first.
    async fn attempts(&self, outcome: &str, limit: usize) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let query = format!("/attempts?outcome={outcome}&limit={limit}{cursor}");
            let page = self.admin("GET", &query, &[], None).await.expect(200).body;
            all.extend(page["attempts"].as_array().unwrap().iter().cloned());
            let Some(next) = page["next"].as_str() else { return all };
            cursor = format!("&cursor={next}");
        }
    }

    async fn act(&self, what: &str, body: Value) -> Value {
        timeless(self.admin("POST", what, &[], Some(body)).await.expect(200).body)
    }
}

/// What was swept, without the time up to which it was.
fn timeless(mut swept: Value) -> Value {
    let to = swept.as_object_mut().and_then(|swept| swept.remove("to"));
    assert!(to.is_some_and(|to| to.is_i64()), "{swept}");
    swept
}

fn swept(deliveries: usize, events: usize, dry_run: bool) -> Value {
    json!({
        "deliveries": deliveries, "events": events, "skipped": 0, "done": true,
        "dry_run": dry_run, "next": null,
    })
}

/// Each of these once, in whatever order.
fn each_once(found: &[String], sent: &[Value]) {
    let wanted: BTreeSet<_> = sent.iter().map(|event| event["key"].as_str().unwrap()).collect();
    assert_eq!(found.iter().map(String::as_str).collect::<BTreeSet<_>>(), wanted);
    assert_eq!(found.len(), wanted.len());
}

/// It answers, so that its breaker stays closed, and takes nothing.
#[tokio::test]
async fn what_was_refused_for_longer_than_the_schedule_is_replayed_at_the_drains_pace() {
    let settings = json!({"success": "200", "max_events": 1});
    let (project, webhook) = Project::with_webhook(settings).await;
    webhook.receiver.answers_always(202);
    let sent = sample::dozen("refused");
    project.post(&sent).await;
    webhook.until("all is dead", |status| status.counts().waiting() == [0, 0, 12]).await;
    each_once(&webhook.keys_in("dead").await, &sent);

    webhook.receiver.answers_always(200);
    let before = webhook.receiver.count();
    let dry_run = webhook.act("/deliveries/replay", json!({"dry_run": true})).await;
    assert_eq!(dry_run, swept(12, 12, true));
    assert_eq!(webhook.listed("dead", 100).await.len(), 12, "a dry run changes nothing");
    assert_eq!(webhook.act("/deliveries/replay", json!({})).await, swept(12, 12, false));
    assert_eq!(webhook.act("/deliveries/replay", json!({})).await, swept(0, 0, false));
    webhook.has_settled(12).await;

    let requests = webhook.receiver.received();
    let drained = &requests[before..];
    let events = drained.iter().flat_map(Received::events);
    let keys: Vec<_> = events.map(|event| event["key"].as_str().unwrap().to_owned()).collect();
    each_once(&keys, &sent);
    let took = drained[11].at.since(drained[0].at);
    assert!(took >= Duration::from_secs(5), "from one a second on, not at once: {took:?}");
    assert!(webhook.listed("dead", 100).await.is_empty());

    // The log is written at the end of an invocation.
    let delivered = until("all is in the log", async || {
        let found = webhook.attempts("delivered", 100).await;
        if found.len() == 12 { Ok(found) } else { Err(format!("{found:?}")) }
    })
    .await;
    for one in &delivered {
        let said = (&one["from"], &one["status"], &one["events"], &one["then"]);
        assert_eq!(said, (&json!("drain"), &json!(200), &json!(1), &json!("delivered")), "{one}");
    }
    let failed = webhook.attempts("failed", 7).await;
    // A message may come twice, and then there is an attempt more.
    let dead = failed.iter().filter(|one| one["then"] == "dead");
    let dead: BTreeSet<_> = dead.filter_map(|one| one["delivery"].as_str()).collect();
    assert_eq!(dead.len(), 12);
    assert!(failed.iter().all(|one| one["status"] == 202 && one["delivered"] == 0));
    assert!(failed.is_sorted_by_key(|one| std::cmp::Reverse(one["at"].as_i64())));
}

#[tokio::test]
async fn after_a_long_outage_every_event_is_found_and_delivered_once() {
    let (project, webhook) = Project::with_webhook(json!({})).await;
    webhook.receiver.answers_always(500);
    let mut sent = sample::impressions("outage", 60);
    let later = sent.split_off(12);
    project.post(&sent).await;
    webhook.until("its schedule is over", |status| status.counts().waiting() == [0, 0, 12]).await;

    // What comes in from then on opens the breaker, and is parked.
    let mut later = later.into_iter();
    while webhook.status().await.state() != "open" {
        sent.push(later.next().expect("an open breaker after 48 failures"));
        project.post(&sent[sent.len() - 1..]).await;
        let_pass(Duration::from_millis(700)).await;
    }
    let parked = sent.len() as i128 - 12;
    webhook.until("all is parked", |status| status.counts().waiting() == [0, parked, 12]).await;
    let found = [webhook.keys_in("dead").await, webhook.keys_in("parked").await].concat();
    each_once(&found, &sent);

    webhook.receiver.answers_always(200);
    assert_eq!(webhook.act("/deliveries/replay", json!({})).await, swept(1, 12, false));
    webhook.has_delivered_all(&sent).await;
    assert_eq!(webhook.status().await.state(), "well");
}

#[tokio::test]
async fn what_is_parked_is_dropped_only_when_it_is_paused() {
    let (project, webhook) = Project::with_webhook(json!({})).await;
    let purge = json!({"state": "parked"});
    let refused = webhook.admin("POST", "/deliveries/purge", &[], Some(purge.clone())).await;
    assert_eq!(refused.expect(409).text("type"), "urn:flagpost:problem:conflict");
    webhook.pause("moved").await;
    let_pass(PAUSE_IS_KNOWN).await;
    let sent = sample::dozen("dropped");
    project.post(&sent).await;
    webhook.until("it is parked", |status| status.counts().waiting() == [0, 12, 0]).await;

    let dry_run = webhook.act("/resume", json!({"from": "now", "dry_run": true})).await;
    assert_eq!(dry_run, swept(1, 12, true));
    // The drainer may be looking at it just then.
    let dropped = until("all is dropped", async || {
        let answer = webhook.admin("POST", "/resume", &[], Some(json!({"from": "now"}))).await;
        if answer.status == 200 { Ok(timeless(answer.body)) } else { Err(answer.body.to_string()) }
    })
    .await;
    assert_eq!(dropped, swept(1, 12, false));
    let status = webhook.status().await;
    assert_eq!((status.state(), status.counts().discarded), ("well", 12), "{status:?}");
    assert!(status.balances(), "{status:?}");
    assert_eq!(webhook.receiver.count(), 0);
}
